"""Chapter 9's stored runs are those that its study would make."""
from itertools import product

import pandas as pd

from studies import movielens, study


def test_every_run_is_stored_once_with_the_settings_that_the_search_chose():
    runs = study.read("movielens")
    found = sorted(
        runs[["split", "variant", "model", "seed"]].itertuples(index=False, name=None))
    assert found == sorted((*case, name, seed) for case, (name, seed) in product(
        movielens.CASES, product(movielens.GRIDS, movielens.SEEDS)))
    settings = movielens.chosen(study.read("movielens_search"))
    for name, group in runs.groupby("model"):
        assert ((group[list(movielens.SETTINGS)].drop_duplicates().to_dict("records"))
                == [settings[name]])


def test_the_search_tried_every_combination_once():
    trials = study.read("movielens_search")
    found = sorted(
        trials[["model", *movielens.SETTINGS]].itertuples(index=False, name=None))
    assert found == sorted((name, *values) for name, grid in movielens.GRIDS.items()
                           for values in product(*grid))


def test_the_chosen_settings_have_the_best_validation_auc():
    trials = pd.DataFrame(
        {"model": ["LR", "LR", "FM"], "learning_rate": [1.0, 2.0, 3.0],
         "embedding_l2": 0.0, "dropout": 0.5, "validation_auc": [0.7, 0.8, 0.6]})
    assert movielens.chosen(trials) == {
        "LR": {"learning_rate": 2.0, "embedding_l2": 0.0, "dropout": 0.5},
        "FM": {"learning_rate": 3.0, "embedding_l2": 0.0, "dropout": 0.5}}
