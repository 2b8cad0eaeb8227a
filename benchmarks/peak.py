"""How much of the machine training reaches.

Its dense layers against a bare matrix product of a layer's size, the look-up of
embeddings against a bare copy; the best of three libraries counts as what the machine
can do. All take turns on the same two threads.
"""
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from . import data, settings
from .store import write
from .worker import Worker

BATCH, UNITS, FACTORS = (settings.TRAINING["batch_size"],
                         settings.MODEL["hidden_units"][0],
                         settings.MODEL["num_factors"])
FEATURES, FIELDS = 100_000, 10
COPIED = 1 << 24  # float32 numbers, 64 MB: more than the processor's caches hold
TURNS, REPEATS = 5, 10

# Work of one call: floating-point operations, or bytes read and written.
WORK = {"product": 2 * BATCH * UNITS * UNITS, "copy": 2 * 4 * COPIED,
        "look-up": 4 * BATCH * FIELDS * (1 + 2 * FACTORS)}


def numpy_tasks(x, w, table, long, ids):
    target = np.empty_like(long)
    return {"product": lambda: x @ w, "copy": lambda: np.copyto(target, long),
            "look-up": lambda: table[ids]}


def mxnet_tasks(*arrays):
    import deepfm_tutorial  # noqa: F401  (before mxnet)

    # isort: split
    from mxnet import nd

    x, w, table, long, ids = (nd.array(array, dtype=array.dtype) for array in arrays)
    target = nd.empty(long.shape)
    return {"product": lambda: nd.dot(x, w).wait_to_read(),
            "copy": lambda: long.copyto(target).wait_to_read(),
            "look-up": lambda: nd.take(table, ids).wait_to_read()}


def torch_tasks(*arrays):
    import torch

    torch.set_num_threads(settings.THREADS)
    x, w, table, long, ids = (torch.from_numpy(array) for array in arrays)
    target = torch.empty_like(long)
    return {"product": lambda: x @ w, "copy": lambda: target.copy_(long),
            "look-up": lambda: torch.nn.functional.embedding(ids, table)}


TASKS = {"NumPy": numpy_tasks, "MXNet": mxnet_tasks, "PyTorch": torch_tasks}


def serve(library):
    """Return a function that says how fast a library's task is, in work a second."""
    rng = np.random.default_rng(0)
    floats = [rng.normal(size=size).astype(np.float32) for size in (
        (BATCH, UNITS), (UNITS, UNITS), (FEATURES, FACTORS), COPIED)]
    ids = rng.integers(0, FEATURES, (BATCH, FIELDS), dtype=np.int32)
    tasks = TASKS[library](*floats, ids)
    return lambda task: WORK[task] / fastest(tasks[task])


def fastest(call):
    """Seconds of the quickest of a few calls: what the machine can do at its best."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def turns(path):
    """Yield rows a turn: all bare tasks of all libraries, then one training of ours."""
    bare = {library: Worker("peak", library) for library in TASKS}
    training = Worker("training", "ours", path, "False")
    fields = len(np.load(path)["field_sizes"])
    training.ask(seed=0, epochs=1)
    for turn in range(TURNS):
        for task in WORK:
            for library, worker in bare.items():
                yield {"turn": turn, "task": task, "library": library,
                       "per_second": worker.ask(task=task)}
        speed = training.ask(seed=turn, epochs=1)["rows_per_second"]
        yield {"turn": turn, "task": "training", "library": "deepfm_tutorial",
               "per_second": speed * settings.dense_flops(fields)}
    for worker in (*bare.values(), training):
        worker.close()


def best(rows, task):
    """What the machine can do: the best library's median over the turns."""
    speeds = {}
    for row in rows:
        if row["task"] == task:
            speeds.setdefault(row["library"], []).append(row["per_second"])
    return max(statistics.median(values) for values in speeds.values())


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "data.npz")
        data.write("MovieLens", path)
        rows = list(turns(path))
    print(f"  training {best(rows, 'training') / 1e9:.0f} "
          f"of {best(rows, 'product') / 1e9:.0f} "
          f"GFLOP/s: {best(rows, 'training') / best(rows, 'product'):.0%}")
    print(f"  look-up {best(rows, 'look-up') / 1e9:.1f} "
          f"of a copy's {best(rows, 'copy') / 1e9:.1f} "
          f"GB/s: {best(rows, 'look-up') / best(rows, 'copy'):.0%}")
    write("peak", rows)


if __name__ == "__main__":
    main()
