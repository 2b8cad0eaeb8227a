"""Split rows so that what belongs together stays together."""
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .._validation import as_numpy, check_integer, check_number


def split_by(groups: ArrayLike, shares: Sequence[float] = (0.8, 0.1, 0.1),
             seed: int = 0) -> tuple[np.ndarray, ...]:
    """Deal whole groups of rows to parts at random: no group is in two of them.

    The groups are laid one after another in random order, the line is cut by the
    shares, and a group goes where its middle is. So no cut is off by more than half a
    group. With `groups = range(N)` each row is a group of its own.

    Args:
        groups: (N,) text or numbers, equal where rows belong together: a person, a day.
        shares: of the rows, one for each part; they add up to 1.
        seed: of the random order.

    Returns:
        For each share the numbers of its rows, an ascending int64 array.

    Raises:
        TypeError: a share or the seed is no number.
        ValueError: the groups are no column, a share is not in (0, 1), the shares do
            not add up to 1, or the groups are so few that a part is empty.
    """
    groups, cuts = as_numpy(groups), _cuts(shares)
    if groups.ndim != 1 or not len(groups):
        raise ValueError(f"groups have shape {groups.shape}: (N,) is needed, "
                         "N at least 1")
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    rng = np.random.default_rng(check_integer("seed", seed, least=0))
    part = np.searchsorted(cuts, _middles(sizes / len(groups), rng))[group]
    parts = tuple(np.flatnonzero(part == i) for i in range(len(cuts) + 1))
    if not all(map(len, parts)):
        raise ValueError(f"shares = {tuple(shares)}: a part of {len(sizes)} groups "
                         "would be empty")
    return parts


def _middles(lengths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where each group's middle is, once all are laid in random order."""
    order = rng.permutation(len(lengths))
    middles = np.empty(len(lengths))
    middles[order] = np.cumsum(lengths[order]) - lengths[order] / 2
    return middles


def _cuts(shares: Sequence[float]) -> np.ndarray:
    """Where the parts meet, as shares of all rows."""
    for i, share in enumerate(shares):
        check_number(f"shares[{i}]", share, 0, 1, low_allowed=False)
    ends = np.cumsum(shares)
    if len(ends) == 0 or not np.isclose(ends[-1], 1):
        raise ValueError(f"shares = {tuple(shares)}: they must add up to 1")
    return ends[:-1]
