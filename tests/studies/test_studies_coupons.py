"""The coupon chapter's stored runs are those that its study would make."""
from itertools import product

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import log_loss, roc_auc_score
from stored import check_differences, check_runs

from deepfm_tutorial.datasets import load_coupons
from studies import comparison, coupons, study

# Table -> its runs: split, model, reading, columns, seed, and start where it has many.
RUNS = {
    "coupons": product(coupons.SPLITS, coupons.GRIDS, ["categories"], ["all"],
                       coupons.SEEDS),
    "coupons_numbers": product(["profile"], ["LR", "DeepFM"], coupons.READINGS, ["all"],
                               coupons.FEW_SEEDS),
    "coupons_columns": [("profile", model, "categories", choice, seed) for
                        (model, choice), seed in product(coupons.CHOICES,
                                                         coupons.FEW_SEEDS)],
    "coupons_starts": product(["profile"], coupons.GRIDS, ["categories"], ["all"],
                              coupons.STARTED, coupons.STARTS),
}


@pytest.fixture(scope="module")
def data():
    return load_coupons()


@pytest.mark.parametrize("name", RUNS)
def test_each_run_is_stored_once_with_the_settings_that_the_search_chose(name):
    check_runs(study.read(name),
               ["split", "model", "reading", "columns", "seed", "start"],
               RUNS[name], coupons.chosen(study.read("coupons_search")),
               coupons.SETTINGS)


def test_a_run_comes_out_as_it_is_stored(data):
    best = coupons.chosen(study.read("coupons_search"))
    again, _, _ = coupons.run(data, best, "profile", "LR", 0)
    stored = study.read("coupons").set_index(["split", "model", "seed"]).loc[
        "profile", "LR", 0]
    for measure in comparison.MEASURES:
        assert abs(again[measure] - stored[measure]) < 0.002


def test_differences_are_of_the_stored_runs():
    check_differences("coupons", coupons.SPLITS, coupons.GRIDS)


def test_reliability_and_calibration_are_of_the_same_rows():
    all_models = study.read("coupons_reliability")
    all_models = all_models.set_index(["split", "model", "group"])
    by_seed = study.read("coupons_calibration")
    for coupon, rows in by_seed.groupby("coupon"):
        stored = all_models.loc["profile", "DeepFM", coupon]
        for name in ("predicted", "answered"):
            assert abs(np.average(rows[name], weights=rows.rows) - stored[name]) < 1e-5


def test_every_category_of_an_ordered_column_has_a_number(data):
    for name, meaning in coupons.ORDERED.items():
        assert set(data.columns[name].tolist()) - {None} == set(meaning)


def test_visits_cross_the_coupon_with_the_habit_of_its_kind(data):
    visits = coupons.choose(data.columns, "visits")["visits"]
    assert data.columns["coupon"][0] == "Restaurant(<20)"
    assert visits[0] == f"Restaurant(<20): {data.columns['RestaurantLessThan20'][0]}"
    assert set(coupons.choose(data.columns, "drive, coupon")) == {
        "destination", "passanger", "weather", "temperature", "time", "coupon",
        "expiration", "toCoupon_GEQ15min", "toCoupon_GEQ25min", "direction_same"}


def test_measures_by_scikit_learn_and_weights_by_repeated_rows():
    rng = np.random.default_rng(0)
    labels, p = rng.integers(2, size=60), rng.integers(1, 9, size=60) / 9  # with ties
    groups = np.arange(60) % 5
    found = comparison.judge(labels, p, groups)
    own = [roc_auc_score(labels[groups == i], p[groups == i]) for i in range(5)]
    np.testing.assert_allclose(list(found.values()), [
        roc_auc_score(labels, p), log_loss(labels, p), np.mean(own)])
    weights = np.array([[1, 1, 1, 1, 1], [2, 0, 1, 0, 2]])
    twice = np.repeat(np.arange(60), weights[1][groups])
    again = comparison.judge(labels, p, groups, weights)
    np.testing.assert_allclose([again[m] for m in comparison.MEASURES], np.transpose([
        list(found.values()), [roc_auc_score(labels[twice], p[twice]),
                               log_loss(labels[twice], p[twice]),
                               np.average(own, weights=weights[1])]]))


def test_holm_by_hand():
    np.testing.assert_allclose(comparison.holm([0.04, 0.01, 0.03]), [0.06, 0.03, 0.06])


def test_the_t_interval_without_overlap_is_the_usual_one():
    d = np.array([0.1, 0.3, 0.2, 0.5])
    found, usual = comparison.corrected_t(d, 0), stats.ttest_1samp(d, 0)
    np.testing.assert_allclose((found["low"], found["high"], found["p"]),
                               (*usual.confidence_interval(), usual.pvalue))


def test_an_overlap_widens_the_interval_as_nadeau_and_bengio_say():
    d = np.array([0.1, 0.3, 0.2, 0.5])
    wide, usual = comparison.corrected_t(d, 1 / 8), comparison.corrected_t(d, 0)
    half = [found["high"] - found["mean"] for found in (wide, usual)]
    assert abs(half[0] / half[1] - 1.5 ** 0.5) < 1e-12  # (1/4 + 1/8) / (1/4) = 1.5
    assert wide["p"] > usual["p"]
