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
    "most_workers": ([
        lambda own, queue: int(own / queue + 2 + 1e-9),
        lambda own, queue: max(m for m in range(1, 999)
                               if own + m * queue <= 2 * (own + queue) + 1e-12)], [
        (lambda own, queue: own / queue + 2, "whole number"),
        (lambda own, queue: int(own / queue + 1e-9), "queue counts, too"),
        (lambda own, queue: int(own / queue + 1e-9) + 3, "one too many"),
        (lambda own, queue: int(own / queue) + 2, "a rounding"),
        (lambda own, queue: -int(-own // queue) + 2, "one too"),
        (lambda own, queue: 100, "you say 100")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
