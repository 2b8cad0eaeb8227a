"""The checks of chapter 9's exercises."""
from collections.abc import Callable

import numpy as np

from ._compare import EXACT, RIGHT, judge, near, numbers


def check_paired_interval(low: float, high: float) -> None:
    """Chapter 9: five differences leave their mean uncertain.

    The answer is the ends of a t interval, in thousandths.
    """
    d = np.array([-1, 2, 3, 5, 6])
    low, high = numbers(low).squeeze(), numbers(high).squeeze()
    half = (high - low) / 2
    assert near((low + high) / 2, d.mean(), rtol=0, atol=0.01), (
        "The interval's middle is the mean difference.")
    judge(half, 2.78 * d.std(ddof=1) / 5**0.5,
          (2.78 * d.std(ddof=1), "Divide s by the root of 5: it is about a mean."),
          (2.78 * d.std() / 5**0.5, "For s, divide the sum of squares by 4: the mean "
           "came from the same five numbers."),
          (1.96 * d.std(ddof=1) / 5**0.5,
           "1.96 is for a known s. With s from five numbers, t = 2.78."),
          otherwise=f"Half the width is not {half:.3f}.", rtol=0, atol=0.02)
    print(RIGHT)


def check_best_of_five(chance: float) -> None:
    """Chapter 9: the best of five runs favours the model that varies more.

    The answer is how often A's best lies above B's, within 0.01.
    """
    u, du = np.linspace(0.75, 0.81, 20_001, retstep=True)

    def density(mean: float, s: float) -> np.ndarray:
        return np.exp(-((u - mean) / s)**2 / 2) / (s * np.sqrt(2 * np.pi))

    of_a, of_b = density(0.780, 0.004), density(0.783, 0.001)
    below_a, below_b = (np.cumsum(by_auc) * du for by_auc in (of_a, of_b))
    single, best = (
        np.sum(n * below_a**(n - 1) * of_a * below_b**n) * du for n in (1, 5))
    judge(numbers(chance).squeeze(), best,
          (single, "That is one run against one run: take the best of five."),
          (1 - best, "That is how often B is ahead."),
          otherwise="Draw five runs of each, many times, and compare the largest.",
          rtol=0, atol=0.01)
    print(RIGHT)


def check_liked_rate(
        liked_rate: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> None:
    """Chapter 9: a rate tells the labels that it was computed from, so only training's.

    liked_rate(column, labels, train) returns each row's share of liked training rows.
    """
    rng = np.random.default_rng(0)
    column = rng.integers(0, 400, 2000).astype(str)
    labels = rng.integers(0, 2, 2000).astype(float)
    train = rng.permutation(2000)[:1500]
    flipped = 1 - labels
    flipped[train] = labels[train]
    found = liked_rate(column, labels, train)
    again = liked_rate(column, flipped, train)
    assert np.shape(found) == (2000,), "One share for each of the N rows is needed."
    assert np.allclose(found, again, equal_nan=True), (
        "Other labels outside training, and your shares change: labels of the test "
        "rows leak in.")
    of = {}
    for category, label in zip(column[train], labels[train]):
        of.setdefault(category, []).append(label)
    known = np.array([category in of for category in column])
    right = np.array([np.mean(of.get(category, labels[train])) for category in column])
    assert near(found[~known], right[~known], **EXACT), (
        "A category that training lacks gets the share of liked rows in all of "
        "training.")
    assert near(found[known], right[known], **EXACT), (
        "For a known category, take the mean label of its training rows.")
    print(RIGHT)


def check_gauc(gauc: Callable[[np.ndarray, np.ndarray, np.ndarray], float]) -> None:
    """Chapter 9: an AUC within users does not compare one user's rows with another's.

    gauc(y, p, users) returns the users' AUCs' mean, weighted by their rows.
    """
    rng = np.random.default_rng(0)
    users = rng.choice([f"u{u}" for u in range(40)], 300, p=np.arange(1, 41) / 820)
    y, p = rng.integers(0, 2, 300) * (users > "u2"), rng.integers(0, 9, 300) / 10
    aucs, rows = [], []
    for user in set(users):
        of_user = users == user
        margins = (p[of_user & (y == 1)][:, None] - p[of_user & (y == 0)]).ravel()
        if len(margins):
            aucs.append(np.mean((margins > 0) + 0.5 * (margins == 0)))
            rows.append(of_user.sum())
    with_halves = (np.dot(aucs, rows) + 0.5 * (len(y) - sum(rows))) / len(y)
    judge(numbers(gauc(y, p, users)).squeeze(), np.average(aucs, weights=rows),
          (np.mean(aucs), "Weight each user's AUC by the number of their rows."),
          (with_halves, "Users whose rows are all liked or all not liked have no AUC: "
           "leave them out."),
          otherwise="Not the weighted mean of users' AUCs.", **EXACT)
    print(RIGHT)
