"""Training by rows against training of whole tables, and MXNet's own sparse route."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon, nd
from samples import NAMES, small, weights

from deepfm_tutorial import TrainStep, fit, pairwise_interactions
from deepfm_tutorial.scale import LazyTrainStep, RowAdaGrad
from deepfm_tutorial.scale.lazy import decay_adam, distinct

SIZES = (30, 40, 50)
STEPS = (TrainStep, LazyTrainStep)


def batch(rows=20, seed=0):
    rng = np.random.default_rng(seed)
    ids = np.stack([rng.integers(0, size, rows) for size in SIZES],
                   axis=1) + [0, 30, 70]
    return (ids, rng.integers(0, 2, rows).astype(np.float32),
            rng.normal(size=ids.shape).astype(np.float32))


def made(name):
    """A small model with weights, batch norm in the DNN."""
    mx.random.seed(1)
    model = small(name, SIZES, batch_norm=name == "DNN")
    model.initialize()
    for parameter in model.collect_params(
            ".*(weights|factors|weight|bias|gamma|beta)$").values():
        parameter.set_data(nd.random.normal(scale=0.3, shape=parameter.shape))
    return model


@pytest.mark.parametrize("with_values", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_one_sgd_step_by_rows_is_the_step_of_the_whole_tables(name, with_values):
    ids, labels, values = batch()
    results = []
    for step in STEPS:
        model = made(name)
        l2 = 0 if name == "LogisticRegression" else 0.5
        with step(model, mx.optimizer.SGD(learning_rate=0.5), with_values=with_values,
                  embedding_l2=l2) as update:
            loss = update(ids, labels, values if with_values else None)
        results.append([*weights(model), loss.asnumpy()])
    before = weights(made(name))
    for dense, by_rows in zip(*results):
        np.testing.assert_allclose(by_rows, dense, atol=1e-6)
    assert all(np.abs(after - start).max() > 1e-3
               for after, start in zip(results[0], before)
               if after.shape == start.shape and after.shape[0] == sum(SIZES))


@pytest.mark.parametrize("num_features", [1, 1000, 2 ** 16, 2 ** 16 + 1, 2 ** 31 - 1])
def test_two_sorts_by_sixteen_bits_find_the_ids_that_one_sort_finds(num_features):
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (64, 3), (300, 26)):
        ids = rng.integers(0, num_features, shape).astype(np.int32)
        ids[-1] = num_features - 1, *ids[0, 1:]  # the last one, and some twice
        used, places = distinct(ids)
        np.testing.assert_array_equal(used, np.unique(ids))
        np.testing.assert_array_equal(used[places.asnumpy()], ids)


def penalised(step, optimizer, table_l2, steps=150):
    """Weights of an FM that saw the batches of `batch`, one row in them, and the rest
    of the rows left to the penalty."""
    model = made("FM")
    with step(model, optimizer, table_l2=table_l2) as update:
        for seed in range(steps):
            update(*batch(rows=2, seed=seed % 5)[:2])
        update.settle()
    return weights(model)


def test_a_penalty_by_rows_on_sgd_is_that_on_whole_tables():
    for l2 in (0.5, 0.01):
        by_rows, whole = (penalised(step, mx.optimizer.SGD(learning_rate=0.05), l2)
                          for step in reversed(STEPS))
        for one, other in zip(by_rows, whole):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 10, 100, 1000])
@pytest.mark.parametrize("pull", [0, 1e-3, 1e-2])
def test_rows_that_were_away_are_where_a_loop_over_adams_steps_brings_them(steps, pull):
    rng = np.random.default_rng(0)
    w, mean = rng.normal(0, 0.1, (40, 3)), rng.normal(0, 3e-3, (40, 3))
    square = rng.uniform(1e-5, 1e-4, (40, 3))
    adam = mx.optimizer.Adam(1e-3, begin_num_update=20_000, wd=pull)
    found = [each.asnumpy() for each in decay_adam(
        adam, nd.full((40, 1), steps), *map(nd.array, (w, mean, square)))]
    before = w
    for _ in range(steps):
        mean = 0.9 * mean + 0.1 * pull * w
        square = 0.999 * square + 0.001 * (pull * w) ** 2
        w = w - 1e-3 * mean / (np.sqrt(square) + 1e-8)
    close = np.abs(before - w).max() * 0.05
    np.testing.assert_allclose(found[0], w, atol=close)
    np.testing.assert_allclose(found[1], mean, atol=1e-4)
    np.testing.assert_allclose(found[2], square, rtol=0.05, atol=1e-6)


def test_a_penalty_by_rows_on_adam_is_close_to_that_on_whole_tables():
    start = weights(made("FM"))[1:]
    by_rows, whole = (penalised(step, mx.optimizer.Adam(0.001), 0.01)[1:]
                      for step in reversed(STEPS))
    used = np.isin(np.arange(sum(SIZES)), [batch(rows=2, seed=i)[0] for i in range(5)])
    for before, one, other in zip(start, by_rows, whole):
        assert np.linalg.norm(other[~used]) < 0.7 * np.linalg.norm(before[~used])
        for rows, close in ((used, 0.02), (~used, 0.15)):
            apart = np.linalg.norm((one - other)[rows])
            assert apart < close * np.linalg.norm(other[rows])


def test_fit_by_rows_leaves_a_row_decayed_that_no_batch_had():
    ids, labels, _ = batch(rows=200)
    ids[ids == 7] = 8
    model, before = made("FM"), weights(made("FM"))[-1]
    fit(model, (ids, labels), epochs=3, batch_size=20, learning_rate=0.02,
        table_l2=0.1, step=LazyTrainStep, progress=False)
    assert np.abs(weights(model)[-1][7]).max() < 0.3 * np.abs(before[7]).max()


def test_a_penalty_by_rows_refuses_an_optimizer_whose_decay_is_not_known():
    for optimizer in (mx.optimizer.SGD(momentum=0.9), mx.optimizer.Ftrl()):
        with pytest.raises(ValueError, match=type(optimizer).__name__):
            LazyTrainStep(made("FM"), optimizer, table_l2=0.1)


def test_many_steps_of_momentum_by_rows_follow_the_definition():
    """w and its velocity move only when the row occurs; NumPy does the same with a
    loop."""
    model = made("LogisticRegression")
    update = LazyTrainStep(model, mx.optimizer.SGD(learning_rate=0.1, momentum=0.9))
    w = model.first_order.weights.data().asnumpy().astype(np.float64)
    b, v, v_bias = (float(model.first_order.bias.data().asscalar()),
                    np.zeros_like(w), 0.0)
    for seed in range(5):
        ids, labels, _ = batch(seed=seed)
        delta = 1 / (1 + np.exp(-(w[ids].sum(axis=1) + b))) - labels
        update(ids, labels)
        for i in np.unique(ids):
            gradient = (delta[:, None] * (ids == i)).sum() / len(ids)
            v[i] = 0.9 * v[i] - 0.1 * gradient
            w[i] += v[i]
        v_bias = 0.9 * v_bias - 0.1 * delta.mean()
        b += v_bias
    np.testing.assert_allclose(model.first_order.weights.data().asnumpy(), w, atol=1e-6)


@pytest.mark.parametrize("optimizer",
                         ["sgd", "adam", "rmsprop", "adagrad", "nag", "ftrl", "dcasgd",
                          RowAdaGrad])
def test_where_a_batch_has_every_id_a_step_is_that_of_whole_tables(optimizer):
    ids = np.stack([np.arange(50) % size for size in SIZES], axis=1) + [0, 30, 70]
    labels, found = (np.arange(50) % 2).astype(np.float32), []
    for step in STEPS:
        model = made("FM")
        made_one = (optimizer() if optimizer is RowAdaGrad
                    else mx.optimizer.create(optimizer))
        with step(model, made_one) as update:
            for _ in range(3):
                update(ids, labels)
        found.append(weights(model))
    for whole, by_rows in zip(*found):
        np.testing.assert_allclose(by_rows, whole, atol=1e-5)


def with_mxnets_own(lazy):
    """V after four Adam steps: by our rows, and by MXNet's row-sparse gradient."""
    model, embedding = (made("FM"),
                        gluon.nn.Embedding(sum(SIZES), 4, sparse_grad=True))
    embedding.initialize()
    embedding.weight.set_data(model.embedding.factors.data())
    ours = LazyTrainStep(model, mx.optimizer.Adam(0.01))
    theirs = gluon.Trainer(embedding.collect_params(), "adam",
                           {"learning_rate": 0.01, "lazy_update": lazy})
    for seed in range(4):
        ids, labels, _ = batch(seed=seed)
        first_order = model.first_order(ids)  # as it is before our step
        with autograd.record():
            z = first_order + pairwise_interactions(
                embedding(nd.array(ids, dtype="int32")))
            loss = (nd.Activation(z, "softrelu") - nd.array(labels) * z).sum()
        loss.backward()
        theirs.step(len(ids))
        ours(ids, labels)
    return model.embedding.factors.data().asnumpy(), embedding.weight.data().asnumpy()


def test_adam_by_rows_is_what_mxnet_calls_lazy_and_not_standard_adam():
    np.testing.assert_allclose(*with_mxnets_own(lazy=True), atol=1e-6)
    ours, standard = with_mxnets_own(lazy=False)
    assert np.abs(ours - standard).max() > 1e-3


def test_adam_counts_all_steps_of_a_table_and_not_those_of_a_row():
    """A first gradient in step 1,000: its average of squares is not corrected fully."""
    moved = []
    for done in (0, 999):
        model = made("LogisticRegression")
        before = model.first_order.weights.data().asnumpy()
        update = LazyTrainStep(model, mx.optimizer.Adam(0.1, begin_num_update=done))
        update(*batch(1)[:2])
        moved.append(np.abs(model.first_order.weights.data().asnumpy() - before).max())
    corrected = np.sqrt(1 - 0.999**1000) / np.sqrt(0.001) * 0.1 / (1 - 0.9**1000)
    np.testing.assert_allclose(moved, [0.1, 0.1 * corrected], rtol=1e-4)
    assert round(corrected, 1) == 2.5


def test_adagrad_by_row_follows_the_definition_and_keeps_one_number_a_row():
    optimizer, rng = RowAdaGrad(0.1, epsilon=1e-3), np.random.default_rng(0)
    optimizer.rescale_grad = 1 / 8
    for shape, of_state in (((5,), (5,)), ((5, 3), (5, 1))):
        w = rng.normal(size=shape)
        weight, kept = nd.array(w), [0.0] * 5
        state = optimizer.create_state(0, weight)
        assert state.shape == of_state
        for _ in range(3):
            gradient = rng.normal(size=shape)
            optimizer.update(0, weight, nd.array(gradient), state)
            for row, g in enumerate(gradient / 8):
                kept[row] += np.mean(g ** 2)
                w[row] -= 0.1 * g / (kept[row] ** 0.5 + 1e-3)
        np.testing.assert_allclose(weight.asnumpy(), w, atol=1e-6)
        np.testing.assert_allclose(state.asnumpy().ravel(), kept, rtol=1e-5)


def test_rows_that_no_batch_uses_and_their_state_stay_and_the_tables_have_no_gradient():
    model = made("DeepFM")
    before = model.embedding.factors.data().asnumpy()
    ids, labels, _ = batch(5)
    with LazyTrainStep(model, mx.optimizer.Adam(0.01)) as update:
        update(ids, labels)
        moved = (model.embedding.factors.data().asnumpy() != before).any(axis=1)
        np.testing.assert_array_equal(np.flatnonzero(moved), np.unique(ids))
        state = update.states[-1][1].asnumpy().any(axis=1)
        np.testing.assert_array_equal(np.flatnonzero(state), np.unique(ids))
        assert update.tables == [model.first_order.weights, model.embedding.factors]
        for table in update.tables:
            with pytest.raises(RuntimeError):
                table.grad()


def test_fit_by_rows_learns_as_well_and_gives_the_gradients_back():
    ids, labels, _ = batch(400)
    labels = (ids[:, 0] % 2 == ids[:, 1] % 2).astype(np.float32)
    losses = {}
    for step in STEPS:
        model = made("FM")
        losses[step] = fit(model, (ids, labels), epochs=20, batch_size=50,
                           learning_rate=0.02, step=step, progress=False).train_loss[-1]
    assert losses[LazyTrainStep] < 0.5
    assert abs(losses[LazyTrainStep] - losses[TrainStep]) < 0.1
    assert model.embedding.factors.grad().shape == (120, 4)
