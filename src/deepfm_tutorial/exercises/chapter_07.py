"""The checks of chapter 7's exercises."""
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from ._compare import EXACT, RIGHT, judge, near, numbers


def check_auc_with_ties(auc: float) -> None:
    """Chapter 7: the answer is the AUC of six rows, in which a tie counts half."""
    compared = [(a, b) for a in (0.8, 0.5, 0.3) for b in (0.5, 0.5, 0.2)]  # y = 1, 0
    auc = numbers(auc).squeeze()
    above, tied = (
        sum(test(a, b) for a, b in compared) for test in (np.greater, np.equal))
    assert not near(auc, above / 9, **EXACT), (
        "You count a tie as a loss: it counts half.")
    assert not near(auc, (above + tied) / 9, **EXACT), (
        "You count a tie as a win: it counts half.")
    assert not near(auc, above / (9 - tied), **EXACT), (
        "A tie is a comparison too: all nine count.")
    assert near(auc, (above + tied / 2) / 9, rtol=0, atol=0.001), (
        "Three clicked rows and three others make nine comparisons: write them down, "
        "one by one.")
    print(RIGHT)


def check_undo_sampling(
        undo_sampling: Callable[[np.ndarray, float], ArrayLike]) -> None:
    """Chapter 7: rows were left out, so a model's probabilities are too high.

    undo_sampling(p, kept) returns those of the full log.
    """
    for kept in (0.25, 0.05, 1):
        truth = np.random.default_rng(0).uniform(0.01, 0.9, size=50)
        clicks, others = truth, (1 - truth) * kept   # what is left of one impression
        p = clicks / (clicks + others)
        found = undo_sampling(p, kept)
        assert np.shape(found) == p.shape, (
            f"One probability for each of p's {len(p)} is needed.")
        judge(found, truth,
              (p * kept, "Not the probability but the odds p / (1 - p) change by the "
               "factor `kept`."),
              (p / (p + (1 - p) * kept), "That is the wrong way: fewer clicks a row "
               "are in the full log, not more."),
              otherwise=f"Not the full log's probabilities, with kept = {kept}.",
              **EXACT)
    with np.errstate(all="ignore"):
        ends = undo_sampling(np.array([0.0, 1.0]), 0.25)
    assert near(ends, [0, 1], **EXACT), (
        f"A probability of 0 stays 0, and one of 1 stays 1. You return {ends}: "
        "multiply by 1 - p instead of dividing by it.")
    print(RIGHT)


def check_temperature(
        find_temperature: Callable[[np.ndarray, np.ndarray], float]) -> None:
    """Chapter 7: a model that is too sure has logits that are too large.

    find_temperature(logits, labels) returns the T whose log loss of z / T is least.
    """
    rng = np.random.default_rng(0)
    z = rng.normal(-1, 1.5, size=4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-z))).astype(float)

    def is_least(logits: np.ndarray, T: float) -> bool:
        above, below = (np.mean((expit(logits / t) - labels) * logits)
                        for t in (1.02 * T, 0.98 * T))
        return above < 0 < below                     # the derivative by 1 / T

    for stretch in (2.5, 0.4):
        T = numbers(find_temperature(stretch * z, labels)).item()
        assert T > 0 and not is_least(stretch * z, 1 / T), (
            "You return the factor 1 / T. Logits are divided by a temperature.")
        assert is_least(stretch * z, T), (
            f"T = {T:.3f} is not the least log loss for logits that are {stretch} "
            "times the true ones." if stretch > 1 else
            f"T = {T:.3f} is not the least log loss for logits that are {stretch} "
            "times the true ones: a model that doubts too much needs T below 1.")
    # A clicked row with a logit of 10,000 costs nothing at any T.
    z, labels = np.append(2.5 * z, 10_000), np.append(labels, 1)
    with np.errstate(all="ignore"):
        T = numbers(find_temperature(z, labels)).item()
    assert is_least(z, T), (
        f"T = {T:.3f} with one row more, clicked, at logit 10000. e^z overflows: "
        "np.logaddexp(0, z) is ln(1 + e^z) at any z.")
    print(RIGHT)


def check_best_accuracy(best_accuracy: Callable[[np.ndarray], float]) -> None:
    """Chapter 7: even who knows each row's probability is not always right.

    best_accuracy(p) returns the accuracy to expect of the best yes or no to each row.
    """
    for high in (0.4, 0.95):
        p = np.random.default_rng(0).uniform(0.02, high, size=300)
        says_yes = p >= np.append(p, 2)[:, None]     # (301, N): thresholds, and never
        best = np.where(says_yes, p, 1 - p).mean(axis=1).max()
        found = best_accuracy(p)
        assert np.ndim(found) == 0, "One number is needed, the mean over the rows."
        judge(found, best,
              (max(p.mean(), 1 - p.mean()), "That is one answer for all, always yes or "
               "always no. Each row may get its own."),
              otherwise=f"{best:.3f} can be reached with p from 0.02 to {high}, you "
              f"say {found:.3f}. How often is a yes right for a row with p, and how "
              "often a no?", **EXACT)
    print(RIGHT)
