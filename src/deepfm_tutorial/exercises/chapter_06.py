"""The checks of chapter 6's exercises."""
import numpy as np
from mxnet import nd

from ._compare import RIGHT, near, numbers, outputs_and_gradient


def check_deepfm_count(answer):
    """Chapter 6: the parameters of a small DeepFM, and with two tables."""
    answer = numbers(answer).ravel()
    assert answer.size == 2, "Two numbers are wanted: with one table, and with two."
    assert not near(answer[0], 63), "One is missing, a bias: the first order has one, and so has the output unit."
    assert not near(answer[0], 59), "The MLP's units have biases, the output unit too."
    assert not near(answer[0], 48), "The MLP reads the embeddings of all fields: F·k numbers, not k."
    assert near(answer[0], 64), "With one table: 1 + n + kn, and the MLP's layers."
    assert not near(answer[1], 128), "Only the factors exist twice, not the whole model."
    assert near(answer[1], 84), "With two tables: kn factors more, and nothing else."
    print(RIGHT)


def check_both_sides(answer):
    """Chapter 6: the gradient of two embeddings, from the pair and from the network."""
    answer = numbers(answer).ravel()
    assert not near(answer, [-1, 2]), "This is the pair's side alone. The network sends something, too."
    assert not near(answer, [4, 12]), "This is the network's side alone. The pair sends something, too."
    assert not near(answer, [6, 11]), "The derivative of the pair by one embedding is the other."
    assert near(answer, [3, 14]), (
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
        answer, gradient = outputs_and_gradient(
            lambda z: function(z, nd.array(y), gamma), nd.array(z), nd.ones(50))
        assert gamma == 0 or not near(answer, -probability(z) ** gamma * np.log(probability(z))), (
            "The factor is (1 − p)^γ, not p^γ: rows that are sure and right are to count less.")
        assert near(answer[y == 1], by_definition(z, gamma)[y == 1]), (
            f"Wrong for y = 1 and γ = {gamma}: −(1 − p)^γ ln p, with p = σ(z).")
        assert near(answer, by_definition(z, gamma)), "Wrong for y = 0, where p is 1 − σ(z)."
        slope = (by_definition(z.astype(float) + 1e-4, gamma)
                 - by_definition(z.astype(float) - 1e-4, gamma)) / 2e-4
        assert near(gradient, slope), "The loss is right, the gradient is not. Is a part of it cut off?"
        extreme, gradient = outputs_and_gradient(
            lambda z: function(z, nd.array([0., 1., 1.]), gamma), nd.array([1000., -1000., 1000.]), nd.ones(3))
        assert near(extreme, [1000, 1000, 0]) and np.isfinite(gradient).all(), (
            "At logits of ±1000 it breaks, or its gradient does. Compute all of it from the logit, by softplus.")
    print(RIGHT)


def check_two_sigmoids(answer):
    """Chapter 6: the least loss through two sigmoids, where one row in five is clicked."""
    answer, click, no_click = float(numbers(answer)), np.log(1 + np.exp(-1)), np.log(2)
    assert not near(answer, -0.2 * np.log(0.2) - 0.8 * np.log(0.8)), (
        "One sigmoid gets there. Two cannot say 0.2.")
    assert not near(answer, 0.2 * click + 0.8 * no_click), (
        "For this the model would have to know which rows are clicked. Here all rows look alike.")
    assert not near(answer, 0), "Not even a single sigmoid reaches zero here: the clicks are chance."
    assert near(answer, no_click), "Which probabilities can σ(σ(z)) be? Which of them is nearest to 0.2?"
    print(RIGHT)
