"""The models by other routes: equation (1) in loops, NumPy, finite differences."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from mxnet.gluon import nn
from samples import NAMES, copy, small

from deepfm_tutorial import (
    DNN,
    FM,
    MLP,
    DeepFM,
    FieldBlock,
    FieldEmbedding,
    FirstOrder,
    LogisticRegression,
    embed_by_dot,
    embed_by_take,
    one_hot,
    one_hot_csr,
    pairwise_interactions,
)
from deepfm_tutorial.dnn import BatchNorm

SIZES, K = (4, 7, 3), 5
OFFSETS = np.array([0, 4, 11])
WITH_NORM = "DeepFM, batch norm"


def make(name):
    normed = {"dropout": 0.5, "batch_norm": True} if name == WITH_NORM else {}
    model = name.split(",")[0]
    return small(model, SIZES, num_factors=K, hidden_units=(8, 6), **normed)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def random_rows(rng, count=40):
    ids = (OFFSETS + rng.integers(0, SIZES, size=(count, 3))).astype(np.int32)
    return ids, rng.normal(size=ids.shape).astype(np.float32)


def fill(block, rng, scale=0.5):
    block.initialize()
    for parameter in block.collect_params().values():
        if "running" not in parameter.name:
            parameter.set_data(nd.array(rng.normal(scale=scale, size=parameter.shape)))
    return block


def numpy_of(*parameters):
    return [parameter.data().asnumpy().astype(np.float64) for parameter in parameters]


def equation_1(x, w0, w, V):
    """Equation 1 of Rendle, 2010, as it is written: a double loop over features."""
    n = len(x)
    pairs = sum(V[i] @ V[j] * x[i] * x[j] for i in range(n) for j in range(i + 1, n))
    return w0[0] + w @ x + pairs


def reference(name, arrays, ids, values):
    """Any model's logits in NumPy: loops over pairs of fields, a product a layer."""
    arrays, z = list(arrays), np.zeros(len(ids))
    if name != "DNN":
        bias, weights = arrays.pop(0), arrays.pop(0)
        z += bias + (weights[ids] * values).sum(axis=1)
    if name != "LogisticRegression":
        E = arrays.pop(0)[ids] * values[..., None]
    if name in ("FM", "DeepFM"):
        z += [sum(e[f] @ e[g] for f in range(len(e)) for g in range(f + 1, len(e)))
              for e in E]
    if name in ("DNN", "DeepFM"):
        hidden = E.reshape(len(E), -1)
        while arrays:
            hidden = hidden @ arrays.pop(0).T + arrays.pop(0)
            hidden = np.maximum(hidden, 0) if arrays else hidden
        z += hidden[:, 0]
    return z


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("hybrid", [False, True])
def test_fm_is_equation_1_on_one_hot_and_weighted_rows(rng, weighted, hybrid):
    model = fill(FM(SIZES, K), rng)
    model.hybridize(hybrid)
    ids, values = random_rows(rng)
    values = values if weighted else None
    rows = one_hot(ids, sum(SIZES), values).asnumpy().astype(np.float64)
    first, V = model.first_order, model.embedding.factors
    expected = [equation_1(x, *numpy_of(first.bias, first.weights, V)) for x in rows]
    np.testing.assert_allclose(model(ids, values).asnumpy(), expected,
                               rtol=1e-4, atol=1e-5)


def test_logistic_regression_is_a_dot_product(rng):
    model = fill(LogisticRegression(SIZES), rng)
    ids, values = random_rows(rng)
    w0, w = numpy_of(model.first_order.bias, model.first_order.weights)
    expected = w0 + one_hot(ids, sum(SIZES), values).asnumpy() @ w
    for x in (values, nd.array(values, dtype="float64")):
        np.testing.assert_allclose(model(ids.astype(np.uint16), x).asnumpy(), expected,
                                   rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model(ids, values > 0).asnumpy(),
                                  model(ids, 1.0 * (values > 0)).asnumpy())


def test_pairwise_interactions_against_the_double_loop_over_fields(rng):
    E = rng.normal(size=(20, 6, 4))
    expected = [sum(e[f] @ e[g] for f in range(6) for g in range(f + 1, 6)) for e in E]
    np.testing.assert_allclose(pairwise_interactions(nd.array(E)).asnumpy(), expected,
                               rtol=1e-4, atol=1e-5)


def test_fm_gradient_is_the_papers_equation_4(rng):
    model = fill(FM(SIZES, K), rng)
    ids, values = random_rows(rng, count=6)
    head = rng.normal(size=6).astype(np.float32)
    with autograd.record():
        logits = model(ids, values)
    logits.backward(nd.array(head))
    x = one_hot(ids, sum(SIZES), values).asnumpy().astype(np.float64)
    (V,) = numpy_of(model.embedding.factors)
    for_row = (x[:, :, None] * (x @ V)[:, None, :]
               - V * (x ** 2)[:, :, None])                              # (B, n, k)
    first, factors = model.first_order, model.embedding.factors
    np.testing.assert_allclose(factors.grad().asnumpy(), np.tensordot(head, for_row, 1),
                               rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(first.weights.grad().asnumpy(), head @ x,
                               rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(first.bias.grad().asnumpy(), [head.sum()], rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_logits_and_gradients_against_numpy_and_finite_differences(rng, name):
    model = fill(make(name), rng)
    ids, values = random_rows(rng, count=12)
    head = rng.normal(size=12).astype(np.float32)
    with autograd.record():
        logits = model(ids, values)
    logits.backward(nd.array(head))
    parameters = list(model.collect_params().values())
    arrays = numpy_of(*parameters)
    np.testing.assert_allclose(logits.asnumpy(), reference(name, arrays, ids, values),
                               rtol=1e-4, atol=1e-5)
    for parameter, array in zip(parameters, arrays):
        numeric = np.zeros_like(array)
        for position in np.ndindex(array.shape):
            kept, sides = array[position], []
            for step in (1e-6, -1e-6):
                array[position] = kept + step
                sides.append(head @ reference(name, arrays, ids, values))
            array[position] = kept
            numeric[position] = (sides[0] - sides[1]) / 2e-6
        np.testing.assert_allclose(parameter.grad().asnumpy(), numeric,
                                   rtol=1e-3, atol=1e-4)


def test_take_and_dot_agree_with_numpy_in_outputs_and_gradients(rng):
    ids, _ = random_rows(rng, count=200)  # 200 rows of 14 features: ids repeat
    V = rng.normal(size=(sum(SIZES), K)).astype(np.float32)
    head = rng.normal(size=(200, 3, K)).astype(np.float32)
    expected_gradient = np.zeros_like(V)
    np.add.at(expected_gradient, ids, head)
    ways = {"take": lambda v: embed_by_take(ids, v),
            "dot": lambda v: embed_by_dot(one_hot(ids, sum(SIZES)), v, SIZES)}
    for way in ways.values():
        v = nd.array(V)
        v.attach_grad()
        assert not v.grad.asnumpy().any()
        with autograd.record():
            E = way(v)
        E.backward(nd.array(head))
        np.testing.assert_array_equal(E.asnumpy(), V[ids])
        np.testing.assert_allclose(v.grad.asnumpy(), expected_gradient,
                                   rtol=1e-4, atol=1e-5)


def test_field_embedding_scales_its_rows_by_the_values(rng):
    block = fill(FieldEmbedding(SIZES, K), rng)
    ids, values = random_rows(rng)
    (V,) = numpy_of(block.factors)
    np.testing.assert_allclose(block(ids, values).asnumpy(),
                               V[ids] * values[..., None], rtol=1e-5)


def test_values_receive_their_gradient(rng):
    model = fill(LogisticRegression(SIZES), rng)
    ids, values = random_rows(rng)
    values = nd.array(values)
    values.attach_grad()
    with autograd.record():
        logits = model(ids, values)
    logits.backward()
    (w,) = numpy_of(model.first_order.weights)
    np.testing.assert_allclose(values.grad.asnumpy(), w[ids], rtol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_csr_holds_the_dense_matrix_with_its_columns_in_order(rng, weighted):
    ids, values = random_rows(rng)
    ids, values = ids[:, ::-1], values[:, ::-1] if weighted else None
    dense, csr = (build(ids, sum(SIZES), values) for build in (one_hot, one_hot_csr))
    np.testing.assert_array_equal(csr.asnumpy(), dense.asnumpy())
    assert (np.diff(csr.indices.asnumpy().reshape(ids.shape), axis=1) > 0).all()


@pytest.mark.parametrize("build", [one_hot, one_hot_csr])
def test_an_id_that_stands_twice_adds_its_values_up_or_is_refused(build):
    ids = [[4, 1], [2, 2], [0, 3]]
    x = build(ids, 5, [[1, 2], [0.5, 0.25], [3, 4]])
    np.testing.assert_array_equal(
        x.asnumpy(), [[0, 2, 0, 0, 1], [0, 0, 0.75, 0, 0], [3, 0, 0, 4, 0]])
    with pytest.raises(ValueError, match=r"ids\[1\] = \[2, 2\]: 2 .* twice"):
        build(ids, 5)


@pytest.mark.parametrize("hidden_units", [(8,), (8, 6), (5, 4, 3)])
def test_dnn_of_any_depth_against_numpy_with_dropout_at_rest(rng, hidden_units):
    model = fill(DNN(SIZES, K, hidden_units, dropout=0.5), rng)
    ids, values = random_rows(rng)
    expected = reference("DNN", numpy_of(*model.collect_params().values()), ids, values)
    np.testing.assert_allclose(model(ids, values).asnumpy(), expected,
                               rtol=1e-4, atol=1e-4)


def test_deepfm_is_fm_plus_dnn_and_so_is_its_gradient(rng):
    model = fill(DeepFM(SIZES, K, (8, 6), dropout=0), rng)
    fm, dnn = fill(FM(SIZES, K), rng), fill(DNN(SIZES, K, (8, 6), dropout=0), rng)
    copy(model.first_order, fm.first_order)
    copy(model.embedding, fm.embedding)
    copy(model.embedding, dnn.embedding)
    copy(model.mlp, dnn.mlp)
    ids, values = random_rows(rng)
    head = nd.array(rng.normal(size=len(ids)))
    logits, gradients = [], []
    for m in (model, fm, dnn):
        with autograd.record():
            z = m(ids, values)
        z.backward(head)
        logits.append(z.asnumpy())
        gradients.append(m.embedding.factors.grad().asnumpy())
    np.testing.assert_allclose(logits[0], logits[1] + logits[2], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gradients[0], gradients[1] + gradients[2],
                               rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [*NAMES, WITH_NORM])
def test_hybridised_equals_eager_and_takes_values_or_none(rng, name):
    model = fill(make(name), rng)
    ids, values = random_rows(rng)
    eager = [model(ids, x).asnumpy() for x in (None, values, np.ones_like(values))]
    np.testing.assert_array_equal(eager[0], eager[2])
    model.hybridize()
    for x, expected in zip((None, values, None), (eager[0], eager[1], eager[0])):
        logits = model(ids, x)
        assert logits.shape == (len(ids),)
        np.testing.assert_allclose(logits.asnumpy(), expected, rtol=1e-4, atol=1e-5)


def test_after_an_error_inside_a_block_rows_are_checked_again():
    class Broken(FieldBlock):
        def hybrid_forward(self, F, ids, values=None):
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        Broken(SIZES)([[0, 4, 11]])
    model = LogisticRegression(SIZES)
    model.initialize()
    with pytest.raises(ValueError, match=r"ids\[0, 0\] = 4"):
        model([[4, 4, 11]])


def test_logits_are_not_squashed(rng):
    ids, _ = random_rows(rng)
    for name in NAMES:
        logits = fill(make(name), rng, scale=3)(ids).asnumpy()
        assert logits.min() < -0.5 or logits.max() > 1.5


@pytest.mark.parametrize("name", NAMES)
def test_parameter_count_by_formula(name):
    n, widths = sum(SIZES), [3 * K, 8, 6, 1]
    mlp = sum((a + 1) * b for a, b in zip(widths, widths[1:]))
    expected = {"LogisticRegression": 1 + n, "FM": 1 + n + K * n, "DNN": K * n + mlp,
                "DeepFM": 1 + n + K * n + mlp}[name]
    assert sum(int(np.prod(p.shape))
               for p in make(name).collect_params().values()) == expected


def test_first_order_starts_at_zero_and_factors_do_not():
    first, embedding = FirstOrder(SIZES), FieldEmbedding((1000,), 10)
    first.initialize()
    embedding.initialize()
    assert (not first.weights.data().asnumpy().any()
            and not first.bias.data().asnumpy().any())
    V = embedding.factors.data().asnumpy()
    assert V.std() == pytest.approx(0.01, rel=0.05)
    assert np.abs(V).max() > 0.03  # normal noise, not uniform


@pytest.mark.parametrize("model", [DNN, DeepFM])
def test_a_models_mlp_is_made_with_the_models_arguments(model):
    mlp = model(SIZES, K, (8, 6), dropout=0.5, batch_norm=True).mlp
    assert repr(mlp) == repr(MLP(len(SIZES) * K, (8, 6), dropout=0.5, batch_norm=True))


def test_mlp_starts_with_he_initialisation():
    mx.random.seed(0)
    mlp = MLP(in_units=200, hidden_units=(400, 300), dropout=0)
    mlp.initialize()
    for layer, fan_in in ((mlp.layers[0], 200), (mlp.layers[2], 400)):
        assert layer.weight.data().asnumpy().std() == pytest.approx(
            np.sqrt(2 / fan_in), rel=0.05)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_batch_norm_takes_the_bias_of_a_layer_and_the_size_of_the_output(batch_norm):
    mx.random.seed(0)
    mlp = MLP(in_units=4, hidden_units=(3000, 2000), batch_norm=batch_norm)
    mlp.initialize()
    dense = [block for block in mlp.layers if isinstance(block, nn.Dense)]
    assert [layer.bias is None for layer in dense] == [batch_norm, batch_norm]
    assert mlp.output.bias.data().asscalar() == 0
    # Xavier's rule with magnitude 1: uniform between ±√(1 / inputs), variance a third.
    variance = 1 / 3 if batch_norm else 2
    for layer, inputs, expected in ((dense[1], 3000, 2), (mlp.output, 2000, variance)):
        assert inputs * layer.weight.data().asnumpy().var() == pytest.approx(
            expected, rel=0.1)


def test_dropout_rate_is_the_share_dropped(rng):
    mlp = MLP(in_units=4, hidden_units=(2000,), dropout=0.2)
    mlp.initialize()
    with autograd.record():
        hidden = mlp.layers(nd.ones((1, 4)))
        undropped = mlp.layers[:2](nd.ones((1, 4)))
    alive = undropped.asnumpy() > 0
    assert (hidden.asnumpy()[alive] != 0).mean() == pytest.approx(0.8, abs=0.05)


def test_batch_norm_is_gluons_with_its_gradients_and_running_statistics(rng):
    x, head = (nd.array(rng.normal(3, 2, size=(64, 5))) for _ in range(2))
    ours, gluons = BatchNorm(in_channels=5), nn.BatchNorm(axis=1, in_channels=5)
    seen = []
    for block, call in ((ours, lambda x: ours(x.T).T), (gluons, gluons)):  # on columns
        block.initialize()
        block.hybridize()
        x.attach_grad()
        with autograd.record():
            y = call(x)
        y.backward(head)
        seen.append([a.asnumpy()
                     for a in (y, x.grad, block.gamma.grad(), block.running_mean.data(),
                               block.running_var.data(), call(x))])
    for ours, theirs in zip(*seen):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
