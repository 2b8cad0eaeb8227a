"""How the column of one field becomes ids and numbers x (chapters 1 and 8).

Each class here is one way. It learns what it needs from the training column; then it
gives ids from 0 to `size` − 1, of which 0 stands for what training never saw. Where a
missing value may come, the last id is its own.
"""
import hashlib
import reprlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from typing import Any, ClassVar

import numpy as np

from ._validation import FLOAT32_MAX
from .columns import ZONED, Column

UNSEEN = "<unseen>"
"""What `FieldEncoder.describe` shows for a category that training never saw."""


def bucket(value: Any, num_buckets: int) -> int:
    """Return the bucket of a category, from 0 to `num_buckets` − 1: a hash of its text.

    The same on every machine and in every process, which Python's own `hash` is not.
    """
    digest = hashlib.blake2b(str(value).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % num_buckets


@dataclass
class Encoding:
    """What all have in common.

    Attributes:
        name: of the field.
        missing: whether a value may be missing.
        num_known: how many ids stand for what training saw.
        has_unseen: whether id 0 can come.
        gives_x: whether x differs from 1.
    """

    name: str
    missing: bool = False
    has_unseen: ClassVar[bool] = True
    gives_x: ClassVar[bool] = False

    @property
    def size(self) -> int:
        """How many ids the field has, with the unseen one and the missing one."""
        return 1 + self.num_known + self.missing

    def as_dict(self) -> dict:
        """Return what makes another one like it, ready for JSON."""
        state = asdict(self)
        del state["name"]
        return {"encoding": type(self).__name__, **state}

    def meaning(self, i: int) -> Any:
        """Return what stands behind an id from 0: None for the missing one."""
        if i == 0:
            return UNSEEN
        return None if i > self.num_known else self.known(i - 1)

    def plain_cells(self) -> tuple[type, dict, int | None] | None:
        """What is known of cells before they are read, or None for nothing.

        Returns:
            The one type of cell that this is for, the id of each known cell, and the id
            of all others of that type: None where those have to be read.
        """
        return None

    def check_missing(self, column: Column, is_missing: np.ndarray) -> None:
        """Refuse missing values where there may be none."""
        if not self.missing:
            column.refuse(is_missing, "the value is missing. Fill it, or give missing "
                                      "values an id of their own by missing="
                                      f"[{self.name!r}]")


@dataclass
class Discrete(Encoding):
    """One feature for each category, or for several of them.

    Attributes:
        kind: of the training column, one of `columns.KINDS`.
        values: in subclasses, the categories with an id of their own, sorted.
    """

    kind: str | None = None

    def __post_init__(self) -> None:
        self._index()

    def _index(self) -> None:
        """Number what has an id of its own; the missing one comes last."""
        self._ids = {value: i for i, value in
                     enumerate(self.values, start=1 + self.num_shared)}
        if self.missing:
            self._ids[None] = 1 + self.num_known

    @property
    def num_shared(self) -> int:
        """How many known ids stand for several categories; they come first."""
        return 0

    @property
    def num_known(self) -> int:
        """How many known ids there are, shared or not."""
        return self.num_shared + len(self.values)

    def plain_cells(self) -> tuple[type, dict, int | None] | None:
        """See `Encoding.plain_cells`. A float may be a whole number: to be read."""
        types = {"text": str, "numbers": int, "booleans": bool}
        return (types[self.kind], self._ids, None) if self.kind in types else None

    def learn(self, column: Column, min_count: int | None = 1) -> "Discrete":
        """Learn from the training column which categories come at least so often."""
        self.kind = column.kind
        self.learn_values(self.plain(column), min_count)
        return self

    def plain(self, column: Column) -> list:
        """Return the N values as JSON can hold them; they are of the learned kind."""
        if column.kind == "text" and self.kind in ("dates", ZONED):
            column = column.as_dates(self.kind)
        if None not in (column.kind, self.kind) and column.kind != self.kind:
            raise TypeError(f"column {self.name!r} holds {column.kind}: "
                            f"fit saw {self.kind}")
        values = column.categories()
        if not self.missing and None in values:
            self.check_missing(column, np.array([value is None for value in values]))
        return values

    def encode(self, column: Column) -> tuple[np.ndarray, None]:
        """Return ids from 0, (N, 1), and None: each x is 1."""
        return self.ids(self.plain(column))[:, None], None


@dataclass
class Categories(Discrete):
    """Every category that training saw often enough has an id of its own.

    Attributes:
        values: the categories, sorted; the first has id 1.
    """

    values: list = field(default_factory=list)

    def known(self, i: int) -> Any:
        """Return the category of the i-th of them, counted from 0."""
        return self.values[i]

    def plain_cells(self) -> tuple[type, dict, int | None] | None:
        """See `Encoding.plain_cells`. All other text is unseen; a number may be bad."""
        found = super().plain_cells()
        return (str, self._ids, 0) if self.kind == "text" else found

    def learn_values(self, values: list, min_count: int) -> None:
        """Learn from plain values what `learn` learns from their column."""
        counts = Counter(values)
        self.values = sorted(value for value, count in counts.items()
                             if count >= min_count and value not in (None, UNSEEN))
        for value in self.values:
            check_text(self.name, value)
        self._index()

    def ids(self, values: list) -> np.ndarray:
        """Return the ids of plain values, (N,) int32: 0 for an unseen one."""
        find = self._ids.get
        return np.fromiter((find(value, 0) for value in values), np.int32, len(values))


@dataclass
class Buckets(Discrete):
    """Categories share ids by `bucket`: the hashing trick (Weinberger et al., 2009).

    The frequent ones can have ids of their own, after the buckets'. Without them no
    category is kept.

    Attributes:
        num_buckets: how many ids are shared.
        values: the categories with an id of their own, sorted.
    """

    num_buckets: int = 1
    values: list = field(default_factory=list)
    has_unseen: ClassVar[bool] = False

    @property
    def num_shared(self) -> int:
        """How many buckets there are."""
        return self.num_buckets

    def known(self, i: int) -> Any:
        """Return a frequent category, or the number of the bucket that others share."""
        if i >= self.num_buckets:
            return self.values[i - self.num_buckets]
        return f"bucket {i}" if self.values else i

    def learn_values(self, values: list, min_count: int | None) -> None:
        """Keep what comes at least so often; refuse what could not be stored."""
        counts = Counter(values)
        for value in counts:
            check_text(self.name, value)
        self.values = [] if min_count is None else sorted(
            value for value, count in counts.items()
            if count >= min_count and value is not None)
        self._index()

    def ids(self, values: list) -> np.ndarray:
        """Return the ids of plain values, (N,) int32: their own, or their buckets'."""
        ids = {value: self._id(value) for value in set(values)}
        return np.fromiter(map(ids.get, values), np.int32, len(values))

    def _id(self, value: Any) -> int:
        if (own := self._ids.get(value)) is not None:
            return own
        check_text(self.name, value)
        return 1 + bucket(value, self.num_buckets)


class Numeric(Encoding):
    """A column of numbers, of which none is unseen."""

    has_unseen: ClassVar[bool] = False

    def numbers(self, column: Column) -> np.ndarray:
        """Return the column's numbers, (N,) float64, NaN where one may be missing."""
        numbers = column.numbers()
        self.check_missing(column, np.isnan(numbers))
        return numbers

    def plain(self, column: Column) -> list:
        """Return the N numbers as JSON can hold them."""
        return [None if x != x else x for x in self.numbers(column).tolist()]


@dataclass
class Number(Numeric):
    """One feature, whose x is the number, as it is or standardised.

    Attributes:
        mean, deviation: x = (number − mean) / deviation.
    """

    mean: float = 0.0
    deviation: float = 1.0
    num_known: ClassVar[int] = 1
    gives_x: ClassVar[bool] = True

    def known(self, i: int) -> str:
        """Return the field's name: its number is in x."""
        return self.name

    def learn(self, column: Column, standardise: bool = False) -> "Number":
        """Learn mean and deviation, or check that the numbers will do as they are."""
        if standardise:
            numbers = self.numbers(column)
            known = numbers[~np.isnan(numbers)]
            with np.errstate(over="ignore", invalid="ignore"):
                spread = known.std() if len(known) else 0
            if not 0 < spread < np.inf:
                raise ValueError(f"column {self.name!r} has a standard deviation of "
                                 f"{spread:g}: it cannot be standardised")
            self.mean, self.deviation = float(known.mean()), float(spread)
        self.encode(column)
        return self

    def encode(self, column: Column) -> tuple[np.ndarray, np.ndarray]:
        """Return ids from 0 and x, each (N, 1); a missing number has x = 1."""
        numbers = self.numbers(column)
        is_missing = np.isnan(numbers)
        with np.errstate(over="ignore", invalid="ignore"):
            x = np.where(is_missing, 1, (numbers - self.mean) / self.deviation)
        column.refuse(~(abs(x) <= FLOAT32_MAX), "more than 32 bits hold, "
                      f"±{FLOAT32_MAX:.1e}: divide the column, or have it "
                      f"standardised=[{self.name!r}]")
        return (1 + is_missing.astype(np.int32))[:, None], x[:, None]


@dataclass
class Bins(Numeric):
    """A number is the category of the quantile bin that it falls into.

    Attributes:
        edges: where one bin ends and the next begins, ascending. A number on an edge
            is in the upper bin.
    """

    edges: list = field(default_factory=list)

    @property
    def num_known(self) -> int:
        """How many bins there are."""
        return 1 + len(self.edges)

    def known(self, i: int) -> str:
        """Return the i-th bin, counted from 0, in words."""
        if not self.edges:
            return "any number"
        if i == 0:
            return f"below {self.edges[0]:.6g}"
        if i == len(self.edges):
            return f"{self.edges[-1]:.6g} or more"
        return f"{self.edges[i - 1]:.6g} to below {self.edges[i]:.6g}"

    def learn(self, column: Column, num_bins: int = 10) -> "Bins":
        """Learn edges between bins that hold equally many training rows, as may be."""
        numbers = self.numbers(column)
        known = numbers[~np.isnan(numbers)]
        if len(known):
            edges = np.unique(np.quantile(known, np.arange(1, num_bins) / num_bins))
            self.edges = edges[edges > known.min()].tolist()  # no bin is empty
        return self

    def encode(self, column: Column) -> tuple[np.ndarray, None]:
        """Return ids from 0, (N, 1), and None: each x is 1."""
        numbers = self.numbers(column)
        ids = 1 + np.searchsorted(self.edges, numbers, side="right")
        ids = np.where(np.isnan(numbers), self.size - 1, ids)
        return ids.astype(np.int32)[:, None], None


@dataclass
class Sets(Encoding):
    """A row has a set of values; x of each is 1 / how many the row has.

    An empty set has no feature. Shorter rows are filled up with id 0 and x = 0, which
    add nothing.

    Attributes:
        of: how each value is encoded.
    """

    of: Discrete = None
    gives_x: ClassVar[bool] = True

    @property
    def num_known(self) -> int:
        """How many ids stand for what training saw."""
        return self.of.num_known

    @property
    def has_unseen(self) -> bool:
        """Whether a value can be unseen."""
        return self.of.has_unseen

    def known(self, i: int) -> Any:
        """Return what stands behind the i-th of them, counted from 0."""
        return self.of.known(i)

    def as_dict(self) -> dict:
        """Return what makes another one like it, ready for JSON."""
        return super().as_dict() | {"of": self.of.as_dict()}

    def learn(self, column: Column, min_count: int | None = 1) -> "Sets":
        """Learn from the training column which values at least so many rows have."""
        self.of.kind = column.flat()[0].kind
        self.of.learn_values(list(chain(*self.plain(column))), min_count)
        return self

    def plain(self, column: Column) -> list:
        """Return the N rows' values as lists, each value once."""
        flat, lengths = column.flat()
        values = iter(self.of.plain(flat))
        return [list(dict.fromkeys(islice(values, length))) for length in lengths]

    def encode(self, column: Column) -> tuple[np.ndarray, np.ndarray]:
        """Return ids from 0 and x, each (N, S): S is the size of the largest set."""
        rows = self.plain(column)
        sizes = np.array([len(row) for row in rows], int)
        is_there = np.arange(max(1, sizes.max(initial=1))) < sizes[:, None]
        ids = np.zeros(is_there.shape, np.int32)
        ids[is_there] = self.of.ids(list(chain(*rows)))
        return ids, is_there / np.maximum(sizes, 1)[:, None]


def check_text(name: str, value: Any) -> None:
    """Refuse text that UTF-8 cannot write, such as half of a surrogate pair."""
    try:
        value.encode() if isinstance(value, str) else None
    except UnicodeEncodeError:
        raise ValueError(f"column {name!r} holds {reprlib.repr(value)}, which UTF-8 "
                         "cannot write: it could not be stored") from None


def encoding_from(name: str, stored: dict) -> Encoding:
    """Return the encoding of a field that `as_dict` described."""
    kinds = {each.__name__: each for each in (Categories, Buckets, Number, Bins, Sets)}
    state = {"name": name} | stored
    if "of" in state:
        state["of"] = encoding_from(name, state["of"])
    return kinds[state.pop("encoding")](**state)
