"""The checks of chapters 4 to 6."""
import numpy as np
from mxnet import autograd, nd

from ..checks import as_numpy
from ..embeddings import embed_by_take
from .features import RIGHT


def _numbers(answer):
    """The answer as an array of floats, whatever it came as."""
    return np.asarray(as_numpy(answer), dtype=float)


def _near(answer, expected):
    """Whether the two have one shape and agree to about three digits."""
    answer, expected = _numbers(answer), _numbers(expected)
    return answer.shape == expected.shape and np.allclose(answer, expected, rtol=1e-3, atol=1e-4)


def _outputs_and_gradient(function, argument, head):
    """function(argument), and the gradient that `head` sends back from there to the argument."""
    argument.attach_grad()
    with autograd.record():
        outputs = function(argument)
        assert isinstance(outputs, nd.NDArray), "Return an NDArray: a gradient must find its way back."
        assert outputs.shape == head.shape, f"The shape must be {head.shape}, not {outputs.shape}."
        # Zero, and a path back to the argument, even where the function has cut its own.
        attached = nd.broadcast_add(outputs, 0 * argument.sum().reshape((1,) * outputs.ndim))
    attached.backward(head)
    return outputs.asnumpy(), argument.grad.asnumpy()


def check_weighted_gradient(answer):
    """Chapter 4: the gradient of a weighted sum adds up the weights of the places."""
    answer = _numbers(answer).ravel()
    assert answer.size == 5, "Five numbers are wanted, one for each feature."
    assert not _near(answer, [2, 1, 2, 0, 1]), "These are occurrences. A row sends back c, not 1."
    assert not _near(answer, [100, 10, 10, 0, 100]), (
        "A feature that occurs twice gets two contributions. They add up; the last is not all.")
    assert _near(answer, [101, 10, 11, 0, 100]), (
        "For each feature: in which rows does it occur? Add up their weights.")
    print(RIGHT)


def check_gradient_by_product(function):
    """Chapter 4: the gradient of `take` as a product with the transposed one-hot matrix."""
    rng = np.random.default_rng(4)
    ids, marks = rng.integers([0, 3, 8], [3, 8, 9], size=(40, 3)), rng.normal(size=(40, 3, 3))
    n = 11                                           # two more than these rows use
    _, expected = _outputs_and_gradient(
        lambda V: embed_by_take(ids, V), nd.zeros((n, 3)), nd.array(marks))
    last, whole_row = np.zeros((n, 3)), np.zeros((n, 3))
    last[ids] = marks
    np.add.at(whole_row, ids, marks.sum(axis=1, keepdims=True))
    answer = function(ids, marks, n)
    assert np.shape(answer) == (n, 3), f"The shape must be (n, k), here ({n}, 3), not {np.shape(answer)}."
    assert not _near(answer, last), "Only the last mark of each feature is left. Repeated ids must add up."
    assert not _near(answer, whole_row), (
        "Each feature also got its neighbour's marks. Take each field on its own.")
    assert _near(answer, expected), (
        "Row i must be the sum of the marks at all places, of all fields, where i occurs.")
    print(RIGHT)


def check_useless(function):
    """Chapter 4: a method without any information that passes the weak check."""
    rng = np.random.default_rng(4)
    ids, table = rng.integers([0, 2, 5], [2, 5, 9], size=(30, 3)), nd.array(rng.normal(size=(9, 4)))
    E, gradient = _outputs_and_gradient(lambda V: function(ids, V), table, nd.ones((30, 3, 4)))
    right_sums = embed_by_take(ids, table).asnumpy().sum(axis=(1, 2))
    occurrences = np.bincount(ids.ravel(), minlength=9)
    assert _near(E, np.broadcast_to(E[:, :1, :1], E.shape)), (
        "All F·k numbers of a row are to be equal; these are not.")
    assert _near(E.sum(axis=(1, 2)), right_sums), (
        "The sums of the rows differ: F·k equal numbers must add up to them.")
    assert _near(gradient, np.tile(occurrences[:, None], (1, 4))), (
        "Ones sent back do not come out as occurrences. Does every number still depend on the table?")
    print(RIGHT)


def check_mean_of_tags(function):
    """Chapter 4: the mean embedding of a field with several active features."""
    rng = np.random.default_rng(4)
    lengths = np.array([4, 2, 1, 0, 3, 2])
    ids, mask = rng.integers(0, 7, size=(6, 4)), (np.arange(4) < lengths[:, None]).astype(float)
    table, marks = nd.array(rng.normal(size=(7, 3))), nd.array(rng.normal(size=(6, 3)))
    x = np.array([np.bincount(i, m, minlength=7) for i, m in zip(ids, mask)])  # (B, n)
    shares, V = x / np.maximum(lengths, 1)[:, None], table.asnumpy()
    E, gradient = _outputs_and_gradient(lambda V: function(ids, nd.array(mask), V), table, marks)
    assert not np.isnan(E).any(), "A row without tags divides zero by zero. It is to get zeros."
    assert not _near(E, x @ V), "That is the sum of the tags' rows. Divide by the number of tags."
    assert not _near(E, x @ V / 4) and not _near(E, V[ids].mean(axis=1)), (
        "Padding is no tag: leave it out, and divide by the row's own number of tags, not by L.")
    assert _near(E, shares @ V), "For each row: the mean of V's rows over the ids whose mask is 1."
    assert _near(gradient, shares.T @ marks.asnumpy()), (
        "The outputs are right, the gradient of the table is not.")
    print(RIGHT)


def check_forward_and_slope(answer):
    """Chapter 5: a logit and its gradient, where the second hidden unit is closed."""
    answer = _numbers(answer).ravel()
    assert answer.size == 3, "Three numbers are wanted: z and its two derivatives."
    assert not _near(answer[0], 9.5), "The logit 9.5 is what comes out without ReLU."
    assert not _near(answer[0], 15.0), "The last unit has a bias, too."
    assert _near(answer[0], 15.5), "The logit is wrong. First Wa + b, then ReLU, then the output unit."
    assert not _near(answer[1:], [7, -1]), "The closed unit sends nothing back."
    assert _near(answer[1:], [3, -3]), "Derivatives: u times W, over the units that are open."
    print(RIGHT)


def check_dropout_growth(answer):
    """Chapter 5: what ten dropouts of one half do to the root mean square."""
    answer = float(_numbers(answer))
    assert not _near(answer, 1), "The mean is kept. But what is the mean of the *square*?"
    assert not _near(answer, 2 ** 10), "So the mean square grows. The root is still to be taken."
    assert not _near(answer, np.sqrt(2)), "This is one layer's factor. There are ten."
    assert _near(answer, 32), (
        "Half of the units are zero, the others are doubled. What becomes of the mean of h²?")
    print(RIGHT)


def check_leaky_scale(function):
    """Chapter 5: the starting scale for a leaky ReLU, measured on one wide layer."""
    rng = np.random.default_rng(5)
    for inputs, slope in ((100, 0.0), (50, 0.3), (100, 0.5), (60, 1.0)):
        scale, a = function(inputs, slope), rng.normal(size=inputs)
        assert slope == 0 or not _near(scale, np.sqrt(2 / inputs)), (
            "√(2/m) is ReLU's. Here negative sums leave something.")
        assert slope in (0, 1) or not _near(scale, np.sqrt(2 / ((1 + slope) * inputs))), (
            "The mean *square* is to be kept, so the slope comes in squared.")
        sums = rng.normal(scale=scale, size=(20_000, inputs)) @ a
        growth = np.sqrt(np.mean(np.where(sums > 0, sums, slope * sums) ** 2) / np.mean(a ** 2))
        assert abs(growth - 1) < 0.04, (
            f"With m = {inputs}, slope {slope}, one layer multiplies the size by {growth:.2f}.")
        assert _near(scale, np.sqrt(2 / ((1 + slope**2) * inputs))), (
            "Close, but not it: what is the mean square of a sum after the bend?")
    print(RIGHT)


def check_signed_sum(function):
    """Chapter 5: which activations can reach beyond pairs of fields."""
    def largest(activation, hidden_layers):
        return max(abs(float(_numbers(function(activation, hidden_layers)))) for _ in range(10))
    assert largest(lambda h: h, 3) < 1e-4, (
        "Without an activation the sum must be zero. Is every logit counted with its sign?")
    assert largest(np.square, 1) < 1e-4, (
        "One layer of squares must give zero. Is the output unit linear?")
    assert largest(lambda h: np.maximum(h, 0), 1) > 1e-2, (
        "With ReLU the sum is zero. Is the activation applied?")
    assert largest(np.square, 2) > 1e-2, (
        "Two layers of squares must not give zero. Are there as many as asked for?")
    print(RIGHT)


def check_deepfm_count(answer):
    """Chapter 6: the parameters of a small DeepFM, and with two tables."""
    answer = _numbers(answer).ravel()
    assert answer.size == 2, "Two numbers are wanted: with one table, and with two."
    assert not _near(answer[0], 63), "One is missing, a bias: the first order has one, and so has the output unit."
    assert not _near(answer[0], 59), "The MLP's units have biases, the output unit too."
    assert not _near(answer[0], 48), "The MLP reads the embeddings of all fields: F·k numbers, not k."
    assert _near(answer[0], 64), "With one table: 1 + n + kn, and the MLP's layers."
    assert not _near(answer[1], 128), "Only the factors exist twice, not the whole model."
    assert _near(answer[1], 84), "With two tables: kn factors more, and nothing else."
    print(RIGHT)


def check_both_sides(answer):
    """Chapter 6: the gradient of two embeddings, from the pair and from the network."""
    answer = _numbers(answer).ravel()
    assert not _near(answer, [-1, 2]), "This is the pair's side alone. The network sends something, too."
    assert not _near(answer, [4, 12]), "This is the network's side alone. The pair sends something, too."
    assert not _near(answer, [6, 11]), "The derivative of the pair by one embedding is the other."
    assert _near(answer, [3, 14]), (
        "Two numbers, each a sum: the other embedding, and 4 times the unit's weight.")
    print(RIGHT)


def check_focal_loss(function):
    """Chapter 6: another loss, from the logit, against its definition and finite differences."""
    rng = np.random.default_rng(6)
    z, y = rng.normal(scale=2, size=50).astype(np.float32), rng.integers(0, 2, 50)
    z[:2], y[:2] = 0, (0, 1)                         # where a bend in the formula would show
    def probability(z):                              # of what happened
        return 1 / (1 + np.exp(np.where(y == 1, -z, z)))
    def by_definition(z, gamma):
        return -(1 - probability(z)) ** gamma * np.log(probability(z))
    for gamma in (0, 2):
        answer, gradient = _outputs_and_gradient(
            lambda z: function(z, nd.array(y), gamma), nd.array(z), nd.ones(50))
        assert gamma == 0 or not _near(answer, -probability(z) ** gamma * np.log(probability(z))), (
            "The factor is (1 − p)^γ, not p^γ: rows that are sure and right are to count less.")
        assert _near(answer[y == 1], by_definition(z, gamma)[y == 1]), (
            f"Wrong for y = 1 and γ = {gamma}: −(1 − p)^γ ln p, with p = σ(z).")
        assert _near(answer, by_definition(z, gamma)), "Wrong for y = 0, where p is 1 − σ(z)."
        slope = (by_definition(z.astype(float) + 1e-4, gamma)
                 - by_definition(z.astype(float) - 1e-4, gamma)) / 2e-4
        assert _near(gradient, slope), "The loss is right, the gradient is not. Is a part of it cut off?"
        extreme, gradient = _outputs_and_gradient(
            lambda z: function(z, nd.array([0., 1., 1.]), gamma), nd.array([1000., -1000., 1000.]), nd.ones(3))
        assert _near(extreme, [1000, 1000, 0]) and np.isfinite(gradient).all(), (
            "At logits of ±1000 it breaks, or its gradient does. Compute all of it from the logit, by softplus.")
    print(RIGHT)


def check_two_sigmoids(answer):
    """Chapter 6: the least loss through two sigmoids, where one row in five is clicked."""
    answer, click, no_click = float(_numbers(answer)), np.log(1 + np.exp(-1)), np.log(2)
    assert not _near(answer, -0.2 * np.log(0.2) - 0.8 * np.log(0.8)), (
        "One sigmoid gets there. Two cannot say 0.2.")
    assert not _near(answer, 0.2 * click + 0.8 * no_click), (
        "For this the model would have to know which rows are clicked. Here all rows look alike.")
    assert not _near(answer, 0), "Not even a single sigmoid reaches zero here: the clicks are chance."
    assert _near(answer, no_click), "Which probabilities can σ(σ(z)) be? Which of them is nearest to 0.2?"
    print(RIGHT)
