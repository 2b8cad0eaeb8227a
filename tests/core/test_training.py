"""fit, predict, evaluate: what they promise, on data small enough to reason about."""
import subprocess
import sys

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from samples import NAMES, small, weights

from deepfm_tutorial import (
    DNN,
    FM,
    Data,
    DeepFM,
    LogisticRegression,
    TrainStep,
    evaluate,
    evaluation,
    fit,
    logistic_loss,
    predict,
    training,
)
from deepfm_tutorial.scale import LazyTrainStep

SIZES = (5, 6)
QUIET = {"progress": False}


def data(rows=300, seed=0):
    """Clicks that depend on the pair of features: models with factors learn them."""
    rng = np.random.default_rng(seed)
    ids = np.stack([rng.integers(0, 5, rows), rng.integers(5, 11, rows)], axis=1)
    z = np.where((ids[:, 0] + ids[:, 1]) % 2, 2.0, -2.0)
    return ids, (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(np.float32)


def deepfm():
    mx.random.seed(0)
    model = small("DeepFM", SIZES, dropout=0.2)
    model.initialize()
    return model


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b))


def test_logistic_loss_and_its_gradient_against_the_definition():
    z = np.array([-30, -2, 0, 0, 0.5, 30], dtype=np.float64)
    y = np.array([0, 1, 0, 1, 1, 1], dtype=np.float64)
    logits = nd.array(z)
    logits.attach_grad()
    with autograd.record():
        loss = logistic_loss(logits, nd.array(y))
    loss.backward()
    p = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(loss.asnumpy(), -np.log(np.where(y == 1, p, 1 - p)),
                               rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(logits.grad.asnumpy(), p - y, rtol=1e-4, atol=1e-6)


def test_logistic_loss_refuses_labels_that_it_would_have_to_stretch():
    for labels in (nd.ones((4, 1)), nd.ones(1), nd.ones(3)):
        with pytest.raises(ValueError, match=r"logits have shape \(4,\) and labels"):
            logistic_loss(nd.zeros(4), labels)


def test_auc_and_log_loss_against_a_count_of_all_pairs():
    model, (ids, labels) = deepfm(), data(60)
    p = predict(model, ids)
    pairs = [(a, b) for a in p[labels == 1] for b in p[labels == 0]]
    auc = np.mean([1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs])
    log_loss = -np.mean(np.log(np.where(labels == 1, p, 1 - p)))
    assert evaluate(model, (ids, labels)) == pytest.approx((auc, log_loss), rel=1e-5)


def test_predict_applies_the_sigmoid_once_and_drops_nothing(monkeypatch):
    model, (ids, _) = deepfm(), data(50)
    expected = 1 / (1 + np.exp(-model(ids).asnumpy()))
    np.testing.assert_allclose(predict(model, ids), expected, rtol=1e-5)
    # 50 rows: the last part is smaller.
    monkeypatch.setattr(evaluation, "INFERENCE_BATCH", 7)
    p = predict(model, nd.array(ids, dtype="int32"))
    np.testing.assert_allclose(p, expected, rtol=1e-5)
    assert p.shape == (50,) and p.dtype == np.float64


def test_one_step_is_adam_on_the_mean_loss_with_the_penalty_of_the_rows_used():
    """Adam's first step moves each weight by the rate, against its gradient's sign."""
    ids, labels = np.array([[0, 5], [0, 6]]), np.array([1.0, 0.0], dtype=np.float32)
    model, λ = FM(SIZES, 4), 10.0
    mx.random.seed(1)
    model.initialize()
    V = model.embedding.factors.data().asnumpy().astype(np.float64)
    fit(model, (ids, labels), epochs=1, batch_size=2, learning_rate=0.001,
        embedding_l2=λ, **QUIET)
    moved = model.embedding.factors.data().asnumpy() - V
    E = V[ids]
    delta = 1 / (1 + np.exp(-(E[:, 0] * E[:, 1]).sum(axis=1))) - labels
    gradient = np.zeros_like(V)
    np.add.at(gradient, ids, (delta[:, None, None] * E[:, ::-1] + λ * E) / 2)
    np.testing.assert_allclose(moved, -0.001 * np.sign(gradient), rtol=1e-2, atol=1e-7)
    assert not moved[[1, 2, 3, 4, 7, 8, 9, 10]].any()  # rows that were not used stay


def test_penalty_strength_is_half_lambda_times_the_mean_square(monkeypatch):
    """Read the gradient before Adam hides its size. A factor row pays as x² says."""
    seen = {}
    monkeypatch.setattr(TrainStep, "_update_weights", lambda self: seen.update(
        grad=model.embedding.factors.grad().asnumpy() * self.optimizer.rescale_grad))
    ids, labels = np.array([[0, 5], [0, 6]]), np.array([1.0, 0.0], dtype=np.float32)
    # Feature 6 is there with x = 0.
    x = np.array([[1.0, 2.0], [1.0, 0.0]], dtype=np.float32)
    gradients = []
    for λ in (0.0, 3.0):
        model = FM(SIZES, 4)
        mx.random.seed(1)
        model.initialize()
        V = model.embedding.factors.data().asnumpy()
        fit(model, (ids, labels, x), epochs=1, batch_size=2, embedding_l2=λ, **QUIET)
        gradients.append(seen["grad"])
    squares = np.bincount(ids.ravel(), weights=x.ravel() ** 2, minlength=11)[:, None]
    np.testing.assert_allclose(gradients[1] - gradients[0], 3.0 * V * squares / 2,
                               rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_a_penalty_on_whole_tables_pulls_each_of_their_rows_and_no_other_weight(name):
    """Under SGD the pull of a step is ηλ times the weight, used or not."""
    ids, labels = np.array([[0, 5], [0, 6]]), np.array([1.0, 0.0], dtype=np.float32)
    found = []
    for l2 in (0.0, 0.2):
        mx.random.seed(1)
        model = small(name, SIZES)
        model.initialize()
        for parameter in model.collect_params().values():
            parameter.set_data(nd.random.normal(scale=0.3, shape=parameter.shape))
        start = weights(model)
        with TrainStep(model, mx.optimizer.SGD(learning_rate=0.5),
                       table_l2=l2) as update:
            update(ids, labels)
        found.append(weights(model))
    tables = [p in model.tables for p in model.collect_params().values()]
    for is_table, before, free, pulled in zip(tables, start, *found):
        wanted = free - 0.5 * 0.2 * before * is_table
        np.testing.assert_allclose(pulled, wanted, atol=1e-6)


def test_none_as_penalty_is_the_models_own_strength_over_the_training_rows():
    for name, kappa in (("LogisticRegression", 5), ("FM", 5), ("DNN", 1000),
                        ("DeepFM", 1000)):
        found = []
        for l2 in (None, kappa / 60):
            model = small(name, SIZES)
            fit(model, data(60), epochs=2, table_l2=l2, **QUIET)
            found.append(weights(model))
        for one, other in zip(*found):
            np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_training_leaves_no_arrays_of_its_graph_behind():
    """The most memory that a process ever held, in MB, after each of three."""
    code = """if True:
        import numpy as np
        from deepfm_tutorial import DNN, fit
        data = np.full((4096, 2), [0, 9]), np.arange(4096) % 2
        for seed in range(3):
            fit(DNN([9, 9], 4, (800, 800), dropout=0), data, epochs=1, seed=seed,
                batch_size=4096, progress=False)
            status = open("/proc/self/status").read()
            print(int(status.split("VmHWM:")[1].split()[0]) / 1024)"""
    first, *_, last = map(float, subprocess.run(
        [sys.executable, "-c", code], text=True, check=True,
        stdout=subprocess.PIPE).stdout.split())
    assert last < first + 30  # a graph has about 80


def test_the_training_loss_is_the_mean_over_the_rows_without_the_penalty():
    """At so small a rate no weight moves: each batch has the loss of the model given.
    The last batch has two rows."""
    model, (ids, labels) = FM(SIZES, 4), data(10)
    model.initialize()
    model.embedding.factors.set_data(nd.arange(44).sin().reshape((11, 4)))
    z = model(ids).asnumpy().astype(np.float64)
    losses = np.logaddexp(0, z) - labels * z
    history = fit(model, (ids, labels), epochs=1, batch_size=4, learning_rate=1e-12,
                  embedding_l2=1.0, **QUIET)
    assert history.train_loss == [pytest.approx(losses.mean(), rel=1e-5)]


def test_a_validation_entry_is_what_evaluate_says_of_the_model_that_fit_leaves():
    rng = np.random.default_rng(0)
    train, validation = ((*data(60, seed), rng.normal(size=(60, 2)),
                          rng.integers(0, 3, 60)) for seed in (0, 1))
    model = DeepFM(SIZES, 4, (8,), dropout=0.5)
    history = fit(model, train, validation, epochs=3, batch_size=16,
                  learning_rate=0.01, **QUIET)
    assert len(set(history.validation)) == 3
    assert evaluate(model, validation) == history.validation[history.best_epoch - 1]


def test_a_short_batch_is_scaled_by_its_own_rows():
    """With w frozen the bias alone moves: by the rate times the mean of σ(z) − y."""
    model, bias, rate = LogisticRegression((2,)), 0.0, 0.5
    model.initialize()
    model.first_order.weights.grad_req = "null"
    with TrainStep(model, mx.optimizer.SGD(learning_rate=rate)) as step:
        for labels in ([1, 0, 1, 1], [1]):
            step(np.zeros((len(labels), 1)), np.array(labels))
            bias -= rate * (1 / (1 + np.exp(-bias)) - np.mean(labels))
    assert model.first_order.bias.data().asscalar() == pytest.approx(bias, rel=1e-6)


@pytest.mark.parametrize("rows, batch_size, sizes",
                         [(10, 4, [4, 4, 2]), (3, 100, [3]), (8, 4, [4, 4])])
def test_every_row_is_seen_once_an_epoch_in_a_new_order(monkeypatch, rows,
                                                        batch_size, sizes):
    seen, step = [], TrainStep.__call__

    def spy(self, ids, *rest):
        seen.append(ids[:, 0].tolist())
        return step(self, ids, *rest)

    monkeypatch.setattr(TrainStep, "__call__", spy)
    ids = np.stack([np.arange(rows), np.full(rows, rows)], axis=1)
    fit(LogisticRegression((rows, 1)), (ids, np.arange(rows) % 2), epochs=2,
        batch_size=batch_size, **QUIET)
    assert [len(batch) for batch in seen] == sizes * 2
    first, second = (sum(seen[i:i + len(sizes)], []) for i in (0, len(sizes)))
    assert sorted(first) == sorted(second) == list(range(rows))
    assert rows < 8 or first != second


def test_the_seed_decides_the_order_of_the_rows_and_the_first_weights(monkeypatch):
    seen, first = [], []
    monkeypatch.setattr(TrainStep, "__call__", lambda self, ids, *rest: (
        seen.append(ids[:, 0].tolist()) or nd.zeros(1)))  # it moves no weight
    ids = np.stack([np.arange(50), np.full(50, 50)], axis=1)
    for seed in (1, 1, 2):
        model = FM((50, 1), 2)
        fit(model, (ids, np.arange(50) % 2), epochs=1, seed=seed, **QUIET)
        first.append(model.embedding.factors.data().asnumpy().tolist())
    assert seen[0] == seen[1] != seen[2] and first[0] == first[1] != first[2]


def test_equal_seeds_give_bit_equal_results_and_others_do_not():
    def run(seed):
        model = DeepFM(SIZES, 4, (8,), dropout=0.2)
        history = fit(model, data(), data(seed=1), epochs=3, batch_size=64,
                      seed=seed, **QUIET)
        return weights(model), history
    (first, history), (again, history_again), (other, _) = run(3), run(3), run(4)
    assert same(first, again) and history == history_again
    assert not same(first, other)


def test_each_epochs_dropout_has_a_seed_of_its_own(monkeypatch):
    seeds, seed = [], mx.random.seed
    monkeypatch.setattr(mx.random,
                        "seed", lambda number: (seeds.append(number), seed(number)))
    for number in (0, 1):
        fit(deepfm(), data(), epochs=4, seed=number, **QUIET)
    of_epochs = [s for s in seeds if s > 1]  # the others are those of the weights
    assert len(of_epochs) == len(set(of_epochs)) == 8


def test_numpy_and_mxnet_inputs_give_the_same_result():
    ids, labels = data()
    results = []
    for convert in (lambda a: a, lambda a: nd.array(a, dtype="int32"),
                    lambda a: a.tolist()):
        model = deepfm()
        fit(model, (convert(ids), convert(labels)), epochs=2, **QUIET)
        results.append(weights(model))
    assert same(results[0], results[1]) and same(results[0], results[2])


@pytest.mark.parametrize("make", [lambda: FM(SIZES, 4),
                                  lambda: DNN(SIZES, 4, (16,), dropout=0),
                                  lambda: DeepFM(SIZES, 4, (16,), dropout=0)])
def test_models_with_factors_learn_the_pair_rule_and_a_linear_one_cannot(make):
    train, validation = data(2000), data(1000, seed=1)
    model, linear = make(), LogisticRegression(SIZES)
    for m in (model, linear):
        fit(m, train, validation, epochs=25, batch_size=100,
            learning_rate=0.02, **QUIET)
    assert (evaluate(model, validation).auc > 0.83
            and evaluate(linear, validation).auc < 0.7)


def test_values_take_part_in_training_and_prediction():
    rng = np.random.default_rng(0)
    ids, x = np.zeros((400, 1), int), rng.normal(size=(400, 1))
    labels = (x[:, 0] > 0).astype(np.float32)
    model = LogisticRegression((1,))
    fit(model, (ids, labels, x), (ids, labels, x), epochs=20,
        learning_rate=0.1, **QUIET)
    assert evaluate(model, (ids, labels, x)).auc > 0.99
    assert np.ptp(predict(model, ids)) == 0
    for data in ((ids, labels, x), Data(ids, None, x)):
        assert np.ptp(predict(model, data)) > 0.1


def test_early_stopping_keeps_the_best_epochs_weights(monkeypatch):
    planned = iter([0.6, 0.8, 0.7, 0.8, 0.9])  # an equal AUC is not a better one
    snapshots = []

    def judge(model, data):
        snapshots.append(weights(model))
        return training.Metrics(next(planned), 0.5)

    monkeypatch.setattr(training, "metrics", judge)
    model = deepfm()
    history = fit(model, data(), data(seed=1), epochs=9, patience=2, **QUIET)
    assert [m.auc for m in history.validation] == [0.6, 0.8, 0.7, 0.8]
    assert (history.best_epoch == 2 and len(history.train_loss) == 4
            and not history.interrupted)
    assert same(weights(model), snapshots[1]) and not same(snapshots[1], snapshots[3])


def test_without_validation_rows_the_last_epoch_counts():
    model = deepfm()
    history = fit(model, data(), epochs=4, patience=1, **QUIET)
    assert (history.best_epoch == len(history.train_loss) == 4
            and history.validation == [])


def test_averages_against_those_of_the_weights_after_each_step(monkeypatch):
    """In NumPy, by the definition; and what is averaged takes the same steps."""
    after, judged = [], []

    class Watched(TrainStep):
        def __call__(self, *batch):
            loss = super().__call__(*batch)
            after.append([p.data().asnumpy() for p in model.collect_params().values()])
            return loss

    metrics = training.metrics
    monkeypatch.setattr(training, "metrics", lambda model, data: (
        judged.append(weights(model)), metrics(model, data))[1])
    settings = {"epochs": 4, "patience": 4, "batch_size": 64, "learning_rate": 0.05}
    losses, found = [], []
    for averaging in (0.3, 0.0):
        model = DeepFM(SIZES, 4, (8,), dropout=0.5, batch_norm=True)
        training.initialise(model, 0)
        averages = weights(model)
        history = fit(model, data(), data(seed=1), averaging=averaging, step=Watched,
                      **settings, **QUIET)
        losses.append(history.train_loss)
        found.append((weights(model), history))
    assert losses[0] == losses[1] and same(after[19], after[39])
    for step, now in enumerate(after[:20], start=1):
        averages = [a + 0.3 * (w - a) for a, w in zip(averages, now)]
        if step % 5 == 0:  # five steps an epoch
            for ours, wanted in zip(judged[step // 5 - 1], averages):
                np.testing.assert_allclose(ours, wanted, atol=1e-5)
    kept, history = found[0]
    assert same(kept, judged[history.best_epoch - 1]) and not same(kept, after[19])
    assert same(found[1][0], judged[4 + found[1][1].best_epoch - 1])


@pytest.mark.parametrize("averaging, kind, message", [
    (1, TrainStep, r"averaging = 1: \[0, 1\) is allowed"),
    (-0.1, TrainStep, r"averaging = -0.1: \[0, 1\) is allowed"),
    (0.01, LazyTrainStep, "averaging = 0.01: .* LazyTrainStep updates a batch's rows")])
def test_a_share_of_averages_that_makes_no_sense_is_refused(averaging, kind, message):
    model = deepfm()
    before = weights(model)
    with pytest.raises(ValueError, match=message):
        fit(model, data(), averaging=averaging, step=kind, **QUIET)
    assert same(weights(model), before)


@pytest.mark.parametrize("after_epochs", [0, 2])
def test_ctrl_c_keeps_the_best_weights_so_far_and_says_so(monkeypatch, capsys,
                                                          after_epochs):
    steps, step, model = [], TrainStep.__call__, deepfm()
    snapshots = [weights(model)]

    def interrupted(self, *batch):
        steps.append(step(self, *batch))
        # After the first of an epoch's three steps.
        if len(steps) == 3 * after_epochs + 1:
            raise KeyboardInterrupt
        return steps[-1]

    monkeypatch.setattr(TrainStep, "__call__", interrupted)
    monkeypatch.setattr(training, "metrics", lambda model, data: (snapshots.append(
        weights(model)) or training.Metrics(0.5 + len(snapshots) / 100, 0.5)))
    history = fit(model, data(), data(seed=1), epochs=9, batch_size=100, **QUIET)
    assert history.interrupted and history.best_epoch == after_epochs
    assert same(weights(model), snapshots[after_epochs])
    said = capsys.readouterr().out
    assert f"Interrupted in epoch {after_epochs + 1}" in said
    assert ("epoch 2, its best so far" if after_epochs
            else "before the training") in said


def test_a_loss_that_is_no_number_stops_with_the_best_weights_back():
    model = deepfm()
    before = weights(model)
    with pytest.raises(ValueError, match="smaller learning_rate than 1e\\+30"):
        fit(model, data(), epochs=3, batch_size=32, learning_rate=1e30, **QUIET)
    assert same(weights(model), before)


@pytest.mark.parametrize("loss", [np.inf, np.nan])
def test_an_infinite_loss_stops_as_nan_does(monkeypatch, loss):
    monkeypatch.setattr(TrainStep, "__call__", lambda *batch: nd.array([loss]))
    with pytest.raises(ValueError, match=f"the training loss became {loss}"):
        fit(deepfm(), data(), epochs=1, **QUIET)


@pytest.mark.parametrize("validation", [None, data(seed=1)])
def test_the_last_steps_loss_is_too_early_to_see_that_the_weights_left(validation):
    model = FM(SIZES, 4)
    model.initialize()
    before = weights(model)
    said = "norm became (nan|inf).*smaller learning_rate"
    with pytest.raises(ValueError, match=said):
        fit(model, data(), validation, epochs=1, learning_rate=1e38, **QUIET)
    assert same(weights(model), before)


def test_fit_goes_on_from_weights_that_are_there():
    model = deepfm()
    before = weights(model)
    fit(model, data(), epochs=1, learning_rate=1e-7, **QUIET)
    assert max(np.abs(a - b).max() for a, b in zip(before, weights(model))) < 1e-5


def test_progress_bar_shows_every_batch(capsys):
    fit(deepfm(), data(), data(seed=1), epochs=2, batch_size=100)
    shown = capsys.readouterr().err
    assert "6/6" in shown and "validation AUC" in shown
