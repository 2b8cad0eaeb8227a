"""The checks of chapter 11's exercises."""
import tracemalloc
from collections.abc import Callable

import mxnet as mx
import numpy as np
from mxnet import nd
from numpy.typing import ArrayLike

from ._compare import RIGHT, judge, numbers


def check_buckets_needed(answer: Callable[[int, float], int]) -> None:
    """Chapter 11: more buckets keep a name alone more often.

    The answer is a function of the number of names and a share: the smallest number of
    buckets with which company is no likelier than that.
    """
    def company(buckets: int, names: int) -> float:
        return 1 - (1 - 1 / buckets) ** (names - 1)

    for names, share in ((2, 0.5), (2, 0.1), (10, 0.3), (400, 0.05), (1000, 0.5)):
        buckets = numbers(answer(names, share))
        assert buckets.shape == () and buckets >= 1 and buckets % 1 == 0, (
            f"A number of buckets is whole, not {buckets}.")
        others = names - 1
        exact = -1 / np.expm1(np.log1p(-share) / others)
        judge(buckets, int(np.ceil(round(exact, 6))),
              (np.ceil(round(1 / (1 - (1 - share) ** (1 / names)), 9)),
               "A name is not in its own way: only the J − 1 others can join it."),
              (np.floor(exact),
               f"For J = {names} that is one too few: the share must not be exceeded."),
              (np.ceil(others / share), "That counts a bucket twice that two others "
               "share: (1 − 1/H)^(J − 1) is not 1 − (J − 1)/H."),
              (np.ceil(names / share), "That counts a bucket twice that two others "
               "share, and the name itself."))
        assert company(buckets, names) <= share + 1e-9
        assert buckets == 1 or company(buckets - 1, names) > share - 1e-9
    print(RIGHT)


def check_gradient_rows(
        answer: Callable[[np.ndarray, np.ndarray], tuple[ArrayLike, ArrayLike]],
) -> None:
    """Chapter 11: a used row's gradient adds up over its places, other rows have none.

    The answer is a function of ids (B, F) and the gradient of E (B, F, k) that returns
    the used ids and the gradient of their rows.
    """
    rng = np.random.default_rng(0)
    for ids in (
            np.array([[3, 1], [0, 1]]), np.array([[5]]), rng.integers(0, 9, (30, 4))):
        gradient = rng.normal(size=(*ids.shape, 2))
        before = ids.copy(), gradient.copy()
        used, rows = answer(ids, gradient)
        assert (ids == before[0]).all() and (gradient == before[1]).all(), (
            "Your function changed its arguments.")
        whole = np.zeros((10, 2))
        np.add.at(whole, ids, gradient)
        last = np.zeros((10, 2))
        last[ids.ravel()] = gradient.reshape(-1, 2)
        right = np.unique(ids)
        times = np.bincount(ids.ravel(), minlength=10)[right, None]
        assert len(used) == len(right), (
            f"{len(right)} ids are distinct; you return {len(used)}.")
        judge(used, right, (np.arange(len(right)),
                            "Those are places; the rows' own ids are asked for."))
        judge(rows, whole[right],
              (last[right], "An id that occurs twice gets both gradients: "
               "`rows[places] += …` keeps the last alone."),
              (whole[right] / times,
               "Add, do not average: the loss sums over the places."))
    _check_memory(answer)
    print(RIGHT)


def _check_memory(answer: Callable) -> None:
    """Ids up to four million, of which three occur: an array of n rows would show."""
    ids, gradient = np.array([[7, 4_000_000], [7, 2_000_000]]), np.ones((2, 2, 2))
    tracemalloc.start()
    used, rows = answer(ids, gradient)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000, (
        f"For three distinct ids your function took {peak / 1e6:.0f} MB: it made an "
        "array of n rows. Make one of U rows.")
    judge(used, [7, 2_000_000, 4_000_000])
    judge(rows, [[2, 2], [1, 1], [1, 1]])


def check_catch_up(answer: Callable[[float, float, int, int, float], float]) -> None:
    """Chapter 11: standard Adam moves a weight on while it has no gradient.

    The answer is a function of the two moments, the steps that made them, the number of
    steps without a gradient, and the learning rate: how far it moves in those steps.
    """
    for first, absent, rate in ((1, 1, 0.1), (1, 3, 0.1), (4, 10, 0.01)):
        adam, w = mx.optimizer.Adam(learning_rate=rate, epsilon=0), nd.zeros(1)
        state = adam.create_state(0, w)
        for t in range(first):
            adam.update(0, w, nd.array([1.0 + t]), state)
        mean, square, start = *(array.asscalar() for array in state), w.asscalar()
        for _ in range(absent):
            adam.update(0, w, nd.zeros(1), state)
        powers = np.arange(1, absent + 1)
        ratio = mean * 0.9 ** powers / np.sqrt(square * 0.999 ** powers)
        corrected = (np.sqrt(1 - 0.999 ** (first + powers))
                     / (1 - 0.9 ** (first + powers)))
        anew = np.sqrt(1 - 0.999 ** powers) / (1 - 0.9 ** powers)
        kept = mean * 0.9 ** powers / np.sqrt(square)
        right = w.asscalar() - start
        judge(answer(mean, square, first, absent, rate), right,
              (-right, "A weight moves against its gradient: mind the sign."),
              (-rate * ratio.sum(),
               "The averages are corrected for their start before the division."),
              (-rate * (ratio * anew).sum(), "The corrections count all steps, those "
               "before the row went missing too."),
              (-rate * (kept * corrected).sum(),
               "The average of squares decays as well, by 0.999 a step."),
              (-rate * (ratio * corrected)[-1],
               "That is the last step alone: add up all of them."))
    print(RIGHT)
