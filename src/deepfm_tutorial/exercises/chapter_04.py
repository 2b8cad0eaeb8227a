"""The checks of chapter 4's exercises."""
from collections.abc import Callable

import numpy as np
from mxnet import nd
from numpy.typing import ArrayLike

from ..embeddings import embed_by_take
from ._compare import RIGHT, ROUNDED, judge, near, numbers, outputs_and_gradient


def check_weighted_gradient(answer: ArrayLike) -> None:
    """Chapter 4: the gradient of a weighted sum adds up the weights of the places."""
    answer = numbers(answer).ravel()
    assert answer.size == 5, "Five numbers are wanted, one for each feature."
    judge(answer, [101, 10, 11, 0, 100],
          ([2, 1, 2, 0, 1], "These are occurrences. A row sends back c, not 1."),
          ([100, 10, 10, 0, 100], "A feature that occurs twice gets two contributions. "
           "They add up; the last is not all."),
          otherwise="For each feature: in which rows does it occur? Add up their "
          "weights.", **ROUNDED)
    print(RIGHT)


def check_gradient_by_product(
        function: Callable[[np.ndarray, np.ndarray, int], ArrayLike]) -> None:
    """Chapter 4: `take`'s gradient is a product with the transposed one-hot matrix.

    The answer is a function of ids (B, F), marks (B, F, k) and n, the gradient (n, k).
    """
    rng = np.random.default_rng(4)
    ids = rng.integers([0, 3, 8], [3, 8, 9], size=(40, 3))
    marks = rng.normal(size=(40, 3, 3))
    n = 11                                           # two more than these rows use
    _, expected = outputs_and_gradient(
        lambda V: embed_by_take(ids, V), nd.zeros((n, 3)), nd.array(marks))
    last, whole_row = np.zeros((n, 3)), np.zeros((n, 3))
    last[ids] = marks
    np.add.at(whole_row, ids, marks.sum(axis=1, keepdims=True))
    answer = function(ids, marks, n)
    assert np.shape(answer) == (n, 3), (
        f"The shape must be (n, k), here ({n}, 3), not {np.shape(answer)}.")
    judge(answer, expected,
          (last, "Only the last mark of each feature is left. Repeated ids must add "
           "up."),
          (whole_row, "Each feature also got its neighbour's marks. Take each field on "
           "its own."),
          otherwise="Row i must be the sum of the marks at all places, of all fields, "
          "where i occurs.", **ROUNDED)
    print(RIGHT)


def check_useless(function: Callable[[np.ndarray, nd.NDArray], nd.NDArray]) -> None:
    """Chapter 4: a method without any information passes the weak check.

    The answer is that method, a function of ids (B, F) and V (n, k) that returns E.
    """
    rng = np.random.default_rng(4)
    ids = rng.integers([0, 2, 5], [2, 5, 9], size=(30, 3))
    table = nd.array(rng.normal(size=(9, 4)))
    E, gradient = outputs_and_gradient(
        lambda V: function(ids, V), table, nd.ones((30, 3, 4)))
    right_sums = embed_by_take(ids, table).asnumpy().sum(axis=(1, 2))
    occurrences = np.bincount(ids.ravel(), minlength=9)
    assert near(E, np.broadcast_to(E[:, :1, :1], E.shape), **ROUNDED), (
        "All F·k numbers of a row are to be equal; these are not.")
    assert near(E.sum(axis=(1, 2)), right_sums, **ROUNDED), (
        "The sums of the rows differ: F·k equal numbers must add up to them.")
    assert near(gradient, np.tile(occurrences[:, None], (1, 4)), **ROUNDED), (
        "Ones sent back do not come out as occurrences. Does every number still depend "
        "on the table?")
    print(RIGHT)


def check_mean_of_tags(
        function: Callable[[np.ndarray, nd.NDArray, nd.NDArray], nd.NDArray]) -> None:
    """Chapter 4: a field with several active features has their mean as its embedding.

    The answer is a function of ids (B, S), a mask (B, S) and V (n, k), the mean (B, k).
    """
    rng = np.random.default_rng(4)
    lengths = np.array([4, 2, 1, 0, 3, 2])
    ids = rng.integers(0, 7, size=(6, 4))
    mask = (np.arange(4) < lengths[:, None]).astype(float)
    table, marks = nd.array(rng.normal(size=(7, 3))), nd.array(rng.normal(size=(6, 3)))
    x = np.array([np.bincount(i, m, minlength=7) for i, m in zip(ids, mask)])  # (B, n)
    shares, V = x / np.maximum(lengths, 1)[:, None], table.asnumpy()
    E, gradient = outputs_and_gradient(
        lambda V: function(ids, nd.array(mask), V), table, marks)
    assert not np.isnan(E).any(), (
        "A row without tags divides zero by zero. It is to get zeros.")
    padding = ("Padding is no tag: leave it out, and divide by the row's own number of "
               "tags, not by S.")
    judge(E, shares @ V,
          (x @ V, "That is the sum of the tags' rows. Divide by the number of tags."),
          (x @ V / 4, padding), (V[ids].mean(axis=1), padding),
          otherwise="For each row: the mean of V's rows over the ids whose mask is 1.",
          **ROUNDED)
    assert near(gradient, shares.T @ marks.asnumpy(), **ROUNDED), (
        "The outputs are right, the gradient of the table is not.")
    print(RIGHT)
