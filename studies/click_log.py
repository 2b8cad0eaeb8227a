"""Chapter 7's runs: what models reach on the click log, and what each could reach.

`python -m studies.click_log` makes all of it in one process; `python -m
studies.click_log sizes` makes one part. No setting was tuned. Five tables are stored,
each headed by a fingerprint of the study's source and of the data. A run's row has its
best epoch, the training loss of its first epoch, and the validation AUC of its best.

ablation   a row a run, of every model in every world: AUC and log loss on the test
           rows too.
trace      the networks' epochs in the world of all effects, of the same runs: training
           loss and validation AUC.
sizes      FM and DeepFM on fewer rows and on more, as in `ablation`.
settings   DeepFM on a tenth of the rows, one setting changed at a time. No test row is
           looked at.
ceilings   the best that a form of model can do, and what it scores on the test rows: a
           sum of one-field or of two-field tables that fits the whole population best,
           one who knows all but the triple, and DeepFM after 8 million fresh rows with
           p* as their labels.
"""
import sys
from itertools import combinations, count, islice, product
from pathlib import Path

import deepfm_tutorial  # noqa: F401  (before MXNet)

# isort: split
import mxnet as mx
import numpy as np
from scipy.special import expit, logit
from sklearn.metrics import log_loss, roc_auc_score

from deepfm_tutorial import FieldEncoder, TrainStep, evaluate, fit, predict
from deepfm_tutorial.datasets import make_click_log
from deepfm_tutorial.datasets.click_log import CATEGORIES
from deepfm_tutorial.training import initialise, shuffled_batches

from . import population, study

SEEDS = (1, 2, 3, 4, 5)
FEW_SEEDS = SEEDS[:3]
SEEDS_OF = {"all effects": SEEDS, "no triple": FEW_SEEDS, "first order only": FEW_SEEDS}
WORLDS = {"all effects": (1, 2, 3), "no triple": (1, 2), "first order only": (1,)}
MODELS, NETWORKS = ("LR", "FM", "DNN", "DeepFM"), ("DNN", "DeepFM")
# Drawn with seeds 0, 1 and 2.
ROWS = {"train": 200_000, "validation": 50_000, "test": 100_000}
TRAINING = {"epochs": 40, "batch_size": 2048, "patience": 3}
PATIENCE = 6
RATE = 3e-3  # of all runs here, so that no model owes its place to its step size
LEARNING_RATE = {"LR": 5e-3, "FM": 5e-3}  # what chapter 11's runs take
# Rows -> patience. Three epochs of 800,000 rows are twice as many steps as six of
# 200,000.
SIZES = {50_000: PATIENCE, 800_000: 3}
BASE = {"num_factors": 8, "depth": 2, "dropout": 0.0}
SETTINGS = (BASE, *(BASE | {name: value} for name, value in (
    ("num_factors", 2), ("num_factors", 16), ("depth", 1), ("depth", 3),
    ("dropout", 0.2), ("dropout", 0.5))))
FRESH = {RATE: 30, RATE / 10: 10}  # step size -> how many logs of 200,000 new rows
FINGERPRINT = study.fingerprint(*(
    Path(source).read_bytes() for source in (__file__, population.__file__)), *(
    array.tobytes() for orders in WORLDS.values()
    for log in [make_click_log(1000, 0, orders)]
    for array in (*log.columns.values(), log.labels)))


def build(name, field_sizes, num_factors=8, depth=2, dropout=0.0):
    """Return the model of that name; depth counts hidden layers of 64 units."""
    return study.build(name, field_sizes, num_factors, (64,) * depth, dropout)


def load(orders=(1, 2, 3), train_rows=ROWS["train"]):
    """Return the encoder, and a `Data` for training, validation and test logs."""
    sizes = ROWS | {"train": train_rows}
    logs = [make_click_log(rows, seed, orders)
            for seed, rows in enumerate(sizes.values())]
    encoder = FieldEncoder().fit(logs[0].columns)
    return encoder, [encoder.encode(log.columns, log.labels) for log in logs]


def train(name, loaded, seed, shape=(), **training):
    """Train one model: the model, its `History`, and what a run's row says of it."""
    encoder, parts = loaded
    model = build(name, encoder.field_sizes, **dict(shape))
    history = fit(model, *parts[:2], seed=seed, progress=False,
                  **TRAINING | {"learning_rate": RATE} | training)
    print(name, seed, dict(shape), training, history.best_epoch, flush=True)
    return model, history, {
        "best_epoch": history.best_epoch, "first_loss": history.train_loss[0],
        "validation_auc": max(found.auc for found in history.validation)}


def run(name, loaded, seed, patience=PATIENCE):
    """Train, and judge on the test rows: a row of the table, and the `History`."""
    model, history, found = train(name, loaded, seed, patience=patience)
    return {"model": name, "seed": seed, **found,
            **evaluate(model, loaded[1][2])._asdict()}, history


def ablation():
    """All models on the full world, and on the worlds from which effects were taken."""
    traces = []
    for world, orders in WORLDS.items():
        loaded = load(orders)
        for seed, name in product(SEEDS_OF[world], MODELS):
            row, history = run(name, loaded, seed)
            yield {"world": world, **row}
            if name in NETWORKS and world == "all effects":
                traces += [{"model": name, "seed": seed, "epoch": epoch,
                            "train_loss": loss, "validation_auc": found.auc}
                           for epoch, (loss, found) in enumerate(
                               zip(history.train_loss, history.validation), start=1)]
    study.write("click_log_trace", traces, FINGERPRINT)


def sizes():
    """How near to their ceilings more rows bring FM and DeepFM."""
    for rows, patience in SIZES.items():
        loaded = load(train_rows=rows)
        for seed, name in product(FEW_SEEDS, ("FM", "DeepFM")):
            yield {"rows": rows, **run(name, loaded, seed, patience)[0]}


def settings():
    """Factors, depth and dropout on a tenth of the rows, where they matter more.

    Smaller batches, since an epoch of so few rows has few steps.
    """
    loaded = load(train_rows=ROWS["train"] // 10)
    for shape, seed in product(SETTINGS, FEW_SEEDS):
        *_, found = train("DeepFM", loaded, seed, shape, batch_size=512,
                          patience=PATIENCE)
        yield {**shape, "seed": seed, **found}


def ceilings():
    """What each form of model can do at best, on all rows and on the test rows."""
    encoder, parts = load()
    log = make_click_log(ROWS["test"], 2)
    fields = [(name,) for name in population.FIELDS]
    pairs = list(combinations(population.FIELDS, 2))
    everything = population.Fit([()])
    known = {"truth": population.truth()}
    for name, form in {"LR": [(), *fields], "sum of pairs": [(), *fields, *pairs]
                       }.items():
        known[name] = population.Fit(form).best(population.truth((1, 2)))
    for name, tables in known.items():
        yield {"model": name,
               "population_auc": everything.auc(population.logits(tables)),
               **judge(log, expit(logits_of(log, tables)))}
    # Who knows all but the triple: it is 0.8 up or down, each in half of the rows.
    even = [mean_of_two(z) for z in population.logits(population.truth((1, 2)))]
    yield {"model": "all but the triple", "population_auc": everything.auc(even),
           **judge(log, expit(mean_of_two(logits_of(log, population.truth((1, 2))))))}
    model = endless(encoder)
    yield {"model": "DeepFM", "population_auc": None,
           **judge(log, predict(model, parts[2]))}


def mean_of_two(z):
    """The logit of the mean of the probabilities 0.8 above and 0.8 below."""
    return logit((expit(z + 0.8) + expit(z - 0.8)) / 2)


def logits_of(log, tables):
    """The logits of a log's rows by tables of the population, (N,)."""
    codes = {name: np.searchsorted(np.sort(CATEGORIES[name]), column)
             for name, column in log.columns.items()}
    codes = {name: np.argsort(CATEGORIES[name])[found] for name, found in codes.items()}
    codes["weekday"] = (codes["weekday"] >= 5).astype(int)
    return sum(table[tuple(codes[name] for name in fields)]
               for fields, table in tables.items()) + np.zeros(len(log.labels))


def endless(encoder):
    """A DeepFM that never sees a row twice, nor a coin: the labels are p*."""
    model = build("DeepFM", encoder.field_sizes)
    initialise(model, seed=1)
    rng, seeds = np.random.default_rng(1), count(1000)
    for rate, logs in FRESH.items():
        with TrainStep(model, mx.optimizer.Adam(rate)) as step:
            for seed in islice(seeds, logs):
                log = make_click_log(ROWS["train"], seed)
                rows = encoder.transform(log.columns), log.probabilities
                for batch in shuffled_batches(rows, TRAINING["batch_size"], rng):
                    step(*batch)
    return model


def judge(log, p):
    return {"auc": roc_auc_score(log.labels, p), "log_loss": log_loss(log.labels, p)}


if __name__ == "__main__":
    parts = (ceilings, ablation, settings, sizes)
    named = {part.__name__: part for part in parts}
    for part in sys.argv[1:] or named:
        study.write(f"click_log_{part}", list(named[part]()), FINGERPRINT)
