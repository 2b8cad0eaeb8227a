"""The stored runs: complete, and what the study's code still gives."""
from itertools import product

import pytest

from studies import click_log
from studies.study import read


def keys(runs, *names):
    return sorted(runs[list(names)].itertuples(index=False, name=None))


def test_each_run_of_the_click_log_is_stored_once():
    seeds, models = click_log.SEEDS, click_log.LEARNING_RATE
    assert keys(read("click_log_ablation"), "world", "model", "seed") == sorted(
        product(click_log.WORLDS, models, seeds))
    assert keys(read("click_log_patience"), "model", "seed") == sorted(
        product(["DeepFM"], seeds))
    assert keys(read("click_log_sizes"), "rows", "model") == sorted(
        product((50_000, 200_000, 800_000), ("DeepFM", "FM")))
    assert keys(read("click_log_grid"), "num_factors", "depth", "dropout",
                "seed") == sorted(product((2, 16), (1, 3), (0.0, 0.2, 0.5), seeds[:2]))


@pytest.mark.parametrize("world, model",
                         [("first order only", "LR"), ("no triple", "LR")])
def test_the_studys_code_still_gives_what_is_stored(world, model):
    loaded = click_log.load(click_log.WORLDS[world])
    again = click_log.train(model, loaded, seed=1)
    stored = read("click_log_ablation").query(
        "world == @world and model == @model and seed == 1").iloc[0]
    assert abs(again["auc"] - stored.auc) < 0.002
    assert abs(again["log_loss"] - stored.log_loss) < 0.002
