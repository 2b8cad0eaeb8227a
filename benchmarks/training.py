"""One training of one library, timed; runs inside a worker."""
import importlib
import time

import numpy as np


def serve(module, path, batch_norm):
    """Return a function that trains a new model from a seed and says how that went."""
    library = importlib.import_module(f"benchmarks.libraries.{module}")
    data = dict(np.load(path))
    trainer = library.Trainer(data, batch_norm == "True")
    return lambda seed, epochs: train(trainer, data, seed, epochs)


def train(trainer, data, seed, epochs):
    from sklearn.metrics import roc_auc_score

    trainer.new_model(seed)
    start, processor_start = time.perf_counter(), time.process_time()
    trainer.train(epochs)
    seconds, busy = time.perf_counter() - start, time.process_time() - processor_start
    rows = len(data["train_labels"]) * epochs
    return {"rows_per_second": rows / seconds,
            # Counts both cores, and leaves others' work out.
            "rows_per_processor_second": rows / busy,
            "auc": float(roc_auc_score(data["test_labels"], trainer.predict())),
            "peak_megabytes": peak_megabytes()}


def peak_megabytes():
    """The most memory that this process has held. (`ru_maxrss` has the parent's.)"""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status
                    if line.startswith("VmHWM")) / 1024
