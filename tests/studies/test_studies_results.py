"""Stored results are of the source, the data and the behaviour that are here now."""
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from studies import study

STUDIES = ("browser_onnx", "click_log", "coupons", "deepfm_claims", "embedding_cost",
           "endings", "large_tables", "latency", "movielens_tuned", "movielens",
           "penalties", "workers")


@pytest.mark.parametrize("name", sorted(p.stem for p in study.RESULTS.glob("*.csv")))
def test_a_result_is_of_this_source_these_data_and_this_package(name):
    module = next(module for module in STUDIES if name.startswith(module))
    now = import_module(f"studies.{module}").FINGERPRINT
    assert study.origin(name) == now, f"run python -m studies.{module} again"
    np.testing.assert_allclose(
        study.behaviour_then(name), study.behaviour(), atol=1e-3,
        err_msg="the encoder, a model or fit does something else now")


def test_make_studies_names_every_study():
    makefile = (Path(study.__file__).parents[1] / "Makefile").read_text("utf-8")
    assert [name for name in STUDIES if name not in makefile] == []


def test_behaviour_moves_when_dropout_is_seeded_otherwise(monkeypatch):
    before = np.array(study.behaviour())
    monkeypatch.setattr("deepfm_tutorial.training.mxnet_seed", lambda *numbers: 1)
    moved = np.abs(study.behaviour.__wrapped__() - before).reshape(2, 4)
    assert moved[:, :2].max() < 1e-6 < 1e-2 < moved[:, 2:].min()  # LR, FM; DNN, DeepFM
