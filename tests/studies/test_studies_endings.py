"""Chapter 10's ways to end a training: complete, and made again, two by `fit`."""
from itertools import product

import pytest
from stored import check_cases

from deepfm_tutorial import FM, evaluate, fit
from studies import endings, penalties
from studies.study import read

CASE = "coupons", 0, "FM", FM.usual_penalty


def test_each_way_is_stored_once_a_case():
    check_cases(read("endings"), ["data", "seed", "model", "strength", "way"],
                [(name, seed, kind, strength, way) for name, seed, kind, way in product(
                    endings.SETS, endings.SEEDS, endings.MODELS,
                    endings.FIRST + endings.SECOND)
                 for strength in (0, endings.MODELS[kind].usual_penalty)])


@pytest.mark.parametrize("way, averaging", [("AUC", 0.0), ("averaged", endings.SHARE)])
def test_fit_ends_as_the_study_says(way, averaging):
    rows = read("endings").set_index(["data", "seed", "model", "strength", "way"])
    stored = rows.loc[(*CASE, way)]
    encoder, (train, validation, test) = penalties.load(*CASE[:2])
    model = FM(encoder.field_sizes)
    history = fit(model, train, validation, epochs=endings.MOST, table_l2=None,
                  averaging=averaging, progress=False)
    assert history.best_epoch == stored.best_epoch
    assert abs(evaluate(model, test).auc - stored.auc) < 0.002


@pytest.mark.parametrize("ways", [("log loss",), endings.SECOND])
def test_the_other_two_ways_come_out_as_they_are_stored(ways):
    rows = read("endings").set_index(["data", "seed", "model", "strength", "way"])
    case = "coupons", 2, "FM", 0  # `fit` keeps another epoch there
    [again] = endings.train(*case, ways)
    stored, of_fit = rows.loc[(*case, again["way"])], rows.loc[(*case, "AUC")]
    assert again["best_epoch"] == stored.best_epoch != of_fit.best_epoch
    assert abs(again["auc"] - stored.auc) < 0.002
