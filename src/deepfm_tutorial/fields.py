"""From columns of categories to ids, and from ids to one-hot rows (chapter 1)."""
import hashlib
import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from mxnet import nd
from numpy.typing import ArrayLike

from ._validation import (
    as_numpy,
    check_ids,
    check_integer,
    check_storable,
    check_values,
    field_bounds,
    is_finite32,
)

UNSEEN = "<unseen>"
"""What `FieldEncoder.describe` shows for a category that training never saw."""


class Data(NamedTuple):
    """Encoded rows for `fit`, `evaluate` and `predict`; a plain tuple will do, too.

    Attributes:
        ids: (N, F) int32.
        labels: (N,) zeros and ones, or None where only predictions are wanted.
        values: (N, F) float32 numbers x, or None for ones.
    """

    ids: Any
    labels: Any
    values: Any = None


def bucket(value: Any, num_buckets: int) -> int:
    """Return the bucket of a category, from 0 to `num_buckets` − 1: a hash of its text.

    The same on every machine and in every process, which Python's own `hash` is not.
    """
    digest = hashlib.blake2b(str(value).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % num_buckets


class FieldEncoder:
    """Gives every category of every field an id of its own.

    Field f owns the ids `[field_offsets[f], field_offsets[f] + field_sizes[f])`. The
    first of them stands for every category that `fit` did not see; the others follow
    the sorted ones.

    A continuous field has one id beside the first, which it never uses, and its number
    travels as x in `values`.

    Two ways to keep a large vocabulary small: leave out what is rare, or hash.

    Args:
        continuous: names of the fields whose numbers are used as they are.
        min_count: a category that occurs less often in training counts as unseen.
        hashed: field name → number of buckets, for the fields whose categories share
            ids by `bucket` instead of having their own (the hashing trick, Weinberger
            et al., 2009).
    """

    def __init__(self, continuous: Iterable[str] = (), min_count: int = 1,
                 hashed: Mapping[str, int] | None = None) -> None:
        if isinstance(continuous, str):
            raise TypeError(f"continuous = {continuous!r}: a list of names is needed")
        self.continuous = frozenset(continuous)
        self.min_count = check_integer("min_count", min_count)
        self.hashed = {name: check_integer(f"hashed[{name!r}]", buckets)
                       for name, buckets in (hashed or {}).items()}
        if both := self.continuous & set(self.hashed):
            raise ValueError(f"fields {sorted(both)} are continuous and hashed: "
                             "one is allowed")
        self._index = None  # field name -> {value or bucket: id}

    def fit(self, columns: Mapping[str, ArrayLike]) -> "FieldEncoder":
        """Learn the vocabulary of every field, from the training columns alone.

        Args:
            columns: maps each field's name to its N categories or numbers.

        Raises:
            TypeError: a column holds text and numbers, or a continuous one no numbers.
            ValueError: no columns, no rows, columns of unequal length, a missing value,
                or a continuous or hashed field that is not among the columns.
        """
        columns = self._read(columns)
        if not columns or not len(next(iter(columns.values()))):
            raise ValueError("columns are empty: "
                             "at least one column with one row is needed")
        for kind, names in (("continuous", self.continuous),
                            ("hashed", set(self.hashed))):
            if absent := names - set(columns):
                raise ValueError(f"{kind} fields {sorted(absent)} are not among the "
                                 f"columns {sorted(columns)}")
        self._number({name: self._vocabulary(name, column)
                      for name, column in columns.items()})
        return self

    def _number(self, vocabularies):
        """Give ids to every field's values, one block a field, its unseen id first."""
        index, first = {}, 0
        for name, values in vocabularies.items():
            index[name] = {value: first + 1 + i for i, value in enumerate(values)}
            first += 1 + len(values)
        self._index = index

    def encode(self, columns: Mapping[str, ArrayLike],
               labels: ArrayLike | None = None) -> Data:
        """Return the columns as `Data`: ids, labels as given, and values where needed.

        Args:
            columns: as for `transform`.
            labels: (N,), or None.

        Raises:
            TypeError, ValueError: as `transform` and `values`.
        """
        values = self.values(columns) if self.continuous else None
        return Data(self.transform(columns), labels, values)

    def transform(self, columns: Mapping[str, ArrayLike]) -> np.ndarray:
        """Return the ids of the columns' categories: (N, F) int32.

        A missing value counts as unseen. In a hashed field, which has no such id, it is
        refused.

        Raises:
            TypeError: a column holds numbers where `fit` saw text, or the reverse.
            ValueError: `fit` was not called, a column is missing or superfluous, the
                columns differ in length, or a value of a hashed field is missing.
        """
        columns = self._read_like_fit(columns)
        ids = [self._ids(name, columns[name]) for name in self.field_names]
        return np.stack(ids, axis=1).astype(np.int32)

    def values(self, columns: Mapping[str, ArrayLike]) -> np.ndarray:
        """Return x for every row and field: (N, F) float32, 1 for a categorical field.

        Raises:
            TypeError: a continuous field holds no numbers.
            ValueError: as `transform`, or a number of a continuous field is not finite.
        """
        columns = self._read_like_fit(columns)
        num_rows = len(next(iter(columns.values())))
        x = [self._finite(name, columns[name]) if name in self.continuous
             else np.ones(num_rows) for name in self.field_names]
        return np.stack(x, axis=1).astype(np.float32)

    def describe(self, ids: ArrayLike) -> dict[str, list]:
        """Return the categories behind ids, as columns: the way back from `transform`.

        Args:
            ids: (N, F) whole numbers.

        Returns:
            A dict from field name to a list of N categories, `UNSEEN` where the id says
            so. A continuous field shows its own name; its number is in `values`, not in
            the ids. A hashed field shows its buckets' numbers, all that is left of its
            categories.
        """
        ids = check_ids(ids, *field_bounds(self.field_sizes))
        meaning = {i: value for known in self._fitted().values()
                   for value, i in known.items()}
        return {name: [meaning.get(i, UNSEEN) for i in ids[:, f].tolist()]
                for f, name in enumerate(self.field_names)}

    def as_dict(self) -> dict:
        """Return all that `transform` depends on, ready for JSON: lists, text, numbers.

        Raises:
            ValueError: `fit` was not called, or a category is neither text nor number.
        """
        vocabularies = {name: list(known) for name, known in self._fitted().items()}
        for name, values in vocabularies.items():
            check_storable(name, values)
        return {"continuous": sorted(self.continuous), "min_count": self.min_count,
                "hashed": self.hashed, "vocabularies": vocabularies}

    @classmethod
    def from_dict(cls, stored: dict) -> "FieldEncoder":
        """Return the encoder that `as_dict` described."""
        encoder = cls(stored["continuous"], stored["min_count"], stored["hashed"])
        encoder._number(stored["vocabularies"])
        return encoder

    @property
    def fingerprint(self) -> str:
        """A SHA-256, in hexadecimal, that differs whenever `transform` could differ."""
        stored = self.as_dict() | {"min_count": None}  # it has done its work
        described = json.dumps([stored, self.field_names])
        return hashlib.sha256(described.encode()).hexdigest()

    @property
    def field_names(self) -> tuple[str, ...]:
        """The fields in the order of the ids' columns, a tuple of F strings."""
        return tuple(self._fitted())

    @property
    def field_sizes(self) -> tuple[int, ...]:
        """How many ids each field owns, the unseen one included, a tuple of F ints."""
        return tuple(1 + len(known) for known in self._fitted().values())

    @property
    def field_offsets(self) -> tuple[int, ...]:
        """Each field's first id, its unseen one, a tuple of F ints."""
        return tuple(field_bounds(self.field_sizes)[0].tolist())

    @property
    def num_features(self) -> int:
        """n, the number of ids in all."""
        return sum(self.field_sizes)

    def _fitted(self):
        if self._index is None:
            raise ValueError("this FieldEncoder knows no values yet: call fit first")
        return self._index

    @staticmethod
    def _read(columns):
        columns = {name: _as_column(columns[name]) for name in columns}
        for name, column in columns.items():
            if column.ndim != 1:
                raise ValueError(f"column {name!r} has shape {column.shape}: "
                                 "(N,) is needed")
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns differ in length: {lengths}")
        return columns

    def _read_like_fit(self, columns):
        columns, known = self._read(columns), set(self._fitted())
        if known - set(columns) or set(columns) - known:
            raise ValueError(f"columns must be those of fit, {sorted(known)}: "
                             f"missing {sorted(known - set(columns))}, "
                             f"superfluous {sorted(set(columns) - known)}")
        return columns

    def _vocabulary(self, name, column):
        if name in self.continuous:
            self._finite(name, column)
            return [name]
        self._whole_and_of_one_kind(name, column)
        if name in self.hashed:
            return list(range(self.hashed[name]))
        values, counts = np.unique(column, return_counts=True)
        return [value for value in values[counts >= self.min_count].tolist()
                if value != UNSEEN]

    @staticmethod
    def _whole_and_of_one_kind(name, column):
        if column.dtype.kind in "biuU":  # whole numbers and text have no missing values
            return
        if missing := [value for value in column.tolist() if _is_missing(value)]:
            raise ValueError(f"column {name!r} holds {missing[0]}: "
                             "give missing values a name, such as 'missing'")
        if len(_kinds(column)) > 1:
            raise TypeError(f"column {name!r} holds text and numbers: "
                            "one of them is needed")

    @staticmethod
    def _finite(name, column):
        if column.dtype.kind not in "biuf":
            raise TypeError(f"column {name!r} is of type {column.dtype}: "
                            "a continuous field takes numbers")
        if not (good := is_finite32(column)).all():
            row = int(np.argmin(good))
            raise ValueError(f"column {name!r}, row {row}: {column[row]} is not a "
                             "finite number of 32 bits")
        return column

    def _ids(self, name, column):
        f = self.field_names.index(name)
        known, unseen = self._index[name], self.field_offsets[f]
        if name in self.continuous:
            return np.full(len(column), known[name])
        if name in self.hashed:
            self._whole_and_of_one_kind(name, column)
            distinct, rows = np.unique(column, return_inverse=True)
            buckets = [bucket(value, self.hashed[name]) for value in distinct.tolist()]
            return unseen + 1 + np.array(buckets, np.int32)[rows]
        self._same_kind(name, column, known)
        return np.array([known.get(value, unseen) for value in column.tolist()],
                        dtype=np.int32)

    @staticmethod
    def _same_kind(name, column, known):
        """Refuse numbers where `fit` saw text, or the reverse: all would be unseen."""
        learned = _kinds(islice(known, 1))  # `fit` learned one kind: any entry tells
        if known and (strange := _kinds(column) - learned):
            raise TypeError(f"column {name!r} holds {strange.pop()}: "
                            f"fit saw {learned.pop()}")


def _as_column(values: Any) -> np.ndarray:
    """The values as an array. NumPy would make text of all that stands beside text."""
    is_list = isinstance(values, (list, tuple))
    if is_list and not all(isinstance(value, str) for value in values):
        column = np.array(values)
        return np.array(values, object) if column.dtype.kind == "U" else column
    return as_numpy(values)


def _kinds(column: np.ndarray | Iterable) -> set[str]:
    """Which of "text" and "numbers" a column holds; what is missing is neither."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "biufU":
        kind = "text" if column.dtype.kind == "U" else "numbers"
        return {kind} if len(column) else set()
    types = {type(value) for value in column if not _is_missing(value)}
    return {"text" if issubclass(kind, str) else "numbers" for kind in types}


def _is_missing(value: Any) -> bool:
    """Whether it is None, or NaN, NaT or pandas' NA, none of which equals itself."""
    equal = value is not None and value == value
    return not isinstance(equal, (bool, np.bool_)) or not equal


def _check_one_hot(ids: Any, num_features: int, values: Any) -> tuple:
    ids = check_ids(ids, 0, num_features)
    values = (np.ones(ids.shape, np.float32) if values is None
              else check_values(values, ids.shape))
    return ids, values


def one_hot(ids: ArrayLike, num_features: int,
            values: ArrayLike | None = None) -> nd.NDArray:
    """Write ids as rows of x, the fields' one-hot blocks side by side.

    Args:
        ids: (B, F) whole numbers below `num_features`.
        num_features: n, from the vocabulary and never from the data's maximum.
        values: (B, F) numbers to put in place of the ones, or None.

    Returns:
        An NDArray of shape (B, n), float32. It takes 4·B·n bytes: see `one_hot_csr`.

    Raises:
        TypeError, ValueError: an id or a value that is not allowed.
    """
    ids, values = _check_one_hot(ids, num_features, values)
    x = np.zeros((len(ids), num_features), np.float32)
    np.add.at(x, (np.arange(len(ids))[:, None], ids), values)
    return nd.array(x)


def one_hot_csr(ids: ArrayLike, num_features: int,
                values: ArrayLike | None = None) -> nd.sparse.CSRNDArray:
    """The same matrix as `one_hot`, stored as its B·F entries alone.

    The ids of a row must differ, as ids of different fields do.

    Returns:
        A CSRNDArray of shape (B, n), float32. It takes 12·B·F + 8·(B + 1) bytes: a
        float32 entry and an int64 column a feature, and where each row begins.
    """
    ids, values = _check_one_hot(ids, num_features, values)
    order = np.argsort(ids, axis=1)  # CSR wants each row's columns in order
    entries, columns = (np.take_along_axis(a, order, axis=1).ravel()
                        for a in (values, ids))
    starts = np.arange(0, ids.size + 1, ids.shape[1])
    return nd.sparse.csr_matrix((entries, columns, starts),
                                shape=(len(ids), num_features))
