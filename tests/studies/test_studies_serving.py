"""The stored runs of chapter 13: complete, with the studies' settings, as claimed."""
from itertools import product

import numpy as np
from stored import check_cases

from deepfm_tutorial import FieldEncoder, serving
from deepfm_tutorial.datasets import make_click_log
from studies import browser_onnx, latency
from studies.serving_model import ROWS, rows_to_serve
from studies.study import read


def test_each_engine_and_size_has_its_latency_once():
    runs = read("latency")
    check_cases(runs, ["engine", "rows"], product(latency.ENGINES, latency.SIZES))
    assert (runs.calls == runs.rows.map(latency.CALLS) * latency.ROUNDS).all()
    check_cases(read("latency_callers"), ["engine", "callers"],
                product(serving.folder.ENGINES, latency.CALLERS))
    networks = read("latency_networks")
    check_cases(networks, ["hidden_units", "calls"], [
        (" ".join(map(str, units)), latency.ROUNDS * latency.CALLS[1])
        for units in latency.NETWORKS])
    assert (runs.threads == 2).all()
    assert (runs.median_ms <= runs.p99_ms).all() and (runs.median_ms > 0).all()


def test_in_the_browser_the_model_gave_the_same_for_the_rows_that_the_study_still_makes(
):
    runs = read("browser_onnx")
    encoder = FieldEncoder().fit(make_click_log(100_000, seed=0).columns)
    ids = encoder.transform(rows_to_serve())
    assert (runs.rows_compared == ROWS).all() and len(ids) == ROWS
    assert (runs.unseen_ids == np.isin(ids, encoder.field_offsets).sum()).all()
    assert (runs.largest_probability_difference_1e9 < 1000).all()
    assert all(f"onnxruntime-web@{release}" in browser_onnx.__doc__
               for release in runs.onnxruntime_web)
