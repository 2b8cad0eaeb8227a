"""The check of the exercise on monitoring (chapter 12)."""
import numpy as np

from .features import RIGHT


def check_rows_needed(rows_needed):
    """Chapter 12: rows_needed(predicted, truth, limit), for a mean surprise just at the limit."""
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0.05, 0.4, size=500)
    for truth, limit in ((predicted + rng.uniform(0, 0.2, size=500), 3.0), (predicted * 0.5, 4.0)):
        gap, now = np.mean(truth - predicted), np.mean(truth * (1 - truth))
        right = (limit / gap)**2 * np.mean(predicted * (1 - predicted))
        found = rows_needed(predicted.copy(), truth.copy(), limit)
        assert np.ndim(found) == 0, "One number for the slice is needed."
        assert not np.isclose(found, (limit / gap)**2 * now), (
            "The surprise is divided by the deviation that the model believes in: its own p (1 - p).")
        assert not np.isclose(abs(found), right**0.5), (
            "Square it: with four times the rows the surprise is only twice as large.")
        assert not np.isclose(found, limit**2 * np.mean(predicted * (1 - predicted) / (truth - predicted)**2)), (
            "Gaps add up over the rows before they are squared: take the mean of the gaps first.")
        assert np.isclose(found, right), (
            f"{found:.1f} is not it. After n rows the mean gap is n times the mean of truth - predicted, and "
            "its deviation the root of n times the mean of predicted (1 - predicted).")
    print(RIGHT)
