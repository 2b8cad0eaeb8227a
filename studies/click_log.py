"""Chapter 7's runs: what models reach on the click log, and what size and settings do.

Run it with `make studies`, or one part of it by name: `python -m studies.click_log
grid`.
"""
import sys
from itertools import product

from deepfm_tutorial import FieldEncoder
from deepfm_tutorial.datasets import make_click_log

from . import study
from .study import run, write

SEEDS = (1, 2, 3, 4, 5)
WORLDS = {"all effects": (1, 2, 3), "no triple": (1, 2), "first order only": (1,)}
# Drawn with seeds 0, 1 and 2.
ROWS = {"train": 200_000, "validation": 50_000, "test": 100_000}
TRAINING = {"epochs": 40, "batch_size": 2048, "patience": 3}
LEARNING_RATE = {"LR": 5e-3, "FM": 5e-3, "DNN": 3e-3, "DeepFM": 3e-3}


def build(name, field_sizes, num_factors=8, depth=2, dropout=0.0):
    """Return the model of that name; depth counts hidden layers of 64 units."""
    return study.build(name, field_sizes, num_factors, (64,) * depth, dropout)


def load(orders=(1, 2, 3), train_rows=ROWS["train"]):
    """Return field sizes and `(ids, labels)` of training, validation and test logs."""
    sizes = ROWS | {"train": train_rows}
    logs = [make_click_log(rows, seed, orders)
            for seed, rows in enumerate(sizes.values())]
    encoder = FieldEncoder().fit(logs[0].columns)
    return encoder.field_sizes, [(encoder.transform(log.columns), log.labels)
                                 for log in logs]


def train(name, loaded, seed, training=TRAINING, **shape):
    """Train one model with the study's settings, and say how it went."""
    field_sizes, parts = loaded
    result = run(build(name, field_sizes, **shape), *parts, seed=seed,
                 learning_rate=LEARNING_RATE[name], **training)
    row = {"model": name, **shape, "seed": seed, **result}
    print(row, flush=True)
    return row


def ablation():
    """All models on the full world, and on the worlds from which effects were taken."""
    for world, orders in WORLDS.items():
        loaded = load(orders)
        for seed, name in product(SEEDS, LEARNING_RATE):
            yield {"world": world, **train(name, loaded, seed)}


def patience():
    """Whether the seeds that stopped early would have gone on to something better."""
    loaded = load()
    for seed in SEEDS:
        yield train("DeepFM", loaded, seed, training=TRAINING | {"patience": 10})


def sizes():
    """How near to the ceiling more rows bring a model."""
    for rows in (50_000, 200_000, 800_000):
        loaded = load(train_rows=rows)
        for name in ("FM", "DeepFM"):
            yield {"rows": rows, **train(name, loaded, seed=1)}


def grid():
    """Factors, depth and dropout, on a tenth of the rows, where they matter more.

    Smaller batches, since an epoch of so few rows has few steps, and no early stopping:
    the settings differ in how long they linger on a plateau. The best epoch's weights
    are kept.
    """
    loaded = load(train_rows=20_000)
    training = TRAINING | {"batch_size": 512, "patience": 40}
    for k, depth, dropout, seed in product((2, 16), (1, 3), (0.0, 0.2, 0.5), SEEDS[:2]):
        shape = {"num_factors": k, "depth": depth, "dropout": dropout}
        yield train("DeepFM", loaded, seed, training, **shape)


if __name__ == "__main__":
    studies = {study.__name__: study for study in (ablation, patience, sizes, grid)}
    for name in sys.argv[1:] or studies:
        write(f"click_log_{name}", list(studies[name]()))
