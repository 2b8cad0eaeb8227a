"""From columns of categories to ids, and from ids to one-hot rows (chapters 1 and 10)."""
import hashlib
import json

import numpy as np
from mxnet import nd

from .checks import as_numpy, check_ids, check_storable, check_values, field_bounds, whole_number

UNSEEN = "<unseen>"
"""What `FieldEncoder.describe` shows for a category that training never saw."""


def bucket(value, num_buckets):
    """Return the bucket of a category, from 0 to `num_buckets` − 1: a hash of its text.

    The same on every machine and in every process, which Python's own `hash` is not.
    """
    digest = hashlib.blake2b(str(value).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % num_buckets


class FieldEncoder:
    """Gives every category of every field an id of its own.

    Field f owns the ids `[field_offsets[f], field_offsets[f] + field_sizes[f])`. The first of
    them stands for every category that `fit` did not see; the others follow the sorted ones.

    A continuous field has one id beside it, and its number travels as x in `values`.

    Two ways to keep a large vocabulary small: leave out what is rare, or hash.

    Args:
        continuous: names of the fields whose numbers are used as they are.
        min_count: a category that occurs less often in training counts as unseen.
        hashed: field name → number of buckets, for the fields whose categories share ids by
            `bucket` instead of having their own (the hashing trick, Weinberger et al., 2009).
    """

    def __init__(self, continuous=(), min_count=1, hashed=None):
        self.continuous = frozenset(continuous)
        self.min_count = whole_number("min_count", min_count)
        self.hashed = {name: whole_number(f"hashed[{name!r}]", buckets)
                       for name, buckets in (hashed or {}).items()}
        if both := self.continuous & set(self.hashed):
            raise ValueError(f"fields {sorted(both)} are continuous and hashed: one is allowed")
        self._index = None  # field name -> {value or bucket: id}

    def fit(self, columns):
        """Learn the vocabulary of every field, from the training columns alone.

        Args:
            columns: maps each field's name to its N categories or numbers.

        Raises:
            ValueError: no columns, no rows, columns of unequal length, a missing value, or a
                continuous or hashed field that is not among the columns.
        """
        columns = self._read(columns)
        if not columns or not len(next(iter(columns.values()))):
            raise ValueError("columns are empty: at least one column with one row is needed")
        for kind, names in (("continuous", self.continuous), ("hashed", set(self.hashed))):
            if absent := names - set(columns):
                raise ValueError(f"{kind} fields {sorted(absent)} are not among the columns "
                                 f"{sorted(columns)}")
        self._number({name: self._vocabulary(name, column) for name, column in columns.items()})
        return self

    def _number(self, vocabularies):
        """Give ids to every field's values, one block a field, its unseen id first."""
        index, first = {}, 0
        for name, values in vocabularies.items():
            index[name] = {value: first + 1 + i for i, value in enumerate(values)}
            first += 1 + len(values)
        self._index = index

    def transform(self, columns):
        """Return the ids of the columns' categories: (N, F) int32.

        Raises:
            ValueError: `fit` was not called, a column is missing or superfluous, or the columns
                differ in length.
        """
        columns = self._read_like_fit(columns)
        ids = [self._ids(name, columns[name]) for name in self.field_names]
        return np.stack(ids, axis=1).astype(np.int32)

    def values(self, columns):
        """Return x for every row and field: (N, F) float32, 1 wherever a field is categorical.

        Raises:
            ValueError: as `transform`, or a continuous field holds something not finite.
        """
        columns = self._read_like_fit(columns)
        num_rows = len(next(iter(columns.values())))
        x = [self._finite(name, columns[name]) if name in self.continuous else np.ones(num_rows)
             for name in self.field_names]
        return np.stack(x, axis=1).astype(np.float32)

    def describe(self, ids):
        """Return the categories behind ids, as columns: the way back from `transform`.

        Args:
            ids: (N, F) whole numbers.

        Returns:
            A dict from field name to a list of N categories, `UNSEEN` where the id says so. A
            continuous field shows its own name; its number is in `values`, not in the ids. A
            hashed field shows its buckets' numbers, all that is left of its categories.
        """
        ids = check_ids(ids, *field_bounds(self.field_sizes))
        meaning = {i: value for known in self._fitted().values() for value, i in known.items()}
        return {name: [meaning.get(i, UNSEEN) for i in ids[:, f].tolist()]
                for f, name in enumerate(self.field_names)}

    def as_dict(self):
        """Return all that `transform` depends on, as lists, text and numbers, ready for JSON.

        Raises:
            ValueError: `fit` was not called, or a category is neither text nor a number.
        """
        vocabularies = {name: list(known) for name, known in self._fitted().items()}
        for name, values in vocabularies.items():
            check_storable(name, values)
        return {"continuous": sorted(self.continuous), "min_count": self.min_count,
                "hashed": self.hashed, "vocabularies": vocabularies}

    @classmethod
    def from_dict(cls, stored):
        """Return the encoder that `as_dict` described."""
        encoder = cls(stored["continuous"], stored["min_count"], stored["hashed"])
        encoder._number(stored["vocabularies"])
        return encoder

    @property
    def fingerprint(self):
        """64 hexadecimal digits that differ whenever `transform` could differ: a SHA-256."""
        stored = self.as_dict() | {"min_count": None}  # it has done its work
        described = json.dumps([stored, self.field_names])
        return hashlib.sha256(described.encode()).hexdigest()

    @property
    def field_names(self):
        """The fields in the order of the ids' columns, a tuple of F strings."""
        return tuple(self._fitted())

    @property
    def field_sizes(self):
        """How many ids each field owns, the unseen one included, a tuple of F ints."""
        return tuple(1 + len(known) for known in self._fitted().values())

    @property
    def field_offsets(self):
        """Each field's first id, its unseen one, a tuple of F ints."""
        return tuple(field_bounds(self.field_sizes)[0].tolist())

    @property
    def num_features(self):
        """n, the number of ids in all."""
        return sum(self.field_sizes)

    def _fitted(self):
        if self._index is None:
            raise ValueError("this FieldEncoder knows no values yet: call fit first")
        return self._index

    @staticmethod
    def _read(columns):
        columns = {name: as_numpy(columns[name]) for name in columns.keys()}
        for name, column in columns.items():
            if column.ndim != 1:
                raise ValueError(f"column {name!r} has shape {column.shape}: (N,) is needed")
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns differ in length: {lengths}")
        return columns

    def _read_like_fit(self, columns):
        columns, known = self._read(columns), set(self._fitted())
        if known - set(columns) or set(columns) - known:
            raise ValueError(f"columns must be those of fit, {sorted(known)}: missing "
                             f"{sorted(known - set(columns))}, superfluous "
                             f"{sorted(set(columns) - known)}")
        return columns

    def _vocabulary(self, name, column):
        if name in self.continuous:
            self._finite(name, column)
            return [name]
        values, counts = np.unique(column, return_counts=True)
        self._no_missing(name, values)
        if name in self.hashed:
            return list(range(self.hashed[name]))
        return [value for value in values[counts >= self.min_count].tolist() if value != UNSEEN]

    @staticmethod
    def _no_missing(name, values):
        values = values.tolist()
        if missing := [value for value in values if value != value]:  # NaN alone differs from itself
            raise ValueError(f"column {name!r} holds {missing[0]}: give missing values a name, "
                             "such as 'missing'")

    @staticmethod
    def _finite(name, column):
        if column.dtype.kind not in "biuf":
            raise TypeError(f"column {name!r} is of type {column.dtype}: a continuous field "
                            "takes numbers")
        if not np.isfinite(column).all():
            row = int(np.argmin(np.isfinite(column)))
            raise ValueError(f"column {name!r}, row {row}: {column[row]} is not a finite number")
        return column

    def _ids(self, name, column):
        known, unseen = self._index[name], self.field_offsets[self.field_names.index(name)]
        if name in self.continuous:
            return np.full(len(column), known[name])
        if name in self.hashed:
            distinct, rows = np.unique(column, return_inverse=True)
            buckets = np.array([bucket(value, self.hashed[name]) for value in distinct.tolist()], np.int32)
            return unseen + 1 + buckets[rows]
        self._same_kind(name, column, known)
        return np.array([known.get(value, unseen) for value in column.tolist()], dtype=np.int32)

    @staticmethod
    def _same_kind(name, column, known):
        """Numbers where text was learned (or the reverse) would all be unseen, in silence."""
        learned_text = isinstance(next(iter(known), None), str)
        if known and len(column) and column.dtype.kind in "biufU" \
                and learned_text != (column.dtype.kind == "U"):
            raise TypeError(f"column {name!r} is of type {column.dtype}: fit saw "
                            f"{'text' if learned_text else 'numbers'}")


def _check_one_hot(ids, num_features, values):
    ids = check_ids(ids, 0, num_features)
    values = np.ones(ids.shape, np.float32) if values is None else check_values(values, ids.shape)
    return ids, values


def one_hot(ids, num_features, values=None):
    """Write ids as rows of x, the fields' one-hot blocks side by side.

    Args:
        ids: (B, F) whole numbers below `num_features`.
        num_features: n, from the vocabulary and never from the data's maximum.
        values: (B, F) numbers to put in place of the ones, or None.

    Returns:
        An NDArray of shape (B, n), float32. It takes 4·B·n bytes: see `one_hot_csr`.
    """
    ids, values = _check_one_hot(ids, num_features, values)
    x = np.zeros((len(ids), num_features), np.float32)
    np.add.at(x, (np.arange(len(ids))[:, None], ids), values)
    return nd.array(x)


def one_hot_csr(ids, num_features, values=None):
    """The same matrix as `one_hot`, stored as its B·F entries alone.

    Returns:
        A CSRNDArray of shape (B, n), float32. It takes 12·B·F + 8·(B + 1) bytes: a float32
        entry and an int64 column a feature, and where each row begins.
    """
    ids, values = _check_one_hot(ids, num_features, values)
    order = np.argsort(ids, axis=1)  # CSR wants each row's columns in order
    entries, columns = (np.take_along_axis(a, order, axis=1).ravel() for a in (values, ids))
    starts = np.arange(0, ids.size + 1, ids.shape[1])
    return nd.sparse.csr_matrix((entries, columns, starts), shape=(len(ids), num_features))
