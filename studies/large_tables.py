"""Chapter 11's runs: what large tables cost in time, memory and AUC.

Run it with `make studies`, or one part of it by name: `python -m studies.large_tables
growth`.
"""
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import deepfm_tutorial  # noqa: F401  (before MXNet)

# isort: split
import mxnet as mx
import numpy as np
from mxnet import autograd, gluon, nd

from deepfm_tutorial import (
    FM,
    DeepFM,
    FieldEncoder,
    LogisticRegression,
    TrainStep,
    evaluate,
    fit,
    logistic_loss,
    pairwise_interactions,
)
from deepfm_tutorial.datasets import make_click_log
from deepfm_tutorial.scale import LazyTrainStep, RowAdaGrad, blockwise_batches
from deepfm_tutorial.training import as_list

from . import click_log, study
from .click_log import LEARNING_RATE, SEEDS, TRAINING, build
from .study import run

FIELDS, FACTORS, BATCH = 26, 10, 4096
HIDDEN_UNITS = (64, 64)  # few, so that what grows with the tables is not hidden
FEATURES = (10_000, 100_000, 1_000_000, 10_000_000)
WAYS = ("FM, whole tables", "FM, MXNet's row-sparse", "FM, by rows", "DeepFM, by rows")
MARKED = (10_000, 100_000, 1_000_000, 4_000_000)
MAPPED_ROWS = (2_000_000, 8_000_000)
BUCKETS = (800, 400, 200, 100, 50, 25)
LEAST_COUNTS = (1, 100, 200, 400, 800, 1600, 3200)
HEADS = {1600: 20, 800: 40, 400: 80}  # least count: buckets beside
LONGEST = 200  # epochs; no run of `optimizers` ends there
MIDDLE_BATCH = 512
ADAGRAD_RATES = (0.05, 0.1, 0.2)
FINGERPRINT = study.fingerprint(*(
    Path(source).read_bytes()
    for source in (__file__, click_log.__file__)))


def long_tailed(rng, num_features, shape):
    """Ids of fields of equal size; a field's i-th value has a share of about 1/i."""
    size = num_features // FIELDS
    ranks = np.exp(rng.random((*shape, FIELDS)) * np.log(size + 1)).astype(np.int64) - 1
    return (np.minimum(ranks, size - 1) + size * np.arange(FIELDS)).astype(np.int32)


def packages(model, step):
    model.initialize()
    return step(model, mx.optimizer.Adam(0.001))


def row_sparse(num_features):
    """An FM (without its bias) of Gluon's layers: row-sparse gradients, lazy Adam."""
    tables = w, V = [gluon.nn.Embedding(num_features, width, sparse_grad=True,
                                        weight_initializer=mx.init.Normal(0.01))
                     for width in (1, FACTORS)]
    for table in tables:
        table.initialize()
    adam = gluon.Trainer([table.weight for table in tables], "adam",
                         {"learning_rate": 0.001, "lazy_update": True})

    def step(ids, labels):
        ids, labels = nd.array(ids, dtype="int32"), nd.array(labels)
        with autograd.record():
            logits = w(ids).sum(axis=(1, 2)) + pairwise_interactions(V(ids))
            loss = logistic_loss(logits, labels).sum()
        loss.backward()
        adam.step(len(ids))
        return loss
    return step


def trainers(num_features):
    """One step function for each of `WAYS`."""
    sizes = [num_features // FIELDS] * FIELDS
    return dict(zip(WAYS, (
        packages(FM(sizes, FACTORS), TrainStep),
        row_sparse(num_features),
        packages(FM(sizes, FACTORS), LazyTrainStep),
        packages(DeepFM(sizes, FACTORS, HIDDEN_UNITS), LazyTrainStep))))


def rows_a_second(step, ids, labels):
    start, loss = time.perf_counter(), None
    for i, y in zip(ids, labels):
        if loss is not None:
            loss.asscalar()  # one step late, as `fit` does
        loss = step(i, y)
    nd.waitall()
    return labels.size / (time.perf_counter() - start)


def growth(rounds=9, steps=8):
    """Rows a second as the tables grow: all in turns, each turn on new batches."""
    rng, speeds, distinct = np.random.default_rng(0), {}, {}
    steps_of = {num_features: trainers(num_features) for num_features in FEATURES}
    for _ in range(rounds + 1):  # the first is a warm-up
        for num_features, ways in steps_of.items():
            ids, labels = (long_tailed(rng, num_features, (steps, BATCH)),
                           rng.integers(0, 2, (steps, BATCH)))
            distinct[num_features] = len(np.unique(ids[0]))
            for way, step in ways.items():
                speeds.setdefault((num_features, way), []).append(
                    rows_a_second(step, ids, labels))
    for (num_features, way), values in speeds.items():
        values = sorted(values[1:])
        yield {"features": num_features, "distinct": distinct[num_features], "way": way,
               "rows_per_second": median(values), "least": values[0],
               "most": values[-1]}


def marks(rounds=21, batch=1000):
    """The backward pass of MXNet's own look-up, one factor: only the table grows."""
    ids, times = nd.arange(batch, dtype="int32"), {}
    tables = {n: gluon.nn.Embedding(n, 1, sparse_grad=True) for n in MARKED}
    for table in tables.values():
        table.initialize()
    for _ in range(rounds + 1):  # the first is a warm-up
        for n, table in tables.items():
            with autograd.record():
                loss = table(ids).sum()
            loss.wait_to_read()
            start = time.perf_counter()
            loss.backward()
            table.weight.grad().wait_to_read()
            times.setdefault(n, []).append(1000 * (time.perf_counter() - start))
    for n, taken in times.items():
        yield {"features": n, "batch": batch, "rounds": rounds,
               "median_ms": median(taken[1:]),
               "least_ms": min(taken[1:]), "most_ms": max(taken[1:])}


def status(name):
    """A line of the process's status in bytes: VmRSS; RssAnon, without mapped files."""
    lines = dict(line.split(":", 1)
                 for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[name].split()[0]) * 1024


class Peak:
    """`with Peak(name) as peak:` watches `status(name)`; `peak.bytes` is its rise."""

    def __init__(self, name):
        self.name, self.bytes, self.over = name, 0, threading.Event()

    def __enter__(self):
        self.start = status(self.name)
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.over.wait(0.005):
            self.bytes = max(self.bytes, status(self.name) - self.start)

    def __exit__(self, *error):
        self.over.set()
        self.thread.join()


def in_a_process(part, *arguments):
    """The one number that `python large_tables.py part arguments` prints, in a new
    process."""
    command = [sys.executable, "-m", "studies.large_tables", part, *map(str, arguments)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True)
                 .stdout.split()[-1])


def memory_of(num_features):
    """Peak memory of `fit` by rows: weights, two moments and the best weights."""
    rng = np.random.default_rng(0)
    ids, labels = (long_tailed(rng, num_features, (5 * BATCH,)),
                   rng.integers(0, 2, 5 * BATCH))
    fit(FM([10] * FIELDS, FACTORS), (ids % 10 + 10 * np.arange(FIELDS), labels),
        epochs=1, progress=False,
        batch_size=BATCH)  # so that MXNet's own memory is there before
    with Peak("VmRSS") as peak:
        model = FM([num_features // FIELDS] * FIELDS, FACTORS)
        fit(model, (ids, labels), epochs=2, batch_size=BATCH, step=LazyTrainStep,
            progress=False)
    print(peak.bytes)


def memory():
    for num_features in FEATURES[-2:]:
        n = num_features // FIELDS * FIELDS
        yield {"features": n, "formula": 4 * 4 * n * (FACTORS + 1),
               "peak": in_a_process("memory_of", num_features)}


def write_mapped(folder, num_rows):
    """Write ids and labels of so many rows, a million at a time."""
    ids = np.lib.format.open_memmap(folder / "ids.npy", "w+", np.int32,
                                    (num_rows, FIELDS))
    labels = np.lib.format.open_memmap(folder / "labels.npy", "w+",
                                       np.float32, (num_rows,))
    rng = np.random.default_rng(0)
    for first in range(0, num_rows, 1_000_000):
        part = ids[first:first + 1_000_000]
        part[:] = long_tailed(rng, 100_000, (len(part),))
        labels[first:first + len(part)] = rng.integers(0, 2, len(part))


def mapped_of(num_rows):
    """Peak memory, mapped pages left out, of an epoch on files."""
    with tempfile.TemporaryDirectory() as folder:
        write_mapped(Path(folder), num_rows)
        data = tuple(np.load(Path(folder) / f"{name}.npy", mmap_mode="r")
                     for name in ("ids", "labels"))
        with Peak("RssAnon") as peak:
            fit(LogisticRegression([100_000 // FIELDS] * FIELDS), data, epochs=1,
                batch_size=BATCH,
                step=LazyTrainStep, batches=blockwise_batches, progress=False)
    print(peak.bytes)


def mapped():
    for num_rows in MAPPED_ROWS:
        yield {"rows": num_rows, "file": num_rows * (FIELDS + 1) * 4,
               "peak": in_a_process("mapped_of", num_rows)}


def encoders():
    """The ways to give the campaigns ids."""
    return ([("buckets", m, FieldEncoder(hashed={"campaign": m})) for m in BUCKETS]
            + [("head and buckets", c, FieldEncoder((), {"campaign": c},
                                                    {"campaign": m}))
               for c, m in HEADS.items()]
            + [("least count", c, FieldEncoder(min_count=c)) for c in LEAST_COUNTS])


def price(ways=None, seeds=SEEDS[:3]):
    """What the campaigns' vocabulary is worth: hashed, or with its tail cut off."""
    logs = [make_click_log(rows, seed)
            for seed, rows in enumerate((200_000, 50_000, 100_000))]
    for way, amount, encoder in ways or encoders():
        encoder.fit(logs[0].columns)
        data = [(encoder.transform(log.columns), log.labels) for log in logs]
        campaigns = data[0][0][:, -1]
        for seed in seeds:
            result = run(build("FM", encoder.field_sizes), *data, seed=seed,
                         learning_rate=LEARNING_RATE["FM"], **TRAINING)
            yield {"way": way, "amount": amount, "ids": len(np.unique(campaigns)),
                   "unseen": float(np.mean(campaigns == encoder.field_offsets[-1])),
                   "seed": seed, **result}


def few_rows():
    """Field sizes, and ids and labels of a log of 50,000 rows and two to judge by."""
    logs = [make_click_log(rows, seed)
            for seed, rows in enumerate((50_000, 50_000, 100_000))]
    encoder = FieldEncoder().fit(logs[0].columns)
    return encoder.field_sizes, [(encoder.transform(log.columns), log.labels)
                                 for log in logs]


def adam():
    """Lazy against standard Adam, in batches that are too small for most campaigns."""
    field_sizes, data = few_rows()
    for batch_size in (128, 2048):
        for seed in SEEDS:
            for step in (TrainStep, LazyTrainStep):
                result = run(build("FM", field_sizes), *data, seed=seed, epochs=30,
                             patience=3, batch_size=batch_size, learning_rate=2e-3,
                             step=step)
                yield {"batch_size": batch_size, "lazy": step is LazyTrainStep,
                       "seed": seed, **result}


class FtrlBesideRows(RowAdaGrad):
    """FTRL for w and the bias, `RowAdaGrad` for V.

    MXNet averages gradients over the batch, so FTRL's usual beta and L1, both 1 for the
    gradients of single rows, are divided by its size.
    """

    def __init__(self, learning_rate):
        super().__init__(learning_rate)
        self.ftrl = mx.optimizer.Ftrl(learning_rate=learning_rate,
                                      beta=1 / MIDDLE_BATCH,
                                      lamda1=1 / MIDDLE_BATCH)

    def create_state(self, index, weight):
        one = self.ftrl if weight.ndim == 1 else super()
        return one.create_state(index, weight)

    def update(self, index, weight, grad, state):
        self.ftrl.rescale_grad = self.rescale_grad
        one = self.ftrl if weight.ndim == 1 else super()
        one.update(index, weight, grad, state)


OPTIMIZERS = {
    "Adam": (mx.optimizer.Adam, (2e-3, 5e-3, 1e-2)),
    "AdaGrad": (mx.optimizer.AdaGrad, ADAGRAD_RATES),
    "AdaGrad by row": (RowAdaGrad, ADAGRAD_RATES),
    "FTRL for w, AdaGrad by row for V": (FtrlBesideRows, ADAGRAD_RATES),
}


def step_of(optimizer):
    """A step by rows with another optimizer than the one that `fit` hands over."""
    class Step(LazyTrainStep):
        def __init__(self, model, adam, **settings):
            super().__init__(model, optimizer(learning_rate=adam.learning_rate),
                             **settings)
    return Step


def state_numbers(optimizer, model):
    """How many numbers an optimizer keeps for each feature of a model's tables."""
    made, kept = optimizer(learning_rate=1.0), 0
    for i, table in enumerate(model.tables):
        state = made.create_state(i, nd.zeros(table.shape))
        kept += sum(part.size for part in as_list(state))
    return kept / sum(model.field_sizes)


def optimizers(names=tuple(OPTIMIZERS), seeds=SEEDS[:3]):
    """An FM by rows with several optimizers; each rate is tried with the first seed.

    The rate with the best validation AUC gets the other seeds, too.
    """
    field_sizes, data = few_rows()
    for name in names:
        optimizer, rates = OPTIMIZERS[name]
        tried = {}
        for seed in seeds:
            chosen = rates if seed == seeds[0] else [max(tried, key=tried.get)]
            for rate in chosen:
                model = build("FM", field_sizes)
                result = run(model, *data, seed=seed, epochs=LONGEST, patience=3,
                             batch_size=MIDDLE_BATCH, learning_rate=rate,
                             step=step_of(optimizer))
                validation = evaluate(model, data[1]).auc
                tried.setdefault(rate, validation)
                zeros = model.first_order.weights.data().asnumpy() == 0
                yield {"optimizer": name, "numbers": state_numbers(optimizer, model),
                       "learning_rate": rate, "seed": seed,
                       "zero_weights": int(zeros.sum()),
                       "validation_auc": validation, **result}


PARTS = {part.__name__: part for part in (growth, marks, memory, mapped, price, adam,
                                          optimizers)}

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].endswith("_of"):
        globals()[sys.argv[1]](int(sys.argv[2]))
        sys.exit()
    for name in sys.argv[1:] or PARTS:
        rows = []
        for row in PARTS[name]():
            print(row, flush=True)
            rows.append(row)
        study.write(f"large_tables_{name}", rows, FINGERPRINT)
