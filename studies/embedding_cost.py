"""Chapter 4's times: one step, forward and backward, of each of its four methods.

Run it as `python -m studies.embedding_cost`, a minute, on a machine that does nothing
else. The functions are the chapter's own, taken from its cells. Methods and sizes take
turns within each round, so that a disturbance meets them all.
"""
import time
from pathlib import Path

import deepfm_tutorial  # noqa: F401  (before MXNet)

# isort: split
import mxnet as mx
import nbformat
import numpy as np
from mxnet import autograd, nd

from . import study

CHAPTER = Path(__file__).parents[1] / "notebooks/04_two_ways.ipynb"
SIZES = [10 ** power for power in range(2, 7)]
ROUNDS, SEED = 21, 0
CELLS = [cell.source for cell in nbformat.read(CHAPTER, 4).cells
         if cell.source.startswith(("def dense_product(", "def make_step("))]
FINGERPRINT = study.fingerprint(Path(__file__).read_bytes(), *map(str.encode, CELLS))


def chapters_functions():
    """What the chapter's cells define that hold its methods and its step, by name."""
    names = {"autograd": autograd, "nd": nd, "np": np}
    for source in CELLS:
        exec(source, names)
    return names


def run(rounds=ROUNDS, sizes=SIZES):
    """Yield the median, least and most milliseconds of a step, by method and size."""
    mx.random.seed(SEED)
    chapter = chapters_functions()
    steps = {(method.__name__, n): chapter["make_step"](method, n)
             for method in chapter["methods"] for n in sizes}
    times = {key: [] for key in steps}
    for _ in range(rounds + 1):  # the first is a warm-up
        for key, step in steps.items():
            start = time.perf_counter()
            step()
            times[key].append(1000 * (time.perf_counter() - start))
    for (method, n), taken in times.items():
        yield {"method": method, "n": n, "rounds": rounds, "seed": SEED,
               "median_ms": np.median(taken[1:]),
               "least_ms": min(taken[1:]), "most_ms": max(taken[1:])}


if __name__ == "__main__":
    print(study.write("embedding_cost", run(), FINGERPRINT).to_string())
