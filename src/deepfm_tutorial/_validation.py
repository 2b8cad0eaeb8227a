"""Every check of what comes in from outside: one place, one wording.

MXNet clips an id outside the table to the nearest row and says nothing. Nothing here
may. Data are checked once, at the public function that they enter by: see
`past_the_door`.
"""
import numbers
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from mxnet import nd

ROWS_AT_ONCE = 2 ** 16

FLOAT32_MAX = float(np.finfo(np.float32).max)
"""The largest number that models can compute with."""


def as_numpy(array: Any) -> np.ndarray:
    """The same numbers as a NumPy array, from any kind of array or from a list."""
    return array.asnumpy() if isinstance(array, nd.NDArray) else np.asarray(array)


def check_integer(name: str, value: Any, least: int = 1) -> int:
    """Return `value` as an int, or say that `name` must be a whole number ≥ `least`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} = {value!r}: a whole number is needed")
    if value < least:
        raise ValueError(f"{name} = {value}: at least {least} is allowed")
    return int(value)


def check_number(name: str, value: Any, low: float, high: float, *,
                 low_allowed: bool = True) -> float:
    """Return `value` as a float in `[low, high)`, or in `(low, high)`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} = {value!r}: a number is needed")
    above = value >= low if low_allowed else value > low
    if not (above and value < high):
        opening = "[" if low_allowed else "("
        raise ValueError(f"{name} = {value}: {opening}{low}, {high}) is allowed")
    return float(value)


def check_sizes(name: str, values: Iterable[int]) -> tuple[int, ...]:
    """Return `values` as a tuple of at least one whole number, each at least 1."""
    values = tuple(values)
    if not values:
        raise ValueError(f"{name} is empty: at least one entry is needed")
    return tuple(check_integer(f"{name}[{i}]", value) for i, value in enumerate(values))


def check_names(name: str, names: Iterable[str]) -> frozenset[str]:
    """Return the names of some fields, or say that names are needed."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise TypeError(f"{name} = {names!r}: a list of names is needed")
    return frozenset(names)


def check_counts(name: str, counts: Mapping[str, int] | None,
                 what: str) -> dict[str, int]:
    """Return a mapping from field name to a whole number ≥ 1, or say what is wrong."""
    if counts is not None and not isinstance(counts, Mapping):
        raise TypeError(f"{name} = {counts!r}: a mapping is needed, from names of "
                        f"fields to each one's {what}")
    return {field: check_integer(f"{name}[{field!r}]", count)
            for field, count in (counts or {}).items()}


def field_bounds(field_sizes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """First and one-past-last id of every field: two arrays of shape (F,)."""
    ends = np.cumsum(field_sizes)
    return ends - field_sizes, ends


def check_ids(ids: Any, low: Any, high: Any,
              fields: Sequence[int] | None = None) -> np.ndarray:
    """Return `ids` as an int32 NumPy array after checking that each lies in its range.

    Args:
        ids: (B, F) whole numbers.
        low, high: each field's first and one-past-last id, (F,) or one number for all.
        fields: which field each column is of, where it is not its own number.

    Raises:
        TypeError: not numbers, or floats too coarse for ids as large as these.
        ValueError: another shape, no rows, or an id that is fractional or out of range.
    """
    ids = as_numpy(ids)
    if ids.dtype.kind not in "iuf":
        raise TypeError(f"ids are of type {ids.dtype}: whole numbers are needed. An "
                        "encoder's transform makes them from raw columns")
    columns = len(low) if np.ndim(low) else "F"
    if ids.ndim != 2 or np.ndim(low) and ids.shape[1] != columns or 0 in ids.shape:
        raise ValueError(f"ids have shape {ids.shape}: (B, {columns}) is needed, "
                         "B at least 1, one column a field")
    if ids.dtype.kind == "f" and np.max(high) > 2 ** (np.finfo(ids.dtype).nmant + 1):
        raise TypeError(f"ids are of type {ids.dtype}, which cannot tell all "
                        f"{np.max(high)} ids apart: int32 is needed")

    def is_good(part: np.ndarray) -> np.ndarray:
        # Written so that NaN, for which every comparison is false, counts as bad too.
        return (part >= low) & (part < high) & (np.floor(part) == part)

    if bad := _first_bad(ids, is_good):
        row, field = bad
        first, end = (np.broadcast_to(bound, ids.shape)[bad] for bound in (low, high))
        allowed = f"whole numbers from {first} to {end - 1}"
        of = field if fields is None else fields[field]
        # One range for all columns is that of a table, which knows no fields.
        raise ValueError(f"ids[{row}, {field}] = {ids[row, field]}: " + (
            f"field {of} takes {allowed}" if np.ndim(low) else f"{allowed} are allowed"
        ))
    return ids.astype(np.int32, copy=False)


def check_rows(ids: Any, field_sizes: Sequence[int],
               pooled: bool = False) -> np.ndarray:
    """Return ids as `check_ids` does, each in the range of its column's field.

    Args:
        ids: (B, F) whole numbers, or (B, S) if `pooled`.
        field_sizes: how many ids each field owns.
        pooled: whether a field may have several columns. They stand side by side; the
            first row tells where each field begins.

    Raises:
        TypeError, ValueError: as `check_ids`, or a field without a column.
    """
    low, high = field_bounds(field_sizes)
    ids = as_numpy(ids)
    if not pooled:
        if np.ndim(ids) == 2 and np.shape(ids)[1] > len(low):
            raise ValueError(f"ids have shape {np.shape(ids)}: (B, {len(low)}) is "
                             "needed. Multi-valued fields, which take several columns, "
                             "need a model made with pooled=True")
        return check_ids(ids, low, high)
    ids = check_ids(ids, 0, high[-1])
    fields = np.searchsorted(high, ids[0], side="right")
    steps = np.diff(fields, prepend=-1, append=len(high))
    if ((steps < 0) | (steps > 1)).any():
        raise ValueError(f"ids[0] has columns of fields {fields.tolist()}: each of the "
                         f"{len(high)} fields is needed, in their order")
    return check_ids(ids, low[fields], high[fields], fields)


def check_values(values: Any, shape: Sequence[int]) -> np.ndarray:
    """Return `values` as a float32 array of `shape` (B, F) with no NaN or infinity."""
    values = as_numpy(values)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"values are of type {values.dtype}: numbers are needed")
    if values.shape != tuple(shape):
        raise ValueError(f"values have shape {values.shape}: "
                         f"the ids' shape {shape} is needed")
    if bad := _first_bad(values, is_finite32):
        row, field = bad
        raise ValueError(f"values[{row}, {field}] = {values[row, field]}: "
                         f"field {field} takes finite numbers")
    return values.astype(np.float32, copy=False)


def check_labels(labels: Any, num_rows: int) -> np.ndarray:
    """Return `labels` as a float32 array of shape (B,) that holds only 0 and 1."""
    return _check_row_by_row("label", labels, num_rows, "0 and 1", "0 or 1",
                             lambda part: (part == 0) | (part == 1))


def check_weights(weights: Any, num_rows: int) -> np.ndarray:
    """Return `weights` as (B,) float32, finite and ≥ 0, and not all of them 0."""
    weights = _check_row_by_row("weight", weights, num_rows, "numbers", "[0, inf)",
                                lambda part: is_finite32(part) & (part >= 0))
    if not weights.any():
        raise ValueError("weights are all 0: one above 0 is needed")
    return weights


def _check_row_by_row(name: str, array: Any, num_rows: int, needed: str, allowed: str,
                      is_good: Callable) -> np.ndarray:
    """Return what has one number a row of ids as float32, (B,), if all are good."""
    array = as_numpy(array)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}s are of type {array.dtype}: {needed} are needed")
    if array.shape != (num_rows,):
        raise ValueError(f"{name}s have shape {array.shape}: ({num_rows},) is needed, "
                         f"one {name} a row of ids")
    if bad := _first_bad(array, is_good):
        row, = bad
        raise ValueError(f"{name}s[{row}] = {array[row]}: {allowed} is allowed")
    return array.astype(np.float32, copy=False)


def is_finite32(numbers: np.ndarray) -> np.ndarray:
    """Whether each number is finite, as the float32 number that models compute with."""
    with np.errstate(over="ignore"):
        return np.isfinite(numbers.astype(np.float32, copy=False))


def plain(value: Any) -> Any:
    """NumPy's arrays and numbers as Python's, for JSON."""
    return as_numpy(value).tolist()


def parts_of(data: Any, name: str, *, labelled: bool = True) -> tuple:
    """Return `(ids, labels, values, weights)` of a `Data` or a plain tuple like it."""
    if not isinstance(data, (tuple, list)) or not 2 <= len(data) <= 5:
        raise ValueError(f"{name}: (ids, labels), (ids, labels, values) or (ids, "
                         "labels, values, weights) is needed. An encoder's encode "
                         "makes them from raw columns")
    if labelled and data[1] is None:
        raise ValueError(f"{name}: labels are None: 0 or 1 is needed for each row "
                         "of ids")
    return (*data, None, None)[:4]


def check_data(data: Any, model: Any, name: str, *,
               both_classes: bool = False) -> tuple:
    """Return `(ids, labels, values, weights)` after checking every row.

    Args:
        data: a `Data`, or a plain tuple that begins like it.
        model: the model that they are for, a `FieldBlock`.
        name: what errors call the data.
        both_classes: whether there must be a 0 and a 1 among the labels, as for an AUC.
    """
    ids, labels, values, weights = parts_of(data, name)
    try:
        check_encoder(getattr(data, "encoder", None), model, values)
        ids, values = check_inputs(model, ids, values)
        labels = check_labels(labels, len(ids))
        weights = None if weights is None else check_weights(weights, len(ids))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    counted = labels if weights is None else labels[weights > 0]
    if both_classes and counted.min() == counted.max():
        raise ValueError(f"{name}: every label is {counted[0]:g}; "
                         "AUC needs both classes")
    return ids, labels, values, weights


def check_inputs(model: Any, ids: Any, values: Any = None) -> tuple:
    """Return ids and values as a model takes them, after checking every row.

    Raises:
        TypeError, ValueError: as `check_rows` and `check_values`, or a model with
            multi-valued fields got no values.
    """
    ids = check_rows(ids, model.field_sizes, model.pooled)
    if values is None:
        if model.pooled:
            raise ValueError("values are None: a model with multi-valued fields needs "
                             "them, for they tell which ids count")
        return ids, None
    return ids, check_values(values, ids.shape)


def check_encoder(encoder: Any, model: Any, values: Any) -> None:
    """Say so if rows of this encoder are not what the model takes, or lack values."""
    if encoder is None:
        return
    if tuple(model.field_sizes) != encoder.field_sizes:
        raise ValueError(f"the model has field_sizes {tuple(model.field_sizes)}, the "
                         f"encoder {encoder.field_sizes}: they must be equal")
    if encoder.pooled and not model.pooled:
        raise ValueError("the encoder has multi-valued fields: a model made with "
                         "pooled=True is needed")
    if encoder.with_values and values is None:
        raise ValueError(f"values are None, and the fields {list(encoder.with_values)} "
                         "have numbers that travel in them: hand over "
                         "encoder.encode(columns, labels)")


class _Door(threading.local):
    """Of each thread, whether it works on data that were checked."""

    is_behind = False


_door = _Door()


def is_past_the_door() -> bool:
    """Whether what this thread hands to a block was checked by a caller."""
    return _door.is_behind


@contextmanager
def past_the_door() -> Iterator[None]:
    """While it lasts, blocks in this thread take ids and values without a check."""
    before, _door.is_behind = _door.is_behind, True
    try:
        yield
    finally:
        _door.is_behind = before


def _first_bad(array: np.ndarray, is_good: Callable) -> tuple | None:
    """Where the first bad entry is, (row, …), or None.

    The rows are looked at a slice at a time: the array may be a mapped file.
    """
    for first in range(0, len(array), ROWS_AT_ONCE):
        good = is_good(array[first:first + ROWS_AT_ONCE])
        if not good.all():
            row, *rest = np.argwhere(~good)[0].tolist()
            return first + row, *rest
    return None
