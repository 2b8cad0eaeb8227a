"""Each library by its own documented settings, until its own best epoch.

The best epoch is the one with the highest validation AUC. A library that has no rule of
its own to stop stops three epochs after it. The clock counts training alone. Libraries
take turns, each in a process of its own, after one epoch to warm up.
"""
import hashlib
import importlib
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from . import data, settings
from .store import write
from .worker import Worker

# Name → module in `libraries`, and what its `OwnBest` is told beside the rows.
WAYS = {"deepfm_tutorial": ("ours",), "deepfm_tutorial, κ": ("ours", "κ"),
        "deepfm_tutorial, κ, averaging": ("ours", "κ", "averaging"),
        "PyTorch, κ": ("plain_torch_best",), "DeepCTR-Torch": ("deepctr",),
        "FuxiCTR": ("fuxi",)}
LIBRARIES = Path(__file__).parent / "libraries"
SOURCES = [Path(__file__), *sorted(
    {LIBRARIES / f"{module}.py" for module, *_ in WAYS.values()})]
FINGERPRINT = hashlib.sha256(
    b"\0".join(file.read_bytes() for file in SOURCES)).hexdigest()[:12]


class Notes:
    """Times a training's epochs, judges them, and knows the best.

    Attributes:
        epochs: of each epoch done, the `seconds` of training until its end, and its
            `validation_auc`.
        best: `best_epoch`, counted from 1, and the test rows' `auc` and `log_loss`.
    """

    def __init__(self, parts, most):
        self.parts, self.most, self.seconds = parts, most, 0.0
        self.epochs, self.best = [], {"best_epoch": 0}

    @contextmanager
    def training(self):
        """The clock runs in its block."""
        self.started = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - self.started

    @contextmanager
    def pause(self):
        """In a `training` block: the clock stands still in its block."""
        self.seconds += time.perf_counter() - self.started
        yield
        self.started = time.perf_counter()

    def judge(self, predict):
        """Judge the epoch that has ended. `predict(part)` gives probabilities."""
        from sklearn.metrics import log_loss, roc_auc_score

        auc = float(roc_auc_score(self.parts["validation_labels"],
                                  predict("validation")))
        if auc > max([epoch["validation_auc"] for epoch in self.epochs], default=0):
            labels, found = self.parts["test_labels"], predict("test")
            self.best = {"best_epoch": len(self.epochs) + 1,
                         "auc": float(roc_auc_score(labels, found)),
                         "log_loss": float(log_loss(labels, found))}
        self.epochs.append({"seconds": self.seconds, "validation_auc": auc})

    def is_enough(self):
        """Whether a library that has no rule of its own stops here."""
        since_best = len(self.epochs) - self.best["best_epoch"]
        return (since_best >= settings.BEST["patience"]
                or len(self.epochs) >= self.most)


def serve(module, path, *options):
    """Return a function that trains once from a seed and says how that went."""
    library = importlib.import_module(f"benchmarks.libraries.{module}")
    parts = dict(np.load(path))
    own_best = library.OwnBest(parts, *options)

    def run(seed, most):
        notes = Notes(parts, most)
        own_best.train(seed, notes)
        return {**notes.best, **{name: [round(epoch[name], 4) for epoch in notes.epochs]
                                 for name in notes.epochs[0]}}
    return run


def trainings(path):
    """Let every library train once a seed, in turns; yield a row a training."""
    workers = {library: Worker("own_best", module, path, *options)
               for library, (module, *options) in WAYS.items()}
    for worker in workers.values():
        worker.ask(seed=0, most=1)  # warm-up
    for seed in settings.BEST["seeds"]:
        for library, worker in workers.items():
            yield {"library": library, "seed": seed,
                   **worker.ask(seed=seed, most=settings.BEST["most epochs"])}
    for worker in workers.values():
        worker.close()


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "data.npz")
        for name in settings.DATA:
            data.write(name, path, settings.BEST["shares"])
            for row in trainings(path):
                rows.append({"data": name, **row})
                print("  {data:10} {library:30} seed {seed}   best epoch "
                      "{best_epoch:3}   AUC {auc:.4f}   log loss "
                      "{log_loss:.4f}".format(**row, data=name), flush=True)
    write("own_best", rows, fingerprint=FINGERPRINT, own_best=settings.BEST)


if __name__ == "__main__":
    main()
