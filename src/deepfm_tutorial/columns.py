"""Columns as they come, read as plain values of one kind (chapters 1 and 8).

A column may be a list, a NumPy array or a column of a DataFrame, of any type. Here it
becomes Python's own text, numbers and booleans, which JSON can store, or an error that
names the field and the row.
"""
import re
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any

import numpy as np
from mxnet import nd

KINDS = {"booleans": (bool, np.bool_), "text": (str,),
         "numbers": (int, float, np.integer, np.floating),
         "dates": (date, np.datetime64),
         "lists": (list, tuple, set, frozenset, np.ndarray)}
"""What a column may hold, and the types that count as it.

:meta hide-value:
"""

MISSING_TYPES = ("NoneType", "NAType", "NaTType", "MaskedConstant")
"""None, and what pandas and NumPy's masked arrays write for a missing value.

:meta hide-value:
"""

ZONED = "dates with a time zone"
"""The kind of dates that have a time zone; they are compared in UTC."""

WHOLE_BITS = range(-2 ** 63, 2 ** 64)
"""The whole numbers that a column may hold.

:meta hide-value:
"""


class Column:
    """One column as it came.

    Attributes:
        name: of its field.
        entries: its N entries: an array of a plain type, or a list.
        kind: one of `KINDS` or `ZONED`; None where every entry is missing.

    Args:
        name: as above.
        values: a list, an array, or a column of a DataFrame.
        rows: what errors call the entries; by default 0, 1, ….

    Raises:
        TypeError: entries of two kinds, or of none that is taken.
        ValueError: no column of N entries.
    """

    def __init__(self, name: str, values: Any,
                 rows: Sequence[int] | None = None) -> None:
        self.name = name
        self.entries = _entries(name, values)
        self.rows = range(len(self.entries)) if rows is None else rows
        if isinstance(self.entries, np.ndarray):
            codes = {"b": "booleans", "U": "text", "M": "dates"}
            self.kind = codes.get(self.entries.dtype.kind, "numbers")
        else:
            self.kind = self._kind_of_list()

    def __len__(self) -> int:
        return len(self.entries)

    def categories(self) -> list:
        """Return the N entries as str, int, float or bool, and None for a missing one.

        What is equal comes out equal, whichever way it travels. A whole number is an
        int, also where it came as a float. A number with a fraction is compared with
        the precision of 32 bits. A date is text in ISO 8601, without trailing zeros.

        Raises:
            TypeError: lists.
            ValueError: a number that cannot be told from others.
        """
        if self.kind == "lists":
            row = self._first(lambda entry: isinstance(entry, KINDS["lists"]))
            raise self.error(row, "a list, where one value is needed", TypeError)
        read = {"text": self._text, "numbers": self._numbers, "dates": self._dates,
                "booleans": self._booleans, ZONED: self._zoned_dates}
        return read[self.kind]() if self.kind else list(self.entries)

    def numbers(self) -> np.ndarray:
        """Return the N entries as float64, NaN for a missing one.

        Raises:
            TypeError: no numbers.
            ValueError: an infinite number.
        """
        if self.kind not in ("numbers", "booleans", None):
            raise TypeError(f"column {self.name!r} holds {self.kind}: "
                            "a continuous field takes numbers")
        if not isinstance(self.entries, np.ndarray):
            self._check_64_bits()
        x = np.array(self.entries, np.float64)  # None becomes NaN
        self.refuse(np.isinf(x), "a continuous field takes finite numbers")
        return x

    def flat(self) -> tuple["Column", list[int]]:
        """Return all values of all rows' lists, as one column, and each list's length.

        A missing list counts as a list of one missing value.

        Raises:
            TypeError: a row is no list.
        """
        if self.kind not in ("lists", None):
            raise TypeError(f"column {self.name!r} holds {self.kind}: a multi-valued "
                            "field takes a list of values a row, as text.split() makes")
        lists = [[None] if entry is None else list(entry) for entry in self.entries]
        lengths = [len(entry) for entry in lists]
        return (Column(self.name, list(chain(*lists)),
                       np.repeat(np.arange(len(lists)), lengths)), lengths)

    def as_dates(self, kind: str) -> "Column":
        """Return a column of text in ISO 8601 as one of dates: JSON has no other form.

        Args:
            kind: `"dates"` or `ZONED`.

        Raises:
            ValueError: a text is no such date.
        """
        read = datetime.fromisoformat if kind == ZONED else _date
        dates = []
        for row, text in enumerate(self.categories()):
            try:
                dates.append(None if text is None else read(text))
            except ValueError:
                raise self.error(row, f"{kind} are needed") from None
        return Column(self.name, dates)

    def refuse(self, is_bad: Callable | np.ndarray, why: str) -> None:
        """Raise a ValueError for the first entry that is bad, if there is one.

        Args:
            is_bad: (N,) booleans, or a function of an entry.
            why: what the error says about it.
        """
        row = (self._first(is_bad) if callable(is_bad)
               else int(np.argmax(is_bad)) if np.any(is_bad) else None)
        if row is not None:
            raise self.error(row, why)

    def error(self, row: int, why: str, kind: type = ValueError) -> Exception:
        """Return an error that names the column, the row and the entry there."""
        entry = self.entries[row]
        shown = entry if isinstance(entry, np.generic) else reprlib.repr(entry)
        return kind(f"column {self.name!r}, row {self.rows[row]}: {shown}: {why}")

    def _first(self, is_wanted: Callable) -> int | None:
        return next((row for row, entry in enumerate(self.entries)
                     if is_wanted(entry)), None)

    def _kind_of_list(self) -> str | None:
        kinds = {kind_of(each): each for each in set(map(type, self.entries))}
        kinds.pop(None, None)
        if len(kinds) > 1:
            where = {kind: self._first(lambda entry: kind_of(type(entry)) == kind)
                     for kind in kinds}
            found = [f"{kind} (row {self.rows[row]})"
                     for kind, row in sorted(where.items())]
            raise TypeError(f"column {self.name!r} holds {' and '.join(found)}: "
                            "one of them is needed")
        kind = next(iter(kinds), None)
        if kind == "":
            row = self._first(lambda entry: not kind_of(type(entry)))
            raise self.error(row, f"{type(self.entries[row]).__name__}: text, numbers, "
                                  "booleans, dates or lists of them are taken",
                             TypeError)
        return self._with_zones() if kind == "dates" else kind

    def _with_zones(self) -> str:
        zoned = [getattr(entry, "tzinfo", None) is not None
                 for entry in self.entries if entry is not None]
        if any(zoned) and not all(zoned):
            raise TypeError(f"column {self.name!r} holds dates with a time zone and "
                            "dates without: one of them is needed")
        return ZONED if any(zoned) else "dates"

    def _text(self) -> list:
        if isinstance(self.entries, np.ndarray):
            return self.entries.tolist()
        if set(map(type, self.entries)) <= {str, type(None)}:
            return self.entries
        return [None if text is None else str.__str__(text) for text in self.entries]

    def _booleans(self) -> list:
        return [None if entry is None else bool(entry) for entry in self.entries]

    def _numbers(self) -> list:
        if isinstance(self.entries, np.ndarray):
            if self.entries.dtype.kind in "iu":
                return self.entries.tolist()
            return self._floats(self.entries, np.arange(len(self)))
        found = list(self.entries)
        by_type = {each: [row for row, entry in enumerate(found) if type(entry) is each]
                   for each in set(map(type, found)) - {int, type(None)}}
        for each, rows in by_type.items():
            entries = [found[row] for row in rows]
            plain = (self._floats(np.array(entries), rows)
                     if issubclass(each, (float, np.floating)) else map(int, entries))
            for row, number in zip(rows, plain):
                found[row] = number
        self._check_64_bits("; others can be text")
        return found

    def _check_64_bits(self, advice: str = "") -> None:
        self.refuse(lambda x: isinstance(x, int) and int(x) not in WHOLE_BITS,
                    f"whole numbers of 64 bits are taken{advice}")

    def _floats(self, floats: np.ndarray, rows: Sequence[int]) -> list:
        """Floats as categories: int where they are whole, None for NaN."""
        limit = 2.0 ** (np.finfo(floats.dtype).nmant + 1)
        x = floats.astype(np.float64)
        with np.errstate(over="ignore", under="ignore"):
            short = x.astype(np.float32)
        whole, missing = np.floor(x) == x, np.isnan(x)
        coarse = ~missing & ((abs(x) >= limit) | (np.floor(short) == short) & ~whole)
        for bad, why in ((np.isinf(x), "a category is finite"),
                         (coarse, f"a float of {8 * floats.itemsize} bits cannot tell "
                                  "this category from others; give whole numbers or "
                                  "text")):
            if bad.any():
                raise self.error(rows[int(np.argmax(bad))], why)
        plain = np.full(len(x), None, object)
        plain[whole] = x[whole].astype(np.int64).tolist()
        fractions, of_row = np.unique(short[~whole & ~missing], return_inverse=True)
        # The shortest decimals: 4.1 of 32 bits and 4.1 of 64 bits are the same then.
        decimals = np.array([float(str(fraction)) for fraction in fractions], object)
        plain[~whole & ~missing] = decimals[of_row]
        return plain.tolist()

    def _dates(self) -> list:
        """ISO 8601: the day, and the time of day unless it is midnight."""
        if isinstance(self.entries, np.ndarray):
            return _iso(self.entries)
        # One unit for all would not do: years 1 to 9999 need more than 64 bits of
        # nanoseconds.
        return [None if entry is None else
                _iso(np.array([entry]))[0] if isinstance(entry, np.datetime64)
                else _shortest(entry.isoformat()) for entry in self.entries]

    def _zoned_dates(self) -> list:
        return [None if entry is None else entry.astimezone(UTC).isoformat()
                for entry in self.entries]


def read_columns(columns: Any) -> dict[str, Column]:
    """Return the columns of a table by name, each of them read.

    Args:
        columns: a mapping from field name to N values, a DataFrame, or a list of N
            records, each a mapping from field name to value.

    Raises:
        TypeError: another form, or a field's name is no text.
        ValueError: a name that comes twice, columns of unequal length, a record that
            lacks a field.
    """
    if isinstance(columns, (list, tuple)):
        columns = _of_records(columns)
    names = _names(columns)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"field names are text: {name!r} is of type "
                            f"{type(name).__name__}; rename it, as with "
                            "frame.columns = frame.columns.astype(str)")
    if twice := sorted({str(name) for name in names if names.count(name) > 1}):
        raise ValueError(f"columns {twice} come twice: each name is needed once")
    read = {str(name): Column(str(name), columns[name]) for name in names}
    lengths = {name: len(column) for name, column in read.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns differ in length: {lengths}")
    return read


def _names(columns: Any) -> list:
    if isinstance(columns, Mapping):
        return list(columns)
    dtype_names = getattr(getattr(columns, "dtype", None), "names", None)
    # A pyarrow Table, a DataFrame, a NumPy array of records.
    for names in (getattr(columns, "column_names", None),
                  getattr(columns, "columns", None), dtype_names):
        if names is not None:
            return list(names)
    raise TypeError(f"columns are of type {type(columns).__name__}: a mapping from "
                    "field name to values, (N,), is needed, a DataFrame, or a list of "
                    "records; one record is a list of one")


def _of_records(records: Iterable) -> dict[str, list]:
    """Records, each a mapping from field name to value, as columns."""
    names = list(dict.fromkeys(name for record in records if isinstance(record, Mapping)
                               for name in record))
    for number, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise TypeError(f"record {number} is of type {type(record).__name__}: "
                            "a mapping from field name to value is needed, or columns, "
                            "a mapping from field name to values, (N,)")
        if absent := [name for name in names if name not in record]:
            raise ValueError(f"record {number} lacks the field {absent[0]!r}: "
                             "None says that a value is missing")
    return {name: [record[name] for record in records] for name in names}


def kind_of(each: type) -> str | None:
    """The kind that a type counts as, "" for one that is not taken; None if missing."""
    if each.__name__ in MISSING_TYPES:
        return None
    if issubclass(each, np.timedelta64):  # NumPy counts it among its integers
        return ""
    return next((kind for kind, types in KINDS.items() if issubclass(each, types)), "")


def _entries(name: str, values: Any) -> np.ndarray | list:
    """A plain array as it is, all else as a list with None for what is missing."""
    if isinstance(values, nd.NDArray):
        values = values.asnumpy()
    _check_form(name, values)
    if isinstance(values, np.ma.MaskedArray):
        masked = np.ma.getmaskarray(values)
        return _with_none([None if gone else value
                           for value, gone in zip(values.data, masked)])
    values = _as_plain_array(values)
    if isinstance(values, np.ndarray) and values.dtype.kind in "biufUM":
        return values
    return _with_none(list(values))


def _check_form(name: str, values: Any) -> None:
    shape = getattr(values, "shape", None)
    if shape is not None and len(shape) != 1:
        raise ValueError(f"column {name!r} has shape {tuple(shape)}: (N,) is needed")
    if isinstance(values, (str, bytes, set, frozenset, Mapping)) or not isinstance(
            values, Iterable):
        raise ValueError(f"column {name!r} is {reprlib.repr(values)}: a list or an "
                         "array of values is needed, (N,). One record is a list of one")


def _as_plain_array(values: Any) -> Any:
    """A column of a DataFrame as the array that it is made of, where there is one."""
    dtype = getattr(values, "dtype", None)
    if isinstance(values, np.ndarray) or dtype is None:
        return values.to_pylist() if hasattr(values, "to_pylist") else values
    if isinstance(dtype, np.dtype):
        return np.asarray(values)
    # pandas' own floats keep their missing values apart.
    beneath = getattr(dtype, "numpy_dtype", None)
    if isinstance(beneath, np.dtype) and beneath.kind == "f":
        return values.to_numpy(dtype=beneath, na_value=np.nan)
    return values


def _with_none(entries: list) -> list:
    """The entries, with None for whatever stands for a missing value."""
    types = set(map(type, entries))
    gaps = {each for each in types if kind_of(each) is None} - {type(None)}
    unequal = {each for each in types
               if issubclass(each, (float, np.floating, np.datetime64))}
    if not gaps and not unequal:
        return entries
    # NaN and NaT alone do not equal themselves.
    return [None if type(entry) in gaps or type(entry) in unequal and entry != entry
            else entry for entry in entries]


def _date(text: str) -> np.datetime64:
    # NumPy alone would take "today", and a year for a number.
    if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ][\d:.]+)?", text):
        raise ValueError(text)
    return np.datetime64(text)


def _iso(dates: np.ndarray) -> list:
    if np.datetime_data(dates.dtype)[0] in ("Y", "M", "W"):
        dates = dates.astype("datetime64[D]")
    texts = np.datetime_as_string(dates).tolist()
    return [None if text == "NaT" else _shortest(text) for text in texts]


def _shortest(text: str) -> str:
    """A date in ISO 8601 without what adds nothing to it: zeros at the end."""
    day, _, time = text.partition("T")
    if "." in time:
        time = time.rstrip("0").rstrip(".")
    while time.endswith(":00") or time == "00":
        time = time[:-3]
    return f"{day}T{time}" if time else day
