"""The checks of chapter 3's exercises."""
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from ._compare import RIGHT, judge


def check_surviving_terms(answer: Sequence[float]) -> None:
    """Chapter 3: of the double sum's terms only those of active features survive.

    The answer is four counts of terms, for fields of 3, 6, 2 and 5 features.
    """
    field = np.repeat(range(4), (3, 6, 2, 5))
    terms = list(combinations(range(16), 2))
    between = sum(field[i] != field[j] for i, j in terms)
    assert len(answer) == 4, "Four numbers are asked for."
    hints = (
        (len(terms),
         (256, "i < j: no feature is paired with itself, and no pair is counted "
          "twice."),
         (240, "i < j: no pair is counted twice.")),
        (between,
         (len(terms) - between, "Those are the pairs inside a field; the others are "
          "wanted.")),
        (6, (4, "One feature a field is active, and it is their pairs that are "
             "counted."),
         (16, "Each pair of active features is one term.")),
        (3, (5, "A feature with x = 0 is in more than one pair."),
         (6, "The feature is active, but its x of zero makes its terms zero.")))
    for place, (number, (right, *mistakes)) in enumerate(zip(answer, hints), 1):
        judge(number, right,
              *((wrong, f"Number {place}: {hint}") for wrong, hint in mistakes))
    print(RIGHT)


def check_inner_products(answer: Callable[[np.ndarray], ArrayLike]) -> None:
    """Chapter 3: the answer shows each pair's part, which the fast form adds up.

    It is a function of embeddings (B, F, k), the inner products (B, F(F - 1)/2).
    """
    rng = np.random.default_rng(0)
    for B, F, k in ((1, 2, 3), (7, 3, 2), (5, 6, 4)):
        E = rng.normal(size=(B, F, k))
        by_first = list(combinations(range(F), 2))
        right, other_order = (
            np.stack([(E[:, f] * E[:, g]).sum(axis=1) for f, g in pairs], axis=1)
            for pairs in (by_first, sorted(by_first, key=lambda pair: pair[::-1])))
        judge(answer(E), right,
              (other_order,
               "All there, in another order: (0, 1), (0, 2), …, and only then (1, 2)."))
    print(RIGHT)


def check_inside_pairs(
        answer: Callable[[list[np.ndarray], list[np.ndarray], np.ndarray], float],
) -> None:
    """Chapter 3: pooling drops the pairs inside a field, and the answer puts them back.

    It is a function of each field's ids, their values and V, the sum over all pairs.
    """
    rng = np.random.default_rng(0)
    V = rng.normal(size=(15, 3))
    for counts in ((1, 1, 1), (3, 1, 2), (2, 4, 5)):
        ids = [5 * f + rng.permutation(5)[:count] for f, count in enumerate(counts)]
        values = [rng.normal(size=count) for count in counts]
        a = [value[:, None] * V[field_ids] for field_ids, value in zip(ids, values)]
        between = sum(a[f].sum(axis=0) @ a[g].sum(axis=0)
                      for f, g in combinations(range(3), 2))
        inside = sum(rows[i] @ rows[j] for rows in a
                     for i, j in combinations(range(len(rows)), 2))
        judge(answer(ids, values, V), between + inside,
              (between, "Those are the pairs of fields. The pairs inside a field are "
               "missing."),
              (inside, "Those are the pairs inside the fields. The pairs of fields are "
               "missing."),
              (between + 2 * inside, "The pairs inside a field were counted twice."))
    print(RIGHT)


def check_swapped_tables(answer: Iterable[str]) -> None:
    """Chapter 3: many a statement stays true when two tables are swapped.

    The answer is the letters, A to E, of those that become false.
    """
    answer = set(answer)
    assert "A" not in answer, (
        "A is true: both tables have the same shape, so the whole has it too.")
    assert "B" not in answer, (
        "B is true: its two routes use one and the same table, right or wrong.")
    assert "C" not in answer, (
        "C is true: both fields show their second category. Two rows change places, "
        "and a sum over all pairs does not know the order.")
    assert "E" not in answer, (
        "E is true: the eight rows have the same eight logits as before, in another "
        "order.")
    assert answer == {"D"}, (
        "One of them is false. In which row do the two fields not show the same "
        "position?")
    print(RIGHT)
