"""Chapter 10's runs of two penalties: complete, and one of them made again."""
from itertools import product

from stored import check_cases

from deepfm_tutorial import FM, DeepFM
from studies import penalties
from studies.study import read


def test_each_case_is_stored_once_and_the_usual_strengths_are_among_them():
    check_cases(read("penalties"), ["data", "seed", "model", "penalty", "strength"],
                [(name, seed, *case) for name, seed, case in product(
                    penalties.SETS, penalties.SEEDS, penalties.GRID)])
    for model in (FM, DeepFM):
        assert model.usual_penalty in penalties.STRENGTHS[model.__name__]


def test_a_run_comes_out_as_it_is_stored():
    stored = read("penalties").set_index(["data", "seed", "model", "penalty",
                                          "strength"])
    for penalty in (penalties.WHOLE, penalties.BY_ROWS):
        case = "coupons", 0, "FM", penalty, 5
        again = penalties.run(*case)
        assert abs(again["auc"] - stored.auc[case]) < 0.002
        assert again["best_epoch"] == stored.best_epoch[case]
