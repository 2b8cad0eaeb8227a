"""The monitors, against hands, SciPy, and what they say when nothing has happened."""
import hashlib
import math

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import binomtest, chi2_contingency, norm

from deepfm_tutorial import FieldEncoder
from deepfm_tutorial.datasets import make_click_log
from deepfm_tutorial.datasets.click_log import (
    CATEGORIES,
    CHANGES,
    NEW_CAMPAIGNS,
    frequencies,
    planted_effects,
)
from deepfm_tutorial.serving import (
    Slice,
    calibration,
    drift,
    score_drift,
    unseen_share,
    z_scores_since,
)


def test_calibration_by_hand():
    found = calibration([1, 0, 1, 1], [0.5, 0.2, 0.5, 0.8], ["b", "a", "b", "b"])
    assert list(found) == ["a", "b"] and [of.rows for of in found.values()] == [1, 3]
    np.testing.assert_allclose(found["a"][1:], [0.2, 0, 0.16**0.5])
    np.testing.assert_allclose(found["b"][1:], [0.6, 1, (0.25 + 0.25 + 0.16)**0.5 / 3])
    np.testing.assert_allclose(found["b"].z_score, (3 - 1.8) / 0.66**0.5)
    np.testing.assert_allclose(found["a"].z_score, -0.2 / 0.4)


def test_a_z_score_says_what_the_binomial_test_says():
    y = np.arange(10_000) < 3130
    found = calibration(y, np.full(10_000, 0.3), np.zeros(10_000))[0]
    assert abs(2 * norm.sf(found.z_score) / binomtest(3130, 10_000,
                                                      0.3).pvalue - 1) < 0.05


def test_a_z_score_since_subtracts_the_gap_that_was_there():
    then, now = Slice(100, 0.2, 0.25, 0.03), Slice(400, 0.3, 0.43, 0.04)
    np.testing.assert_allclose(now.z_score_since(then), (0.13 - 0.05) / 0.05)
    assert then.z_score_since(then) == 0
    sure = Slice(10, 0, 0, 0)
    assert sure.z_score_since(sure) == 0
    assert Slice(10, 0, 0.1, 0).z_score_since(sure) == np.inf


def test_a_slice_that_is_new_is_held_against_the_model_alone():
    then = calibration([1, 0, 1], [0.5, 0.5, 0.2], ["phone", "phone", "tv"])
    now = calibration([1, 1, 1], [0.5, 0.5, 0.2], ["phone", "phone", "watch"])
    assert z_scores_since(then, now) == {
        "phone": now["phone"].z_score_since(then["phone"]),
        "watch": now["watch"].z_score}


def test_unseen_share_counts_each_fields_first_id_and_leaves_out_what_has_none():
    columns = {"topic": ["news", "games"], "age": [1.0, 2.0], "user": ["a", "b"]}
    encoder = FieldEncoder(continuous=["age"], hashed={"user": 4}).fit(columns)
    ids = encoder.transform({"topic": ["film", "news", "games", "film"],
                             "age": [1.0] * 4, "user": list("wxyz")})
    assert unseen_share(encoder, ids) == {"topic": 0.5}


def samples(*counts):
    """An encoder of categories 0, 1, …, and ids, so many rows of each; last, unseen."""
    known = len(counts[0]) - 1
    encoder = FieldEncoder().fit({"first": np.zeros(known, int),
                                  "field": np.arange(known)})
    codes = [np.repeat(np.arange(known + 1), n) for n in counts]
    return encoder, *(encoder.transform({"first": 0 * c, "field": c}) for c in codes)


def test_drift_is_pearsons_test_of_the_known_categories():
    encoder, then, now = samples([50, 30, 20, 0, 9], [10, 30, 0, 0, 70])
    found = drift(encoder, then, now)
    test = chi2_contingency([[50, 30, 20], [10, 30, 0]], correction=False)
    noise = 1 / 100 + 1 / 40
    np.testing.assert_allclose(found["field"][:2], [test.statistic * noise, 2 * noise])
    np.testing.assert_allclose(np.log(found["field"].p_value), np.log(test.pvalue),
                               rtol=0.01)
    assert found["first"] == (0, 0, 1)  # a single category


def test_of_two_categories_the_p_value_has_no_correction_and_no_smallest_value():
    encoder, then, now = samples([90, 10, 0], [10, 90, 0])
    chi2 = 200 * (90 * 90 - 10 * 10) ** 2 / 100 ** 4  # by hand, of a table of two rows
    np.testing.assert_allclose(drift(encoder, then, now)["field"],
                               [chi2 / 50, 1 / 50, math.erfc((chi2 / 2) ** 0.5)])


def test_what_fills_a_set_up_and_what_is_missing_do_not_count_as_unseen():
    encoder = FieldEncoder(missing=["day"]).fit(
        {"tags": [["a"], ["b", "a"]], "day": ["Mon", None]})
    ids, _, x, *_ = encoder.encode({"tags": [["a", "new"], [], ["b"]],
                                    "day": [None, "Sun", "Mon"]})
    assert unseen_share(encoder, ids, x) == pytest.approx({"tags": 1/3, "day": 1/3})
    assert list(drift(encoder, ids, ids, x, x)) == ["day"]  # a set's values depend


def test_drift_is_near_the_population_stability_index_for_small_changes():
    encoder, then, now = samples([500, 300, 200, 0], [480, 310, 210, 0])
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.48, 0.31, 0.21])
    psi = ((p - q) * np.log(p / q)).sum()
    assert abs(drift(encoder, then, now)["field"].distance / psi - 1) < 0.01


def test_drift_by_chance_is_what_it_says():
    encoder, *_ = samples([1] * 40 + [0])
    rng, share = np.random.default_rng(0), np.arange(1, 41) / 820
    then, now = (np.stack([np.full((200, n), 1), 3 + rng.choice(40, (200, n), p=share)],
                          2) for n in (3000, 1000))
    found = [drift(encoder, *both)["field"] for both in zip(then, now)]
    assert (encoder.field_offsets == (0, 2)
            and found[0].by_chance == 39 * (1 / 3000 + 1 / 1000))
    assert abs(np.mean([of.distance for of in found]) / found[0].by_chance - 1) < 0.05
    assert abs(np.mean([of.p_value < 0.2 for of in found]) - 0.2) < 0.1


def test_rare_categories_do_not_ring_too_often_nor_hide_a_large_change():
    encoder, *_ = samples([1] * 400 + [0])
    rng, share = np.random.default_rng(0), 1 / np.arange(1, 401)
    share /= share.sum()
    then, now = ([np.stack([np.full(n, 1), 3 + rng.choice(400, n, p=share)], 1)
                  for _ in range(600)] for n in (20_000, 200))
    found = [drift(encoder, *both)["field"] for both in zip(then, now)]
    assert abs(np.mean([of.p_value < 0.05 for of in found]) - 0.05) < 0.025
    assert found[0].by_chance == pytest.approx(399 * (1 / 20_000 + 1 / 200))
    moved = now[0].copy()
    moved[:60, 1] = 390  # sixty rows of a category that hardly came
    assert drift(encoder, then[0], moved)["field"].p_value < 1e-20


def test_without_a_known_category_a_field_shows_no_drift():
    encoder, then, now = samples([2, 1, 0], [0, 0, 3])
    assert drift(encoder, then, now)["field"] == (0, 0, 1)
    assert unseen_share(encoder, now)["field"] == 1


def test_score_drift_is_pearsons_test_of_equal_bins_and_knows_chance():
    then = np.arange(100) / 100
    found = score_drift(then, [0.05] * 30 + [0.95] * 10, bins=4)
    test = chi2_contingency([[25] * 4, [30, 0, 0, 10]], correction=False)
    np.testing.assert_allclose(
        found, [test.statistic * (1 / 100 + 1 / 40), 3 * (1 / 100 + 1 / 40),
                test.pvalue], rtol=0.05)
    rng = np.random.default_rng(0)
    quiet = [score_drift(rng.beta(2, 8, 3000), rng.beta(2, 8, 1000))
             for _ in range(400)]
    assert abs(np.mean([of.p_value < 0.1 for of in quiet]) - 0.1) < 0.04
    assert score_drift([0.5] * 20, [0.5] * 9) == (0, 0, 1)  # a single bin


def test_drift_handles_hashed_fields_and_leaves_out_continuous_ones():
    encoder = FieldEncoder(continuous=["age"], hashed={"user": 4}).fit(
        {"age": [1.0], "user": ["a"]})
    a, b = (encoder.transform({"age": [1.0] * 50,
                               "user": [f"{kind}{i % 9}" for i in range(50)]})
            for kind in "ab")
    assert (list(drift(encoder, a, b)) == ["user"]
            and drift(encoder, a, a)["user"].distance == 0)
    assert drift(encoder, a, b)["user"].distance > 0


@pytest.mark.parametrize("call, message", [
    (lambda: calibration([0, 1], [0.5, 1.1], [0, 0]),
     r"probabilities\[1\] = 1.1: \[0, 1\] is allowed"),
    (lambda: calibration([0, 1], [0.5, np.nan], [0, 0]), r"probabilities\[1\] = nan"),
    (lambda: calibration([0, 2], [0.5, 0.5], [0, 0]), r"labels\[1\] = 2"),
    (lambda: calibration([0, 1], [0.5, 0.5], [0]),
     r"slices have shape \(1,\), probabilities \(2,\)"),
    (lambda: calibration([], [], []), "N at least 1"),
    (lambda: score_drift([0.5, 2], [0.5]), r"reference\[1\] = 2.0"),
    (lambda: score_drift([0.5], [np.nan]), r"probabilities\[0\] = nan"),
    (lambda: score_drift([0.5], [0.5], bins=1), "bins = 1"),
    (lambda: unseen_share(samples([1, 0])[0], [[0, 9]]), r"ids\[0, 1\] = 9"),
    (lambda: make_click_log(5, 0, change="weather"),
     "change = 'weather': None or one of"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_without_a_change_the_log_is_what_it_always_was():
    log = make_click_log(5000, seed=7)
    text = ("".join("".join(column) for column in log.columns.values())
            + "".join(f"{y:g}" for y in log.labels))
    assert (hashlib.sha256(text.encode()).hexdigest()
            == "25af31ba88560eaedbdf1a17aa4aebecb3a10fa8cbcefc006f9c5f7b821b6369")


def test_each_change_changes_its_own_part_of_the_world_alone():
    for change in CHANGES:
        shares = {name for name, p in frequencies(change).items()
                  if not np.array_equal(p, frequencies()[name])}
        assert shares == {"phones": {"device"}, "campaigns": {"campaign"}}.get(
            change, set())
        effects = {fields for fields, table in planted_effects(change).items()
                   if not np.array_equal(table[..., :400], planted_effects()[fields])}
        assert effects == {"positions": {("position",)},
                           "habits": {("hour", "device", "segment")}}.get(change, set())
        assert all(abs(p.sum() - 1) < 1e-12 for p in frequencies(change).values())


def test_the_changed_rows_are_those_that_the_words_say():
    log = {change: make_click_log(20_000, 3, change=change)
           for change in (None, *CHANGES)}
    z = {change: logit(of.probabilities) for change, of in log.items()}
    assert abs((log["phones"].columns["device"] == "phone").mean() - 0.8) < 0.02
    assert abs(np.isin(log["campaigns"].columns["campaign"],
                       NEW_CAMPAIGNS).mean() - 0.25) < 0.02
    assert not set(NEW_CAMPAIGNS) & set(CATEGORIES["campaign"])
    steps = {"top": -1.0, "middle": 0.0, "bottom": 1.0}
    np.testing.assert_allclose(z["positions"] - z[None],
                               [steps[at] for at in log[None].columns["position"]],
                               atol=1e-9)
    np.testing.assert_allclose(np.abs(z["habits"] - z[None]), 1.6)
