"""The checks of chapter 2's exercises."""
from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from ._compare import RIGHT, as_numpy, judge


def check_new_logit(answer: float) -> None:
    """Chapter 2: the answer is the toy's logit for Monday, desktop and news."""
    judge(answer, -1 + (1 + 3 + 3),
          (-1, "That is the first order alone. The pairs are missing."),
          (7, "Those are the pairs alone. The bias is missing."),
          (13, "Each pair was counted twice: once as (i, j), once as (j, i)."),
          (12, "A feature makes no pair with itself: the rows' own squares are still "
           "in it."))
    print(RIGHT)


def check_fewest_features(answer: Callable[[int], int]) -> None:
    """Chapter 2: factors are fewer than pairs only if there are enough features.

    The answer is a function of k that returns the smallest such n.
    """
    for k in (10, 1, 2, 30):
        right = next(n for n in range(1, 100)
                     if k * n < len(list(combinations(range(n), 2))))
        judge(answer(k), right,
              (2 * k + 1, f"For k = {k} there are as many factors as pairs at this n, "
               "not fewer."),
              (2 * k, "There are n(n - 1)/2 pairs, not n²/2."),
              (k + 2, "Each pair has one weight, not two: n(n - 1)/2 of them."))
    print(RIGHT)


def check_triples(answer: Callable[[np.ndarray, np.ndarray], float]) -> None:
    """Chapter 2: the cube of a sum has each triple six times, and terms that are none.

    The answer is a function of x (n,) and V (n, k), the sum over all triples.
    """
    rng = np.random.default_rng(0)
    for n, k in ((1, 2), (3, 1), (6, 4), (9, 3)):
        x, V = rng.normal(size=n), rng.normal(size=(n, k))
        rows = x[:, None] * V
        right = sum(np.prod(rows[list(triple)], axis=0).sum()
                    for triple in combinations(range(n), 3))
        s1, s2, s3 = ((rows ** power).sum(axis=0) for power in (1, 2, 3))
        judge(answer(x, V), right,
              (6 * right, "Each triple was counted six times, once for each order of "
               "its features."),
              ((s1 ** 3).sum() / 6, "The cube of the sum also has triples that name a "
               "feature twice or thrice."),
              ((s1 ** 3 - s3).sum() / 6,
               "Triples that name one feature twice, (i, i, j), are still in it."),
              ((s1 ** 3 - 3 * s1 * s2).sum() / 6, "(i, i, i) is in the cube once, and "
               "three times in what you took away."))
    print(RIGHT)


def check_field_aware(answer: Callable[[np.ndarray, np.ndarray], float]) -> None:
    """Chapter 2: a field-aware FM has one row of a feature for each field it meets.

    The answer is a function of ids (F,) and rows (n, F, k), the second order.
    """
    rng = np.random.default_rng(0)
    for F, k in ((3, 2), (5, 4)):
        ids = 4 * np.arange(F) + rng.integers(4, size=F)
        rows = rng.normal(size=(4 * F, F, k))
        pairs = list(combinations(range(F), 2))
        right = sum(rows[ids[f], g] @ rows[ids[g], f] for f, g in pairs)
        judge(answer(ids, rows), right,
              (sum(rows[ids[f], f] @ rows[ids[g], g] for f, g in pairs),
               "Each feature used the row for its own field: it is the other feature's "
               "field that counts."),
              (sum(rows[ids[f], g] @ rows[ids[g], g] for f, g in pairs),
               "The second feature must use the row for the first one's field."),
              (2 * right, "Each pair was counted twice."))
    print(RIGHT)


def check_absorbed(answer: Callable[[np.ndarray, np.ndarray], ArrayLike]) -> None:
    """Chapter 2: first-order weights can make up for squares that were not taken away.

    The answer is a function of w (n,) and V (n, k) that returns such weights, (n,).
    """
    rng = np.random.default_rng(0)
    w, V = rng.normal(size=12), rng.normal(size=(12, 3))
    squares = (V ** 2).sum(axis=1)
    new = as_numpy(answer(w.copy(), V.copy()))
    judge(new, w - squares / 2,
          (w + squares / 2,
           "The broken model has too much already: the squares must be taken away."),
          (w - squares, "Only half of each square is in the broken model."),
          (w, "With w as it was, each active feature adds half of its row's own "
           "square."))
    for _ in range(20):  # and the two models agree
        active = rng.integers([0, 4, 8], [4, 8, 12])
        pairs = sum(V[i] @ V[j] for i, j in combinations(active, 2))
        judge(new[active].sum() + 0.5 * (V[active].sum(axis=0) ** 2).sum(),
              w[active].sum() + pairs)
    print(RIGHT)
