"""A survey: would you drive there now, for a coupon? It is part of the package.

In-Vehicle Coupon Recommendation, UCI Machine Learning Repository, data set 603,
doi:10.24432/C5GS4P, licence CC BY 4.0; nothing was changed but that it is compressed
(`lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)`). The survey is by T. Wang,
C. Rudin, F. Doshi-Velez, Y. Liu, E. Klampfl and P. MacNeille, "A Bayesian Framework for
Learning Rule Sets for Interpretable Classification", JMLR 18(70), 2017.
"""
import csv
import hashlib
import lzma
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

FILE = Path(__file__).with_name("coupons.csv.xz")
SHA256 = "87e841f5d41cdaf31a09d0a0770187b2fc9cabe4171c30bf7ea2182dd074abaa"
PERSONAL = ("gender", "age", "maritalStatus", "has_children", "education", "occupation",
            "income", "car", "Bar", "CoffeeHouse", "CarryAway", "RestaurantLessThan20",
            "Restaurant20To50")
"""The columns that describe a respondent and not the drive or the coupon.

:meta hide-value:
"""


class Coupons(NamedTuple):
    """12,684 answers, one row each.

    Attributes:
        columns: field name → (N,) array, the file's 25 in its order, by its own names
            (`passanger` is one): whole numbers as int64, text as objects, each a str,
            or None where the cell is empty.
        labels: (N,) float32, 1 for "yes, I would use the coupon".
        profiles: (N,) int64, 0 to 566: the file has no number for a respondent, but
            equal answers in the `PERSONAL` columns make a profile. They are numbered in
            the order in which they come.
    """

    columns: dict
    labels: np.ndarray
    profiles: np.ndarray


def load_coupons() -> Coupons:
    """Return the coupon survey. It is part of the package: no network is needed.

    Returns:
        A `Coupons`.

    Raises:
        ValueError: the installed file is damaged.
    """
    names, *rows = csv.reader(_text().splitlines())
    columns = {name: _column(cells) for name, cells in zip(names, zip(*rows))}
    labels = columns.pop("Y").astype(np.float32)
    return Coupons(columns, labels,
                   _numbered(zip(*(columns[name].tolist() for name in PERSONAL))))


def _text() -> str:
    """The file as it was published."""
    try:
        text = lzma.decompress(FILE.read_bytes())
    except (lzma.LZMAError, EOFError):
        text = b""
    if hashlib.sha256(text).hexdigest() != SHA256:
        raise ValueError(f"{FILE} is damaged (its SHA-256 differs): "
                         "install the package again")
    return text.decode()


def _column(cells: Sequence[str]) -> np.ndarray:
    """Whole numbers, or text in which an empty cell is None."""
    if all(cell.isdecimal() for cell in cells):
        return np.array(cells).astype(np.int64)
    return np.array([cell or None for cell in cells], object)


def _numbered(values: Iterable[tuple]) -> np.ndarray:
    """Give equal values one number, from 0 in the order in which they come."""
    numbers = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values])
