"""A model in PyTorch: the same numbers, the same training, and the same model back."""
import math

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from samples import named_weights as weights
from samples import small

import deepfm_tutorial
from deepfm_tutorial import FieldEncoder, LogisticRegression, TrainStep, logistic_loss
from deepfm_tutorial.embeddings import named_parameters
from deepfm_tutorial.interop import adam_to_torch, from_torch, to_torch
from deepfm_tutorial.scale import LazyTrainStep
from deepfm_tutorial.serving import save

torch = pytest.importorskip("torch")
F = torch.nn.functional

RNG, ROWS, BATCH = np.random.default_rng(0), 384, 32
PLAIN = {"device": RNG.choice(["phone", "tablet", "desktop"], ROWS),
         "city": RNG.integers(0, 60, ROWS).astype(str), "age": RNG.normal(40, 10, ROWS)}
SETS = PLAIN | {"tags": [list(RNG.choice(list("abcdef"), size, replace=False))
                         for size in RNG.integers(0, 5, ROWS)]}
LABELS = RNG.integers(0, 2, ROWS).astype(np.float32)
DATA = {pooled: FieldEncoder(standardised=["age"]).fit(columns).encode(columns, LABELS)
        for pooled, columns in {False: PLAIN, True: SETS}.items()}

# Name, batch norm, several ids a field.
CASES = [("LogisticRegression", False, False), ("LogisticRegression", False, True),
         ("FM", False, False), ("FM", False, True), ("DNN", False, False),
         ("DNN", True, True), ("DeepFM", False, True), ("DeepFM", True, False)]
each = pytest.mark.parametrize("name, batch_norm, pooled", CASES)


def make(name, batch_norm=False, pooled=False, **changed):
    """A model whose every number is random, the running statistics too."""
    encoder = DATA[pooled].encoder
    model = small(name, encoder.field_sizes, hidden_units=(16, 16), pooled=pooled,
                  batch_norm=batch_norm, **changed)
    mx.random.seed(0)
    model.initialize()
    rng = np.random.default_rng(1)
    for parameter_name, parameter in named_parameters(model).items():
        if not parameter_name.endswith("fields"):
            new = rng.normal(scale=0.3, size=parameter.shape)
            positive = parameter_name.endswith(("gamma", "running_var"))
            parameter.set_data(nd.array(0.5 + np.abs(new) if positive else new))
    return model


def reference(model, data, training=False):
    """The logits in float64, from the weights and the formulas alone.

    It knows neither framework: one-hot rows, a double loop over the fields, and layers.
    """
    w = {name: value.astype(np.float64) for name, value in weights(model).items()}
    return formula(w, model.field_sizes, data, training)


def formula(w, field_sizes, data, training=False):
    B, n = len(data.ids), sum(field_sizes)
    x = np.zeros((B, n))
    np.add.at(x, (np.arange(B)[:, None], data.ids), data.values.astype(np.float64))
    z = np.zeros(B)
    if "first_order.bias" in w:
        z += w["first_order.bias"] + x @ w["first_order.weights"]
    if "embedding.factors" in w:
        ends = np.cumsum(field_sizes)
        e = [x[:, a:b] @ w["embedding.factors"][a:b]
             for a, b in zip(ends - field_sizes, ends)]
        if "first_order.bias" in w:
            z += sum((e[f] * e[g]).sum(axis=1)
                     for f in range(len(e)) for g in range(f + 1, len(e)))
    if "mlp.output.bias" in w:
        h, norm = np.concatenate(e, axis=1), "mlp.layers.1.gamma" in w
        for layer in (0, 3) if norm else (0, 2):
            h = h @ w[f"mlp.layers.{layer}.weight"].T
            if norm:
                mean, var, gamma, beta = (
                    w[f"mlp.layers.{layer + 1}.{name}"]
                    for name in ("running_mean", "running_var", "gamma", "beta"))
                if training:
                    mean, var = h.mean(axis=0), h.var(axis=0)
                h = (h - mean) / np.sqrt(var + 1e-5) * gamma + beta
            else:
                h = h + w[f"mlp.layers.{layer}.bias"]
            h = np.maximum(h, 0)
        z += (h @ w["mlp.output.weight"].T + w["mlp.output.bias"])[:, 0]
    return z


def relative(found, expected):
    """The largest difference, relative to the largest number."""
    return np.abs(found - expected).max() / np.abs(expected).max()


def numpy_of(tensor):
    return tensor.detach().numpy()


@each
def test_logits_are_the_models_and_the_formulas(name, batch_norm, pooled):
    model, data = make(name, batch_norm, pooled), DATA[pooled]
    module = to_torch(model)
    here, there = model(data.ids, data.values).asnumpy(), module(data.ids, data.values)
    assert there.shape == (ROWS,) and there.dtype == torch.float32
    assert relative(numpy_of(there), here) < 1e-6
    expected = reference(model, data)
    assert relative(numpy_of(there), expected) < 1e-6
    in_double = numpy_of(module.double()(data.ids, data.values.astype(np.float64)))
    assert relative(in_double, expected) < 1e-14
    if not pooled:                                    # ones, where no values are given
        np.testing.assert_allclose(numpy_of(module.float()(data.ids)),
                                   model(data.ids).asnumpy(), rtol=1e-5, atol=1e-6)


def mxnet_gradients(model, data):
    """By name, of the mean loss while training; the running statistics move."""
    with autograd.record():
        logits = model(data.ids, data.values)
        loss = logistic_loss(logits, nd.array(data.labels)).mean()
    loss.backward()
    return {name: p.grad().asnumpy() for name, p in named_parameters(model).items()
            if p.grad_req != "null"}


def torch_gradients(module, data):
    module.train()
    F.binary_cross_entropy_with_logits(
        module(data.ids, data.values), torch.from_numpy(data.labels)).backward()
    return [numpy_of(p.grad) for p in module.parameters()]


@each
def test_gradients_are_the_models_and_the_formulas(name, batch_norm, pooled):
    model, data = make(name, batch_norm, pooled), DATA[pooled]
    w = {n: value.astype(np.float64) for n, value in weights(model).items()}
    there = torch_gradients(to_torch(model), data)
    here = mxnet_gradients(model, data)
    assert [g.shape for g in there] == [g.shape for g in here.values()]
    largest = max(np.abs(g).max() for g in there)
    for (parameter, expected), found in zip(here.items(), there):
        assert np.abs(found - expected).max() < 3e-6 * largest, parameter

    def loss(w):
        z = formula(w, model.field_sizes, data, training=True)
        return np.mean(np.logaddexp(0, z) - data.labels * z)

    # In a random direction, from the formula alone, in float64.
    rng = np.random.default_rng(2)
    along = {parameter: rng.normal(size=w[parameter].shape) for parameter in here}
    step = 1e-6
    up, down = ({parameter: value + sign * step * along.get(parameter, 0)
                 for parameter, value in w.items()} for sign in (1, -1))
    slope = (loss(up) - loss(down)) / (2 * step)
    found = sum((g * along[p]).sum() for p, g in zip(here, there))
    assert abs(found - slope) < 1e-5 * max(1, abs(slope))


def batches(data, epochs=1):
    rng = np.random.default_rng(3)
    for _ in range(epochs):
        for rows in rng.permutation(ROWS).reshape(-1, BATCH):
            yield data.ids[rows], data.labels[rows], data.values[rows]


RATE, PENALTY = 1e-2, 1e-3


def step_of(model, table_l2=PENALTY):
    return TrainStep(model, mx.optimizer.Adam(RATE), with_values=True,
                     table_l2=table_l2)


def trained_in_mxnet(model, data, epochs=1):
    with step_of(model) as step:
        for batch in batches(data, epochs):
            step(*batch)
    return weights(model)


def train(module, adam, some):
    module.train()
    for ids, labels, values in some:
        adam.zero_grad()
        F.binary_cross_entropy_with_logits(
            module(ids, values), torch.from_numpy(labels)).backward()
        adam.step()


def trained_in_torch(model, data, undo=lambda module, adam: None):
    module = to_torch(model)
    with step_of(model) as step:
        adam = adam_to_torch(step, module)
    adam = undo(module, adam) or adam
    train(module, adam, batches(data))
    return weights(from_torch(module))


def furthest(found, expected):
    assert found.keys() == expected.keys()
    return max(np.abs(found[name] - expected[name]).max() for name in expected)


@each
def test_an_epoch_on_the_same_batches_gives_the_same_weights(name, batch_norm, pooled):
    model, data = make(name, batch_norm, pooled), DATA[pooled]
    before = weights(model)
    there = trained_in_torch(model, data)
    here = trained_in_mxnet(model, data)
    assert furthest(there, here) < 1e-5
    assert furthest(here, before) > 1e-2


def eps_after_the_correction(module, adam):
    return torch.optim.Adam([{**group, "eps": 1e-8} for group in adam.param_groups])


def no_penalty(module, adam):
    for group in adam.param_groups:
        group["weight_decay"] = 0


def penalty_on_all(module, adam):
    for group in adam.param_groups:
        group["weight_decay"] = PENALTY


def decay_apart_from_the_gradient(module, adam):
    """AdamW, which is PyTorch's Adam with this switch."""
    assert not any(group["decoupled_weight_decay"] for group in adam.param_groups)
    for group in adam.param_groups:
        group["decoupled_weight_decay"] = True


def of_norms(change):
    def undo(module, adam):
        for child in module.modules():
            if isinstance(child, torch.nn.BatchNorm1d):
                change(child)
    return undo


def plain_variance(norm):
    norm.forward = lambda x: torch.nn.BatchNorm1d.forward(norm, x)


UNDONE = {"Adam's ε": eps_after_the_correction, "no penalty": no_penalty,
          "penalty on all": penalty_on_all,
          "penalty as in AdamW": decay_apart_from_the_gradient,
          "running variance": of_norms(plain_variance),
          "momentum": of_norms(lambda norm: setattr(norm, "momentum", 0.9)),
          "batch norm's ε": of_norms(lambda norm: setattr(norm, "eps", 1e-3))}


@pytest.mark.parametrize("undone", UNDONE)
def test_each_translation_is_needed(undone):
    expected = trained_in_mxnet(make("DeepFM", True), DATA[False])
    found = trained_in_torch(make("DeepFM", True), DATA[False], UNDONE[undone])
    assert furthest(found, expected) > 1e-3


def test_a_training_goes_on_where_it_stood():
    data, model = DATA[False], make("DeepFM", True)
    expected = trained_in_mxnet(make("DeepFM", True), data, epochs=2)
    both = list(batches(data, 2))
    with step_of(model) as step:
        for batch in both[:12]:
            step(*batch)
        module = to_torch(model)
        adam = adam_to_torch(step, module)
        fresh, unknowing = to_torch(model), torch.optim.Adam
    train(module, adam, both[12:])
    assert furthest(weights(from_torch(module)), expected) < 2e-5
    assert {int(state["step"]) for state in adam.state.values()} == {len(both)}
    train(fresh, unknowing(fresh.parameters(), lr=RATE), both[12:])
    assert furthest(weights(from_torch(fresh)), expected) > 1e-3


def test_the_penalty_is_of_a_group_with_the_tables_alone():
    model = make("DeepFM", True)
    with step_of(model) as step:
        module = to_torch(model)
        groups = adam_to_torch(step, module).param_groups
    names = {id(p): name for name, p in module.named_parameters()}
    decayed = [names[id(p)] for group in groups for p in group["params"]
               if group["weight_decay"]]
    assert decayed == ["first_order.weights", "embedding.factors"]
    assert {group["weight_decay"] for group in groups} == {PENALTY, 0}
    assert sum(len(group["params"]) for group in groups) == len(names)


def test_what_is_frozen_stays_as_it_is_in_a_training_that_goes_on():
    data = DATA[False]

    def frozen():
        model = make("DeepFM")
        for name in ("mlp.output.bias", "first_order.weights"):
            named_parameters(model)[name].grad_req = "null"
        return model
    model, both = frozen(), list(batches(data, 2))
    before, expected = weights(model), trained_in_mxnet(frozen(), data, epochs=2)
    with step_of(model) as step:
        for batch in both[:12]:
            step(*batch)
        module = to_torch(model)           # in the block, where MXNet has a gradient
        adam = adam_to_torch(step, module)
    train(module, adam, both[12:])
    after = weights(from_torch(module))
    assert furthest(after, expected) < 2e-5
    for name in ("mlp.output.bias", "first_order.weights"):
        np.testing.assert_array_equal(after[name], before[name])
        assert not module.get_parameter(name).requires_grad


def test_adams_state_goes_on_after_pytorch_stored_it(tmp_path):
    data, model = DATA[False], make("FM")
    module = to_torch(model)
    with step_of(model, table_l2=0) as step:
        adam = adam_to_torch(step, module)
        again, other = to_torch(model), adam_to_torch(step, to_torch(model))
        other.param_groups[0]["params"] = list(again.parameters())
        assert len(other.param_groups) == 1
    some = list(batches(data))
    train(module, adam, some[:6])
    again.load_state_dict(module.state_dict())
    torch.save(adam.state_dict(), tmp_path / "adam")
    other.load_state_dict(torch.load(tmp_path / "adam"))
    for each_module, each_adam in ((module, adam), (again, other)):
        train(each_module, each_adam, some[6:])
    assert furthest(weights(from_torch(again)), weights(from_torch(module))) == 0
    assert adam.param_groups[0]["eps"] == pytest.approx(
        1e-8 / math.sqrt(1 - 0.999 ** 12))


@each
def test_there_and_back_is_the_same_model_bit_for_bit(name, batch_norm, pooled):
    model = make(name, batch_norm, pooled,
                 **({"dropout": 0.5} if name == "DeepFM" else {}))
    list(named_parameters(model).values())[0].grad_req = "null"
    module = to_torch(model)
    names = [n.replace("gamma", "weight").replace("beta", "bias")
             for n in named_parameters(model)]
    kept = [n for n in module.state_dict() if not n.endswith("num_batches_tracked")]
    assert sorted(kept) == sorted(names)
    back = from_torch(module)
    assert type(back) is type(model) and back.arguments == model.arguments
    for parameter, value in weights(model).items():
        np.testing.assert_array_equal(weights(back)[parameter], value)
    assert ({n: p.grad_req for n, p in named_parameters(back).items()}
            == {n: p.grad_req for n, p in named_parameters(model).items()})


def test_a_served_folder_is_checked_and_becomes_a_module(tmp_path):
    model, data = make("DeepFM", True, True), DATA[True]
    save(tmp_path / "model", model, data.encoder,
         {name: column[:20] for name, column in SETS.items()})
    module = to_torch(tmp_path / "model")
    np.testing.assert_array_equal(numpy_of(module(data.ids, data.values)),
                                  numpy_of(to_torch(model)(data.ids, data.values)))
    assert torch.equal(to_torch(str(tmp_path / "model")).mlp.output.weight,
                       module.mlp.output.weight)
    params = tmp_path / "model/model.params"
    params.write_bytes(params.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ValueError, match="model.params is damaged"):
        to_torch(tmp_path / "model")


def test_a_module_that_computes_something_else_is_not_returned(tmp_path, monkeypatch):
    model, data = make("FM"), DATA[False]
    save(tmp_path / "model", model, data.encoder,
         {name: column[:20] for name, column in PLAIN.items()})
    from deepfm_tutorial.interop import _torch_modules
    monkeypatch.setattr(_torch_modules, "pairwise_interactions", lambda e: 0)
    with pytest.raises(ValueError, match="stored sample"):
        to_torch(tmp_path / "model")


@pytest.mark.parametrize("as_given", [np.asarray, torch.as_tensor, nd.array])
def test_wrong_rows_are_refused_with_field_value_and_range(as_given):
    module, wrong = to_torch(make("DeepFM")), DATA[False].ids.copy()
    wrong[7, 1] = 0                                            # a device's id
    with pytest.raises(ValueError, match=r"ids\[7, 1\] = 0.*: field 1 takes .* from 4"):
        module(as_given(wrong))
    with pytest.raises(ValueError, match=r"values\[0, 2\] = nan"):
        module(as_given(DATA[False].ids[:1]), as_given([[1.0, 1.0, np.nan]]))
    with pytest.raises(ValueError, match="multi-valued fields needs"):
        to_torch(make("FM", pooled=True))(as_given(DATA[True].ids))


def test_a_module_starts_as_a_model_does_and_drops_the_same_share():
    from deepfm_tutorial.interop._torch_modules import DeepFM
    torch.manual_seed(0)
    model = deepfm_tutorial.DeepFM((5000, 5000), 10, (400, 400), 0.25, True)
    module = DeepFM(**model.arguments)
    model.initialize()
    here, there = weights(model), weights(from_torch(module))
    for name, value in here.items():
        assert abs(value.std() - there[name].std()) <= 0.1 * value.std(), name
        assert abs(np.abs(value).max() - np.abs(there[name]).max()) <= 0.2 * np.abs(
            value).max(), name
    drop = next(m for m in module.modules() if isinstance(m, torch.nn.Dropout)).train()
    dropped = drop(torch.ones(100_000))
    assert abs(float((dropped == 0).float().mean()) - 0.25) < 0.01
    assert float(dropped.max()) == pytest.approx(1 / 0.75)


def test_gradients_reach_values_and_a_batch_of_one_row_can_be_trained():
    module, data = to_torch(make("DeepFM", True)), DATA[False]
    values = torch.tensor(data.values, requires_grad=True)
    module(torch.from_numpy(data.ids), values).sum().backward()
    assert values.grad.abs().max() > 1e-3
    assert module.train()(data.ids[:1], data.values[:1]).shape == (1,)


class Other(LogisticRegression):
    """A model of somebody else."""


def test_what_has_no_counterpart_is_refused():
    fm = make("FM")
    for model in (Other((2, 3)), fm.embedding):
        with pytest.raises(TypeError, match="no counterpart in PyTorch: one of Logi"):
            to_torch(model)
    with pytest.raises(TypeError, match="Linear is not a module that to_torch makes"):
        from_torch(torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match="has no weights yet"):
        to_torch(LogisticRegression((2, 3)))
    with pytest.raises(FileNotFoundError):
        to_torch("no/such/folder")
    module, sgd = to_torch(fm), mx.optimizer.SGD(0.1)
    for kind, optimizer in ((LazyTrainStep, mx.optimizer.Adam()), (TrainStep, sgd)):
        with (kind(fm, optimizer, table_l2=0) as step,
              pytest.raises(TypeError, match="can go on in PyTorch's Adam")):
            adam_to_torch(step, module)
    with (TrainStep(fm, mx.optimizer.Adam(), table_l2=0) as step,
          pytest.raises(ValueError, match="the module has other parameters")):
        adam_to_torch(step, to_torch(make("LogisticRegression")))
    with pytest.raises(ValueError, match="inside its with block"):
        adam_to_torch(step, module)
