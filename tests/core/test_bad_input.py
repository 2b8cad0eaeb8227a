"""Bad ids, values, labels, settings: refused by name, before any weight changes."""
import threading
from functools import partial

import numpy as np
import pytest
from mxnet import nd
from samples import NAMES, small, weights

from deepfm_tutorial import (
    DNN,
    FM,
    DeepFM,
    FieldEmbedding,
    FirstOrder,
    LogisticRegression,
    embed_by_dot,
    embed_by_take,
    evaluate,
    fit,
    one_hot,
    one_hot_csr,
    predict,
)
from deepfm_tutorial import _validation as validation

SIZES = (3, 4)
IDS = np.array([[0, 3], [2, 6], [1, 4], [0, 5]])
LABELS = np.array([0, 1, 0, 1])

BAD_IDS = {
    "too large": ([[0, 7]], ValueError,
                  r"ids\[0, 1\] = 7: field 1 takes whole numbers from 3 to 6"),
    "of the next field": ([[0, 3], [3, 4]], ValueError,
                          r"ids\[1, 0\] = 3: field 0 .* 0 to 2"),
    "negative": ([[-1, 3]], ValueError, r"ids\[0, 0\] = -1"),
    "fractional": ([[0.5, 3]], ValueError, r"ids\[0, 0\] = 0.5"),
    "NaN": ([[0, np.nan]], ValueError, r"ids\[0, 1\] = nan"),
    "too few columns": ([[0], [1]], ValueError, r"\(2, 1\).*\(B, 2\)"),
    "one-dimensional": ([0, 3], ValueError, r"\(2,\)"),
    "empty": (np.zeros((0, 2), int), ValueError, r"\(0, 2\)"),
    "text": ([["a", "b"]], TypeError, "whole numbers"),
    "Boolean": ([[True, False]], TypeError, "bool"),
}
BAD_VALUES = {
    "NaN": ([[1, np.nan]], ValueError, r"values\[0, 1\] = nan: field 1"),
    "infinite": ([[np.inf, 1]], ValueError, r"values\[0, 0\] = inf"),
    "beyond float32": ([[1, 1e300]], ValueError, r"values\[0, 1\] = 1e\+300"),
    "another shape": ([[1, 1, 1]], ValueError, r"\(1, 3\)"),
    "text": ([["a", "b"]], TypeError, "numbers"),
}
BLOCKS = [*(partial(small, name) for name in NAMES), FirstOrder,
          lambda sizes: FieldEmbedding(sizes, 2)]


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("make", BLOCKS)
def test_models_refuse_bad_ids_and_values(make, hybrid):
    model = make(SIZES)
    model.initialize()
    model.hybridize(hybrid)
    model(IDS)  # a hybridised model has its graph by now
    for ids, error, message in BAD_IDS.values():
        with pytest.raises(error, match=message):
            model(ids)
    with pytest.raises(ValueError, match=r"ids\[0, 1\] = 7"):
        model(nd.array([[0, 7]], dtype="int32"))
    for values, error, message in BAD_VALUES.values():
        with pytest.raises(error, match=message):
            model([[0, 3]], values)


def test_float32_ids_beyond_its_precision_are_refused():
    model = LogisticRegression((2 ** 24 + 2,))
    with pytest.raises(TypeError, match="float32.*int32"):
        model(np.array([[3.0]], dtype=np.float32))
    small = LogisticRegression((3,))
    small.initialize()
    # Whole floats are fine where they are exact.
    assert small(nd.array([[2.0]])).shape == (1,)


def test_functions_refuse_ids_outside_the_table():
    table = nd.ones((7, 2))
    for bad in ([[0, 7]], [[-1, 0]], [[0.5, 1]]):
        for call in (lambda: embed_by_take(bad, table),
                     lambda: one_hot(bad, 7), lambda: one_hot_csr(bad, 7)):
            with pytest.raises(ValueError, match="whole numbers from 0 to 6 are"):
                call()
    with pytest.raises(ValueError, match="7 columns.*7 rows.*6"):
        embed_by_dot(nd.ones((1, 7)), table, (3, 3))


def test_rows_after_the_first_slice_are_checked_and_counted_from_the_first_row(
        monkeypatch):
    monkeypatch.setattr(validation, "ROWS_AT_ONCE", 2)
    for row in range(5):
        ids, values = np.tile([0, 3], (5, 1)), np.ones((5, 2))
        ids[row, 1], values[row, 0] = 7, np.inf
        with pytest.raises(ValueError, match=rf"ids\[{row}, 1\] = 7"):
            predict(LogisticRegression(SIZES), ids)
        with pytest.raises(ValueError, match=rf"values\[{row}, 0\] = inf"):
            predict(LogisticRegression(SIZES), ([[0, 3]] * 5, None, values))


def test_the_door_is_open_for_one_thread_and_until_the_outermost_block_ends():
    seen = []
    with validation.past_the_door():
        with validation.past_the_door():
            pass
        ask = threading.Thread(
            target=lambda: seen.append(validation.is_past_the_door()))
        ask.start()
        ask.join()
        seen.append(validation.is_past_the_door())
    assert seen == [False, True] and not validation.is_past_the_door()


BAD_SETTINGS = {
    "epochs": [0, -1, 1.5, True, "3"],
    "batch_size": [0, 2.0, None],
    "learning_rate": [0, -1e-3, np.nan, np.inf, "fast"],
    "embedding_l2": [-1, np.nan],
    "table_l2": [-1, np.inf, "strong"],
    "patience": [0, 0.5],
    "seed": [-1, 0.5],
}
BAD_DATA = {
    "NaN label": (IDS, [0, 1, np.nan, 1], r"train: labels\[2\] = nan"),
    "label 2": (IDS, [0, 1, 2, 1], r"train: labels\[2\] = 2"),
    "label -1": (IDS, [0, 1, -1, 1], r"train: labels\[2\] = -1"),
    "too few labels": (IDS, [0, 1], r"train: labels have shape \(2,\)"),
    "labels as a column": (IDS, LABELS[:, None], r"\(4, 1\)"),
    "no rows": (IDS[:0], LABELS[:0], r"train: ids have shape \(0, 2\)"),
    "bad id in the last row": (np.vstack([IDS, [[0, 7]]]), [0, 1, 0, 1, 1],
                               r"train: ids\[4, 1\] = 7"),
}


def unchanged(model, before):
    return all(map(np.array_equal, before, weights(model)))


@pytest.fixture
def model():
    model = DeepFM(SIZES, 2, (3,))
    model.initialize()
    return model


@pytest.mark.parametrize("name, value",
                         [(n, v) for n, values in BAD_SETTINGS.items() for v in values])
def test_fit_refuses_settings_that_make_no_sense(model, name, value):
    before = weights(model)
    with pytest.raises((TypeError, ValueError), match=name):
        fit(model, (IDS, LABELS), progress=False, **{name: value})
    assert unchanged(model, before)


@pytest.mark.parametrize("case", BAD_DATA)
def test_fit_refuses_bad_rows_before_it_changes_a_weight(model, case):
    ids, labels, message = BAD_DATA[case]
    before = weights(model)
    with pytest.raises(ValueError, match=message):
        fit(model, (ids, labels), batch_size=1, progress=False)
    assert unchanged(model, before)


def test_fit_refuses_bad_validation_rows_and_bad_values(model):
    before = weights(model)
    with pytest.raises(ValueError, match=r"validation: ids\[0, 1\] = 7"):
        fit(model, (IDS, LABELS), ([[0, 7]], [1]), progress=False)
    with pytest.raises(ValueError, match="validation: every label is 1"):
        fit(model, (IDS, LABELS), (IDS[:1], [1]), progress=False)
    with pytest.raises(ValueError, match=r"train: values\[3, 0\] = nan"):
        values = np.ones(IDS.shape)
        values[3, 0] = np.nan
        fit(model, (IDS, LABELS, values), progress=False)
    with pytest.raises(ValueError, match=r"train: \(ids, labels\)"):
        fit(model, IDS, progress=False)
    for no_pair in (IDS, ()):  # whose truth value Python cannot tell, or is false
        with pytest.raises(ValueError, match=r"validation: \(ids, labels\)"):
            fit(model, (IDS, LABELS), no_pair, progress=False)
    with pytest.raises(ValueError, match="train: labels are None"):
        fit(model, (IDS, None), progress=False)
    with pytest.raises(ValueError, match="embedding_l2 = 0.1: LogisticRegression"):
        fit(LogisticRegression(SIZES), (IDS, LABELS), embedding_l2=0.1, progress=False)
    assert unchanged(model, before)


def test_predict_and_evaluate_refuse_bad_rows(model):
    for data in ((), (IDS,), (IDS, LABELS, None, None, None, None)):
        for call in (predict, evaluate):
            with pytest.raises(ValueError, match=r"data: \(ids, labels\)"):
                call(model, data)
    with pytest.raises(ValueError, match=r"ids\[0, 1\] = 7"):
        predict(model, [[0, 7]])
    with pytest.raises(ValueError, match=r"values\[0, 0\] = nan"):
        predict(model, ([[0, 3]], None, [[np.nan, 1]]))
    with pytest.raises(ValueError, match="every label is 0"):
        evaluate(model, (IDS, np.zeros(4)))


@pytest.mark.parametrize("make, message", [
    (lambda: FM((), 2), "field_sizes"),
    (lambda: FM((3, 0), 2), r"field_sizes\[1\] = 0"),
    (lambda: FM((3, 1.5), 2), r"field_sizes\[1\]"),
    (lambda: FM(SIZES, 0), "num_factors = 0"),
    (lambda: DNN(SIZES, 2, ()), "hidden_units"),
    (lambda: DNN(SIZES, 2, (4, -1)), r"hidden_units\[1\] = -1"),
    (lambda: DNN(SIZES, 2, (4,), dropout=1), "dropout = 1"),
    (lambda: DNN(SIZES, 2, (4,), dropout=-0.1), "dropout"),
    (lambda: DeepFM(SIZES, 2, (4,), dropout=float("nan")), "dropout"),
])
def test_models_refuse_shapes_that_make_no_sense(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
