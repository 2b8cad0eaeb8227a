"""What must be set before MXNet 1.9.1 is imported. No other module knows of it.

Two things, each of which your own environment variables override:

- **Threads.** MXNet's defaults are slow for models of this size: one engine worker that shares
  its operators over all cores trained DeepFM 1.6 times as fast, on two cores. And a thread that
  waits for the others should not spin for long: beside one other busy process, that made the
  training of a small model more than 50 times slower. Set `OMP_NUM_THREADS`,
  `MXNET_CPU_WORKER_NTHREADS`, `GOMP_SPINCOUNT` or `OMP_WAIT_POLICY` yourself and they stay as
  you set them.
- **A NumPy name.** MXNet reads `numpy.bool` while it is imported, a name that NumPy 1.24
  removed (https://github.com/apache/mxnet/issues/21165). It is lent for the import and taken
  back, so that NumPy is left as it was found. `mxnet.nd` and Gluon, all that the book uses,
  never ask for it again; `mxnet.np` does (Boolean masks, comparisons). If you use `mxnet.np`,
  set `DEEPFM_TUTORIAL_NUMPY_BOOL=keep`; with `off` the name is not lent at all.
"""
import os
from contextlib import contextmanager

import numpy

from . import cluster

# Measured on two cores. Layers of a few hundred units give more threads little to do.
MOST_THREADS = 4


def set_threads():
    """Set MXNet's thread counts, unless the environment already says what they are."""
    cores = min(os.cpu_count() or 1, MOST_THREADS)
    os.environ.setdefault("OMP_NUM_THREADS", str(cores))
    os.environ.setdefault("MXNET_CPU_WORKER_NTHREADS", "1")
    if "OMP_WAIT_POLICY" not in os.environ:  # GOMP_SPINCOUNT would override it
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


@contextmanager
def numpy_bool(mode):
    """Lend NumPy the name `bool` for a while.

    Args:
        mode: `"lend"` takes it back at the end, `"keep"` leaves it, `"off"` does nothing.

    Raises:
        ValueError: `mode` is none of these.
    """
    if mode not in ("lend", "keep", "off"):
        raise ValueError(f"DEEPFM_TUTORIAL_NUMPY_BOOL={mode!r}: lend, keep or off is allowed")
    # Not hasattr: asking NumPy 1.26 for the name warns.
    missing = "bool" not in vars(numpy)
    if missing and mode != "off":
        numpy.bool = bool
    try:
        yield
    finally:
        if missing and mode == "lend":
            del numpy.bool


set_threads()
cluster.stop_unless_complete(os.environ)  # a server's import of MXNet would abort and not say why
with numpy_bool(os.environ.get("DEEPFM_TUTORIAL_NUMPY_BOOL", "lend")):
    import mxnet  # noqa: F401  (the import is the point)
