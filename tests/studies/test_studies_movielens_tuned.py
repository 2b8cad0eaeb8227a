"""Chapter 9's second runs, with more to choose from, are those of the study."""
from itertools import product

import numpy as np
import pytest
from stored import check_cases, check_differences, check_runs

from studies import movielens, study
from studies import movielens_tuned as tuned


def test_each_run_is_stored_once_with_the_settings_that_the_search_chose():
    best = tuned.chosen(study.read("movielens_tuned_search"))
    check_runs(study.read("movielens_tuned"), ["kept", "model", "seed"],
               product(tuned.KEPT, tuned.GRIDS, tuned.SEEDS),
               {case: best[case[1]] for case in product(tuned.KEPT, tuned.GRIDS)},
               tuned.SETTINGS, by="kept")


def test_the_search_tried_every_combination_and_nothing_was_cut_off():
    trials = study.read("movielens_tuned_search")
    check_cases(trials.fillna(-1), ["model", "seed", *tuned.SETTINGS], [
        (name, seed, *(dict.fromkeys(tuned.SETTINGS, -1) | settings).values())
        for seed, name in product(tuned.SEARCH_SEEDS, tuned.GRIDS)
        for settings in tuned.combinations(name)])
    for runs in (trials, study.read("movielens_tuned")):
        assert runs.best_epoch.max() <= tuned.TRAINING["epochs"] - 5


def test_differences_are_of_the_stored_runs():
    check_differences("movielens_tuned", tuned.KEPT, tuned.GRIDS, by="kept")


@pytest.mark.needs("movielens")
def test_with_the_first_studys_settings_a_run_is_that_studys(monkeypatch):
    for each in (movielens, tuned):
        monkeypatch.setattr(each, "TRAINING", movielens.TRAINING | {"epochs": 2})
    data = movielens.load_movielens(progress=False)
    for name, settings in (("LR", {"learning_rate": 0.01}), (
            "FM", {"learning_rate": 0.01, "embedding_l2": 0.03})):
        (first, test, p), (second, same, q) = (
            movielens.run(data, {("random", name): settings}, "random", name, 3),
            tuned.run(data, {name: settings}, "weights", name, 3))
        assert (test == same).all() and (p == q).all()
        assert first["auc"] == second["auc"]
    for kept, penalty in (("averages", 0), ("weights", 100)):
        settings = {"learning_rate": 0.01, "embedding_l2": 0.03, "penalty": penalty}
        _, _, other = tuned.run(data, {"FM": settings}, kept, "FM", 3)
        assert np.abs(other - q).max() > 0.01
