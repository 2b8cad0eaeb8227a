"""What every registered model must do, and a toy model of another shape does, too."""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn
from samples import named_weights as weights
from samples import small

from deepfm_tutorial import (
    MODELS,
    FieldBlock,
    FieldEncoder,
    TrainStep,
    evaluate,
    fit,
    predict,
    register,
)
from deepfm_tutorial import _validation as validation
from deepfm_tutorial.distributed import train
from deepfm_tutorial.embeddings import named_parameters
from deepfm_tutorial.scale import Checkpoint, LazyTrainStep
from deepfm_tutorial.serving import load, save


@register
class ThreeTables(FieldBlock):
    """A toy: three tables, a constant and a layer, named as no other model's are."""

    def __init__(self, field_sizes, depth=2):
        super().__init__(field_sizes, depth=depth)
        self.popular = self.table("popular", init="zeros")
        self.left = self.table("left", depth, init=mx.init.Normal(0.1))
        self.right = self.table("right", depth, init=mx.init.Normal(0.1))
        self.half = self.params.get_constant("half", mx.nd.array([0.5]))
        self.last = nn.Dense(1, in_units=len(self.field_sizes))

    def hybrid_forward(self, F, ids, values=None, *, popular, left, right, half):
        both = (F.take(left, ids) * F.take(right, ids)).sum(axis=2)  # (B, F)
        terms = F.take(popular, ids) + F.broadcast_mul(both, half)
        terms = terms if values is None else terms * values
        return self.last(terms).reshape((-1,))


# Of a model's arguments.
COLUMNS = {"device": np.array(["phone", "tablet", "desktop"] * 20),
           "topic": np.array(["news", "games", "sport", "film"] * 15)}
ENCODER = FieldEncoder().fit(COLUMNS)
LABELS = np.random.default_rng(0).integers(0, 2, 60).astype(np.float32)
DATA = ENCODER.encode(COLUMNS, LABELS)
VALUES = np.random.default_rng(1).normal(size=DATA.ids.shape).astype(np.float32)
RATE = 0.1

pytestmark = pytest.mark.parametrize("name", MODELS)


def make(name):
    model = small(name, ENCODER.field_sizes, num_factors=3, hidden_units=(4,))
    mx.random.seed(0)
    model.initialize()
    for parameter in trainable(model).values():
        parameter.set_data(mx.nd.random.normal(scale=0.5, shape=parameter.shape))
    return model


def trainable(model):
    return {name: p for name, p in named_parameters(model).items()
            if not isinstance(p, mx.gluon.Constant)}


def by_step(step):
    def way(model):
        with step(model, mx.optimizer.SGD(learning_rate=RATE)) as update:
            update(*DATA[:2])
    return way


def by_fit(**settings):
    return lambda model: fit(model, DATA, epochs=2, batch_size=16,
                             progress=False, **settings)


def by_servers(model):
    train(mx.kv.create("local"), model, DATA, epochs=1, batch_size=60,
          learning_rate=RATE)


ONE_STEP = {"whole": by_step(TrainStep), "lazy": by_step(LazyTrainStep),
            "servers": by_servers}
WAYS = ONE_STEP | {"fit": by_fit(), "fit, lazy": by_fit(step=LazyTrainStep)}


@pytest.mark.parametrize("hybridised", [False, True])
def test_wrong_rows_are_refused_with_field_value_and_range(name, hybridised):
    model = make(name)
    model.hybridize(hybridised)
    wrong = DATA.ids.copy()
    wrong[7, 1] = 3  # a device's id
    for call in (model, lambda ids: predict(model, ids), lambda ids: fit(
            model, (ids, LABELS))):
        with pytest.raises(ValueError,
                           match=r"ids\[7, 1\] = 3: field 1 takes .* from 4 to 8"):
            call(wrong)
    with pytest.raises(ValueError, match=r"values\[0, 1\] = nan"):
        model(DATA.ids[:1], [[1.0, np.nan]])


def test_rows_are_checked_once(name, monkeypatch):
    model, calls = make(name), []
    inner = validation.check_ids

    def counting(*arguments):
        calls.append(1)
        return inner(*arguments)

    for module in ("embeddings", "_validation"):
        monkeypatch.setattr(f"deepfm_tutorial.{module}.check_ids", counting)
    for call in (lambda: model(DATA.ids), lambda: predict(model, DATA),
                 lambda: evaluate(model, DATA)):
        calls.clear()
        call()
        assert len(calls) == 1


def test_hybridised_equals_eager_with_values_and_without(name):
    model, many = make(name), (None, VALUES, None)
    eager = [model(DATA.ids, values).asnumpy() for values in many]
    model.hybridize()
    for values, expected in zip(many, eager):
        logits = model(DATA.ids, values)
        assert logits.shape == (60,)
        np.testing.assert_allclose(logits.asnumpy(), expected, rtol=1e-4, atol=1e-5)
    assert np.abs(eager[0] - eager[1]).max() > 1e-3
    assert eager[0].min() < 0 or eager[0].max() > 1, "logits, no probabilities"


def test_a_step_is_the_same_in_all_ways(name):
    found = {}
    for way, one_step in ONE_STEP.items():
        model = make(name)
        one_step(model)
        found[way] = weights(model)
    before = weights(make(name))
    for parameter in trainable(make(name)):
        moved = found["whole"][parameter] - before[parameter]
        assert np.abs(moved).max() > 1e-4
        for way in ONE_STEP:
            np.testing.assert_allclose(found[way][parameter], found["whole"][parameter],
                                       atol=1e-6, err_msg=f"{way}, {parameter}")


@pytest.mark.parametrize("way", WAYS)
def test_a_frozen_parameter_stays_and_grad_req_is_put_back(name, way):
    for frozen in trainable(make(name)):
        model = make(name)
        parameters = trainable(model)
        parameters[frozen].grad_req = "null"
        before = weights(model)
        WAYS[way](model)
        for parameter, after in weights(model).items():
            moved = (after != before[parameter]).any()
            assert moved == (parameter in parameters and parameter != frozen), parameter
        assert {n: p.grad_req for n, p in parameters.items()} == {
            n: "null" if n == frozen else "write" for n in parameters}


@pytest.mark.parametrize("step", [TrainStep, LazyTrainStep])
def test_a_training_goes_on_to_equal_weights(name, step, tmp_path):
    whole, resumed = make(name), make(name)
    settings = {"batch_size": 16, "step": step, "progress": False}
    fit(whole, DATA, epochs=3, **settings)
    fit(resumed, DATA, epochs=1, checkpoint=Checkpoint(tmp_path, ENCODER), **settings)
    resumed = make(name)
    fit(resumed, DATA, epochs=3, checkpoint=Checkpoint(tmp_path, ENCODER), **settings)
    for parameter, expected in weights(whole).items():
        np.testing.assert_array_equal(weights(resumed)[parameter], expected)


@pytest.mark.parametrize("engine", ["mxnet", "onnx"])
def test_a_saved_model_predicts_and_can_be_made_anew(name, engine, tmp_path):
    model = make(name)
    save(tmp_path / "model", model, ENCODER, {n: c[:12] for n, c in COLUMNS.items()})
    predictor = load(tmp_path / "model", engine)
    np.testing.assert_allclose(predictor.predict(COLUMNS),
                               predict(model, DATA), atol=1e-6)
    described = predictor.metadata["model"]
    anew = MODELS[described["class"]](**described["arguments"])
    anew.load_parameters(str(tmp_path / "model/model.params"))
    np.testing.assert_array_equal(predict(anew, DATA), predict(model, DATA))


def test_a_model_declares_each_table_once(name):
    model = make(name)
    tables = [n for n, p in named_parameters(model).items() if p in model.tables]
    assert len(tables) == len(model.tables)
    for n, parameter in named_parameters(model).items():
        assert (parameter.shape[0] == ENCODER.num_features) == (n in tables)
