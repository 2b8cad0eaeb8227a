"""Chapter 3's checks: right answers pass, typical mistakes get their hint."""
from itertools import combinations

import numpy as np

from .common import right_and_wrong


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


CASES = {
    "surviving_terms": ([(120, 91, 6, 3), np.array([120., 91, 6, 3])], [
        ((120, 91, 6), "Four"), ((240, 91, 6, 3), "counted twice"),
        ((256, 91, 6, 3), "itself"), ((120, 29, 6, 3), "inside"),
        ((120, 91, 4, 3), "their pairs"), ((120, 91, 6, 5), "more than one"),
        ((120, 91, 6, 6), "makes its terms zero")]),
    "inner_products": ([inner_products, lambda E: [
        [e[f] @ e[g] for f, g in combinations(range(len(e)), 2)] for e in E]], [
        (lambda E: inner_products(E).sum(axis=1), "shape"),
        (lambda E: inner_products(E, "columns"), "another order")]),
    "inside_pairs": ([all_pairs], [
        (pooled, "pairs inside a field are missing"),
        (inside, "pairs of fields are missing"),
        (lambda *row: pooled(*row) + 2 * inside(*row), "counted twice")]),
    "swapped_tables": ([{"D"}, "D"], [
        ({"A", "D"}, "A is true"), ({"B", "D"}, "B is true"), ({"C", "D"}, "C is true"),
        ({"D", "E"}, "E is true"), (set(), "One of them")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
