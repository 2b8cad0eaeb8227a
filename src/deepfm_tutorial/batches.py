"""Rows in random order, batch by batch, from memory or from files larger than it (chapter 10)."""
import numpy as np

SHUFFLE_ROWS = 2 ** 20  # so many rows are shuffled at a time; all of them, where there are no more
RUN_ROWS = 2 ** 13  # beyond that, rows are read in runs of this length, which disks like


def shuffled_batches(data, batch_size, order):
    """Yield every row once, in random order.

    Up to `SHUFFLE_ROWS` rows are shuffled as a whole. More are cut into runs of `RUN_ROWS`
    neighbours; so many runs, drawn at random, as make `SHUFFLE_ROWS` rows are read and shuffled
    together. Memory is needed for one such block, however many rows there are.

    Args:
        data: arrays with N rows each, or None in the place of one.
        batch_size: rows a batch; the last may have fewer.
        order: a NumPy `Generator`.

    Yields:
        Lists like `data`, of a batch's rows.
    """
    rest = [None if array is None else array[:0] for array in data]
    for block in _blocks(data, order):
        block = [_joined([left, *parts]) for left, parts in zip(rest, block)]
        rows = order.permutation(len(block[0]))
        whole = len(rows) - len(rows) % batch_size
        for first in range(0, whole, batch_size):
            yield _of(block, rows[first:first + batch_size])
        rest = _of(block, rows[whole:])
    if len(rest[0]):
        yield rest


def _blocks(data, order):
    """Yield each block as one list of slices for each array."""
    num_rows = len(data[0])
    run = RUN_ROWS if num_rows > SHUFFLE_ROWS else num_rows
    starts = order.permutation(-(-num_rows // run)) * run
    at_once = max(1, SHUFFLE_ROWS // run)
    for first in range(0, len(starts), at_once):
        yield [[None if array is None else array[start:start + run]
                for start in starts[first:first + at_once]] for array in data]


def _joined(parts):
    """The parts as one array; not copied where there is nothing to join."""
    parts = [part for part in parts if part is not None and len(part)]
    return np.concatenate(parts) if len(parts) > 1 else parts[0] if parts else None


def _of(block, rows):
    return [None if array is None else array[rows] for array in block]
