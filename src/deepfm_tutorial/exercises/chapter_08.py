"""The checks of chapter 8's exercises."""
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ._compare import EXACT, RIGHT, judge, numbers


def check_acquaintances(
        acquaintances: Callable[[np.ndarray, np.ndarray, np.ndarray], float]) -> None:
    """Chapter 8: how many test rows are of somebody whom training knows?

    acquaintances(people, train, test) returns their share of the test rows.
    """
    people = np.array(list("aaabbbbbcd"))
    train, test = np.array([0, 1, 3, 8]), np.array([2, 4, 5, 6, 9])
    judge(numbers(acquaintances(people, train, test)).squeeze(), 0.8,
          (2 / 3, "That is a share of people. Somebody with four rows counts four "
           "times, as in an AUC."),
          (0.75, "That is the share of training rows whose person is in the test. "
           "The question is about test rows."),
          (0.2, "Those are the strangers. Count the others."),
          otherwise="Four of these five test rows are of a or b, whom training has: "
          f"people {''.join(people)}, train {train}, test {test}.", **EXACT)
    judge(numbers(acquaintances(people, np.array([0]), np.array([8, 9]))).squeeze(), 0,
          otherwise="Nobody in this test is known, and the share is not 0.", **EXACT)
    print(RIGHT)


def check_bins(bins: Callable[[np.ndarray, np.ndarray, int], ArrayLike]) -> None:
    """Chapter 8: numbers become the bins of training's quantiles.

    bins(known, numbers, num_bins) returns the bin of each number, counted from 0.
    """
    known = np.array([0.0, 1, 2, 3, 4, 6, 20, 90])
    later = np.array([-5.0, 2, 5, 30, 40, 60])
    inner = np.arange(1, 4) / 4
    right = np.searchsorted(np.quantile(known, inner), later, side="right")
    on_edge = np.array([1.75, 3.5, 9.5])
    leaky = np.searchsorted(np.quantile(later, inner), later, side="right")
    wide = np.searchsorted(np.linspace(0, 90, 5)[1:-1], later, side="right")
    judge(bins(known, later, 4), right,
          (leaky, "Your edges are quantiles of the later numbers. Training alone says "
           "where bins end."),
          (wide, "Your bins are equally wide. They are to hold equally many of the "
           "known numbers."),
          (right + 1, "Count bins from 0."),
          otherwise=f"With the numbers {known.tolist()} and four bins the edges are "
          f"{on_edge.tolist()}: {later.tolist()} fall into {right.tolist()}.", **EXACT)
    judge(bins(known, np.quantile(known, [0.5]), 4), [2],
          otherwise="A number on an edge belongs to the upper bin.", **EXACT)
    print(RIGHT)


def check_ten_years(rise: float) -> None:
    """Chapter 8: the answer is by how much ten years of age move an FM's logit."""
    others = np.array([[2, 1], [0, 3], [1, 1]])
    bracket = 0.5 + others.sum(axis=0) @ [1, -1]
    judge(numbers(rise).squeeze(), 0.8 * bracket,
          (bracket, "That is for one standard deviation, 12.5 years."),
          (10 * bracket, "x is standardised: ten years are not x = 10."),
          (0.8 * (bracket - 0.5), "The feature's own weight is in the slope too."),
          (-0.8 * bracket, "The size is right. Does the logit rise or fall?"),
          otherwise="The slope is the bracket: w_i, plus v_i times the sum of the "
          "other factor rows.", **EXACT)
    print(RIGHT)


def check_holm(holm: Callable[[np.ndarray], ArrayLike]) -> None:
    """Chapter 8: several comparisons, and how many of them chance explains.

    holm(p) returns Holm's corrected p-values, in the order of p.
    """
    p = np.array([0.02, 0.001, 0.3, 0.021, 0.6])
    stepped = np.array([0.08, 0.005, 0.6, 0.063, 0.6])
    judge(holm(p), [0.08, 0.005, 0.6, 0.08, 0.6],
          (np.minimum(5 * p, 1), "That is Bonferroni's correction: the factor is 5 for "
           "the smallest p alone, then 4, 3, …"),
          (stepped, "A larger p must not end up with a smaller corrected one: keep the "
           "largest so far."),
          (np.sort([0.08, 0.005, 0.6, 0.08, 0.6]), "Return them in the order in which "
           "p came."),
          otherwise=f"Not Holm's for p = {p.tolist()}. Sort first; the smallest times "
          "5, the next times 4, and so on.", **EXACT)
    judge(holm(np.array([0.6, 0.7])), [1, 1],
          otherwise="A probability is at most 1.", **EXACT)
    print(RIGHT)
