"""The checks of chapter 1's exercises."""
import builtins
from collections.abc import Callable, Iterable
from itertools import product
from unittest.mock import patch

import numpy as np
from numpy.typing import ArrayLike

from ..encodings import UNSEEN
from ..fields import FieldEncoder, one_hot, one_hot_csr
from ._compare import RIGHT, as_numpy, judge


def check_ids_by_hand(answer: ArrayLike) -> None:
    """Chapter 1: the answer is the ids of two rows, (2, 3), written down by hand."""
    encoder = FieldEncoder().fit({
        "weekday": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        "device": ["phone", "tablet", "desktop"] + 4 * ["phone"],
        "topic": ["news", "games", "sport", "travel"] + 3 * ["news"]})
    right = encoder.transform({"weekday": ["Sun", "Mon"], "device": ["tablet", "watch"],
                               "topic": ["sport", "news"]})
    answer = as_numpy(answer)
    assert answer.shape == (2, 3), (
        "Two rows of three ids are asked for, such as [[1, 2, 3], [4, 5, 6]].")
    assert answer[0, 0] != 7, (
        "Ids follow the sorted vocabulary, which begins with Fri, not the calendar.")
    no_offsets = ("Ids are counted through all fields: add each field's offset, the "
                  "sum of the sizes before it.")
    judge(answer[0], right[0],
          ([4, 3, 3], no_offsets), ([3, 2, 2], no_offsets),
          ([3, 9, 12],
           "Each field has an unseen id as well: the sizes are 8, 4 and 5."),
          ([3, 10, 14],
           "A field's first id is the unseen one: the vocabulary begins one later."))
    assert answer[1, 1] == 8, (
        "A watch was never seen: it has the device field's first id, its offset.")
    judge(answer, right)
    print(RIGHT)


def check_csr_pays(answer: Callable[[int, int], int]) -> None:
    """Chapter 1: CSR takes fewer bytes than dense once a row is wide enough.

    The answer is a function of B and F that returns the smallest such n.
    """
    for B, F in ((1, 5), (2, 3), (3, 1), (50, 2), (1000, 10)):
        ids = np.tile(np.arange(F), (B, 1))
        csr = one_hot_csr(ids, 4 * F)
        stored = sum(
            as_numpy(part).nbytes for part in (csr.data, csr.indices, csr.indptr))
        dense_column = one_hot(ids, 4 * F).asnumpy().nbytes // (4 * F)
        judge(answer(B, F), stored // dense_column + 1,
              (stored / dense_column,
               "That is where both take the same; n is whole, and CSR takes fewer."),
              ((8 * B * F + 8 * (B + 1)) // (4 * B) + 1,
               "A column number is an int64: eight bytes, so an entry takes twelve."),
              (3 * F + 1, "The starts of the rows are stored too, eight bytes a row."),
              (3 * F + 3, f"Not for B = {B}: where the last row ends is stored too, in "
               "eight bytes."),
              (stored // dense_column, f"For B = {B} CSR does not take fewer bytes "
               "yet."))
    print(RIGHT)


def check_hashed(answer: Callable[[list[str], int], ArrayLike]) -> None:
    """Chapter 1: hashing needs no vocabulary, yet a text keeps its id.

    The answer is a function of a column and a number of buckets.
    """
    names = [f"campaign {m}" for m in range(1000)]
    ids = as_numpy(answer(names, 500))
    assert ids.shape == (1000,), "One id for each category of the column is asked for."
    assert ids.dtype.kind in "iu", f"Ids are whole numbers, yours are {ids.dtype}."
    assert 0 <= ids.min() and ids.max() < 500, (
        "Ids run from 0 to buckets - 1: take the remainder.")
    assert as_numpy(answer(names, 7)).max() < 7, (
        "The number of buckets is an argument: with 7, ids end at 6.")
    assert np.array_equal(*(_in_a_run(answer, names, secret) for secret in (1, 2))), (
        "Python's hash of a text is another one in every run: tomorrow each id would "
        "mean something else.")
    copies = ["".join(name) for name in names[10:20]]  # equal, at other addresses
    assert np.array_equal(answer(copies, 500), ids[10:20]), (
        "The same category has another id in another column: is there a vocabulary "
        "left in it, a chance, or an address in memory?")
    used = len(np.unique(ids))
    assert used > 400, (
        f"{used} of 500 ids are used, where chance alone uses about 432: too many "
        "meet.")
    print(RIGHT)


def _in_a_run(answer, names, secret):
    """Return the answer's ids where Python's `hash` is that of another run."""
    real = builtins.hash

    def of_that_run(thing):
        salted = isinstance(thing, (str, bytes, tuple))
        return real((secret, thing) if salted else thing)

    with patch.object(builtins, "hash", of_that_run):
        return as_numpy(answer(names, 500))


def check_rare_as_unseen(answer: Callable[[list[str], int], Iterable]) -> None:
    """Chapter 1: rare categories are sent to the unseen id, so it is trained.

    The answer is a function of a column and a least count that puts `UNSEEN` there.
    """
    campaigns = np.random.default_rng(0).geometric(0.15, size=300)
    column = [f"campaign {m}" for m in campaigns]
    for least in (1, 2, 5):
        new = list(answer(list(column), least))
        assert len(new) == 300, "No row is dropped: the column keeps its length."
        for before, after in zip(column, new):
            count = column.count(before)
            assert after in (before, UNSEEN), (
                f"{after!r} is no category of the column, and not UNSEEN.")
            assert count != least or after == before, (
                f"{least} rows are enough where {least} are asked for.")
            assert count >= least or after == UNSEEN, (
                f"A category with {count} rows stayed, where {least} are asked for.")
            assert count < least or after == before, (
                f"A category with {count} rows was replaced: {least} are enough.")
    print(RIGHT)


def check_weights_of_newcomer(answer: ArrayLike) -> None:
    """Chapter 1: a newcomer has a trained weight only by a trained unseen id.

    The answer is three weights: of the encoder of the training rows, of the one that
    saw the newcomer, and of the one without rare categories.
    """
    answer = as_numpy(answer)
    assert answer.shape == (3,), "Three weights are asked for, such as [0.5, 0.5, 0.5]."
    plain, saw_it, merged = answer
    judge(plain, 0, otherwise="No training row has the plain encoder's unseen id: its "
          "weight is where it started.")
    judge(saw_it, 0, (1 / 8, "An encoder that saw the newcomer gives it an id of its "
                      "own, and not the unseen one."),
          otherwise="The newcomer has an id of its own there, which no training row "
          "has.")
    judge(merged, 1 / 8,
          (0, "Were the training rows encoded after rare_as_unseen? Then eight of them "
           "train the unseen id."),
          (6 / 18, "That is the click rate of all rows. Only rare ones have the unseen "
           "id."))
    print(RIGHT)


def check_without_offsets(answer: float) -> None:
    """Chapter 1: without offsets, different rows of ids make the same row of ones.

    The answer is how many different ones 27 rows of ids make.
    """
    rows = {tuple(np.isin(range(3), ids)) for ids in product(range(3), repeat=3)}
    judge(answer, len(rows),
          (27, "That is with the offsets. Without them (0, 1, 1) and (1, 0, 0) put "
           "their ones in the same columns."),
          (10, "That tells apart how often a column is met; a 1 that is put twice is "
           "still a 1."),
          (8, "A row without any 1 cannot occur: each row has at least one id."),
          (6, "Two fields may have the same id, too."))
    print(RIGHT)
