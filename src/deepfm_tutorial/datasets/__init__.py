"""Data sets, each a named tuple that begins with columns and labels.

The same two calls work for each: `encoder.fit(data.columns)` and
`encoder.encode(data.columns, data.labels)`.
"""
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from .click_log import ClickLog, make_click_log
from .coupons import Coupons, load_coupons
from .movielens import MovieLens, load_movielens
from .splitting import split_by


class Dataset(Protocol):
    """What every data set has; each may have more.

    Attributes:
        columns: field name → (N,) array of text or numbers, in the order of the fields.
        labels: (N,) float32 zeros and ones.
    """

    columns: Mapping[str, np.ndarray]
    labels: np.ndarray


__all__ = ["ClickLog", "Coupons", "Dataset", "MovieLens", "load_coupons",
           "load_movielens", "make_click_log", "split_by"]
