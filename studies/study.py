"""What the studies share: a run of a model, and a file of runs that says its origin."""
import os
import platform
from pathlib import Path

import pandas as pd

from benchmarks.store import processor
from deepfm_tutorial import evaluate, fit

RESULTS = Path(__file__).parent / "results"


def run(model, train, validation, test, **settings):
    """Train, judge on the test rows, and return what a study notes of a run."""
    history = fit(model, train, validation, progress=False, **settings)
    metrics = evaluate(model, test)
    return {"best_epoch": history.best_epoch, "auc": metrics.auc,
            "log_loss": metrics.log_loss}


def write(name, rows):
    """Write rows to `results/name.csv`, six digits, headed by what made them."""
    runs = pd.DataFrame(rows)
    with open(RESULTS / f"{name}.csv", "w", encoding="utf-8", newline="\n") as file:
        file.write(f"# made by: make studies ({name}), "
                   f"on {platform.machine()} ({processor()}, {os.cpu_count()} cores)\n")
        runs.to_csv(file, index=False, float_format="%.6f", lineterminator="\n")
    return runs


def read(name):
    """Return the runs of `results/name.csv` as a table."""
    return pd.read_csv(RESULTS / f"{name}.csv", comment="#")
