"""Chapter 9's stored runs are those that its study would make."""
from itertools import product

import numpy as np
import pandas as pd
import pytest
from stored import check_cases, check_differences, check_runs

from studies import movielens, study

FIRST = movielens.FORMS[0]
# Table -> its runs: split, model, genres, trained_on, seed, start where it has many.
RUNS = {
    "movielens": [(how, name, FIRST, "80 %", seed) for how, name, seed in product(
        movielens.SPLITS, movielens.GRIDS, movielens.SEEDS)],
    "movielens_genres": [("random", name, form, "80 %", seed) for name, form, seed in
                         product(movielens.GRIDS, movielens.FORMS[1:],
                                 movielens.FEW_SEEDS)],
    "movielens_more": [("random", name, FIRST, "80 %", seed, start) for
                       name, seed, start in product(movielens.GRIDS, movielens.STARTED,
                                                    movielens.STARTS)]
    + [("time", name, FIRST, "90 %", seed, seed) for name, seed in product(
        movielens.GRIDS, movielens.SEEDS)],
}


@pytest.mark.parametrize("name", RUNS)
def test_each_run_is_stored_once_with_the_settings_that_the_search_chose(name):
    check_runs(study.read(name),
               ["split", "model", "genres", "trained_on", "seed", "start"],
               RUNS[name], movielens.chosen(study.read("movielens_search")),
               movielens.SETTINGS)


def test_the_search_tried_every_combination_on_either_split():
    trials = study.read("movielens_search")
    wanted = [(how, name, seed, *({**dict.fromkeys(movielens.SETTINGS, -1),
                                   **dict(zip(grid, values))}).values())
              for how, seed, (name, grid) in product(
                  movielens.SPLITS, movielens.SEARCH_SEEDS, movielens.GRIDS.items())
              for values in product(*grid.values())]
    check_cases(trials.fillna(-1), ["split", "model", "seed", *movielens.SETTINGS],
                wanted)


def test_a_model_trained_on_more_rows_has_the_epochs_of_its_twin():
    key, runs = ["model", "seed"], study.read("movielens")
    by_time = runs[runs["split"] == "time"].set_index(key).best_epoch
    more = study.read("movielens_more")
    longer = more[more.trained_on == "90 %"].set_index(key).best_epoch
    assert by_time.sort_index().equals(longer.sort_index())


def test_differences_are_of_the_stored_runs():
    found = check_differences("movielens", movielens.SPLITS, movielens.GRIDS)
    by_time = found[found["split"] == "time"]
    half = 2.093 * by_time.sd / np.sqrt(20)             # the usual t interval, 19 df
    np.testing.assert_allclose(by_time.high - by_time["mean"], half, atol=2e-6)


def test_the_chosen_settings_have_the_best_mean_validation_auc():
    trials = pd.DataFrame(
        {"split": "random", "model": ["LR", "LR", "LR", "FM"],
         "learning_rate": [1.0, 2.0, 2.0, 3.0], "embedding_l2": [np.nan] * 3 + [0.5],
         "dropout": np.nan, "validation_auc": [0.7, 0.8, 0.5, 0.6]})
    assert movielens.chosen(trials) == {
        ("random", "LR"): {"learning_rate": 1.0},
        ("random", "FM"): {"learning_rate": 3.0, "embedding_l2": 0.5}}
