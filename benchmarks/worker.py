"""One library in a process of its own, idle until the driver asks for a turn.

Run as `python -m benchmarks.worker MODULE DATA BATCH_NORM`. Requests and answers are lines of
JSON on standard input and output.
"""
import importlib
import json
import os
import subprocess
import sys
import time

from .settings import THREADS

# Before any library is imported: they read it once.
THREAD_SETTINGS = {"OMP_NUM_THREADS": str(THREADS), "MKL_NUM_THREADS": str(THREADS),
                   "OPENBLAS_NUM_THREADS": str(THREADS)}


class Worker:
    """The driver's end: a process that answers one request at a time."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.worker", *arguments], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **THREAD_SETTINGS})

    def ask(self, **request):
        """Send a request, wait for its answer."""
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"a worker ended, see its message above: {self.process.args}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def train(trainer, data, seed):
    """One whole training; only `train` is timed."""
    from sklearn.metrics import roc_auc_score

    from .settings import TRAINING
    trainer.new_model(seed)
    start = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - start
    rows = len(data["train_labels"]) * TRAINING["epochs"]
    return {"rows_per_second": rows / seconds,
            "auc": float(roc_auc_score(data["test_labels"], trainer.predict())),
            "peak_megabytes": peak_megabytes()}


def peak_megabytes():
    """The most memory that this process has held at once. (`ru_maxrss` starts at the parent's.)"""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def main(module, path, batch_norm):
    # The libraries print; what they print must not mix with the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    library = importlib.import_module(f"benchmarks.libraries.{module}")
    import numpy as np
    data = dict(np.load(path))
    trainer = library.Trainer(data, batch_norm == "True")
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(train(trainer, data, **request)), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
