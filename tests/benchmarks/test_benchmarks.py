"""The stored speed results: complete, of today's settings, as good as claimed."""
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from mxnet.gluon import nn

from benchmarks import compare, conditions, data, growth, peak, settings, store
from deepfm_tutorial import DeepFM
from deepfm_tutorial.datasets import load_coupons

OURS = settings.LIBRARIES[0]
CASES = list(product(settings.DATA, (False, True)))


def test_each_data_set_can_be_loaded_and_has_its_settings():
    assert list(data.LOADERS) == settings.DATA


def test_no_respondent_of_the_coupons_is_on_both_sides():
    log = load_coupons()
    test, train = data.split(log)
    assert sorted([*test, *train]) == list(range(len(log.labels)))
    assert not set(log.profiles[test]) & set(log.profiles[train])
    assert abs(len(test) / len(log.labels) - settings.TEST_SHARE) < 0.01


@pytest.fixture(scope="module")
def compared():
    return store.read("compare")["rows"]


def of(rows, **wanted):
    return [row for row in rows
            if all(row[key] == value for key, value in wanted.items())]


@pytest.mark.parametrize("name", ["compare", "conditions", "growth", "peak"])
def test_results_were_made_with_the_settings_that_are_there(name):
    result = store.read(name)
    now = {"command": "make bench", "model": settings.MODEL,
           "training": settings.TRAINING, "epochs": settings.EPOCHS,
           "threads": settings.THREADS, "seeds": settings.SEEDS,
           "click_rows": settings.CLICK_ROWS, "test_share": settings.TEST_SHARE,
           "split_seed": settings.SPLIT_SEED}
    assert {key: result[key] for key in now} == now
    assert result["processor"] and result["cores"] and result["date"]
    requirements = (store.RESULTS.parent / "requirements.txt").read_text()
    pinned = dict(line.split("==") for line in requirements.split() if "==" in line)
    # A build's own label, as in 2.13.0+cpu, is not part of the version asked for.
    assert {p: v.split("+")[0] for p, v in result["versions"].items()} == {
        p: pinned[p] for p in store.PACKAGES}


def test_every_library_trained_on_every_data_set_once_a_seed(compared):
    expected = set(product(settings.DATA, (False, True), settings.LIBRARIES,
                           settings.SEEDS))
    seen = [(row["data"], row["batch_norm"], row["library"], row["seed"])
            for row in compared]
    assert len(seen) == len(set(seen)) and set(seen) == expected


def test_the_fastest_libraries_trained_in_every_condition_once_a_seed():
    rows = store.read("conditions")["rows"]
    seen = [(row["condition"], row["library"], row["seed"]) for row in rows]
    assert sorted(seen) == sorted(product(conditions.CONDITIONS, conditions.LIBRARIES,
                                          settings.SEEDS))


def test_summary_against_a_count_by_hand():
    rows = [{"library": library, "rows_per_second": speed, "auc": auc,
             "peak_megabytes": 5} for library, speeds
            in zip(settings.LIBRARIES, ([60, 40, 50], [30, 40, 10], *[[1] * 3] * 4))
            for speed, auc in zip(speeds, (0.5, 0.7, 0.9))]
    ours, other = compare.summary(rows)[:2]
    assert (other["ours_over_it"], other["least"], other["most"]) == (2, 1, 5)
    assert other["rows_per_second"] == 30 and ours["ours_over_it"] == 1
    assert (other["auc"] == pytest.approx(0.7)
            and other["auc_spread"] == pytest.approx(0.4))


def missed(compared, holds):
    """The cases, data, batch norm and library, where `holds(ours, other)` is false."""
    found = set()
    for name, batch_norm in CASES:
        ours, *others = compare.summary(of(compared, data=name, batch_norm=batch_norm))
        found |= {(name, batch_norm, other["library"]) for other in others
                  if not holds(ours, other)}
    return found


def test_speed_targets_are_met(compared):
    slow = set()
    for norm, goals in settings.TARGETS.items():
        slow |= {case for case in missed(
            compared, lambda ours, other:
            other["ours_over_it"] >= goals.get(other["library"], 0)) if case[1] == norm}
    assert not slow


def test_nobody_else_learns_more_than_seeds_explain(compared):
    """Our mean AUC is at most the larger spread of the two below another library's."""
    def holds(ours, other):
        return ours["auc"] >= other["auc"] - max(ours["auc_spread"],
                                                 other["auc_spread"])
    assert not missed(compared, holds)
    assert min(row["auc"] for row in compared) > 0.58


def test_growth_holds_every_size_and_way_and_bends_as_the_book_says():
    rows = store.read("growth")["rows"]
    expected = {(n, *way) for n in growth.FEATURES for way in growth.WAYS}
    assert {(row["features"], row["library"], row["gradient"])
            for row in rows} == expected
    assert len(rows) == len(expected)
    for library in ("MXNet", "PyTorch"):
        dense, sparse = ([row["rows_per_second"] for row in of(
            rows, library=library, gradient=g)] for g in ("dense", "row-sparse"))
        # Dense gradients pay for every row of the table, row-sparse ones for a batch's.
        assert dense[-1] < dense[0] / 2
        assert sparse[-1] / sparse[0] > dense[-1] / dense[0]


def test_share_of_the_peak_is_a_share():
    rows = store.read("peak")["rows"]
    for part, whole in (("training", "product"), ("look-up", "copy")):
        assert 0.05 < peak.best(rows, part) / peak.best(rows, whole) < 1
    assert {(row["task"], row["library"]) for row in rows} == (
        set(product(peak.WORK, peak.TASKS)) | {("training", OURS)})
    assert peak.best([{"task": "t", "library": "a", "per_second": s} for s in (1, 2, 9)]
                     + [{"task": "t", "library": "b", "per_second": 4}], "t") == 4


def test_operations_by_formula_are_those_of_the_models_layers():
    model = DeepFM((5, 6, 7), **settings.MODEL)
    layers = [layer for layer in [*model.mlp.layers, model.mlp.output]
              if isinstance(layer, nn.Dense)]
    products = sum(int(np.prod(layer.weight.shape)) for layer in layers)  # m·n a layer
    assert len(layers) == 4 and settings.dense_flops(num_fields=3) == 3 * 2 * products


@pytest.mark.needs("torch")
def test_what_ran_on_a_card_is_complete_and_of_this_source(tmp_path):
    from benchmarks import on_gpu
    result = store.read("on_gpu")
    assert result["fingerprint"] == on_gpu.FINGERPRINT, "run benchmarks.on_gpu again"
    assert result["card"] and result["processor"] and result["date"]
    cases = {(table, batch, *way, turn) for table, batch, way, turn in product(
        on_gpu.TABLES, on_gpu.BATCHES, on_gpu.WAYS, range(on_gpu.TURNS))
        if (way, batch) != on_gpu.NOT_MADE}
    seen = [tuple(row[name] for name in ("table", "batch", "device", "form", "turn"))
            for row in result["rows"]]
    assert len(seen) == len(cases) and set(seen) == cases
    assert max(row["logits_unlike"] for row in result["rows"]) < 1e-5
    data.write("click log", tmp_path / "log.npz")
    assert np.load(tmp_path / "log.npz")["field_sizes"].tolist() == on_gpu.CLICK_LOG


@pytest.mark.needs("torch")
def test_a_machine_with_a_card_needs_neither_mxnet_nor_this_package():
    subprocess.run([sys.executable, "-c", "import sys; sys.modules.update("
                    "mxnet=None, deepfm_tutorial=None); import benchmarks.on_gpu"],
                   cwd=store.RESULTS.parents[1], check=True)
