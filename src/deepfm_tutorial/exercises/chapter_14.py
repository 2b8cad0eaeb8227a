"""The checks of chapter 14's exercises."""
from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from ._compare import EXACT, RIGHT, judge


def check_rows_needed(
        rows_needed: Callable[[np.ndarray, np.ndarray, float], float]) -> None:
    """Chapter 14: the more rows a slice has, the more surprising is the same gap.

    rows_needed(predicted, truth, limit) returns how many bring the mean z-score
    to the limit.
    """
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0.05, 0.4, size=500)
    for truth, limit in (
            (predicted + rng.uniform(0, 0.2, size=500), 3.0), (predicted * 0.5, 4.0)):
        gap, spread = np.mean(truth - predicted), predicted * (1 - predicted)
        right = (limit / gap)**2 * np.mean(spread)
        found = rows_needed(predicted.copy(), truth.copy(), limit)
        assert np.ndim(found) == 0, "One number for the slice is needed."
        square = ("Square it: with four times the rows the z-score is only twice as "
                  "large.")
        judge(found, right,
              ((limit / gap)**2 * np.mean(truth * (1 - truth)), "The z-score is "
               "divided by the deviation that the model believes in: its own p (1 - "
               "p)."),
              (right**0.5, square), (-right**0.5, square),
              (limit**2 * np.mean(spread / (truth - predicted)**2), "Gaps add up over "
               "the rows before they are squared: take the mean of the gaps first."),
              otherwise=f"{found:.1f} is not it. After n rows the mean gap is n times "
              "the mean of truth - predicted, and its deviation the root of n times "
              "the mean of predicted (1 - predicted).", **EXACT)
    print(RIGHT)


def check_z_limit(z_limit: Callable[[int, int], float]) -> None:
    """Chapter 14: many numbers share the weeks that may ring by chance.

    z_limit(num_slices, num_weeks) returns the limit of each z-score.
    """
    for num_slices, num_weeks in ((55, 100), (10, 50), (1, 20)):
        allowance = 1 / num_weeks
        right = norm.isf(allowance / num_slices / 2)
        alone = norm.isf(allowance / 2)
        judge(z_limit(num_slices, num_weeks), right,
              (alone, f"With {num_slices} slices some z-score would pass that in far "
               "more weeks: the slices share the allowance."),
              (norm.isf(allowance / num_slices), "A z-score can pass the limit upwards "
               "or downwards: each direction gets half."),
              (-right, "The sign: a limit is compared with |z|."),
              (norm.isf((1 - (1 - allowance)**(1 / num_slices)) / 2), "That holds for "
               "independent z-scores. These may depend on each other: divide."),
              otherwise=f"Not the limit for {num_slices} slices and {num_weeks} weeks. "
              "Which share of the weeks does one direction of one slice get?", **EXACT)
    print(RIGHT)


def check_rate_to_come(rate_to_come: Callable[
        [np.ndarray, np.ndarray, np.ndarray], float]) -> None:
    """Chapter 14: a young impression is only a part of a row.

    rate_to_come(rows, clicks, arrived) returns the click rate.
    """
    for rows, clicks, arrived in (
            ([1000, 1200, 800], [190, 200, 40], [1.0, 0.8, 0.3]),
            ([500, 100], [110, 4], [0.9, 0.2])):
        rows, clicks, arrived = map(np.array, (rows, clicks, arrived))
        judge(rate_to_come(rows.copy(), clicks.copy(), arrived.copy()),
              clicks.sum() / (rows * arrived).sum(),
              (clicks.sum() / rows.sum(), "That counts every click that is still to "
               "come as none."),
              (np.mean(clicks / (rows * arrived)), "That is the mean of the days' "
               "rates: a day with few rows, or a young one, would count as much as "
               "the others."),
              ((clicks / arrived).sum() / rows.sum(), "That expects the right number "
               "of clicks each day, but multiplies the few clicks of a young day, and "
               "their chance with them. Compare the sums."),
              (clicks[0] / rows[0], "That uses the oldest day alone."),
              otherwise="With a click rate of r, a day brings r · rows · arrived "
              "clicks by now. Add up over the days, and solve for r.", **EXACT)
    print(RIGHT)
