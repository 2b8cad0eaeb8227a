"""The click log: its formula by hand, its frequencies, a triple without shadow."""
from math import cos, pi, sin

import numpy as np
import pytest
from samples import check_dataset
from scipy.special import logit

from deepfm_tutorial.datasets import make_click_log
from deepfm_tutorial.datasets.click_log import CATEGORIES, frequencies, planted_effects


def test_a_rows_logit_is_the_formulas():
    log = make_click_log(1, seed=0)
    assert {name: column[0] for name, column in log.columns.items()} == {
        "weekday": "Fri", "hour": "07", "device": "phone", "position": "top",
        "section": "search", "topic": "film", "segment": "parent", "campaign": "c068"}
    first = -2.4 + 0.3 + 0.5 + 0.5 + 0.5 * sin(3 * 68)
    pairs = (1.2 * cos(2 * pi * (7 - 21) / 24) - 0.8 * 0.4 - 0.6 * 0.7 * 1.5
             + 0.8 * cos(pi - 68))
    triple = 0.8 * 1 * 1 * -1  # before noon, on the phone, at home
    np.testing.assert_allclose(logit(log.probabilities[0]), first + pairs + triple)


def test_orders_choose_effects_and_leave_the_rows_alone():
    whole, pairs, first = (make_click_log(2000, 3, orders)
                           for orders in ((1, 2, 3), (1, 2), (1,)))
    for name in CATEGORIES:
        np.testing.assert_array_equal(whole.columns[name], first.columns[name])
    triple = logit(whole.probabilities) - logit(pairs.probabilities)
    np.testing.assert_allclose(np.abs(triple), 0.8)
    assert np.abs(logit(pairs.probabilities) - logit(first.probabilities)).max() > 1


def test_clicks_follow_the_probabilities_and_categories_their_frequencies():
    log = make_click_log(200_000, seed=1)
    p = log.probabilities
    for low, high in ((0, 0.05), (0.05, 0.2), (0.2, 0.5), (0.5, 1)):
        part = (p >= low) & (p < high)
        deviation = np.sqrt((p[part] * (1 - p[part])).sum()) / part.sum()
        assert abs(log.labels[part].mean() - p[part].mean()) < 4 * deviation
    for name, share in frequencies().items():
        seen = [(log.columns[name] == category).mean() for category in CATEGORIES[name]]
        np.testing.assert_allclose(seen, share, atol=4 * np.sqrt(0.25 / 200_000))
    assert 0.05 < log.labels.mean() < 0.30


def test_the_triple_shows_in_no_field_and_no_pair():
    table = planted_effects()["hour", "device", "segment"]
    for axis, name in enumerate(("hour", "device", "segment")):
        np.testing.assert_allclose(np.tensordot(table, frequencies()[name], (axis, 0)),
                                   0, atol=1e-12)


def test_seeds_repeat_and_differ():
    one, again, other = (make_click_log(1000, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.labels, again.labels)
    np.testing.assert_array_equal(one.columns["campaign"], again.columns["campaign"])
    assert (one.columns["campaign"] != other.columns["campaign"]).any()


@pytest.mark.parametrize("arguments, message", [
    ({"num_rows": 0, "seed": 0}, "num_rows = 0: at least 1"),
    ({"num_rows": 5, "seed": -1}, "seed = -1: at least 0"),
    ({"num_rows": 5, "seed": 0, "orders": (1, 4)},
     r"orders = \(1, 4\): \[4\] is not among 1, 2 and 3"),
])
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_click_log(**arguments)


def test_it_is_a_data_set():
    check_dataset(make_click_log(100, seed=0))
