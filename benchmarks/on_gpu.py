"""Training on a graphics card, beside the processor of the same machine.

`python -m benchmarks.on_gpu PATH` trains `libraries/plain_torch.py`'s DeepFM, as it is
and through `torch.compile`, on synthetic rows, and writes rows a second to PATH. It
needs PyTorch, NumPy, a card and the C++ compiler that `torch.compile` calls, and takes
three minutes. This book's package and MXNet are not imported: neither may be there.

Shapes are the benchmark's click log and large tables. Ids are uniform in each field and
lie on the device beforehand, so that what is timed is the step alone: forward pass,
backward pass, fused Adam on all weights, in float32. All ways take turns, five each
after a warm-up that compiles; a ratio is taken within a turn.
"""
import argparse
import gc
import hashlib
import json
import os
import platform
import sys
import time
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch._inductor import config

from . import settings
from .libraries import plain_torch
from .store import processor

CLICK_LOG = [9, 26, 5, 5, 6, 10, 8, 402]  # field sizes, as `data.write` encodes it


def equal_fields(features, fields=26):
    """Field sizes that differ by one at most and add up to `features`."""
    return [features // fields + (f < features % fields) for f in range(fields)]


TABLES = {"click log": CLICK_LOG, "a million": equal_fields(10**6),
          "ten million": equal_fields(10**7)}
BATCHES = (4096, 65536)
WAYS = [(device, form) for device in ("cpu", "cuda") for form in ("plain", "compiled")]
NOT_MADE = ("cpu", "compiled"), 65536  # each takes ten seconds and more to compile
TURNS, SECONDS = 5, 0.3  # a turn makes as many steps as fill so many seconds, or two
LIMIT = 200  # no table begins after so many seconds
DISTINCT = 4  # batches that a turn goes through again and again
FINGERPRINT = hashlib.sha256(b"\0".join([
    Path(__file__).read_bytes(), Path(plain_torch.__file__).read_bytes(),
    repr((settings.MODEL, settings.TRAINING["learning_rate"])).encode()])
).hexdigest()[:12]


def batches(sizes, rows):
    """Ids (DISTINCT, rows, F), int32, and labels (DISTINCT, rows)."""
    rng = np.random.default_rng(0)
    first = np.cumsum([0, *sizes[:-1]])
    ids = first + rng.integers(0, sizes, (DISTINCT, rows, len(sizes)))
    labels = rng.integers(0, 2, (DISTINCT, rows))
    return torch.from_numpy(ids.astype(np.int32)), torch.from_numpy(labels).float()


class Training:
    """One model in training on one device: `run(steps)` returns the seconds it took.

    Equal `sizes` give equal weights at the start, on every device. `unlike` is how far
    the first batch's logits are from `reference`, relative to the largest of them.
    """

    def __init__(self, device, form, sizes, data, reference=None):
        torch.manual_seed(0)
        self.device = device
        self.model = plain_torch.DeepFM(sizes, **settings.MODEL, batch_norm=False)
        self.model.to(device)
        self.ids, self.labels = (part.to(device) for part in data)
        self.adam = torch.optim.Adam(self.model.parameters(),
                                     settings.TRAINING["learning_rate"], fused=True)
        with torch.no_grad():
            self.first = self.model.eval()(self.ids[0]).cpu()
        reference = self.first if reference is None else reference
        self.unlike = float((self.first - reference).abs().max()
                            / reference.abs().max())
        self.model.train()
        if form == "compiled":
            # As in libraries/compiled_torch.py: on a processor, PyTorch's own random
            # numbers for dropout are faster than those that it compiles.
            config.fallback_random = device == "cpu"
            self.loss = torch.compile(self.loss, dynamic=False)
        self.done = 0
        self.warm_up = self.run(1)
        self.steps = 2
        self.run(2)  # the first steps after it are slow, too
        self.steps = max(2, int(SECONDS / (self.run(2) / 2)))

    def loss(self, ids, labels):
        return torch.nn.functional.binary_cross_entropy_with_logits(
            self.model(ids), labels)

    def wait(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def run(self, steps):
        self.wait()
        start = time.perf_counter()
        for _ in range(steps):
            i = self.done % DISTINCT
            self.adam.zero_grad()
            loss = self.loss(self.ids[i], self.labels[i])
            loss.backward()
            self.adam.step()
            self.done += 1
        self.wait()
        seconds = time.perf_counter() - start
        if not torch.isfinite(loss):
            raise ArithmeticError(f"the loss is {loss.item()} on {self.device}")
        return seconds


def compare(table, rows, ways):
    """Every way in turn on one table and batch size: a list of result rows."""
    sizes = TABLES[table]
    data, trainings, reference = batches(sizes, rows), {}, None
    torch._dynamo.reset()  # else each shape would count as a recompilation
    for device, form in ways:
        try:
            training = Training(device, form, sizes, data, reference)
        except torch._dynamo.exc.TorchDynamoException as error:
            print(f"  {table}, batch {rows:,}: {device} {form} left out, {error}")
            continue
        reference = training.first
        trainings[device, form] = training
    return [{"table": table, "features": sum(sizes), "fields": len(sizes),
             "batch": rows, "device": device, "form": form, "turn": turn,
             "steps": training.steps,
             "rows_per_second": training.steps * rows / training.run(training.steps),
             "warm_up_seconds": training.warm_up, "logits_unlike": training.unlike}
            for turn in range(TURNS)
            for (device, form), training in trainings.items()]


def show(rows, table, batch):
    for way in WAYS:
        of = [row for row in rows if (row["table"], row["batch"], row["device"],
                                      row["form"]) == (table, batch, *way)]
        if not of:
            continue
        speeds = sorted(row["rows_per_second"] for row in of)
        print("  {:11} batch {:6,}  {:4} {:8}  {:12,.0f} rows/s, {:,.0f} to {:,.0f}; "
              "{} steps a turn, warm-up {:.1f} s, logits unlike by {:.0e}".format(
                  table, batch, *way, speeds[len(speeds) // 2],
                  speeds[0], speeds[-1], of[0]["steps"], of[0]["warm_up_seconds"],
                  of[0]["logits_unlike"]), flush=True)


def write(path, rows, started):
    """As `store.write` does: six digits, one line a row, all that made them before."""
    cuda = any(row["device"] == "cuda" for row in rows)
    origin = {
        "command": "python -m benchmarks.on_gpu", "date": date.today().isoformat(),
        "card": torch.cuda.get_device_name() if cuda else None,
        "cuda": torch.version.cuda, "processor": processor(), "cores": os.cpu_count(),
        "threads": torch.get_num_threads(), "python": platform.python_version(),
        "torch": torch.__version__, "numpy": np.__version__,
        "matmul_precision": torch.get_float32_matmul_precision(),
        "fingerprint": FINGERPRINT, "model": settings.MODEL,
        "learning_rate": settings.TRAINING["learning_rate"], "turns": TURNS,
        "seconds": round(time.perf_counter() - started)}
    rows = [{key: float(f"{value:.6g}") if isinstance(value, float) else value
             for key, value in row.items()} for row in rows]
    body = ",\n".join("  " + json.dumps(row) for row in rows)
    head = json.dumps(origin, indent=1)[:-2]
    path.write_text(f'{head},\n "rows": [\n{body}\n ]\n}}\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path, help="the JSON file to write")
    parser.add_argument("--devices", nargs="+", default=["cpu", "cuda"])
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=TABLES)
    parser.add_argument("--batches", nargs="+", type=int, default=list(BATCHES))
    asked = parser.parse_args()
    if "cuda" in asked.devices and not torch.cuda.is_available():
        sys.exit("PyTorch sees no card here; --devices cpu measures without.")
    started, rows = time.perf_counter(), []
    for batch, table in product(asked.batches, asked.tables):
        if time.perf_counter() - started > LIMIT:
            print(f"  {table}, batch {batch:,}: left out, {LIMIT} s have passed")
            continue
        rows += compare(table, batch, [way for way in WAYS if way[0] in asked.devices
                                       and (way, batch) != NOT_MADE])
        gc.collect()  # the models, before the next are made
        show(rows, table, batch)
        write(asked.path, rows, started)  # what is there is kept, whatever comes


if __name__ == "__main__":
    main()
