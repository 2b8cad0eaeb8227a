"""What training costs as features grow in number, with dense and row-sparse gradients.

The model is an FM's pairs alone: F look-ups in a table of n rows and a little
arithmetic, so that what grows with n is not hidden behind dense layers. With dense
gradients every step touches all n rows (gradient, two moments, weights); with
row-sparse ones Adam updates the rows that were used, `lazy_update` in MXNet and
`SparseAdam` in PyTorch. (That is not quite Adam: the moments of the other rows do not
decay.)
"""
import statistics
import time

import numpy as np

from . import settings
from .store import write
from .worker import Worker

FEATURES = [10_000, 30_000, 100_000, 300_000, 1_000_000]
FIELDS = 10
WARM_UP, STEPS = 3, 20
ROUNDS = 3
WAYS = [(library, gradient) for library in ("MXNet", "PyTorch")
        for gradient in ("dense", "row-sparse")]


def batches(num_features, count, seed):
    """Random ids, each field owning a tenth of the features, and labels."""
    rng, size = np.random.default_rng(seed), num_features // FIELDS
    shape = (count, settings.TRAINING["batch_size"], FIELDS)
    ids = rng.integers(0, size, shape) + size * np.arange(FIELDS)
    return ids.astype(np.int32), rng.integers(0, 2, shape[:2]).astype(np.float32)


def mxnet_step(num_features, sparse):
    """Return a function that takes a batch, trains on it and returns the loss, not
    waited for."""
    from deepfm_tutorial import logistic_loss, pairwise_interactions

    # isort: split
    import mxnet as mx
    from mxnet import autograd, gluon, nd

    table = gluon.nn.Embedding(num_features, settings.MODEL["num_factors"],
                               sparse_grad=sparse,
                               weight_initializer=mx.init.Normal(0.01))
    table.initialize()
    adam = gluon.Trainer(table.collect_params(), "adam",
                         {"learning_rate": 0.001, "lazy_update": sparse})

    def step(ids, labels):
        ids, labels = nd.array(ids, dtype="int32"), nd.array(labels)
        with autograd.record():
            loss = logistic_loss(pairwise_interactions(table(ids)), labels).sum()
        loss.backward()
        adam.step(len(ids))
        return loss
    return step


def torch_step(num_features, sparse):
    """The same in PyTorch."""
    import torch
    torch.set_num_threads(settings.THREADS)
    table = torch.nn.Embedding(num_features, settings.MODEL["num_factors"],
                               sparse=sparse)
    torch.nn.init.normal_(table.weight, std=0.01)
    adam = (torch.optim.SparseAdam(table.parameters(), 0.001) if sparse
            else torch.optim.Adam(table.parameters(), 0.001, fused=True))
    loss_of = torch.nn.BCEWithLogitsLoss()

    def step(ids, labels):
        adam.zero_grad()
        e = table(torch.from_numpy(ids))
        logits = (e.sum(1).square() - e.square().sum(1)).sum(1) / 2
        loss_of(logits, torch.from_numpy(labels)).backward()
        adam.step()
    return step


def serve(library):
    """Return a function that measures rows a second of a few steps after a warm-up."""
    make, wait = (mxnet_step, waitall) if library == "MXNet" else (
        torch_step, lambda: None)
    return lambda num_features, sparse, seed: speed(
        make(num_features, sparse), wait, num_features, seed)


def waitall():
    from mxnet import nd
    nd.waitall()


def speed(step, wait, num_features, seed):
    """Rows a second; every step is waited for, as PyTorch's are."""
    ids, labels = batches(num_features, WARM_UP + STEPS, seed)
    for i in range(WARM_UP):
        step(ids[i], labels[i])
        wait()
    start = time.perf_counter()
    for i in range(WARM_UP, WARM_UP + STEPS):
        step(ids[i], labels[i])
        wait()
    return STEPS * settings.TRAINING["batch_size"] / (time.perf_counter() - start)


def main():
    workers = {library: Worker("growth", library) for library in ("MXNet", "PyTorch")}
    rows = []
    for num_features in FEATURES:
        speeds = {way: [] for way in WAYS}
        for seed in range(ROUNDS):
            for library, gradient in WAYS:
                speeds[library, gradient].append(workers[library].ask(
                    sparse=gradient == "row-sparse",
                    num_features=num_features, seed=seed))
        for (library, gradient), values in speeds.items():
            rows.append({"features": num_features, "library": library,
                         "gradient": gradient,
                         "rows_per_second": statistics.median(values),
                         "least": min(values), "most": max(values)})
            print("  {features:9,} features  {library:16} {gradient:10} "
                  "{rows_per_second:9,.0f} rows/s".format(**rows[-1]), flush=True)
    for worker in workers.values():
        worker.close()
    write("growth", rows)


if __name__ == "__main__":
    main()
