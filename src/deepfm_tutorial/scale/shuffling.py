"""Rows in random order, batch by batch, from files larger than memory (chapter 11)."""
import math
from collections.abc import Iterator, Sequence

import numpy as np

from ..training import rows_of, shuffled_batches

SHUFFLE_ROWS = 2 ** 20  # this many rows are shuffled together
RUN_ROWS = 2 ** 13  # rows are read in runs of this length, which disks read fast


def blockwise_batches(data: Sequence, batch_size: int,
                      rng: np.random.Generator) -> Iterator[list]:
    """Yield every row once, in random order, with memory for `SHUFFLE_ROWS` rows.

    The rows are cut into runs of `RUN_ROWS` neighbours. Runs are drawn at random until
    they make `SHUFFLE_ROWS` rows, read, and their rows shuffled. Where there are no
    more rows than that, it does what `shuffled_batches` does.

    Args:
        data: arrays with N rows each, such as `np.load(…, mmap_mode="r")` gives, or
            None in the place of one. Mapped int32 ids and float32 labels and values are
            never loaded as a whole; `fit` converts other types, which loads them.
        batch_size: rows a batch; the last may have fewer.
        rng: what draws the order.

    Yields:
        Lists like `data`, of a batch's rows.
    """
    if len(data[0]) <= SHUFFLE_ROWS:
        yield from shuffled_batches(data, batch_size, rng)
        return
    rest = rows_of(data, slice(0))
    for block in _blocks(data, rng):
        block = [_joined([left, *parts]) for left, parts in zip(rest, block)]
        rows = rng.permutation(len(block[0]))
        whole = len(rows) - len(rows) % batch_size
        for first in range(0, whole, batch_size):
            yield rows_of(block, rows[first:first + batch_size])
        rest = rows_of(block, rows[whole:])
    if len(rest[0]):
        yield rest


def _blocks(data: Sequence, rng: np.random.Generator) -> Iterator[list]:
    """Yield each block as one list of slices for each array."""
    starts = rng.permutation(math.ceil(len(data[0]) / RUN_ROWS)) * RUN_ROWS
    at_once = max(1, SHUFFLE_ROWS // RUN_ROWS)
    for first in range(0, len(starts), at_once):
        chosen = starts[first:first + at_once]
        yield [[None if array is None else array[start:start + RUN_ROWS]
                for start in chosen] for array in data]


def _joined(parts: list) -> np.ndarray | None:
    """The parts as one array; not copied where there is nothing to join."""
    parts = [part for part in parts if part is not None and len(part)]
    return np.concatenate(parts) if len(parts) > 1 else parts[0] if parts else None
