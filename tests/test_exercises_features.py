"""The checks of chapters 1 to 3's exercises: right answers pass, typical mistakes get their hint."""
import zlib
from itertools import combinations

import numpy as np
import pytest

from deepfm_tutorial import UNSEEN, exercises


def crc(column, buckets):
    return [zlib.crc32(name.encode()) % buckets for name in column]


def by_position(column, buckets):
    return np.unique(column, return_inverse=True)[1] % buckets


def rare_as_unseen(column, least, to=UNSEEN):
    return [name if column.count(name) >= least else to for name in column]


def power_sums(x, U):
    return (((x[:, None] * U) ** power).sum(axis=0) for power in (1, 2, 3))


def triples(x, U, second=3, third=2, factor=6):
    s1, s2, s3 = power_sums(x, U)
    return ((s1 ** 3 - second * s1 * s2 + third * s3) / factor).sum()


def field_aware(ids, V, own=False):
    picked = V[ids]  # (F, F, k): feature of f, its row for g
    if own:
        picked = np.stack([np.tile(picked[f, f], (len(ids), 1)) for f in range(len(ids))])
    return sum(picked[f, g] @ picked[g, f] for f, g in combinations(range(len(ids)), 2))


def inner_products(E, order=None):
    f, g = np.triu_indices(E.shape[1], 1)
    if order == "columns":
        g, f = np.tril_indices(E.shape[1], -1)
    return (E[:, f] * E[:, g]).sum(axis=2)


def rows_of(ids, values, V):
    return [np.asarray(x)[:, None] * V[i] for i, x in zip(ids, values)]


def half(rows):
    return 0.5 * ((rows.sum(axis=0) ** 2).sum() - (rows ** 2).sum())


def all_pairs(ids, values, V):
    return half(np.concatenate(rows_of(ids, values, V)))


def pooled(ids, values, V):
    return half(np.stack([rows.sum(axis=0) for rows in rows_of(ids, values, V)]))


def inside(ids, values, V):
    return sum(half(rows) for rows in rows_of(ids, values, V))


def squares(V):
    return (V ** 2).sum(axis=1)


CASES = {
    "ids_by_hand": ([[4, 11, 15], [2, 8, 14]], [
        ([4, 11, 15], "Two rows"),
        ([[7, 10, 15], [1, 8, 14]], "sorted"),
        ([[3, 9, 12], [1, 7, 11]], "sizes are 8, 4 and 5"),
        ([[3, 10, 14], [1, 8, 13]], "begins one later"),
        ([[4, 11, 15], [2, 12, 14]], "never seen"),
        ([[4, 11, 15], [3, 8, 14]], "Not yet")]),
    "csr_pays": (lambda B, F: (12 * B * F + 8 * (B + 1)) // (4 * B) + 1, [
        (lambda B, F: 3 * F + 2 + 2 / B, "both take the same"),
        (lambda B, F: 3 * F + 3, "last row ends"),
        (lambda B, F: 3 * F + 1, "starts of the rows"),
        (lambda B, F: (8 * B * F + 8 * (B + 1)) // (4 * B) + 1, "int64"),
        (lambda B, F: int(3 * F + 2 + 2 / B), "the same|fewer bytes yet")]),
    "hashed": (crc, [
        (lambda column, buckets: crc(column, buckets)[:1], "One id"),
        (lambda column, buckets: [zlib.crc32(name.encode()) for name in column], "remainder"),
        (lambda column, buckets: [hash(name) % buckets for name in column], "every run"),
        (by_position, "vocabulary left"),
        (lambda column, buckets: [len(name) % buckets for name in column], "too many meet")]),
    "rare_as_unseen": (rare_as_unseen, [
        (lambda column, least: [name for name in column if column.count(name) >= least], "dropped"),
        (lambda column, least: rare_as_unseen(column, least, to="rare"), "not UNSEEN"),
        (lambda column, least: rare_as_unseen(column, least + 1), "1 rows are enough|are enough where"),
        (lambda column, least: column, "stayed"),
        (lambda column, least: [UNSEEN if column.count(name) > least else name for name in column], "was replaced")]),
    "without_offsets": (7, [(27, "with the offsets"), (10, "put twice"), (8, "without any 1"), (6, "Two fields")]),
    "new_logit": (6, [(-1, "pairs are missing"), (7, "bias"), (13, "counted twice"), (12, "no pair with itself")]),
    "fewest_features": (lambda k: 2 * k + 2, [
        (lambda k: 2 * k + 1, "not fewer"), (lambda k: 2 * k, "not n²/2"), (lambda k: k + 2, "not two")]),
    "triples": (triples, [
        (lambda x, U: triples(x, U, factor=1), "six times"),
        (lambda x, U: triples(x, U, second=0, third=0), "cube of the sum"),
        (lambda x, U: triples(x, U, second=0, third=-1), "one feature twice"),
        (lambda x, U: triples(x, U, third=0), "three times in what")]),
    "field_aware": (field_aware, [
        (lambda ids, V: field_aware(ids, V, own=True), "own field"),
        (lambda ids, V: 2 * field_aware(ids, V), "counted twice"),
        (lambda ids, V: sum(V[ids[f], g] @ V[ids[g], g] for f, g in combinations(range(len(ids)), 2)),
         "first one's field")]),
    "absorbed": (lambda w, V: w - squares(V) / 2, [
        (lambda w, V: w + squares(V) / 2, "taken away"), (lambda w, V: w - squares(V), "half"),
        (lambda w, V: w, "own square"), (lambda w, V: w - V.sum(axis=1) / 2, "Not yet")]),
    "surviving_terms": ((120, 91, 6, 3), [
        ((120, 91, 6), "Four"), ((240, 91, 6, 3), "counted twice"), ((256, 91, 6, 3), "itself"),
        ((120, 29, 6, 3), "inside"), ((120, 91, 4, 3), "their pairs"), ((120, 91, 6, 5), "more than one"),
        ((120, 91, 6, 6), "factor of its terms")]),
    "inner_products": (inner_products, [
        (lambda E: inner_products(E).sum(axis=1), "shape"),
        (lambda E: inner_products(E, "columns"), "another order")]),
    "inside_pairs": (all_pairs, [
        (pooled, "pairs inside a field are missing"), (inside, "pairs of fields are missing"),
        (lambda *row: pooled(*row) + 2 * inside(*row), "counted twice")]),
    "swapped_tables": ({"D"}, [
        ({"A", "D"}, "A cannot"), ({"B", "D"}, "B cannot"), ({"C", "D"}, "C cannot"), ({"D", "E"}, "E cannot"),
        (set(), "One of them")]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_right_answer_passes(name, capsys):
    getattr(exercises, f"check_{name}")(CASES[name][0])
    assert capsys.readouterr().out == "Right.\n"


@pytest.mark.parametrize("name, wrong, hint", [
    pytest.param(name, wrong, hint, id=f"{name}-{hint}")
    for name, (_, mistakes) in CASES.items() for wrong, hint in mistakes])
def test_a_typical_mistake_is_named(name, wrong, hint, capsys):
    with pytest.raises(AssertionError, match=hint):
        getattr(exercises, f"check_{name}")(wrong)
    assert "Right." not in capsys.readouterr().out
