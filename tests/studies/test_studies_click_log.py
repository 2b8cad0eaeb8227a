"""The click log's stored runs are those that its study would make."""
from itertools import product

import numpy as np
import pytest
from scipy.special import logit
from stored import check_cases

from deepfm_tutorial.datasets import make_click_log
from studies import click_log, population, study

SHAPE = ["num_factors", "depth", "dropout"]
# Table -> the columns that tell its rows apart, and their values.
ROWS = {
    "ablation": (["world", "model", "seed"],
                 [(world, model, seed) for world, seeds in click_log.SEEDS_OF.items()
                  for model in click_log.MODELS for seed in seeds]),
    "sizes": (["rows", "model", "seed"],
              product(click_log.SIZES, ("FM", "DeepFM"), click_log.FEW_SEEDS)),
    "settings": ([*SHAPE, "seed"],
                 [(*shape.values(), seed) for shape in click_log.SETTINGS
                  for seed in click_log.FEW_SEEDS]),
    "ceilings": (["model"], [(model,) for model in (
        "truth", "LR", "sum of pairs", "all but the triple", "DeepFM")]),
}


@pytest.mark.parametrize("name", ROWS)
def test_each_run_is_stored_once(name):
    check_cases(study.read(f"click_log_{name}"), *ROWS[name])


def test_the_trace_is_of_the_same_runs():
    traces = study.read("click_log_trace").groupby(["model", "seed"])
    runs = study.read("click_log_ablation").query("world == 'all effects'")
    runs = runs.set_index(["model", "seed"])
    assert set(traces.groups) == set(product(click_log.NETWORKS, click_log.SEEDS))
    for case, trace in traces:
        run, epochs = runs.loc[case], trace.set_index("epoch")
        assert epochs.validation_auc.idxmax() == run.best_epoch
        assert epochs.validation_auc.max() == run.validation_auc
        assert epochs.train_loss[1] == run.first_loss
        assert len(epochs) in (run.best_epoch + click_log.PATIENCE, 40)


def test_no_setting_is_judged_on_test_rows():
    assert not {"auc", "log_loss"} & set(study.read("click_log_settings"))


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_first_epoch_comes_out_as_it_is_stored(dropout):
    """The loss of one epoch shows start, shuffling, dropout, step and loss."""
    shape = click_log.BASE | {"dropout": dropout}
    loaded = click_log.load(train_rows=click_log.ROWS["train"] // 10)
    *_, again = click_log.train("DeepFM", loaded, 1, shape, batch_size=512, epochs=1)
    stored = study.read("click_log_settings").set_index([*SHAPE, "seed"])
    first = stored.loc[(*shape.values(), 1)].first_loss
    assert abs(again["first_loss"] - first) < 2e-5


def test_the_population_has_the_logs_logits_and_the_fit_its_gradient():
    log = make_click_log(500, 2)
    np.testing.assert_allclose(click_log.logits_of(log, population.truth()),
                               logit(log.probabilities))
    pairs = [("hour", "topic"), ("device", "campaign"), ("topic", "campaign")]
    fit = population.Fit([(), ("weekday",), ("campaign",), *pairs])
    rng = np.random.default_rng(0)
    numbers = fit.numbers(population.truth((1, 2)))
    direction = rng.normal(size=len(numbers))
    ahead, behind = (fit(numbers + e * direction)[0] for e in (1e-4, -1e-4))
    slope = fit(numbers)[1] @ direction
    assert abs((ahead - behind) / 2e-4 - slope) < 1e-6 * abs(slope) + 1e-8
