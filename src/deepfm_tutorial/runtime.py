"""What must be set before MXNet 1.9.1 is imported.

Two things, each of which your own environment variables override:

- **Threads.** MXNet's defaults are slow for models of this size: one engine worker that
  shares its operators over all cores trained DeepFM 1.6 times as fast, on two cores.
  And a thread that waits for the others should not spin for long: beside one other busy
  process, that made the training of a small model more than 50 times slower. Set
  `OMP_NUM_THREADS`, `MXNET_CPU_WORKER_NTHREADS`, `GOMP_SPINCOUNT` or `OMP_WAIT_POLICY`
  yourself and they stay as you set them. OpenMP allows a list of counts, one for each
  level of nesting; MXNet would abort on it, so its first count is taken. A value that
  OpenMP would not understand counts as not set, with a warning; an empty one without.
- **NumPy's names.** While it is imported, MXNet reads names that NumPy has removed
  since: `bool` in NumPy 1.24 (https://github.com/apache/mxnet/issues/21165), others in
  NumPy 2. They are lent for the import and taken back, so that NumPy is left as it was
  found. `mxnet.nd` and Gluon, all that the book uses, never ask for them again;
  `mxnet.np` does (Boolean masks, comparisons). If you use `mxnet.np`, set
  `DEEPFM_TUTORIAL_NUMPY_BOOL=keep`; with `off` no name is lent at all.
"""
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy

# The one room that the core imports. A process that `DMLC_ROLE` calls a server becomes
# one when MXNet is imported, below, so its variables must be checked before.
# `environment` imports no MXNet.
from .distributed import environment

# Measured on two cores. Layers of a few hundred units give more threads little to do.
MOST_THREADS = 4

# What OpenMP takes, or MXNet, for the second. Without a worker, MXNet waits for ever.
COUNT = r"\s*\+?0*[1-9]\d{0,4}\s*"
ALLOWED = {
    "OMP_NUM_THREADS": (f"{COUNT}(,{COUNT})*",
                        "a whole number from 1 to 99999, or several with commas"),
    "MXNET_CPU_WORKER_NTHREADS": (COUNT, "a whole number from 1 to 99999"),
    "GOMP_SPINCOUNT": (r"\s*(\d{1,18}\s*[kmgt]?|infinity|infinite)\s*",
                       "a whole number or infinite"),
    "OMP_WAIT_POLICY": (r"\s*(active|passive)\s*", "active or passive"),
}

# What MXNet 1.9.1 reads from NumPy and NumPy 2.5 no longer has. The first three are
# used; the rest is only copied into mxnet.np: constants, functions under their new
# names, and stubs for what NumPy gave up in 1.20, which MXNet replaces with its own.
LENT = {
    "bool": bool, "round_": numpy.round, "product": numpy.prod,
    "PZERO": 0.0, "NZERO": -0.0, "PINF": numpy.inf, "NINF": -numpy.inf,
    "Inf": numpy.inf, "NAN": numpy.nan, "NaN": numpy.nan,
    "alltrue": numpy.all, "sometrue": numpy.any, "in1d": numpy.isin,
    "trapz": getattr(numpy, "trapezoid", None),
    **dict.fromkeys(["mirr", "msort", "npv", "pmt", "ppmt", "pv", "rate"]),
}


# MXNet imports these if they are there, for parts that the book does not use, and that
# is half of the time that its import takes. A job of chapter 12 imports it five times.
SPARED = ("sklearn", "scipy.stats")


def set_threads() -> None:
    """Set MXNet's thread counts, unless the environment already says what they are."""
    flags = re.IGNORECASE | re.ASCII
    for name, (pattern, allowed) in ALLOWED.items():
        value = os.environ.get(name)
        if value is not None and not re.fullmatch(pattern, value, flags):
            del os.environ[name]
            if value.strip():
                warnings.warn(f"{name}={value!r} is ignored: {allowed} is allowed",
                              stacklevel=2)
    cores = min(os.cpu_count() or 1, MOST_THREADS)
    threads = os.environ.get("OMP_NUM_THREADS", str(cores))
    os.environ["OMP_NUM_THREADS"] = str(int(threads.split(",")[0]))
    os.environ.setdefault("MXNET_CPU_WORKER_NTHREADS", "1")
    if "OMP_WAIT_POLICY" not in os.environ:  # GOMP_SPINCOUNT would override it
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


@contextmanager
def numpy_names(mode: str) -> Iterator[None]:
    """Lend NumPy the names in `LENT` that it lacks, for a while.

    Args:
        mode: `"lend"` takes them back at the end, `"keep"` leaves them, `"off"` lends
            none.

    Raises:
        ValueError: `mode` is none of these.
    """
    if mode not in ("lend", "keep", "off"):
        raise ValueError(f"DEEPFM_TUTORIAL_NUMPY_BOOL={mode!r}: "
                         "lend, keep or off is allowed")
    # Not hasattr: asking NumPy 1.26 for the name warns.
    missing = ([] if mode == "off"
               else [name for name in LENT if name not in vars(numpy)])
    for name in missing:
        setattr(numpy, name, LENT[name])
    try:
        yield
    finally:
        for name in missing if mode == "lend" else []:
            delattr(numpy, name)


@contextmanager
def spared() -> Iterator[None]:
    """In its block, what is in `SPARED` and not yet imported seems not installed."""
    absent = dict.fromkeys(name for name in SPARED if name not in sys.modules)
    sys.modules.update(absent)
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


set_threads()
environment.stop_unless_complete(os.environ)  # else MXNet aborts and does not say why
with numpy_names(os.environ.get("DEEPFM_TUTORIAL_NUMPY_BOOL") or "lend"), spared():
    import mxnet  # noqa: F401  (the import is the point)
