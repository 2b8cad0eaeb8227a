"""Chapter 2's checks: right answers pass, typical mistakes get their hint."""
from itertools import combinations

import numpy as np

from .common import right_and_wrong


def power_sums(x, U):
    return (((x[:, None] * U) ** power).sum(axis=0) for power in (1, 2, 3))


def triples(x, U, second=3, third=2, factor=6):
    s1, s2, s3 = power_sums(x, U)
    return ((s1 ** 3 - second * s1 * s2 + third * s3) / factor).sum()


def field_aware(ids, V, own=False):
    picked = V[ids]  # (F, F, k): feature of f, its row for g
    if own:
        picked = np.stack(
            [np.tile(picked[f, f], (len(ids), 1)) for f in range(len(ids))])
    pairs = combinations(range(len(ids)), 2)
    return sum(picked[f, g] @ picked[g, f] for f, g in pairs)


def second_by_own_field(ids, V):
    pairs = combinations(range(len(ids)), 2)
    return sum(V[ids[f], g] @ V[ids[g], g] for f, g in pairs)


def squares(V):
    return (V ** 2).sum(axis=1)


CASES = {
    "new_logit": ([6], [
        (-1, "pairs are missing"), (7, "bias"), (13, "counted twice"),
        (12, "no pair with itself")]),
    "fewest_features": ([lambda k: 2 * k + 2], [
        (lambda k: 2 * k + 1, "not fewer"), (lambda k: 2 * k, "not n²/2"),
        (lambda k: k + 2, "not two")]),
    "triples": ([triples], [
        (lambda x, U: triples(x, U, factor=1), "six times"),
        (lambda x, U: triples(x, U, second=0, third=0), "cube of the sum"),
        (lambda x, U: triples(x, U, second=0, third=-1), "one feature twice"),
        (lambda x, U: triples(x, U, third=0), "three times in what")]),
    "field_aware": ([field_aware], [
        (lambda ids, V: field_aware(ids, V, own=True), "own field"),
        (lambda ids, V: 2 * field_aware(ids, V), "counted twice"),
        (second_by_own_field, "first one's field")]),
    "absorbed": ([lambda w, V: w - squares(V) / 2], [
        (lambda w, V: w + squares(V) / 2, "taken away"),
        (lambda w, V: w - squares(V), "half"), (lambda w, V: w, "own square"),
        (lambda w, V: w - V.sum(axis=1) / 2, "Not yet")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
