"""The check of the exercise on monitoring: a right answer passes, typical mistakes get their hint."""
import numpy as np
import pytest

from deepfm_tutorial import exercises


def rows_needed(predicted, truth, limit, believed=None, power=2):
    p = predicted if believed is None else truth
    return (limit * np.sqrt(np.mean(p * (1 - p))) / np.mean(truth - predicted))**power


def test_a_right_answer_passes(capsys):
    exercises.check_rows_needed(rows_needed)
    assert capsys.readouterr().out == "Right.\n"


@pytest.mark.parametrize("answer, hint", [
    (lambda p, t, limit: rows_needed(p, t, limit, believed="truth"), "believes in"),
    (lambda p, t, limit: rows_needed(p, t, limit, power=1), "Square it"),
    (lambda p, t, limit: np.mean(limit**2 * p * (1 - p) / (t - p)**2), "before they are squared"),
    (lambda p, t, limit: limit**2 * p * (1 - p) / (t - p)**2, "One number"),
    (lambda p, t, limit: rows_needed(p, t, limit) / len(p), "is not it"),
])
def test_a_typical_mistake_gets_its_hint(answer, hint):
    with pytest.raises(AssertionError, match=hint):
        exercises.check_rows_needed(answer)
