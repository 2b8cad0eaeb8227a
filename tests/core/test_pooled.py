"""Multi-valued fields in the models: pooled as the formula says, in every use."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import nd
from samples import NAMES, small

from deepfm_tutorial import FieldEncoder, TrainStep, fit, pairwise_interactions, predict
from deepfm_tutorial.embeddings import named_parameters
from deepfm_tutorial.scale import LazyTrainStep
from deepfm_tutorial.serving import load, save

RNG = np.random.default_rng(0)
COLUMNS = {"tags": [list(RNG.choice(list("abcdef"), size, replace=False))
                    for size in RNG.integers(0, 5, 60)],
           "user": RNG.integers(0, 9, 60), "age": RNG.normal(40, 10, 60),
           "genres": [["x"], ["x", "y"], ["z"]] * 20}
ENCODER = FieldEncoder(standardised=["age"]).fit(COLUMNS)
DATA = ENCODER.encode(COLUMNS, RNG.integers(0, 2, 60))
RATE = 0.1


def make(name):
    model = small(name, ENCODER.field_sizes, pooled=True)
    mx.random.seed(0)
    model.initialize()
    for parameter in named_parameters(model).values():
        if parameter.grad_req != "null":
            parameter.set_data(nd.random.normal(scale=0.3, shape=parameter.shape))
    return model


def weights(model):
    return {name: p.data().asnumpy() for name, p in named_parameters(model).items()}


def by_hand(name, model):
    """The logits from x, (B, n), and the parameters alone, in float64."""
    w = {key: value.astype(np.float64) for key, value in weights(model).items()}
    x = np.zeros((60, ENCODER.num_features))
    np.add.at(x, (np.arange(60)[:, None], DATA.ids), DATA.values)
    z = np.zeros(60)
    if "first_order.weights" in w:
        z += w["first_order.bias"] + x @ w["first_order.weights"]
    if name != "LogisticRegression":
        ends = np.cumsum(ENCODER.field_sizes)
        V = w["embedding.factors"]
        E = np.stack([x[:, a:b] @ V[a:b] for a, b in
                      zip(ends - ENCODER.field_sizes, ends)], axis=1)  # (B, F, k)
        if name != "DNN":
            z += sum((E[:, f] * E[:, g]).sum(axis=1)
                     for f in range(4) for g in range(f + 1, 4))
        if name != "FM":
            hidden = np.maximum(E.reshape(60, -1) @ w["mlp.layers.0.weight"].T
                                + w["mlp.layers.0.bias"], 0)
            z += (hidden @ w["mlp.output.weight"].T + w["mlp.output.bias"])[:, 0]
    return z


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("hybridised", [False, True])
def test_logits_are_those_of_the_formula_with_no_pair_inside_a_set(name, hybridised):
    model = make(name)
    model.hybridize(hybridised)
    found = model(DATA.ids, DATA.values).asnumpy()
    np.testing.assert_allclose(found, by_hand(name, model), rtol=1e-4, atol=1e-5)
    rows = [3, 7]  # with less columns they are the same
    few = ENCODER.encode({name: [column[row] for row in rows]
                          for name, column in COLUMNS.items()})
    np.testing.assert_allclose(model(few.ids, few.values).asnumpy(), found[rows],
                               rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_one_step_by_rows_is_one_step_of_the_whole(name):
    found = []
    for step in (TrainStep, LazyTrainStep):
        model = make(name)
        before = weights(model)
        sgd = mx.optimizer.SGD(learning_rate=RATE)
        with step(model, sgd, with_values=True) as update:
            update(*DATA[:3])
        found.append(weights(model))
        for parameter, after in found[-1].items():
            moved = (after != before[parameter]).any()
            assert moved == (parameter != "embedding.fields"), parameter
    for parameter, expected in found[0].items():
        np.testing.assert_allclose(found[1][parameter], expected, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("engine", ["mxnet", "onnx"])
def test_saved_and_asked_with_longer_sets_than_training_had(name, engine, tmp_path):
    model = make(name)
    save(tmp_path / "m", model, ENCODER, {n: c[:9] for n, c in COLUMNS.items()})
    records = [{"tags": list("abcdefgh"), "user": 3, "age": 30.0, "genres": []},
               {"tags": [], "user": 99, "age": 50, "genres": ["new"]}]
    served = load(tmp_path / "m", engine)
    expected = predict(model, ENCODER.encode(records))
    np.testing.assert_allclose(served.predict(records), expected, atol=1e-6)
    np.testing.assert_allclose(served.predict(records[1:]), expected[1:], atol=1e-6)


def test_the_pairs_of_a_pooled_row_by_hand():
    """x = ½ on two tags and 1 on a user: ⟨½ v_1 + ½ v_2, v_4⟩, and no ⟨v_1, v_2⟩."""
    encoder = FieldEncoder().fit({"tags": [["a", "b"]], "user": [1]})
    model = small("FM", encoder.field_sizes, num_factors=2, pooled=True)
    model.initialize()
    V = np.array([[9, 9], [1, 0], [3, 2], [9, 9], [2, 5]], np.float32)
    model.embedding.factors.set_data(nd.array(V))
    data = encoder.encode({"tags": [["a", "b"]], "user": [1]})
    E = model.embedding(data.ids, data.values)
    np.testing.assert_array_equal(E.asnumpy(), [[[2, 1], [2, 5]]])
    assert pairwise_interactions(E).asscalar() == 2 * 2 + 1 * 5
    assert model(data.ids, data.values).asscalar() == 9


ASTRAY = DATA.ids.copy()
ASTRAY[1, 0] = 20  # of another field


@pytest.mark.parametrize("act, message", [
    (lambda: fit(small("FM", ENCODER.field_sizes), DATA), "pooled=True is needed"),
    (lambda: predict(small("FM", ENCODER.field_sizes), DATA.ids), "made with pooled"),
    (lambda: predict(make("FM"), DATA.ids), "values are None"),
    (lambda: predict(make("FM"), (DATA.ids[:, ::-1], None, DATA.values)),
     r"ids\[0\] has columns of fields .*in their order"),
    (lambda: predict(make("FM"), (DATA.ids[:, :-2], None, DATA.values[:, :-2])),
     "each of the 4 fields is needed"),
    (lambda: make("FM")(DATA.ids + 1, DATA.values), "whole numbers from 0 to 22 are"),
    (lambda: make("FM")(ASTRAY, DATA.values), r"ids\[1, 0\] = 20: field 0 takes"),
])
def test_wrong_rows_are_refused(act, message):
    with pytest.raises(ValueError, match=message):
        act()
