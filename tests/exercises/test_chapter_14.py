"""Chapter 14's checks: right answers pass, typical mistakes get their hint."""
import numpy as np
from scipy.stats import norm

from .common import right_and_wrong


def rows_needed(predicted, truth, limit, believed=None, power=2):
    p = predicted if believed is None else truth
    deviation = np.sqrt(np.mean(p * (1 - p)))
    return (limit * deviation / np.mean(truth - predicted))**power


CASES = {
    "rows_needed": ([rows_needed], [
        (lambda p, t, limit: rows_needed(p, t, limit, believed="truth"), "believes in"),
        (lambda p, t, limit: rows_needed(p, t, limit, power=1), "Square it"),
        (lambda p, t, limit: np.mean(limit**2 * p * (1 - p) / (t - p)**2),
         "before they are squared"),
        (lambda p, t, limit: limit**2 * p * (1 - p) / (t - p)**2, "One number"),
        (lambda p, t, limit: rows_needed(p, t, limit) / len(p), "is not it")]),
    "z_limit": ([
        lambda slices, weeks: norm.isf(1 / (2 * slices * weeks)),
        lambda slices, weeks: -norm.ppf(0.5 / slices / weeks)], [
        (lambda slices, weeks: norm.isf(0.5 / weeks), "share the allowance"),
        (lambda slices, weeks: norm.isf(1 / slices / weeks), "each direction"),
        (lambda slices, weeks: norm.ppf(0.5 / slices / weeks), "sign"),
        (lambda slices, weeks: norm.isf((1 - (1 - 1 / weeks)**(1 / slices)) / 2),
         "independent"),
        (lambda slices, weeks: 1.96, "Not the limit for 55")]),
    "rate_to_come": ([
        lambda rows, clicks, arrived: clicks.sum() / (rows @ arrived)], [
        (lambda rows, clicks, arrived: clicks.sum() / rows.sum(), "as none"),
        (lambda rows, clicks, arrived: np.mean(clicks / rows / arrived), "the days'"),
        (lambda rows, clicks, arrived: (clicks / arrived).sum() / rows.sum(),
         "young day"),
        (lambda rows, clicks, arrived: clicks[0] / rows[0], "oldest day"),
        (lambda rows, clicks, arrived: 0.2, "solve for r")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
