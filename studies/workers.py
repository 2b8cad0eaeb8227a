"""Chapter 12's runs: a step's time with several workers, on loopback or a slow line.

Run it with `make studies`, or one part of it by name: `python -m studies.workers
loopback`. The part `line` needs root and Linux: it sets up two network namespaces,
joined by a line of limited speed. Between every two measurements nothing else should
keep the processor busy.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np

from deepfm_tutorial import DeepFM, distributed  # before MXNet
from deepfm_tutorial.distributed import launch
from deepfm_tutorial.scale import LazyTrainStep

from . import study

# isort: split
import mxnet as mx
from mxnet import nd

SIZES = (10_000,) * 10  # n = 100,000
FACTORS, HIDDEN, RATE = 16, (64, 64), 0.1
STEPS, SKIPPED, REPEATS = {"sparse": 40, "dense": 8}, 3, 6
BATCHES, WORKERS = (512, 1024, 2048), (1, 2, 3, 4)
LINES = (50, 200, 1000)  # Mbit/s
FINGERPRINT = study.fingerprint(Path(__file__).read_bytes())
# Network namespace → its address.
SPACES = {"servers": "10.77.0.1", "workers": "10.77.0.2"}


class DenseWorker(distributed.Worker):
    """The same worker, but the whole table travels in every step."""

    def __init__(self, store, model, learning_rate):
        super().__init__(store, model, learning_rate)
        self.whole = nd.zeros(self.shape)
        self.store.init("dense", self.whole)

    def pull(self, used):
        for name, parameter in self.dense.items():
            self.store.pull(name, out=parameter.data())
        self.store.pull("dense", out=self.whole)
        return self.whole.take(nd.array(used, dtype="int32"))

    def push(self, used, gradient):
        whole = nd.zeros(self.shape)
        whole[nd.array(used, dtype="int32")] = gradient
        self.store.push("dense", whole)
        for name, parameter in self.dense.items():
            self.store.push(name, parameter.grad())


def long_tailed_batch(batch_size, rng):
    """(B, F) ids, of which the small ones of every field are frequent."""
    ids = (
        np.floor(SIZES[0] * rng.random((batch_size, len(SIZES))) ** 6).astype(np.int32))
    return ids + np.cumsum((0,) + SIZES[:-1]).astype(np.int32)


def timed(step, batch_size, rng, count):
    """Take so many steps: the seconds and the distinct ids of each."""
    seconds, distinct = [], []
    for _ in range(count):
        ids = long_tailed_batch(batch_size, rng)
        labels = rng.integers(0, 2, batch_size).astype(np.float32)
        start = time.perf_counter()
        step(ids, labels)
        nd.waitall()
        seconds.append(time.perf_counter() - start)
        distinct.append(len(np.unique(ids)))
    return seconds, distinct


def noted(path, seconds, distinct, sent=0, received=0):
    """Write what a step costs. Other programs can only make one longer: a low quantile.
    """
    path.write_text(json.dumps({
        "distinct": np.mean(distinct), "sent": sent, "received": received,
        "seconds": np.quantile(seconds, 0.1)}))


def work(path, batch_size, transfer):
    """One worker: take the steps, and let rank 0 write what they cost."""
    with distributed.connect() as store:
        model, rng = (DeepFM(SIZES, FACTORS, HIDDEN, dropout=0),
                      np.random.default_rng(store.rank))
        if store.rank == 0:
            model.initialize()
        worker = (DenseWorker if transfer == "dense" else distributed.Worker)(
            store, model, RATE)

        def step(ids, labels):
            worker(ids, labels, batch_size * store.num_workers)

        timed(step, batch_size, rng, SKIPPED)
        before = distributed.traffic()
        taken = timed(step, batch_size, rng, STEPS[transfer])
        after = distributed.traffic()
        if store.rank == 0:
            noted(path, *taken, *((b - a) / STEPS[transfer]
                                  for a, b in zip(before, after)))


def alone(path, batch_size):
    """The same step in one process without servers, by rows."""
    model, rng = DeepFM(SIZES, FACTORS, HIDDEN, dropout=0), np.random.default_rng(0)
    model.initialize()
    with LazyTrainStep(model, mx.optimizer.SGD(learning_rate=RATE)) as step:
        timed(step, batch_size, rng, SKIPPED)
        noted(path, *timed(step, batch_size, rng, STEPS["sparse"]))


def command(path, batch_size, transfer):
    return ["env", "OMP_NUM_THREADS=1", sys.executable, "-m", "studies.workers", "work",
            str(path), str(batch_size), transfer]


def measured(start, workers, batch_size, transfer, mbit=0):
    """One job, started by `start(workers, command)`, as a row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        assert start(workers, command(path, batch_size, transfer)) == 0
        row = {"workers": workers, "batch_size": batch_size, "transfer": transfer,
               "mbit": mbit, **json.loads(path.read_text())}
    print(row, flush=True)
    return row


def on_loopback(workers, command):
    return launch.Job(command, workers).run()


def without_servers(workers, command):
    return subprocess.run(command).returncode


def loopback():
    """All numbers of workers and sizes of batches on this machine, a thread each.

    With 0 workers and no transfer, one process trains without servers.
    """
    for _ in range(REPEATS):
        for batch_size in BATCHES:
            yield measured(without_servers, 0, batch_size, "none")
        for workers, batch_size in product(WORKERS, BATCHES):
            yield measured(on_loopback, workers, batch_size, "sparse")
        for workers in WORKERS[:2]:
            yield measured(on_loopback, workers, 1024, "dense")


def line():
    """Servers in one network namespace, workers in another, a slow line between."""
    try:
        for mbit in LINES:
            _lay_line(mbit)
            for workers, transfer in product((1, 2), ("sparse", "dense")):
                yield measured(over_the_line, workers, 1024, transfer, mbit)
    finally:
        _ip("del")


def over_the_line(workers, command):
    """The same job from `DMLC_` variables, a process at a time, as on machines."""
    shared = {"DMLC_PS_ROOT_URI": SPACES["servers"], "DMLC_PS_ROOT_PORT": "9091",
              "DMLC_NUM_WORKER": str(workers), "DMLC_NUM_SERVER": "1",
              "OMP_NUM_THREADS": "1"}
    roles = ["scheduler", "server"] + ["worker"] * workers
    running = []
    for role in roles:
        space = "workers" if role == "worker" else "servers"
        one = ["ip", "netns", "exec", f"deepfm-{space}", sys.executable, "-m",
               "deepfm_tutorial.distributed"]
        own = {"DMLC_ROLE": role, "DMLC_NODE_HOST": SPACES[space]}
        running.append(subprocess.Popen([*one, "--", *command],
                                        env=os.environ | shared | own))
    try:
        return max(abs(process.wait(timeout=300)) for process in running)
    finally:
        for process in running:
            process.kill()


def _lay_line(mbit):
    _ip("del")
    _ip("add")
    subprocess.run(["ip", "link", "add", "deepfm0", "netns", "deepfm-servers", "type",
                    "veth", "peer", "deepfm1", "netns", "deepfm-workers"], check=True)
    for space, device in (("servers", "deepfm0"), ("workers", "deepfm1")):
        for action in ("ip link set lo up",
                       f"ip addr add {SPACES[space]}/24 dev {device}",
                       f"ip link set {device} up",
                       f"tc qdisc add dev {device} root "
                       f"tbf rate {mbit}mbit burst 16kb latency 200ms"):
            subprocess.run(["ip", "netns", "exec", f"deepfm-{space}", *action.split()],
                           check=True)


def _ip(action):
    for space in SPACES:
        subprocess.run(["ip", "netns", action, f"deepfm-{space}"],
                       check=action == "add", stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        path, batch_size, transfer = Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
        if transfer == "none":
            alone(path, batch_size)
        else:
            work(path, batch_size, transfer)
    else:
        for part in sys.argv[1:] or ("loopback", "line"):
            rows = list({"loopback": loopback, "line": line}[part]())
            study.write(f"workers_{part}", rows, FINGERPRINT)
