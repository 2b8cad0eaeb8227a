"""Every check of what comes in from outside: one place, one wording.

MXNet clips an id outside the table to the nearest row and says nothing. Nothing here may.
"""
import numbers

import numpy as np
from mxnet import nd

ROWS_AT_ONCE = 2 ** 16


def as_numpy(array):
    """The same numbers as a NumPy array, whatever kind of array or list they came in."""
    return array.asnumpy() if isinstance(array, nd.NDArray) else np.asarray(array)


def whole_number(name, value, least=1):
    """Return `value` as an int, or say that `name` must be a whole number from `least` up."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} = {value!r}: a whole number is needed")
    if value < least:
        raise ValueError(f"{name} = {value}: at least {least} is allowed")
    return int(value)


def real_number(name, value, low, high, *, low_allowed=True):
    """Return `value` as a float in `[low, high)`, or in `(low, high)`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} = {value!r}: a number is needed")
    above = value >= low if low_allowed else value > low
    if not (above and value < high):
        opening = "[" if low_allowed else "("
        raise ValueError(f"{name} = {value}: {opening}{low}, {high}) is allowed")
    return float(value)


def counts(name, values):
    """Return `values` as a tuple of whole numbers, each at least 1, and at least one of them."""
    values = tuple(values)
    if not values:
        raise ValueError(f"{name} is empty: at least one entry is needed")
    return tuple(whole_number(f"{name}[{i}]", value) for i, value in enumerate(values))


def _first_bad(array, is_good):
    """Where the first bad entry is, (row, …), or None; a slice at a time, for mapped files."""
    for first in range(0, len(array), ROWS_AT_ONCE):
        good = is_good(array[first:first + ROWS_AT_ONCE])
        if not good.all():
            row, *rest = np.argwhere(~good)[0].tolist()
            return first + row, *rest
    return None


def field_bounds(field_sizes):
    """First and one-past-last id of every field: two arrays of shape (F,)."""
    ends = np.cumsum(field_sizes)
    return ends - field_sizes, ends


def check_ids(ids, low, high):
    """Return `ids` as an int32 NumPy array after checking that each lies in its range.

    Args:
        ids: (B, F) whole numbers.
        low, high: each field's first and one-past-last id, (F,) or one number for all.

    Raises:
        TypeError: not numbers, or floats too coarse for ids as large as these.
        ValueError: another shape, no rows, or an id that is fractional or out of range.
    """
    ids = as_numpy(ids)
    if ids.dtype.kind not in "iuf":
        raise TypeError(f"ids are of type {ids.dtype}: whole numbers are needed")
    columns = len(low) if np.ndim(low) else "F"
    if ids.ndim != 2 or np.ndim(low) and ids.shape[1] != columns or 0 in ids.shape:
        raise ValueError(f"ids have shape {ids.shape}: (B, {columns}) is needed, "
                         "B at least 1, one column a field")
    if ids.dtype.kind == "f" and np.max(high) > 2 ** (np.finfo(ids.dtype).nmant + 1):
        raise TypeError(f"ids are of type {ids.dtype}, which cannot tell all {np.max(high)} ids "
                        "apart: int32 is needed")
    # Written so that NaN, for which every comparison is false, counts as bad too.
    if bad := _first_bad(ids, lambda part: (part >= low) & (part < high) & (np.floor(part) == part)):
        row, field = bad
        first, end = (np.broadcast_to(bound, ids.shape)[bad] for bound in (low, high))
        raise ValueError(f"ids[{row}, {field}] = {ids[row, field]}: field {field} takes whole "
                         f"numbers from {first} to {end - 1}")
    return ids.astype(np.int32, copy=False)


def check_values(values, shape):
    """Return `values` as a float32 NumPy array of `shape` (B, F) with no NaN or infinity."""
    values = as_numpy(values)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"values are of type {values.dtype}: numbers are needed")
    if values.shape != tuple(shape):
        raise ValueError(f"values have shape {values.shape}: the ids' shape {shape} is needed")
    if bad := _first_bad(values, np.isfinite):
        row, field = bad
        raise ValueError(f"values[{row}, {field}] = {values[row, field]}: field {field} takes "
                         "finite numbers")
    return values.astype(np.float32, copy=False)


def check_storable(name, values):
    """Say so if one of a column's values is neither text nor a number, which is all JSON can store."""
    if strange := [value for value in values if not isinstance(value, (str, int, float))]:
        raise ValueError(f"column {name!r} holds {strange[0]!r}: text and numbers can be stored")


def check_labels(labels, num_rows):
    """Return `labels` as a float32 NumPy array of shape (B,) that holds only 0 and 1."""
    labels = as_numpy(labels)
    if labels.dtype.kind not in "biuf":
        raise TypeError(f"labels are of type {labels.dtype}: 0 and 1 are needed")
    if labels.shape != (num_rows,):
        raise ValueError(f"labels have shape {labels.shape}: ({num_rows},) is needed, "
                         "one label a row of ids")
    if bad := _first_bad(labels, lambda part: (part == 0) | (part == 1)):
        row, = bad
        raise ValueError(f"labels[{row}] = {labels[row]}: 0 or 1 is allowed")
    return labels.astype(np.float32, copy=False)
