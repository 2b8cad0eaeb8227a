"""What the studies share: a run of a model, and a file of runs that says its origin."""
import hashlib
import os
import platform
from pathlib import Path

import pandas as pd

from benchmarks.store import processor
from deepfm_tutorial import DNN, FM, DeepFM, LogisticRegression, evaluate, fit

RESULTS = Path(__file__).parent / "results"


def build(name, field_sizes, num_factors=8, hidden_units=(), dropout=0.0):
    """Return the untrained model called LR, FM, DNN or DeepFM; each takes its part."""
    if name == "LR":
        return LogisticRegression(field_sizes)
    if name == "FM":
        return FM(field_sizes, num_factors)
    return {"DNN": DNN, "DeepFM": DeepFM}[name](field_sizes, num_factors, hidden_units,
                                                dropout)


def run(model, train, validation, test, **settings):
    """Train, judge on the test rows, and return what a study notes of a run."""
    history = fit(model, train, validation, progress=False, **settings)
    metrics = evaluate(model, test)
    return {"best_epoch": history.best_epoch, "auc": metrics.auc,
            "log_loss": metrics.log_loss}


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
                   + (f", fingerprint {origin}" if origin else "") + "\n")
        runs.to_csv(file, index=False, float_format="%.6f", lineterminator="\n")
    return runs


def read(name):
    """Return the runs of `results/name.csv` as a table."""
    return pd.read_csv(RESULTS / f"{name}.csv", comment="#")


def origin(name):
    """Return the fingerprint in the header of `results/name.csv`, or None."""
    with open(RESULTS / f"{name}.csv", encoding="utf-8") as file:
        _, found, digits = file.readline().partition("fingerprint ")
    return digits.strip() if found else None
