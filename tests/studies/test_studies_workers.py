"""The stored runs of chapter 12's study: complete, with the bytes of the formula."""
from itertools import product

import numpy as np
from stored import check_cases

from studies import workers
from studies.study import read


def test_each_job_is_stored_as_often_as_it_ran():
    jobs = [*product([0], workers.BATCHES, ["none"]),
            *product(workers.WORKERS, workers.BATCHES, ["sparse"]),
            *product(workers.WORKERS[:2], [1024], ["dense"])] * workers.REPEATS
    check_cases(read("workers_loopback"), ["workers", "batch_size", "transfer"], jobs)
    check_cases(read("workers_line"), ["mbit", "workers", "transfer"],
                product(workers.LINES, (1, 2), ("sparse", "dense")))


def test_the_bytes_are_those_of_the_formula_and_the_batches_those_of_the_script():
    features, factors, fields = sum(workers.SIZES), workers.FACTORS, len(workers.SIZES)
    units = (fields * factors, *workers.HIDDEN, 1)
    dense = 1 + sum((m + 1) * next_m for m, next_m in zip(units, units[1:]))
    for run in [*read("workers_loopback").query("workers > 0").itertuples(),
                *read("workers_line").itertuples()]:
        row, rows, key, asked = 4 * (1 + factors), run.distinct, 12, 8
        if run.transfer == "dense":
            rows, key, asked = features, 0, 0
        np.testing.assert_allclose(run.sent,
                                   rows * (row + key + asked) + 4 * dense, rtol=0.01)
        np.testing.assert_allclose(run.received,
                                   rows * (row + key) + 4 * dense, rtol=0.01)
        ids = workers.long_tailed_batch(run.batch_size, np.random.default_rng(5))
        assert abs(len(np.unique(ids)) / run.distinct - 1) < 0.05
