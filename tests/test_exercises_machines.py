"""The checks of the exercises in chapter 11: right answers pass, typical mistakes get their hint."""
import numpy as np
import pytest

from deepfm_tutorial import exercises

RIGHT = [
    ("mean_of_all", lambda sums, counts: np.sum(sums) / np.sum(counts)),
    ("mean_of_all", lambda sums, counts: np.average(sums / counts, weights=counts)),
    ("bytes_of_a_step", lambda distinct, k, dense: 8 * (distinct * (k + 5) + dense)),
    ("most_workers", lambda own, queue: int(own / queue + 1e-9)),
]
WRONG = [
    ("mean_of_all", lambda sums, counts: np.mean(sums / counts), "workers' means"),
    ("mean_of_all", lambda sums, counts: np.mean(sums), "by rows"),
    ("mean_of_all", lambda sums, counts: np.sum(sums), "That is the sum"),
    ("mean_of_all", lambda sums, counts: 0.5, "how many are they"),
    ("bytes_of_a_step", lambda distinct, k, dense: 4 * (distinct * (k + 5) + dense), "Both directions"),
    ("bytes_of_a_step", lambda distinct, k, dense: 8 * (distinct * (k + 4) + dense), "w_i and v_i"),
    ("bytes_of_a_step", lambda distinct, k, dense: 8 * (distinct * (k + 1) + dense), "names itself"),
    ("bytes_of_a_step", lambda distinct, k, dense: 8 * distinct * (k + 5) + 4 * dense, "gradients pushed"),
    ("bytes_of_a_step", lambda distinct, k, dense: 8 * distinct, "Not 40,000 bytes"),
    ("most_workers", lambda own, queue: own / queue, "whole number"),
    ("most_workers", lambda own, queue: int(own / queue + 1e-9) + 1, "One too many"),
    ("most_workers", lambda own, queue: int(own / queue - 1e-9), "you say 4"),
]


@pytest.mark.parametrize("name, answer", RIGHT)
def test_a_right_answer_passes(name, answer, capsys):
    getattr(exercises, f"check_{name}")(answer)
    assert capsys.readouterr().out == "Right.\n"


@pytest.mark.parametrize("name, answer, hint", WRONG)
def test_a_typical_mistake_gets_its_hint(name, answer, hint):
    with pytest.raises(AssertionError, match=hint):
        getattr(exercises, f"check_{name}")(answer)
