"""Weights of rows, metrics from logits, rows that do not fit, threads, copies."""
import copy
import pickle
import threading

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from mxnet import nd
from samples import NAMES, small, weights
from sklearn.metrics import roc_auc_score

from deepfm_tutorial import (
    FM,
    DeepFM,
    FieldEncoder,
    LogisticRegression,
    TrainStep,
    correct_for_sampling,
    evaluate,
    fit,
    logits,
    predict,
)
from deepfm_tutorial.scale import LazyTrainStep
from deepfm_tutorial.serving import calibration

RNG = np.random.default_rng(0)
LOG = {"a": RNG.integers(0, 5, 40), "b": RNG.integers(0, 6, 40),
       "age": RNG.normal(size=40)}
ENCODER = FieldEncoder(["age"]).fit(LOG)
LABELS = RNG.integers(0, 2, 40)
COUNTS = RNG.integers(0, 4, 40)
QUIET = {"epochs": 1, "progress": False}


def made(name="DeepFM", **changed):
    model = small(name, ENCODER.field_sizes, **changed)
    mx.random.seed(0)
    model.initialize(mx.init.Normal(0.3))
    return model


def repeated(column):
    return np.repeat(column, COUNTS, axis=0)


@pytest.mark.parametrize("step", [TrainStep, LazyTrainStep])
@pytest.mark.parametrize("factor", [1, 0.25])
def test_a_row_of_weight_three_counts_as_three_rows(step, factor):
    weighed = ENCODER.encode(LOG, LABELS, COUNTS * factor)
    copies = ENCODER.encode({name: repeated(c) for name, c in LOG.items()},
                            repeated(LABELS))
    found, losses = [], []
    for data in (weighed, copies):
        model = made()
        with step(model, mx.optimizer.SGD(learning_rate=1), with_values=True,
                  embedding_l2=0.1) as update:
            w = None if data.weights is None else data.weights * (
                len(LABELS) / data.weights.sum())
            update(data.ids, data.labels, data.values, w)
        found.append(weights(model))
        model = made()
        losses.append(fit(model, data, **QUIET).train_loss[0])
        assert evaluate(made(), data) == pytest.approx(evaluate(made(), copies))
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_equal_weights_are_none():
    data = [ENCODER.encode(LOG, LABELS, w) for w in (None, np.full(40, 7))]
    trained = [made(), made()]
    for model, rows in zip(trained, data):
        fit(model, rows, rows, epochs=3, progress=False)
    for one, other in zip(*map(weights, trained)):
        np.testing.assert_array_equal(one, other)


def test_calibration_counts_weights_and_takes_what_predict_returns():
    found = calibration([1, 0, 1], [0.5, 1.0, 0.0], ["a", "a", "b"], [3, 1, 2])
    assert found["a"][:3] == (2, 0.625, 0.75)
    assert found["a"].standard_error == pytest.approx(3 * 0.5 / 4)
    assert found["b"].z_score == np.inf
    assert calibration([0], [0.0], ["a"])["a"].z_score == 0


def test_metrics_come_from_logits():
    z = np.array([-25.0, -18.0, 18.0, 19.0, 20.0, 21.0, 30.0])
    model = LogisticRegression((len(z),))
    model.initialize()
    model.first_order.weights.set_data(nd.array(z))
    ids = np.arange(len(z))[:, None]
    np.testing.assert_array_equal(logits(model, ids), z)
    assert len(set(predict(model, ids))) == len(z)
    for labels in ([0, 0, 0, 0, 1, 1, 1], [1, 0, 1, 0, 0, 1, 0]):
        y = np.array(labels)
        assert evaluate(model, (ids, y)) == pytest.approx(
            (roc_auc_score(y, z), np.mean(np.logaddexp(0, z) - y * z)), rel=1e-12)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_logit_that_is_no_number_is_refused_with_its_row(bad):
    model = LogisticRegression((3,))
    model.initialize()
    model.first_order.weights.set_data(nd.array([0, 0, bad]))
    with pytest.raises(ValueError, match=f"the logit of row 1 is {bad}"):
        predict(model, [[0], [2], [1]])


@pytest.mark.parametrize("name", NAMES)
def test_the_correction_for_sampling_is_that_of_each_probability(name):
    model, data = made(name), ENCODER.encode(LOG)
    p = predict(model, data)
    correct_for_sampling(model, 0.2)
    correct_for_sampling(model, 1)  # nothing was left out
    np.testing.assert_allclose(predict(model, data), p / (p + (1 - p) / 0.2), rtol=1e-5)
    for kept in (0, 1.5):
        with pytest.raises(ValueError, match="kept = "):
            correct_for_sampling(model, kept)


OTHER = FieldEncoder(["age"]).fit({**LOG, "a": LOG["a"] + 1})
DATA = ENCODER.encode(LOG, LABELS)
HUGE = FieldEncoder(["age"]).fit({**LOG, "age": LOG["age"] * 1e25})

DO_NOT_FIT = {
    "values forgotten": (lambda m: fit(m, DATA[:2], encoder=ENCODER, **QUIET),
                         r"values are None, and the fields \['age'\]"),
    "values for training alone": (lambda m: fit(m, DATA[:3], DATA[:2], **QUIET),
                                  "validation has no values"),
    "values for validation alone": (lambda m: fit(m, DATA[:2], DATA[:3], **QUIET),
                                    "train has no values"),
    "validation of another encoder": (
        lambda m: fit(m, DATA, OTHER.encode({**LOG, "a": LOG["a"] + 1}, LABELS),
                      **QUIET), "not of one FieldEncoder"),
    "the encoder of another model": (
        lambda m: fit(m, DATA[:3], encoder=FieldEncoder().fit({"a": [1]}), **QUIET),
        "encoder .* must be equal"),
    "a field out of place": (
        lambda m: fit(m, (DATA.ids[:, [1, 0, 2]], LABELS, DATA.values), **QUIET),
        r"train: ids\[0, 0\]"),
    "a weight below 0": (lambda m: fit(m, (*DATA[:3], -COUNTS), **QUIET),
                         r"train: weights\[\d+\] = -"),
    "a weight beyond float32": (
        lambda m: fit(m, (*DATA[:3], np.where(COUNTS, COUNTS, 1e300)), **QUIET),
        r"train: weights\[\d+\] = 1e\+300"),
    "no weight": (lambda m: evaluate(m, (*DATA[:3], COUNTS * 0)), "weights are all 0"),
    "weights of one class": (lambda m: evaluate(m, (*DATA[:3], LABELS)),
                             "every label is 1; AUC needs both"),
    "a diverging rate": (lambda m: fit(m, DATA, DATA, epochs=3, learning_rate=1e20,
                                       progress=False), "smaller learning_rate"),
    "numbers too large": (
        lambda m: fit(m, HUGE.encode({**LOG, "age": LOG["age"] * 1e25}, LABELS),
                      epochs=3, progress=False), "values reach .*standardise"),
    "numbers too large for validation": (
        lambda m: fit(m, DATA, ENCODER.encode({**LOG, "age": LOG["age"] * 1e38},
                                              LABELS), **QUIET),
        "validation: the logit of row .*values reach .*standardise"),
    "raw columns": (lambda m: predict(m, LOG), "encode"),
    "a frame": (lambda m: predict(m, pd.DataFrame(LOG)), "a DataFrame of raw columns"),
    "no weights yet": (lambda m: predict(FM(ENCODER.field_sizes), DATA),
                       "no weights yet: call fit first"),
}


@pytest.mark.parametrize("case", DO_NOT_FIT)
def test_what_does_not_fit_is_named_and_nothing_changes(case):
    act, message = DO_NOT_FIT[case]
    model = made()
    before = weights(model)
    with pytest.raises((TypeError, ValueError), match=message):
        act(model)
    for was, now in zip(before, weights(model)):
        np.testing.assert_array_equal(was, now)


def test_several_threads_get_their_right_answers_from_the_first_call_on():
    rows = [DATA[:3], (DATA.ids, None)]
    for _ in range(4):
        model, answers = made(), []
        fit(model, DATA, **QUIET)
        start = threading.Barrier(8)

        def ask(i):
            start.wait()
            answers.extend((i % 2, predict(model, rows[i % 2])) for _ in range(10))

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        alone = [predict(model, each) for each in rows]
        assert len(answers) == 80
        for which, p in answers:
            np.testing.assert_allclose(p, alone[which], atol=1e-6)


def test_a_model_can_be_pickled_and_copied_trained_or_not():
    model = made(batch_norm=True)
    model.embedding.factors.grad_req = "null"
    fit(model, DATA, **QUIET)
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(predict(again, DATA), predict(model, DATA))
        assert again.embedding.factors.grad_req == "null"
        fit(again, DATA, epochs=2, progress=False)  # of its own
    assert type(pickle.loads(pickle.dumps(DeepFM((2, 3))))) is DeepFM
