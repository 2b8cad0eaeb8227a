"""What the studies share: a run of a model, and a file of runs that says its origin."""
import os
import platform
from pathlib import Path

import pandas as pd

from deepfm_tutorial import evaluate, fit

RESULTS = Path(__file__).parent / "results"


def run(model, train, validation, test, **settings):
    """Train, judge on the test rows, and return what a study notes of a run."""
    history = fit(model, train, validation, progress=False, **settings)
    metrics = evaluate(model, test)
    return {"best_epoch": history.best_epoch, "auc": metrics.auc,
            "log_loss": metrics.log_loss}


def processor():
    """The processor's name as Linux or Python knows it, and the number of cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines
                    if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def write(name, rows):
    """Write rows to `results/name.csv`, six digits, headed by what made them."""
    runs = pd.DataFrame(rows)
    with open(RESULTS / f"{name}.csv", "w", encoding="utf-8", newline="\n") as file:
        file.write("# made by: make studies "
                   f"({name}), on {platform.machine()} ({processor()})\n")
        runs.to_csv(file, index=False, float_format="%.6f", lineterminator="\n")
    return runs


def read(name):
    """Return the runs of `results/name.csv` as a table."""
    return pd.read_csv(RESULTS / f"{name}.csv", comment="#")
