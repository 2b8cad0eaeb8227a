"""Where a step's time goes: MXNet's own profile of a training, in groups of operators.

Each group has the work that it cannot do without: floating-point operations of the
dense layers, bytes that the others must at least read and write. `peak` measures how
much of each the machine does in a second.
"""
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from . import data, settings
from .store import write
from .worker import Worker

TURNS, EPOCHS = 3, 2

# Group → how the names of its operators begin, behind an underscore or "_backward_".
GROUPS = {
    "dense layers": ("FullyConnected", "linalg_gemm2"),
    "dropout": ("Dropout",),
    "ReLU": ("maximum_scalar",),
    "batch norm": ("BatchNorm",),
    "Adam": ("adam_update",),
    "the rest": ("",),  # look-up, pairs, loss, sums of gradients, copies
}


def group_of(operator):
    """The first group that an operator's name belongs to."""
    name = operator.removeprefix("_backward").removeprefix("_")
    return next(group for group, starts in GROUPS.items() if name.startswith(starts))


def work(rows, num_fields, num_parameters, batch_norm):
    """Group → (floating-point operations, bytes) of a step of some rows, at the least.

    An element-wise layer reads its input and writes its output; its gradient reads two
    arrays and writes one. Dropout also writes the mask. Batch norm reads its input
    twice, once for mean and variance; its gradient reads two arrays twice. Adam reads
    the weight, its gradient and two moments, and writes all but the gradient.
    """
    hidden = 4 * rows * sum(settings.MODEL["hidden_units"])  # bytes
    return {"dense layers": (rows * settings.dense_flops(num_fields), 0),
            "dropout": (0, 6 * hidden), "ReLU": (0, 5 * hidden),
            "batch norm": (0, 8 * hidden * batch_norm),
            "Adam": (0, 7 * 4 * num_parameters), "the rest": (0, 0)}


def serve(path):
    """Return a function that trains, with the profiler and without, and says how long
    a step took: each group's milliseconds, and those of the whole by the clock."""
    from .libraries import ours
    parts = dict(np.load(path))

    def run(seed, batch_norm):
        trainer = ours.Trainer(parts, batch_norm)
        num_rows = len(parts["train_ids"])
        steps = EPOCHS * -(-num_rows // settings.TRAINING["batch_size"])
        trainer.new_model(seed)
        start = time.perf_counter()
        trainer.train(EPOCHS)
        by_clock = time.perf_counter() - start
        sizes = [p.data().size for p in trainer.model.collect_params().values()
                 if p.grad_req != "null"]
        trainer.new_model(seed)
        milliseconds = dict.fromkeys(GROUPS, 0.0)
        for operator, seen in profile(lambda: trainer.train(EPOCHS)).items():
            milliseconds[group_of(operator)] += seen["Total"] / steps
        # The last batch of an epoch is smaller: the mean number of rows.
        needed = work(EPOCHS * num_rows / steps, len(parts["field_sizes"]), sum(sizes),
                      batch_norm)
        return {"by_clock": 1000 * by_clock / steps, "groups": [
            {"group": group, "milliseconds": spent, "operations": needed[group][0],
             "bytes": needed[group][1]} for group, spent in milliseconds.items()]}
    return run


def profile(call):
    """Call, and return what MXNet's operators did meanwhile: name → statistics."""
    from mxnet import profiler

    profiler.set_config(profile_imperative=True, profile_symbolic=True,
                        aggregate_stats=True, filename=os.devnull)
    profiler.set_state("run")
    call()
    profiler.set_state("stop")
    return json.loads(profiler.dumps(reset=True, format="json"))["Time"]["operator"]


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "data.npz")
        data.write("MovieLens", path)
        worker = Worker("operators", path)
        worker.ask(seed=0, batch_norm=False)  # warm-up
        for turn in range(TURNS):
            for batch_norm in (False, True):
                found = worker.ask(seed=turn, batch_norm=batch_norm)
                rows += [{"turn": turn, "batch_norm": batch_norm,
                          "by_clock": found["by_clock"], **group}
                         for group in found["groups"]]
        worker.close()
    write("operators", rows)


if __name__ == "__main__":
    main()
