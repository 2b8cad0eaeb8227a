"""The coupon chapter's stored runs are those that its study would make."""
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import log_loss, roc_auc_score

from deepfm_tutorial.datasets import load_coupons
from studies import coupons, study


@pytest.mark.parametrize("name", ["coupons", "coupons_search", "coupons_differences",
                                  "coupons_calibration", "coupons_numbers"])
def test_results_are_of_this_source_and_these_data(name):
    assert study.origin(name) == coupons.FINGERPRINT, "run studies.coupons again"


def test_every_run_is_stored_once_with_the_settings_that_the_search_chose():
    best = coupons.chosen(study.read("coupons_search"))
    for name, cases in (
            ("coupons", product(coupons.SPLITS, coupons.GRIDS, coupons.SEEDS,
                                ["categories"])),
            ("coupons_numbers", product(["profile"], ["LR", "DeepFM"],
                                        coupons.NUMBER_SEEDS, coupons.READINGS))):
        runs = study.read(name)
        key = runs[["split", "model", "seed", "reading"]]
        assert sorted(key.itertuples(index=False, name=None)) == sorted(cases)
        for model, group in runs.groupby("model"):
            settings, = (
                group[list(coupons.SETTINGS)].drop_duplicates().to_dict("records"))
            assert {k: v for k, v in settings.items() if pd.notna(v)} == best[model]


def test_a_run_comes_out_as_it_is_stored():
    best = coupons.chosen(study.read("coupons_search"))
    again, _, _ = coupons.run(load_coupons(), "profile", "LR", 0, best["LR"])
    runs = study.read("coupons")
    stored, = runs[(runs["split"] == "profile") & (runs.model == "LR")
                   & (runs.seed == 0)].to_dict("records")
    for measure in coupons.MEASURES:
        assert abs(again[measure] - stored[measure]) < 0.002


def test_measures_by_scikit_learn_and_weights_by_repeated_rows():
    rng = np.random.default_rng(0)
    labels, p = rng.integers(2, size=60), rng.integers(1, 9, size=60) / 9  # with ties
    profiles = np.arange(60) % 5
    found = coupons.judge(labels, p, profiles)
    own = [roc_auc_score(labels[profiles == i], p[profiles == i]) for i in range(5)]
    np.testing.assert_allclose(list(found.values()), [
        roc_auc_score(labels, p), log_loss(labels, p), np.mean(own)])
    weights = np.array([[1, 1, 1, 1, 1], [2, 0, 1, 0, 2]])
    twice = np.repeat(np.arange(60), weights[1][profiles])
    again = coupons.judge(labels, p, profiles, weights)
    np.testing.assert_allclose([again[m] for m in coupons.MEASURES], np.transpose([
        list(found.values()), [roc_auc_score(labels[twice], p[twice]),
                               log_loss(labels[twice], p[twice]),
                               np.average(own, weights=weights[1])]]))


def test_holm_by_hand():
    np.testing.assert_allclose(coupons.holm([0.04, 0.01, 0.03]), [0.06, 0.03, 0.06])


def test_the_t_interval_without_overlap_is_the_usual_one():
    d = np.array([0.1, 0.3, 0.2, 0.5])
    found, usual = coupons.corrected_t(d, 0), stats.ttest_1samp(d, 0)
    np.testing.assert_allclose((found["low"], found["high"], found["p"]),
                               (*usual.confidence_interval(), usual.pvalue))


def test_differences_are_of_the_stored_runs():
    runs, stored = study.read("coupons"), study.read("coupons_differences")
    pairs = list(combinations(coupons.GRIDS, 2))
    assert len(stored) == len(coupons.MEASURES) * len(coupons.SPLITS) * len(pairs)
    for row in stored.itertuples():
        means = runs[runs["split"] == row.split].groupby("model")[row.measure].mean()
        assert abs(means[row.model] - means[row.other] - row.mean) < 1e-5
        assert row.low <= row.mean <= row.high
