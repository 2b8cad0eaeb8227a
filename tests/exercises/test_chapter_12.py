"""Chapter 12's checks: right answers pass, typical mistakes get their hint."""
import numpy as np

from .common import right_and_wrong

CASES = {
    "mean_of_all": ([
        lambda sums, counts: np.sum(sums) / np.sum(counts),
        lambda sums, counts: np.average(sums / counts, weights=counts)], [
        (lambda sums, counts: np.mean(sums / counts), "workers' means"),
        (lambda sums, counts: np.mean(sums), "by rows"),
        (lambda sums, counts: np.sum(sums), "That is the sum"),
        (lambda sums, counts: 0.5, "how many are they")]),
    "bytes_of_a_step": ([
        lambda distinct, k, dense: 8 * (distinct * (k + 5) + dense)], [
        (lambda distinct, k, dense: 4 * (distinct * (k + 5) + dense),
         "Both directions"),
        (lambda distinct, k, dense: 8 * (distinct * (k + 4) + dense), "w_i and v_i"),
        (lambda distinct, k, dense: 8 * (distinct * (k + 1) + dense), "names itself"),
        (lambda distinct, k, dense: 8 * distinct * (k + 5) + 4 * dense,
         "gradients pushed"),
        (lambda distinct, k, dense: 8 * distinct, "Not 40,000 bytes")]),
    "most_workers": ([lambda own, queue: int(own / queue + 1e-9)], [
        (lambda own, queue: own / queue, "whole number"),
        (lambda own, queue: int(own / queue + 1e-9) + 1, "One too many"),
        (lambda own, queue: int(own / queue - 1e-9), "you say 4")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
