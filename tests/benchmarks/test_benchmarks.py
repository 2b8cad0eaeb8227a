"""The stored speed results: complete, of today's settings, as good as claimed."""
import subprocess
import sys
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from mxnet.gluon import nn

from benchmarks import (
    compare,
    conditions,
    data,
    growth,
    operators,
    own_best,
    peak,
    settings,
    store,
)
from deepfm_tutorial import DeepFM
from deepfm_tutorial.datasets import load_coupons

OURS = settings.LIBRARIES[0]
CASES = list(product(settings.DATA, (False, True)))


def test_each_data_set_can_be_loaded_and_has_its_settings():
    assert list(data.LOADERS) == settings.DATA


def test_no_respondent_of_the_coupons_is_on_both_sides():
    log = load_coupons()
    test, train = data.split(log).values()
    assert sorted([*test, *train]) == list(range(len(log.labels)))
    assert not set(log.profiles[test]) & set(log.profiles[train])
    assert abs(len(test) / len(log.labels) - settings.TEST_SHARE) < 0.01


@pytest.fixture(scope="module")
def compared():
    return store.read("compare")["rows"]


def of(rows, **wanted):
    return [row for row in rows
            if all(row[key] == value for key, value in wanted.items())]


@pytest.mark.parametrize("name", ["compare", "conditions", "growth", "operators",
                                  "own_best", "peak"])
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


def test_groups_of_operators_and_the_work_that_they_need():
    names = ("_backward_FullyConnected", "_linalg_gemm2", "Dropout", "_maximum_scalar",
             "_backward_BatchNorm", "adam_update", "_backward_take")
    assert [operators.group_of(name) for name in names] == [
        "dense layers", "dense layers", "dropout", "ReLU", "batch norm", "Adam",
        "the rest"]
    needed = operators.work(rows=50, num_fields=10, num_parameters=7, batch_norm=True)
    hidden = 4 * 50 * 1200  # bytes of what the hidden layers put out
    assert {group: size for group, (_, size) in needed.items() if size} == {
        "dropout": 6 * hidden, "ReLU": 5 * hidden, "batch norm": 8 * hidden,
        "Adam": 7 * 4 * 7}
    assert needed["dense layers"] == (50 * settings.dense_flops(10), 0)


def test_a_step_is_taken_apart_in_each_turn_and_little_of_it_is_missing():
    rows = store.read("operators")["rows"]
    cases = set(product(range(operators.TURNS), (False, True), operators.GROUPS))
    assert {(row["turn"], row["batch_norm"], row["group"]) for row in rows} == cases
    assert len(rows) == len(cases)
    steps, fields = 18, 10  # of 70,000 rows of MovieLens in batches of 4,096
    for row in rows:
        needed = operators.work(70_000 / steps, fields, 0, row["batch_norm"])
        if row["group"] != "Adam":
            assert (row["operations"], row["bytes"]) == pytest.approx(
                needed[row["group"]], rel=1e-5)
    for batch_norm in (False, True):
        of_turn = [of(rows, turn=turn, batch_norm=batch_norm)
                   for turn in range(operators.TURNS)]
        shares = [sum(row["milliseconds"] for row in turn) / turn[0]["by_clock"]
                  for turn in of_turn]
        assert 0.8 < np.median(shares) < 1.2  # the clock ran in another training


def test_notes_know_the_best_epoch_and_when_it_is_enough():
    labels = np.array([0, 0, 1, 1])
    notes = own_best.Notes({"validation_labels": labels, "test_labels": labels}, most=9)
    right, half = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.1, 0.8, 0.2, 0.9])
    scores = iter([half, right, right, half, half])  # the third is no better
    enough = []
    while not notes.is_enough():
        now = next(scores)
        notes.judge(lambda part: now if part == "validation" else half)
        enough.append(notes.is_enough())
    assert enough == [False, False, False, False, True]
    assert [epoch["validation_auc"] for epoch in notes.epochs] == [.75, 1, 1, .75, .75]
    assert (notes.best["best_epoch"], notes.best["auc"]) == (2, 0.75)
    assert notes.best["log_loss"] == pytest.approx(-np.log([.9, .2, .2, .9]).mean())
    notes.most = 2
    assert notes.is_enough()


def test_the_clock_of_a_training_stands_still_in_a_pause(monkeypatch):
    times = iter([10, 11, 15, 18])
    monkeypatch.setattr(own_best, "time", SimpleNamespace(
        perf_counter=lambda: next(times)))
    notes = own_best.Notes({}, most=1)
    with notes.training(), notes.pause():
        assert notes.seconds == 1
    assert notes.seconds == 1 + 3


def test_every_library_was_trained_to_its_own_best_epoch_once_a_seed():
    result = store.read("own_best")
    assert result["fingerprint"] == own_best.FINGERPRINT, "run benchmarks.own_best"
    assert result["own_best"] == settings.BEST
    rows = result["rows"]
    cases = set(product(settings.DATA, own_best.WAYS, settings.BEST["seeds"]))
    assert {(row["data"], row["library"], row["seed"]) for row in rows} == cases
    assert len(rows) == len(cases)
    for row in rows:
        found = row["validation_auc"]
        assert max(found) == pytest.approx(found[row["best_epoch"] - 1], abs=1e-4)
        assert len(found) == len(row["seconds"]) < settings.BEST["most epochs"]
        assert (np.diff(row["seconds"]) > 0).all()


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
