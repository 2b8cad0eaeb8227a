"""The checks of chapter 11's exercises."""
import numpy as np

from ._compare import RIGHT


def check_mean_of_all(mean_of_all):
    """Chapter 11: mean_of_all(sums, counts), the mean over all rows from each worker's sum and number."""
    sums, counts = np.array([6.0, 1.0, 2.0]), np.array([12, 1, 8])
    found = float(mean_of_all(sums, counts))
    assert not np.isclose(found, np.mean(sums / counts)), (
        "You average the workers' means: a row of a small batch would count more than others.")
    assert not np.isclose(found, sums.sum() / len(sums)), "Divide by rows, not by workers."
    assert not np.isclose(found, sums.sum()), "That is the sum. How many rows does it belong to?"
    assert np.isclose(found, 9 / 21), "All rows together: what is their loss, and how many are they?"
    print(RIGHT)


def check_bytes_of_a_step(bytes_of_a_step):
    """Chapter 11: bytes_of_a_step(distinct, k, others), what one worker sends and receives in a step."""
    for distinct, k, others in ((5000, 10, 20_000), (1, 1, 0), (300, 64, 7)):
        found, row = float(bytes_of_a_step(distinct, k, others)), 4 * (1 + k)
        right = distinct * (2 * row + 32) + 8 * others
        assert not np.isclose(found, right / 2), "Both directions: rows come, and gradients go."
        assert not np.isclose(found, distinct * (2 * 4 * k + 32) + 8 * others), "A row is w_i and v_i."
        assert not np.isclose(found, distinct * 2 * row + 8 * others), (
            "Each row names itself: add 20 bytes on the way out and 12 on the way in.")
        assert not others or not np.isclose(found, distinct * (2 * row + 32) + 4 * others), (
            "The other parameters are pulled, and their gradients pushed.")
        assert np.isclose(found, right), f"Not {found:,.0f} bytes for {distinct} rows, k = {k}, {others} others."
    print(RIGHT)


def check_most_workers(most_workers):
    """Chapter 11: most_workers(own, queue), the workers from which a step is mostly waiting."""
    for own, queue, right in ((0.010, 0.002, 5), (0.010, 0.003, 3), (0.002, 0.004, 0), (0.5, 0.001, 500)):
        found = most_workers(own, queue)
        assert isinstance(found, int | np.integer), f"A whole number of workers is needed, not {found!r}."
        assert found != right + 1 or right == 0, "One too many: their queue would outlast a worker's own part."
        assert found == right, (
            f"own = {own}, queue = {queue}: the queue of M workers takes M times {queue}. It must "
            f"not exceed {own}; you say {found}.")
    print(RIGHT)
