"""Results as small files that say where they come from."""
import json
import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

from . import settings

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("mxnet", "numpy", "torch", "jax", "optax", "deepctr-torch",
            "fuxictr")


def processor():
    """The processor's name as Linux knows it, or as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines
                    if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def write(name, rows, **more):
    """Store `rows`, to six digits, as `results/NAME.json` with all that made them, and
    with what a benchmark has to say `more`."""
    origin = {
        "command": "make bench", "date": date.today().isoformat(),
        "processor": processor(), "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in PACKAGES},
        "model": settings.MODEL, "training": settings.TRAINING,
        "epochs": settings.EPOCHS, "threads": settings.THREADS,
        "seeds": settings.SEEDS, "click_rows": settings.CLICK_ROWS,
        "test_share": settings.TEST_SHARE, "split_seed": settings.SPLIT_SEED, **more,
    }
    rows = [{key: float(f"{value:.6g}") if isinstance(value, float) else value
             for key, value in row.items()} for row in rows]
    head = json.dumps(origin, indent=1)[:-2]
    # One line a row: small diffs.
    body = ",\n".join("  " + json.dumps(row) for row in rows)
    (RESULTS / f"{name}.json").write_text(f'{head},\n "rows": [\n{body}\n ]\n}}\n')


def read(name):
    """Return a result: what made it, and its measurements under `"rows"`."""
    return json.loads((RESULTS / f"{name}.json").read_text())
