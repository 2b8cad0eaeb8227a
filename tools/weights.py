"""Prints a digest of trained weights: `python tools/weights.py`.

On one machine it is the same for each Python and NumPy that the book supports. Between
kinds of processors it may differ, since they add up in another order.
"""
import hashlib
import os
import platform

os.environ["OMP_NUM_THREADS"] = "1"  # how many threads share a sum decides its order

import numpy as np

import deepfm_tutorial as d
from deepfm_tutorial.datasets import make_click_log


def digest(batch_norm: bool) -> str:
    """The first 16 digits of the SHA-256 of all weights of a DeepFM after three epochs
    with dropout."""
    log = make_click_log(20_000, seed=0)
    encoder = d.FieldEncoder().fit(log.columns)
    model = d.DeepFM(encoder.field_sizes, 8, (32, 32), dropout=0.2,
                     batch_norm=batch_norm)
    d.fit(model, encoder.encode(log.columns, log.labels), epochs=3, batch_size=512,
          seed=1, progress=False)
    weights = [p.data().asnumpy() for p in model.collect_params().values()]
    assert all(np.isfinite(w).all() for w in weights)
    return hashlib.sha256(b"".join(w.tobytes() for w in weights)).hexdigest()[:16]


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, NumPy {np.__version__}:",
          digest(False), digest(True))
