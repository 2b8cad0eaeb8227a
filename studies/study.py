"""What the studies share: runs of models, and a file of runs that says its origin."""
import hashlib
import os
import platform
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, parallel_config

from benchmarks.store import processor
from deepfm_tutorial import (
    DNN,
    FM,
    DeepFM,
    FieldEncoder,
    LogisticRegression,
    evaluate,
    fit,
)
from deepfm_tutorial.evaluation import logits

RESULTS = Path(__file__).parent / "results"


def build(name, field_sizes, num_factors=8, hidden_units=(), dropout=0.0, pooled=False):
    """Return the untrained model called LR, FM, DNN or DeepFM; each takes its part."""
    if name == "LR":
        return LogisticRegression(field_sizes, pooled)
    if name == "FM":
        return FM(field_sizes, num_factors, pooled)
    return {"DNN": DNN, "DeepFM": DeepFM}[name](field_sizes, num_factors, hidden_units,
                                                dropout, pooled=pooled)


def run(model, train, validation, test, **settings):
    """Train, judge on the test rows, and return what a study notes of a run."""
    history = fit(model, train, validation, progress=False, **settings)
    metrics = evaluate(model, test)
    return {"best_epoch": history.best_epoch, "auc": metrics.auc,
            "log_loss": metrics.log_loss}


def in_parallel(function, cases):
    """The function of each case, a tuple of arguments, on all cores, one for each."""
    with parallel_config("loky", n_jobs=-1, inner_max_num_threads=1):
        return Parallel()(delayed(function)(*case) for case in cases)


@cache
def behaviour():
    """What small trainings end with: the mean logit of ten rows, one number a model
    with a penalty on rows in use, then one each with a penalty on whole tables.

    They change when encoder, models or `fit` come to do something else, and stay when
    their source is only written in another way.
    """
    rng, found = np.random.default_rng(0), []
    columns = {f"field {size}": rng.integers(size, size=300) for size in (3, 5, 7)}
    labels = np.logical_xor(*(columns[f"field {size}"] % 2 for size in (3, 5)))
    encoder = FieldEncoder().fit(columns)
    ids = encoder.transform(columns)
    for penalty, name in product(("embedding_l2", "table_l2"),
                                 ("LR", "FM", "DNN", "DeepFM")):
        allowed = name != "LR" or penalty == "table_l2"  # LR has no embedding
        model = build(name, encoder.field_sizes, 4, (8, 8), 0.5)
        fit(model, (ids[:200], labels[:200]), (ids[200:], labels[200:]), epochs=3,
            batch_size=64, learning_rate=0.05, progress=False,
            **{penalty: 0.1 if allowed else 0})
        found.append(float(logits(model, ids[-10:]).mean()))
    return found


def fingerprint(*parts):
    """Twelve hexadecimal digits that differ when any of the parts, bytes, does."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def write(name, rows, origin=None):
    """Write rows to `results/name.csv`, six digits, headed by what made them.

    `origin` is the fingerprint of the study and of its data, if it keeps one.
    """
    runs = pd.DataFrame(rows)
    with open(RESULTS / f"{name}.csv", "w", encoding="utf-8", newline="\n") as file:
        file.write(f"# made by: make studies ({name}), "
                   f"on {platform.machine()} ({processor()}, {os.cpu_count()} cores)"
                   + (f", behaviour {' '.join(f'{z:.5f}' for z in behaviour())}, "
                      f"fingerprint {origin}" if origin else "") + "\n")
        runs.to_csv(file, index=False, float_format="%.6f", lineterminator="\n")
    return runs


def read(name):
    """Return the runs of `results/name.csv` as a table."""
    return pd.read_csv(RESULTS / f"{name}.csv", comment="#")


def origin(name):
    """Return the fingerprint in the header of `results/name.csv`, or None."""
    return _noted(name, "fingerprint")


def behaviour_then(name):
    """What `behaviour()` was when `results/name.csv` was made: a list of numbers."""
    return [float(z) for z in (_noted(name, "behaviour") or "").split()]


def _noted(name, what):
    """What stands behind a word in the header of `results/name.csv`, or None."""
    with open(RESULTS / f"{name}.csv", encoding="utf-8") as file:
        _, found, rest = file.readline().partition(f", {what} ")
    return rest.partition(",")[0].strip() if found else None
