"""The checks of chapter 12's exercises."""
from collections.abc import Callable

import numpy as np

from ._compare import EXACT, RIGHT, judge, numbers


def check_mean_of_all(mean_of_all: Callable[[np.ndarray, np.ndarray], float]) -> None:
    """Chapter 12: each row counts the same, whichever worker has it.

    mean_of_all(sums, counts) returns the mean over all rows, from each worker's sum and
    number.
    """
    sums, counts = np.array([6.0, 1.0, 2.0]), np.array([12, 1, 8])
    judge(numbers(mean_of_all(sums, counts)).squeeze(), 9 / 21,
          (np.mean(sums / counts), "You average the workers' means: a row of a small "
           "batch would count more than others."),
          (sums.sum() / len(sums), "Divide by rows, not by workers."),
          (sums.sum(), "That is the sum. How many rows does it belong to?"),
          otherwise="All rows together: what is their loss, and how many are they?",
          **EXACT)
    print(RIGHT)


def check_bytes_of_a_step(bytes_of_a_step: Callable[[int, int, int], float]) -> None:
    """Chapter 12: rows come and gradients go, each with its id.

    bytes_of_a_step(distinct, k, others) returns what one worker sends and receives.
    """
    for distinct, k, others in ((5000, 10, 20_000), (1, 1, 0), (300, 64, 7)):
        found = numbers(bytes_of_a_step(distinct, k, others)).item()
        row = 4 * (1 + k)
        right = distinct * (2 * row + 32) + 8 * others
        judge(found, right,
              (right / 2, "Both directions: rows come, and gradients go."),
              (distinct * (2 * 4 * k + 32) + 8 * others, "A row is w_i and v_i."),
              (distinct * 2 * row + 8 * others,
               "Each row names itself: add 20 bytes on the way out and 12 on the way "
               "in."),
              (distinct * (2 * row + 32) + 4 * others,
               "The other parameters are pulled, and their gradients pushed."),
              otherwise=f"Not {found:,.0f} bytes for {distinct} rows, k = {k}, "
              f"{others} others.", **EXACT)
    print(RIGHT)


def check_most_workers(most_workers: Callable[[float, float], int]) -> None:
    """Chapter 12: each worker makes the queue longer, until a step is mostly waiting.

    most_workers(own, queue) returns with how many each does half of what one alone
    does, or more.
    """
    for own, queue, right in (
            (0.010, 0.002, 7), (0.010, 0.003, 5), (0.002, 0.004, 2), (0.5, 0.001, 502),
            (0.3, 0.1, 5), (0.7, 0.1, 9), (2.1, 0.7, 5), (0.6, 0.2, 5), (1.1, 0.1, 13)):
        found = most_workers(own, queue)
        assert isinstance(found, int | np.integer), (
            f"A whole number of workers is needed, not {found!r}.")
        given = f"own = {own}, queue = {queue}"
        assert found != int(own / queue + 1e-9), (
            f"{given}: with {found} a step takes twice `own`. It may take twice "
            "the step of one worker, whose queue counts, too.")
        assert found != right + 1, (
            f"{given}: {found} are one too many. Each would do less than half.")
        assert found != right - 1, (
            f"{given}: {found} is one too few. Exactly half is enough; or is it a "
            "rounding, such as 0.3 / 0.1, which is a little less than 3?")
        assert found == right, (
            f"{given}: M workers take own + M * queue, and one takes own + queue. The "
            f"first may be twice the second; you say {found}.")
    print(RIGHT)
