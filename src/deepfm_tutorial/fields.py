"""From columns of categories to ids, and from ids to one-hot rows (chapter 1)."""
import hashlib
import json
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from mxnet import nd
from numpy.typing import ArrayLike

from ._validation import (
    check_counts,
    check_ids,
    check_inputs,
    check_integer,
    check_names,
    check_values,
    field_bounds,
)
from .columns import read_columns
from .encodings import (
    Bins,
    Buckets,
    Categories,
    Number,
    Sets,
    encoding_from,
)

Columns = Mapping[str, ArrayLike] | Iterable[Mapping[str, Any]] | Any
"""A mapping from field name to N values, a DataFrame, or a list of N records.

:meta hide-value:
"""


class Data(NamedTuple):
    """Encoded rows for `fit`, `evaluate` and `predict`; a plain tuple will do, too.

    Attributes:
        ids: (N, F) int32; with multi-valued fields (N, S), S ≥ F columns.
        labels: (N,) zeros and ones, or None where only predictions are wanted.
        values: float32 numbers x of the ids' shape, or None for ones.
        weights: (N,) how many rows each row stands for, or None for one each.
        encoder: the `FieldEncoder` that made the ids, or None.
    """

    ids: Any
    labels: Any
    values: Any = None
    weights: Any = None
    encoder: Any = None


class FieldEncoder:
    """Gives every category of every field an id of its own.

    Field f owns the ids `[field_offsets[f], field_offsets[f] + field_sizes[f])`. The
    first of them stands for every category that `fit` did not see; the others follow
    the sorted ones. Where values may be missing, the last stands for a missing one.

    A continuous field has one id beside the first, which it never uses, and its number
    travels as x in `values`. A multi-valued field has a set of categories in each row,
    with x = 1 / how many; its ids take as many columns as the largest set has members,
    and a model made with `pooled=True` adds them up to one embedding.

    Two ways to keep a large vocabulary small: leave out what is rare, or hash it.

    Columns come as a mapping from field name to N values, as a DataFrame, or as a list
    of records. `fit` remembers of each field whether it holds text, numbers, booleans
    or dates, and nothing else is taken later.

    Args:
        continuous: names of the fields whose numbers are used as they are.
        min_count: a category that occurs less often in training counts as unseen; for
            all fields that are not hashed, or field name → count.
        hashed: field name → number of buckets, for the fields whose categories share
            ids by `bucket` instead of having their own (the hashing trick, Weinberger
            et al., 2009). Where `min_count` names such a field, categories that occur
            so often keep an id of their own, and the rest, new ones too, is hashed.
        standardised: names of continuous fields whose x is (number − mean) / standard
            deviation, both of the training rows.
        binned: field name → number of bins, for the fields whose numbers become
            categories: bins between quantiles of the training rows.
        multi_valued: names of the fields that hold a list of values a row, of any
            length. A column of lists is one without being named.
        missing: names of the fields in which a value may be missing, or True for all.
            Elsewhere a missing value is refused.
    """

    def __init__(self, continuous: Iterable[str] = (),
                 min_count: int | Mapping[str, int] = 1,
                 hashed: Mapping[str, int] | None = None, *,
                 standardised: Iterable[str] = (),
                 binned: Mapping[str, int] | None = None,
                 multi_valued: Iterable[str] = (),
                 missing: Iterable[str] | bool = ()) -> None:
        self.continuous = check_names("continuous", continuous)
        one_for_all = not isinstance(min_count, Mapping)
        self.min_count = (check_integer("min_count", min_count) if one_for_all
                          else check_counts("min_count", min_count, "count"))
        self.hashed = check_counts("hashed", hashed, "number of buckets")
        self.standardised = check_names("standardised", standardised)
        self.binned = check_counts("binned", binned, "number of bins")
        self.multi_valued = check_names("multi_valued", multi_valued)
        self.missing = (missing if isinstance(missing, bool)
                        else check_names("missing", missing))
        self._check_one_way_each()
        self._encodings = None  # field name -> Encoding
        self._fields = self._offsets = None  # made from them when first needed

    def _check_one_way_each(self):
        ways = {way: set(getattr(self, way)) for way in
                ("continuous", "standardised", "binned", "hashed", "multi_valued")}
        for one, other in combinations(ways, 2):
            both = ways[one] & ways[other]
            if both and (one, other) != ("hashed", "multi_valued"):
                raise ValueError(f"fields {sorted(both)} are {one} and {other}: "
                                 "one is allowed")

    def fit(self, columns: Columns) -> "FieldEncoder":
        """Learn the vocabulary of every field, from the training columns alone.

        Args:
            columns: maps each field's name to its N categories or numbers.

        Raises:
            TypeError: a column holds things of two kinds, or a continuous one no
                numbers; a field's name is no text.
            ValueError: no columns, no rows, columns of unequal length, a missing value
                where none may be, what JSON could not store, or a field that was named
                and is not among the columns.
        """
        columns = read_columns(columns)
        if not columns or not len(next(iter(columns.values()))):
            raise ValueError("columns are empty: "
                             "at least one column with one row is needed")
        for way in ("continuous", "min_count", "hashed", "standardised", "binned",
                    "multi_valued", "missing"):
            named = getattr(self, way)
            if not isinstance(named, int) and (absent := set(named) - set(columns)):
                raise ValueError(f"{way} fields {sorted(absent)} are not among the "
                                 f"columns {sorted(columns)}")
        self._encodings = {name: self._learn(name, column)
                           for name, column in columns.items()}
        self._fields = None
        return self

    def _learn(self, name, column):
        missing = (self.missing if isinstance(self.missing, bool)
                   else name in self.missing)
        if name in self.continuous or name in self.standardised:
            return Number(name, missing).learn(column, name in self.standardised)
        if name in self.binned:
            return Bins(name, missing).learn(column, self.binned[name])
        is_hashed, by_field = name in self.hashed, isinstance(self.min_count, Mapping)
        otherwise = None if is_hashed else 1 if by_field else self.min_count
        least = self.min_count.get(name, otherwise) if by_field else otherwise
        way = (Buckets(name, missing, num_buckets=self.hashed[name])
               if is_hashed else Categories(name, missing))
        many = name in self.multi_valued or column.kind == "lists"
        way = Sets(name, missing, way) if many else way
        return way.learn(column, least)

    def encode(self, columns: Columns, labels: ArrayLike | None = None,
               weights: ArrayLike | None = None) -> Data:
        """Return the columns as `Data`: ids, labels as given, and values where needed.

        Args:
            columns: those of `fit`, by name. A category that `fit` did not see has its
                field's first id.
            labels: (N,), or None.
            weights: (N,) how many rows each stands for, or None.

        Raises:
            TypeError: a column does not hold what `fit` saw, for instance numbers where
                it saw text.
            ValueError: `fit` was not called, a column is missing or superfluous, the
                columns differ in length, or a value is missing where none may be, or
                is a number that 32 bits do not hold.
        """
        if (ids := self._look_up(columns)) is not None:
            return Data(ids, labels, None, weights, self)
        columns = self._read_like_fit(columns)
        parts = [encoding.encode(columns[name])
                 for name, encoding in self._encodings.items()]
        ids = np.concatenate([offset + ids for offset, (ids, _) in
                              zip(self.field_offsets, parts)], axis=1)
        values = None
        if self.with_values:
            values = np.concatenate([np.ones(ids.shape) if x is None else x
                                     for ids, x in parts], axis=1).astype(np.float32)
        return Data(ids.astype(np.int32, copy=False), labels, values, weights, self)

    def _look_up(self, records: Any) -> np.ndarray | None:
        """The ids of a list of plain records, or None where they have to be read.

        It is for a server's single requests: one look-up a cell takes a few
        microseconds, and columns, which can be of any type, a hundred.
        """
        fields = self._plain_cells()
        if type(records) is not list or not records or not fields:
            return None
        ids = []
        for record in records:
            if type(record) is not dict or len(record) != len(fields):
                return None
            for name, (kind, known, unknown) in fields.items():
                cell = record.get(name)
                if type(cell) is not kind:
                    return None
                if (i := known.get(cell, unknown)) is None:
                    return None
                ids.append(i)
        return np.array(ids, np.int32).reshape(len(records), -1) + self._offsets

    def _plain_cells(self) -> dict[str, tuple]:
        """Each field's `Encoding.plain_cells`, or nothing if a field has none."""
        if self._fields is None:
            found = {name: encoding.plain_cells()
                     for name, encoding in self._fitted().items()}
            self._offsets = np.array(self.field_offsets, np.int32)
            self._fields = found if all(found.values()) else {}
        return self._fields

    def transform(self, columns: Columns) -> np.ndarray:
        """Return the ids of the columns' categories: (N, F) int32.

        With multi-valued fields (N, S). Errors are those of `encode`.
        """
        return self.encode(columns).ids

    def values(self, columns: Columns) -> np.ndarray:
        """Return x of the ids' shape, float32: 1 for a category.

        Errors are those of `encode`.
        """
        ids, _, values, *_ = self.encode(columns)
        return np.ones(ids.shape, np.float32) if values is None else values

    def plain(self, columns: Columns) -> dict[str, list]:
        """Return the columns as JSON can hold them; `encode` reads them the same.

        Errors are those of `encode`.
        """
        columns = self._read_like_fit(columns)
        return {name: encoding.plain(columns[name])
                for name, encoding in self._encodings.items()}

    def describe(self, ids: ArrayLike,
                 values: ArrayLike | None = None) -> dict[str, list]:
        """Return the categories behind ids, as columns: the way back from `transform`.

        Args:
            ids: (N, F) whole numbers, or (N, S).
            values: of the same shape; needed with multi-valued fields alone.

        Returns:
            A dict from field name to a list of N categories, `UNSEEN` where the id says
            so and None for a missing one. A continuous field shows its own name; its
            number is in `values`, not in the ids. A binned one shows its bins. A hashed
            field shows its buckets' numbers, all that is left of its categories. A
            multi-valued field shows lists.
        """
        found = {}
        for name, (local, is_there) in self.by_field(ids, values).items():
            rows = [[self._encodings[name].meaning(i) for i in row[there].tolist()]
                    for row, there in zip(local, is_there)]
            many = isinstance(self._encodings[name], Sets)
            found[name] = rows if many else [row[0] for row in rows]
        return found

    def by_field(self, ids: ArrayLike, values: ArrayLike | None = None
                 ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return each field's ids, counted from 0, and which of them count.

        Args:
            ids, values: as for `describe`.

        Returns:
            A dict from field name to two arrays (N, S), S its number of columns. The
            second one is False where a set has been filled up.

        Raises:
            TypeError, ValueError: bad ids, or values are needed.
        """
        ids, values = check_inputs(self, ids, values)
        of_column = np.searchsorted(self.field_offsets, ids[0], side="right") - 1
        found = {}
        for f, (name, encoding) in enumerate(self._encodings.items()):
            local = ids[:, of_column == f] - self.field_offsets[f]
            is_there = (values[:, of_column == f] != 0 if isinstance(encoding, Sets)
                        else np.ones(local.shape, bool))
            found[name] = local, is_there
        return found

    def as_dict(self) -> dict:
        """Return all that `transform` depends on, ready for JSON: lists, text, numbers.

        Raises:
            ValueError: `fit` was not called.
        """
        settings = {name: sorted(value) if isinstance(value, frozenset) else value
                    for name, value in vars(self).items()
                    if not name.startswith("_") and value}
        return {"settings": settings,
                "fields": {name: encoding.as_dict()
                           for name, encoding in self._fitted().items()}}

    @classmethod
    def from_dict(cls, stored: dict) -> "FieldEncoder":
        """Return the encoder that `as_dict` described."""
        encoder = cls(**stored["settings"])
        encoder._encodings = {name: encoding_from(name, encoding)
                              for name, encoding in stored["fields"].items()}
        return encoder

    @property
    def fingerprint(self) -> str:
        """A SHA-256, in hexadecimal, that differs whenever `transform` could differ."""
        stored = list(self.as_dict()["fields"].items())  # the order counts
        return hashlib.sha256(json.dumps(stored).encode()).hexdigest()

    @property
    def field_names(self) -> tuple[str, ...]:
        """The fields in the order of the ids' columns, a tuple of F strings."""
        return tuple(self._fitted())

    @property
    def field_sizes(self) -> tuple[int, ...]:
        """How many ids each field owns, the unseen one included, a tuple of F ints."""
        return tuple(encoding.size for encoding in self._fitted().values())

    @property
    def field_offsets(self) -> tuple[int, ...]:
        """Each field's first id, its unseen one, a tuple of F ints."""
        return tuple(field_bounds(self.field_sizes)[0].tolist())

    @property
    def num_features(self) -> int:
        """n, the number of ids in all."""
        return sum(self.field_sizes)

    @property
    def with_values(self) -> tuple[str, ...]:
        """The fields whose x is not always 1. If there are any, rows need `values`."""
        return tuple(name for name, encoding in self._fitted().items()
                     if encoding.gives_x)

    @property
    def pooled(self) -> bool:
        """Whether there are multi-valued fields, so that a model must be `pooled`."""
        return any(isinstance(encoding, Sets) for encoding in self._fitted().values())

    @property
    def with_unseen(self) -> tuple[str, ...]:
        """The fields in which a category can be unseen."""
        return tuple(name for name, encoding in self._fitted().items()
                     if encoding.has_unseen)

    def _fitted(self):
        if self._encodings is None:
            raise ValueError("this FieldEncoder knows no values yet: call fit first")
        return self._encodings

    def _read_like_fit(self, columns):
        columns, known = read_columns(columns), set(self._fitted())
        if known - set(columns) or set(columns) - known:
            raise ValueError("columns must be those of fit: "
                             f"missing {sorted(known - set(columns))}, "
                             f"superfluous {sorted(set(columns) - known)}")
        return columns


def _check_one_hot(ids: Any, num_features: int, values: Any) -> tuple:
    ids = check_ids(ids, 0, num_features)
    if values is not None:
        return ids, check_values(values, ids.shape)
    ordered = np.sort(ids, axis=1)
    twice = np.argwhere(ordered[:, 1:] == ordered[:, :-1])
    if len(twice):
        row, place = twice[0]
        raise ValueError(f"ids[{row}] = {ids[row].tolist()}: {ordered[row, place]} "
                         "stands there twice, and the ids of a row must differ. Each "
                         "field has ids of its own: are the offsets missing?")
    return ids, np.ones(ids.shape, np.float32)


def one_hot(ids: ArrayLike, num_features: int,
            values: ArrayLike | None = None) -> nd.NDArray:
    """Write ids as rows of x, the fields' one-hot blocks side by side.

    It knows no fields: only a model refuses an id of another field.

    Args:
        ids: (B, F) whole numbers below `num_features`.
        num_features: n, from the vocabulary and never from the data's maximum.
        values: (B, F) numbers to put in place of the ones, or None. Where an id stands
            twice in a row, its values are added up, as an embedding adds them up.

    Returns:
        An NDArray of shape (B, n), float32. It takes 4·B·n bytes: see `one_hot_csr`.

    Raises:
        TypeError, ValueError: an id or a value that is not allowed, or an id that
            stands twice in a row without values.
    """
    ids, values = _check_one_hot(ids, num_features, values)
    x = np.zeros((len(ids), num_features), np.float32)
    np.add.at(x, (np.arange(len(ids))[:, None], ids), values)
    return nd.array(x)


def one_hot_csr(ids: ArrayLike, num_features: int,
                values: ArrayLike | None = None) -> nd.sparse.CSRNDArray:
    """The same matrix as `one_hot`, stored as its B·F entries alone.

    It takes the same arguments and refuses the same ids.

    Returns:
        A CSRNDArray of shape (B, n), float32. It takes 12·B·F + 8·(B + 1) bytes: a
        float32 entry and an int64 column a feature, and where each row begins. (Where
        an id stands twice in a row, its values make one entry.)
    """
    ids, values = _check_one_hot(ids, num_features, values)
    # CSR wants each row's columns in order, and each of them once.
    cells, place = np.unique(np.arange(len(ids))[:, None] * num_features + ids,
                             return_inverse=True)
    entries = np.zeros(len(cells), np.float32)
    np.add.at(entries, place.ravel(), values.ravel())
    rows, columns = np.divmod(cells, num_features)
    starts = np.searchsorted(rows, np.arange(len(ids) + 1))
    return nd.sparse.csr_matrix((entries, columns, starts),
                                shape=(len(ids), num_features))
