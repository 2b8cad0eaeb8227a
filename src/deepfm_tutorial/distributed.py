"""Data-parallel training: weights on servers, rows shared out among workers (chapter 11)."""
import fcntl
import os
import re
import socket
import struct
import sys
import termios
import traceback
from contextlib import contextmanager

import mxnet as mx
import numpy as np
from mxnet import autograd, nd

from . import checkpoint as checkpoints
from . import cluster
from .checks import check_ids, check_labels, field_bounds, real_number, whole_number
from .training import has_weights
from .updates import TABLES, as_graph, logistic_loss, named_parameters

TABLE, EPOCH = "table", "epoch"  # on the servers: all tables side by side, and the epochs done
EMPTY = np.zeros((0,), np.int64)


def shard(num_rows, rank, num_workers):
    """Return a worker's share of N rows as a slice; each row is in the share of one worker.

    Shares are runs of neighbours, so that a worker reads one piece of a file, and their lengths
    differ by one row at most.

    Raises:
        ValueError: fewer rows than workers, or a rank that does not exist.
    """
    whole_number("num_rows", num_rows, least=whole_number("num_workers", num_workers))
    if whole_number("rank", rank, least=0) >= num_workers:
        raise ValueError(f"rank = {rank}: 0 to {num_workers - 1} is allowed")
    return slice(num_rows * rank // num_workers, num_rows * (rank + 1) // num_workers)


def batches(num_rows, rank, num_workers, batch_size, order):
    """Yield a worker's batches of one epoch, as row numbers, and how many rows all workers take.

    Servers wait in every step for every worker. So all have the same number of steps, and none
    has an empty one: each share is cut into that many parts, which differ by one row at most.

    Args:
        num_rows, rank, num_workers: as for `shard`.
        batch_size: rows a step and worker; one more where shares are uneven.
        order: a NumPy `Generator` that shuffles the share.
    """
    shares = [shard(num_rows, r, num_workers) for r in range(num_workers)]
    lengths = [share.stop - share.start for share in shares]
    steps = -(-min(lengths) // batch_size)
    ends = np.array([np.arange(steps + 1) * length // steps for length in lengths])  # (M, steps + 1)
    rows = shares[rank].start + order.permutation(lengths[rank])
    for step in range(steps):
        yield rows[ends[rank, step]:ends[rank, step + 1]], int(np.diff(ends)[:, step].sum())


def train(store, model, data, *, epochs, batch_size, learning_rate, seed=0, checkpoint=None,
          after_step=None):
    """Train with SGD on the logistic loss, every worker on its own shard of the rows.

    M workers take the same steps as one process whose batches are M times as large.

    Args:
        store: what `connect` gives.
        model: one of this package's models, the same on every worker, without batch norm.
            Without weights it is initialised from `seed`. On rank 0 it ends up with the trained
            weights; the other workers never hold the tables.
        data: `(ids, labels)`, (N, F) and (N,), all rows, memory-mapped if they are many: a worker
            reads its shard of them alone.
        epochs: passes over the rows.
        batch_size: rows a step and worker.
        learning_rate: of SGD.
        seed: of the initial weights, the order of rows, and dropout.
        checkpoint: a file that rank 0 writes after each epoch, or None. If it is there, training
            goes on from it; only rank 0 needs to see it.
        after_step: None, or what to call after each step, with the epoch and the step, from 1.

    Returns:
        This worker's mean loss in each epoch that it trained, a list.

    Raises:
        TypeError, ValueError: wrong settings, or wrong rows in this worker's shard; or the
            checkpoint is damaged or another training's.
    """
    whole_number("epochs", epochs)
    whole_number("batch_size", batch_size)
    real_number("learning_rate", learning_rate, 0, np.inf, low_allowed=False)
    whole_number("seed", seed, least=0)
    share, ids, labels = _own_rows(store, model, data)
    same = checkpoints.identity(model, None, None, None, rows=len(data[0]), batch_size=batch_size,
                                learning_rate=learning_rate, seed=seed)
    done = _start(model, seed, checkpoint, same) if store.rank == 0 else 0
    worker = Worker(store, model, learning_rate, done)
    losses = []
    for epoch in range(worker.epoch() + 1, epochs + 1):
        mx.random.seed(hash((seed, epoch, store.rank)) % 2**31)  # for dropout, another on every worker
        order = np.random.default_rng([seed, epoch, store.rank])
        total = nd.zeros((1,))
        parts = batches(len(data[0]), store.rank, store.num_workers, batch_size, order)
        for step, (rows, num_rows) in enumerate(parts, start=1):
            total = total + worker(ids[rows - share.start], labels[rows - share.start], num_rows)
            if after_step:
                after_step(epoch, step)
        losses.append(float(total.asscalar()) / len(labels))
        if checkpoint and store.rank == 0:
            checkpoints.write(checkpoint, worker.weights(), {"epoch": epoch, "same": same})
    if store.rank == 0:
        _load(model, worker.weights())
    return losses


def _own_rows(store, model, data):
    """This worker's shard, and its rows, checked as a whole before the first step."""
    ids, labels = data
    if len(ids) != len(labels):
        raise ValueError(f"{len(ids)} rows of ids and {len(labels)} labels: as many are needed")
    share = shard(len(ids), store.rank, store.num_workers)
    ids = check_ids(ids[share], *field_bounds(model.field_sizes))
    return share, ids, check_labels(labels[share], len(ids))


def _start(model, seed, checkpoint, same):
    """Give the model its first weights, from the checkpoint if there is one; return its epoch."""
    mx.random.seed(seed)
    if not has_weights(model):
        model.initialize()
    if not checkpoint or not (stored := checkpoints.read_same(checkpoint, same)):
        return 0
    weights, facts = stored
    _load(model, weights)
    return facts["epoch"]


def _load(model, weights):
    for name, parameter in named_parameters(model).items():
        parameter.set_data(weights[name])


@contextmanager
def connect():
    """Join the job: `with connect() as store:`, a `dist_sync` KVStore with `rank` and `num_workers`.

    At its end a worker waits for the others, and after an error that would be for ever: they
    wait for its next gradient. So an error inside the block ends the process then and there.

    Raises:
        ValueError: the `DMLC_` variables are missing: use `deepfm_tutorial.launch`.
    """
    if cluster.check(os.environ) != "worker":
        raise ValueError("DMLC_ROLE=worker is needed: start this with python -m deepfm_tutorial.launch")
    store = mx.kv.create("dist_sync")
    try:
        yield store
        nd.waitall()  # errors of MXNet's own threads come to light here at the latest
    except BaseException as error:
        if not isinstance(error, SystemExit):
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(error.code or 0 if isinstance(error, SystemExit) and not isinstance(error.code, str) else 1)


def traffic():
    """Return the bytes that this process has sent and received over TCP so far, as the kernel counts.

    Of each connection that is open: payload with the framing of ps-lite, without the headers
    of TCP and IP. Sent is what was handed to the kernel; on a busy machine some of it still waits
    for its acknowledgement. Linux only.
    """
    sent = received = 0
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        try:
            with socket.socket(fileno=os.dup(descriptor)) as one:
                information = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
                waiting = fcntl.ioctl(one, termios.TIOCOUTQ, bytes(4))
        except OSError:  # not a socket, not TCP, or closed by now
            continue
        acknowledged, arrived = struct.unpack_from("QQ", information, 120)  # struct tcp_info of linux/tcp.h
        sent += acknowledged + int.from_bytes(waiting, sys.byteorder)
        received += arrived
    return sent, received


class Worker:
    """A model whose weights are on the servers: `worker(ids, labels, num_rows) → loss`.

    The tables w and V lie on the servers side by side, one row a feature, (n, 1 + k). A step
    pulls the rows of the batch's distinct ids and pushes their gradient, both row-sparse; the
    other parameters travel whole. The servers add up the workers' gradients and take one step
    of SGD, which keeps no state: the weights are all that there is to save.

    Args:
        store: what `connect` gives.
        model: one of this package's models; only the worker of rank 0 gives it weights, and
            those are the ones that training starts with.
        learning_rate: of SGD.
        epoch: how many epochs the weights have been trained; as they do, it comes from rank 0.
    """

    def __init__(self, store, model, learning_rate, epoch=0):
        self.store = store
        parameters = named_parameters(model)
        is_table = {name: bool(re.match(TABLES, p.name)) for name, p in parameters.items()}
        self.tables = {name: parameters[name] for name in parameters if is_table[name]}
        self.dense = {name: parameters[name] for name in parameters if not is_table[name]}
        self.widths = [int(np.prod(table.shape[1:])) for table in self.tables.values()]
        self.shape = (sum(model.field_sizes), sum(self.widths))
        self._check(model)
        self._initialise(epoch)
        store.set_optimizer(mx.optimizer.SGD(learning_rate=learning_rate, wd=0))
        self.graph = as_graph(model, self.tables.values())

    def __call__(self, ids, labels, num_rows):
        """Take one step together with all other workers.

        Args:
            ids: (B, F) NumPy ids, already checked.
            labels: (B,).
            num_rows: the rows of all workers' batches together; the loss is their mean.

        Returns:
            The summed loss of this worker's rows before the step, an NDArray (1,).
        """
        used, places = np.unique(ids, return_inverse=True)
        rows = self.pull(used)  # (U, 1 + k)
        rows.attach_grad()
        labels, places = nd.array(labels), nd.array(places.reshape(ids.shape), dtype="int32")
        with autograd.record():
            loss = logistic_loss(self.graph(places, *self._tables_of(rows)), labels).sum()
            objective = loss / num_rows
        objective.backward()
        self._push(used, rows.grad)
        return loss

    def pull(self, used):
        """Fetch the dense parameters into the model and return the rows `used`, (U, 1 + k)."""
        for name, parameter in self.dense.items():
            self.store.pull(name, out=parameter.data())
        rows = nd.sparse.zeros("row_sparse", self.shape)
        self.store.row_sparse_pull(TABLE, out=rows, row_ids=nd.array(used, dtype="int64"))
        return rows.data

    def weights(self):
        """Return all weights as they are on the servers: name → NumPy array."""
        table = self.pull(np.arange(self.shape[0]))
        pairs = [*self.dense.items(), *zip(self.tables, self._tables_of(table))]
        return {name: (p if isinstance(p, nd.NDArray) else p.data()).asnumpy() for name, p in pairs}

    def _check(self, model):
        if not self.tables:
            raise ValueError(f"{type(model).__name__} has no table: nothing to keep by rows")
        if any(parameter.grad_req == "null" for parameter in self.dense.values()):
            raise ValueError("batch_norm = True: its running means would differ from worker to worker")

    def _initialise(self, epoch):
        """Put rank 0's weights on the servers. MXNet sends those and leaves the others' aside."""
        if self.store.rank == 0:
            start = [table.data().asnumpy().reshape(self.shape[0], -1) for table in self.tables.values()]
            table, rows = np.concatenate(start, axis=1), np.arange(self.shape[0])
        else:
            table, rows = np.zeros((0, self.shape[1]), np.float32), EMPTY
            for parameter in self.dense.values():
                parameter.initialize(init="zeros", force_reinit=True)
        # Every row is listed, zeros too: a server aborts on a row-sparse array without rows.
        self.store.init(TABLE, nd.sparse.row_sparse_array((table, rows), shape=self.shape))
        self.store.init(list(self.dense), [parameter.data() for parameter in self.dense.values()])
        self.store.init(EPOCH, nd.array([epoch]))

    def epoch(self):
        """Return how many epochs rank 0 said the weights have been trained."""
        epoch = nd.zeros((1,))
        self.store.pull(EPOCH, out=epoch)
        return int(epoch.asscalar())

    def _tables_of(self, rows):
        """Cut (U, 1 + k) into the model's tables again, (U,) and (U, k)."""
        ends = np.cumsum(self.widths).tolist()
        parts = [rows[:, end - width:end] for end, width in zip(ends, self.widths)]
        return [part.reshape((-1,) + table.shape[1:])
                for part, table in zip(parts, self.tables.values())]

    def _push(self, used, gradient):
        sparse = nd.sparse.row_sparse_array((gradient, nd.array(used, dtype="int64")), shape=self.shape)
        self.store.push(TABLE, sparse)
        for name, parameter in self.dense.items():
            self.store.push(name, parameter.grad())
