"""The checks of chapter 10's exercises."""
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ._compare import EXACT, RIGHT, judge, numbers


def check_pure_by_hand(effect: ArrayLike) -> None:
    """Chapter 10: weighted means go out of a table, and the pure effect stays.

    The answer is that of a table of two by two with unequal weights.
    """
    assert np.shape(effect) == (2, 2), "A table of two rows and two columns is needed."
    # by corner, such as 4 (1 - 3/4) (1 - 1/4)
    right = np.outer([1 / 4, -3 / 4], [3 / 4, -1 / 4]) * 4
    judge(effect, right,
          ([[1, -1], [-1, 1]], "Those are plain means. Weight them by how often each "
           "category occurs."),
          (right - 4 * 3 / 16, "Add the overall mean back: it went out twice, with its "
           "row and with its column."),
          otherwise="A row's mean is taken over the columns, with the columns' shares; "
          "a column's over the rows, with the rows' shares.", **EXACT)
    print(RIGHT)


def check_centred_fm(
        centre: Callable[[np.ndarray, np.ndarray, Sequence[int]],
                         tuple[np.ndarray, np.ndarray]]) -> None:
    """Chapter 10: the weights take up what the factor rows lose, so no logit changes.

    centre(w, V, field_sizes) returns w and V of the same FM, each field's mean zero.
    """
    rng, sizes = np.random.default_rng(0), (3, 5, 2, 4)
    w, V = rng.normal(size=14), rng.normal(size=(14, 3))
    given = w.copy(), V.copy()
    new_w, new_V = centre(w, V, sizes)
    assert (w == given[0]).all() and (V == given[1]).all(), (
        "Your function changes the w or V it is given.")
    firsts = np.cumsum((0, *sizes[:-1]))
    means = np.array(
        [new_V[i:i + size].mean(axis=0) for i, size in zip(firsts, sizes)])
    assert np.abs(means).max() < 1e-9, (
        "The factor rows of each field must have mean zero.")
    ids = firsts + rng.integers(0, sizes, size=(200, 4))
    before, after = ([w[row].sum() + np.triu(V[row] @ V[row].T, 1).sum() for row in ids]
                     for w, V in ((w, V), (new_w, new_V)))
    error = np.subtract(after, before)
    assert error.std() < 1e-9, (
        "The logits are not the same, and not off by a constant either. A shift of one "
        "field by delta takes <delta, v_j> from the weight of each feature j of the "
        "other fields.")
    assert np.abs(error).max() < 1e-9, (
        f"All logits are off by {error[0]:.3f}, a constant. Did you correct the "
        "weights with factor rows from before the other fields were shifted?")
    print(RIGHT)


def check_importance(importance: Callable[..., float]) -> None:
    """Chapter 10: a field whose ids are shuffled says nothing, so the AUC falls.

    importance(logits, ids, labels, f, rng) returns by how much it falls for field f.
    """
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 50, size=(3000, 3))
    labels = (rng.random(3000) < 1 / (1 + np.exp(-(ids[:, 0] - 25) / 5))).astype(float)
    given, asked = ids.copy(), []

    def logits(ids: np.ndarray) -> np.ndarray:
        asked.append(np.array(ids))
        return ids[:, 0].astype(float)

    found = [importance(logits, ids, labels, f, np.random.default_rng(1))
             for f in range(3)]
    assert (ids == given).all(), (
        "Your function shuffles the ids it is given: work on a copy.")
    in_order = np.sort(given, axis=0)
    assert all((np.sort(seen, axis=0) == in_order).all() for seen in asked), (
        "Shuffle the field's own ids: each must occur as often as before.")
    margins = logits(ids)[labels == 1][:, None] - logits(ids)[labels == 0]
    auc = np.mean((margins > 0) + 0.5 * (margins == 0))
    assert abs(found[0] + auc - 0.5) > 0.03, (
        "The sign: a field of use has an importance above zero.")
    assert found[1] == found[2] == 0, (
        "A field that the logits do not use must have importance 0.")
    assert abs(found[0] - (auc - 0.5)) < 0.03, (
        "With its only field shuffled, a model is left with an AUC of one half: "
        f"{auc:.2f} - 0.50 is the importance, not {found[0]:.2f}. Shuffle field f "
        "alone, for all rows.")
    print(RIGHT)


def check_misleading_shift(
        shift: Callable[[np.ndarray, np.ndarray], ArrayLike]) -> None:
    """Chapter 10: a shift that changes no logit changes the uncentred strengths.

    shift(V_f, V_g) returns one vector that makes the uncentred strength at least 1.
    """
    for seed, scale in enumerate((1, 0.1, 0.01)):
        rng = np.random.default_rng(seed)
        V_f, V_g = (rng.normal(scale=scale, size=(n, 8)) for n in (7, 3))
        delta = numbers(shift(V_f.copy(), V_g.copy()))
        assert delta.shape == (8,), (
            "One vector (k,) for all rows of f: other shifts change the logits.")
        raw = np.sqrt(np.mean(((V_f + delta) @ V_g.T)**2))
        assert raw >= 1, (
            f"The uncentred strength is {raw:.2f} with factors of size {scale}: point "
            "delta along a factor row of g, not across them, and make it long enough.")
    print(RIGHT)


def check_decayed(decayed: Callable[..., ArrayLike]) -> None:
    """Chapter 10: each step of the penalty alone shortens a row by the same factor.

    decayed(rows, absent, learning_rate, l2) returns the rows after so many such steps.
    """
    rng, rate, l2 = np.random.default_rng(0), 0.5, 0.4
    rows, absent = rng.normal(size=(5, 3)), np.array([0, 1, 2, 3, 9])
    right = rows.copy()
    for step in range(9):
        right[step < absent] -= rate * l2 * right[step < absent]
    times = absent[:, None]
    given = rows.copy()
    found = numbers(decayed(given, absent, rate, l2))
    assert (given == rows).all(), "Your function changes the rows that it is given."
    judge(found, right,
          (rows * (1 - rate * l2 * times), "Each step pulls at the row as it is then, "
           "and not as it was at first: the factors multiply."),
          (rows * np.exp(-rate * l2 * times), "Close, where steps are small. A step of "
           "SGD is a jump: its factor is 1 - learning_rate * l2."),
          (rows * (1 - l2) ** times, "A step follows the gradient l2 * v by the "
           "learning rate."),
          (rows * (1 - rate * l2) ** absent.max(), "Each row was away for steps of its "
           "own."), **EXACT)
    print(RIGHT)
