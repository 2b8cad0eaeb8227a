"""A worker of a distributed training: its rows, its steps, its weights (chapter 12)."""
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd, nd
from mxnet.gluon import nn

from .._validation import (
    check_inputs,
    check_integer,
    check_labels,
    parts_of,
)
from ..embeddings import FieldBlock, blocks_of, named_parameters
from ..fields import Data
from ..scale.checkpoint import Checkpoint
from ..scale.lazy import distinct
from ..training import (
    GradReqs,
    check_settings,
    compiled,
    initialise,
    logistic_loss,
    mxnet_seed,
)
from . import environment

# The servers' keys of all tables side by side, and of the number of epochs done.
TABLE, EPOCH = "table", "epoch"
EMPTY = np.zeros((0,), np.int64)


def shard(num_rows: int, rank: int, num_workers: int) -> slice:
    """Return a worker's share of N rows as a slice; each row is in one share.

    Shares are runs of neighbours, so that a worker reads one piece of a file, and their
    lengths differ by one row at most.

    Raises:
        ValueError: fewer rows than workers, or a rank that does not exist.
    """
    check_integer("num_rows", num_rows, least=check_integer("num_workers", num_workers))
    if check_integer("rank", rank, least=0) >= num_workers:
        raise ValueError(f"rank = {rank}: 0 to {num_workers - 1} is allowed")
    return slice(num_rows * rank // num_workers, num_rows * (rank + 1) // num_workers)


def batches(num_rows: int, rank: int, num_workers: int, batch_size: int,
            rng: np.random.Generator) -> Iterator[tuple[np.ndarray, int]]:
    """Yield a worker's batches of an epoch: row numbers, and how many all workers take.

    Servers wait in every step for every worker. So all have the same number of steps,
    and none has an empty one: each share is cut into that many parts, which differ by
    one row at most.

    Args:
        num_rows, rank, num_workers: as for `shard`.
        batch_size: rows a step and worker; one more where shares are uneven.
        rng: what shuffles the share.

    Raises:
        TypeError, ValueError: as `shard`, or a batch size below 1.
    """
    shard(num_rows, rank, num_workers)  # refuses a rank that does not exist
    check_integer("batch_size", batch_size)
    shares = [shard(num_rows, r, num_workers) for r in range(num_workers)]
    lengths = [share.stop - share.start for share in shares]
    steps = math.ceil(min(lengths) / batch_size)
    # Where each worker's parts end, (M, steps + 1).
    ends = np.array([np.arange(steps + 1) * length // steps for length in lengths])
    rows = shares[rank].start + rng.permutation(lengths[rank])
    for step in range(steps):
        in_all = int(np.diff(ends)[:, step].sum())
        yield rows[ends[rank, step]:ends[rank, step + 1]], in_all


def train(store: Any, model: FieldBlock, data: Data | tuple, *, epochs: int,
          batch_size: int, learning_rate: float, seed: int = 0,
          checkpoint: Checkpoint | None = None,
          after_step: Callable[[int, int], Any] | None = None) -> list[float]:
    """Train with SGD on the logistic loss, every worker on its own shard of the rows.

    M workers take the same steps as one process whose batches are M times as large.
    Frozen parameters (`grad_req` "null") stay as they are.

    Args:
        store: what `connect` gives.
        model: one of this package's models, the same on every worker, without batch
            norm. Without weights it is initialised from `seed`. On rank 0 it ends up
            with the trained weights; the other workers never hold the tables.
        data: ids (N, F) and labels (N,) as a `Data` or a plain tuple, without values.
            All rows, memory-mapped if they are many: a worker reads its shard of them
            alone.
        epochs: passes over the rows.
        batch_size: rows a step and worker.
        learning_rate: of SGD.
        seed: of the initial weights, the order of rows, and dropout. A worker's order
            in an epoch is drawn from the list `[seed, epoch, rank]`.
        checkpoint: what rank 0 writes after each epoch, or None. Training goes on from
            what is there. Only rank 0 needs to see it, and reads all rows once to know
            them again.
        after_step: None, or what to call after each step, with the epoch and the step,
            from 1.

    Returns:
        This worker's mean loss in each epoch that it trained.

    Raises:
        TypeError, ValueError: wrong settings, or wrong rows in this worker's shard; or
            the checkpoint is damaged or another training's.
    """
    check_settings(epochs, batch_size, learning_rate, seed, checkpoint)
    share, ids, labels = _own_rows(store, model, data)
    settings = {"workers": store.num_workers, "batch_size": batch_size,
                "learning_rate": learning_rate, "seed": seed}
    done = _start(model, checkpoint, data, settings) if store.rank == 0 else 0
    losses = []
    with Worker(store, model, learning_rate, done) as worker:
        for epoch in range(worker.epoch() + 1, epochs + 1):
            # Dropout differs from worker to worker.
            mx.random.seed(mxnet_seed(seed, epoch, store.rank))
            rng = np.random.default_rng([seed, epoch, store.rank])
            parts = batches(len(data[0]), store.rank, store.num_workers,
                            batch_size, rng)
            total = nd.zeros((1,))
            for step, (rows, num_rows) in enumerate(parts, start=1):
                own = rows - share.start
                total = total + worker(ids[own], labels[own], num_rows)
                if after_step:
                    after_step(epoch, step)
            losses.append(float(total.asscalar()) / len(labels))
            if checkpoint and store.rank == 0:
                checkpoint.save(worker.weights(), {"epoch": epoch})
        if store.rank == 0:
            _load(model, worker.weights())
    return losses


def _own_rows(store: Any, model: FieldBlock, data: tuple) -> tuple:
    """This worker's shard, and its rows, checked as a whole before the first step."""
    ids, labels, *others = parts_of(data, "data")
    for name, other in zip(("values", "weights"), others):
        if other is not None:
            raise ValueError(f"{name} are given: only rows without them can be trained "
                             "on many machines")
    if len(ids) != len(labels):
        raise ValueError(f"{len(ids)} rows of ids and {len(labels)} labels: "
                         "as many are needed")
    share = shard(len(ids), store.rank, store.num_workers)
    ids, _ = check_inputs(model, ids[share])
    return share, ids, check_labels(labels[share], len(ids))


def _start(model: FieldBlock, checkpoint: Checkpoint | None, data: tuple,
           settings: dict) -> int:
    """Give the model its first weights, or the checkpoint's; return their epoch."""
    initialise(model, settings["seed"])
    saved = checkpoint and checkpoint.open(model, {"training rows": data}, **settings)
    if not saved:
        return 0
    weights, metadata = saved
    _load(model, weights)
    return metadata["epoch"]


def _load(model: FieldBlock, weights: dict[str, np.ndarray]) -> None:
    for name, parameter in named_parameters(model).items():
        parameter.set_data(weights[name])


@contextmanager
def connect() -> Iterator[Any]:
    """Join the job: `with connect() as store:`.

    The store is a KVStore of the mode `dist_sync`, with `rank` and `num_workers`. When
    the block ends, a worker waits for the others. After an error the others would wait
    for ever, for its next gradient. So an error inside the block ends the process at
    once.

    Raises:
        ValueError: the `DMLC_` variables are missing: use
            `deepfm_tutorial.distributed`.
    """
    if environment.check(os.environ) != "worker":
        raise ValueError("DMLC_ROLE=worker is needed: "
                         "start this with python -m deepfm_tutorial.distributed")
    store = mx.kv.create("dist_sync")
    try:
        yield store
        nd.waitall()  # errors of MXNet's own threads come to light here at the latest
    except BaseException as error:
        if not isinstance(error, SystemExit):
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_exit_status(error))


def _exit_status(error: BaseException) -> int:
    """What Python itself would end with: 3 for `sys.exit(3)`, 1 for any other error."""
    if not isinstance(error, SystemExit):
        return 1
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else 1


class Worker(GradReqs):
    """A model whose weights are on the servers: `worker(ids, labels, num_rows) → loss`.

    Use it in a `with` block: see `GradReqs`.

    The tables w and V lie on the servers side by side, one row a feature, (n, 1 + k). A
    step pulls the rows of the batch's distinct ids and pushes their gradient, both
    row-sparse; the other parameters travel whole. The servers add up the workers'
    gradients and take one step of SGD, which keeps no state: the weights are all that
    there is to save.

    Args:
        store: what `connect` gives.
        model: one of this package's models; only the worker of rank 0 gives it weights,
            and those are the ones that training starts with.
        learning_rate: of SGD.
        epoch: how many epochs the weights have been trained; as they do, it comes from
            rank 0.
    """

    def __init__(self, store: Any, model: FieldBlock, learning_rate: float,
                 epoch: int = 0) -> None:
        super().__init__(model)
        self.store = store
        parameters, tables = named_parameters(model), model.tables
        self.tables = {name: p for name, p in parameters.items() if p in tables}
        self.dense = {name: p for name, p in parameters.items() if p not in tables}
        widths = [int(np.prod(table.shape[1:])) for table in self.tables.values()]
        ends = np.cumsum(widths).tolist()
        self.columns = [slice(end - width, end) for end, width in zip(ends, widths)]
        self.shape = (sum(model.field_sizes), sum(widths))
        self._check(model)
        self._initialise(epoch)
        store.set_optimizer(mx.optimizer.SGD(learning_rate=learning_rate, wd=0))
        self.graph = compiled(model, list(self.tables.values()))

    def __call__(self, ids: np.ndarray, labels: np.ndarray,
                 num_rows: int) -> nd.NDArray:
        """Take one step together with all other workers.

        Args:
            ids: (B, F) NumPy ids, already checked.
            labels: (B,).
            num_rows: the rows of all workers' batches together; the loss is their mean.

        Returns:
            The summed loss of this worker's rows before the step, an NDArray (1,).
        """
        used, places = distinct(ids)
        rows = self.pull(used)  # (U, 1 + k)
        rows.attach_grad()
        with autograd.record():
            logits = self.graph(places, *self._tables_of(rows))
            loss = logistic_loss(logits, nd.array(labels)).sum()
            objective = loss / num_rows
        objective.backward()
        self.push(used, rows.grad)
        return loss

    def pull(self, used: np.ndarray) -> nd.NDArray:
        """Fetch the model's dense parameters; return the rows `used`, (U, 1 + k)."""
        for name, parameter in self.dense.items():
            self.store.pull(name, out=parameter.data())
        rows = nd.sparse.zeros("row_sparse", self.shape)
        self.store.row_sparse_pull(TABLE, out=rows,
                                   row_ids=nd.array(used, dtype="int64"))
        return rows.data

    def weights(self) -> dict[str, np.ndarray]:
        """Return all weights as they are on the servers: name → NumPy array."""
        table = self.pull(np.arange(self.shape[0]))
        dense = {name: parameter.data() for name, parameter in self.dense.items()}
        arrays = dense | dict(zip(self.tables, self._tables_of(table)))
        return {name: array.asnumpy() for name, array in arrays.items()}

    def _check(self, model: FieldBlock) -> None:
        if not self.tables:
            raise ValueError(f"{type(model).__name__} has no table: "
                             "nothing to keep by rows")
        if any(isinstance(block, nn.BatchNorm) for block in blocks_of(model)):
            raise ValueError("batch_norm = True: "
                             "its running means would differ from worker to worker")

    def _initialise(self, epoch: int) -> None:
        """Put rank 0's weights on the servers; MXNet leaves other workers' aside."""
        if self.store.rank == 0:
            parts = [table.data().asnumpy() for table in self.tables.values()]
            parts = [part.reshape(self.shape[0], -1) for part in parts]
            table, rows = np.concatenate(parts, axis=1), np.arange(self.shape[0])
        else:
            table, rows = np.zeros((0, self.shape[1]), np.float32), EMPTY
            for parameter in self.dense.values():
                parameter.initialize(init="zeros", force_reinit=True)
        # Every row is listed, zeros too: a server aborts on a row-sparse array of none.
        sparse = nd.sparse.row_sparse_array((table, rows), shape=self.shape)
        self.store.init(TABLE, sparse)
        self.store.init(list(self.dense), [p.data() for p in self.dense.values()])
        self.store.init(EPOCH, nd.array([epoch]))

    def epoch(self) -> int:
        """Return how many epochs rank 0 said the weights have been trained."""
        epoch = nd.zeros((1,))
        self.store.pull(EPOCH, out=epoch)
        return int(epoch.asscalar())

    def _tables_of(self, rows: nd.NDArray) -> list[nd.NDArray]:
        """Cut (U, 1 + k) into the model's tables again, (U,) and (U, k)."""
        return [rows[:, columns].reshape((-1,) + table.shape[1:])
                for columns, table in zip(self.columns, self.tables.values())]

    def push(self, used: np.ndarray, gradient: nd.NDArray) -> None:
        """Send the gradients of the rows `used`, (U, 1 + k), and of the others."""
        for columns, table in zip(self.columns, self.tables.values()):
            if not self.is_trained[table]:
                gradient[:, columns] = 0
        used = nd.array(used, dtype="int64")
        sparse = nd.sparse.row_sparse_array((gradient, used), shape=self.shape)
        self.store.push(TABLE, sparse)
        for name, parameter in self.dense.items():
            if self.is_trained[parameter]:
                self.store.push(name, parameter.grad())
