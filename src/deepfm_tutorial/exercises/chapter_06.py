"""The checks of chapter 6's exercises."""
from collections.abc import Callable

import numpy as np
from mxnet import nd
from numpy.typing import ArrayLike

from ._compare import RIGHT, ROUNDED, judge, near, numbers, outputs_and_gradient


def check_deepfm_count(answer: ArrayLike) -> None:
    """Chapter 6: two tables have more parameters than one.

    The answer is how many a small DeepFM has, with one and with two.
    """
    answer = numbers(answer).ravel()
    assert answer.size == 2, "Two numbers are wanted: with one table, and with two."
    judge(answer[0], 64,
          (63, "One is missing, a bias: the first order has one, and so has the output "
           "unit."),
          (59, "The MLP's units have biases, the output unit too."),
          (48, "The MLP reads the embeddings of all fields: F·k numbers, not k."),
          otherwise="With one table: 1 + n + kn, and the MLP's layers.", **ROUNDED)
    judge(answer[1], 84,
          (128, "Only the factors exist twice, not the whole model."),
          otherwise="With two tables: kn factors more, and nothing else.", **ROUNDED)
    print(RIGHT)


def check_both_sides(answer: ArrayLike) -> None:
    """Chapter 6: an embedding's gradient comes from the pair and from the network.

    The answer is the gradient of two embeddings.
    """
    judge(numbers(answer).ravel(), [3, 14],
          ([-1, 2], "This is the pair's side alone. The network sends something, too."),
          ([4, 12], "This is the network's side alone. The pair sends something, too."),
          ([6, 11], "The derivative of the pair by one embedding is the other."),
          otherwise="Two numbers, each a sum: the other embedding, and 4 times the "
          "unit's weight.", **ROUNDED)
    print(RIGHT)


def check_focal_loss(
        function: Callable[[nd.NDArray, nd.NDArray, float], nd.NDArray]) -> None:
    """Chapter 6: computed from the logit, the focal loss bears large ones too.

    The answer is a function of logits, labels and γ. Its values are compared with the
    definition, its gradient with finite differences.
    """
    rng = np.random.default_rng(6)
    z, y = rng.normal(scale=2, size=50).astype(np.float32), rng.integers(0, 2, 50)
    z[:2], y[:2] = 0, (0, 1)                         # where a bend would show

    def probability(z: np.ndarray) -> np.ndarray:    # of what happened
        return 1 / (1 + np.exp(np.where(y == 1, -z, z)))

    def by_definition(z: np.ndarray, gamma: float) -> np.ndarray:
        return -(1 - probability(z)) ** gamma * np.log(probability(z))

    for gamma in (0, 2):
        answer, gradient = outputs_and_gradient(
            lambda z: function(z, nd.array(y), gamma), nd.array(z), nd.ones(50))
        right, p = by_definition(z, gamma), probability(z)
        where = "Wrong for y = 0, where the model gave 1 − σ(z) to what happened."
        if not near(answer[y == 1], right[y == 1], **ROUNDED):
            where = (f"Wrong for y = 1 and γ = {gamma}: (1 − e^−ℓ)^γ ℓ, with the log "
                     "loss ℓ of a click.")
        judge(answer, right,
              (-p ** gamma * np.log(p), "The factor is (1 − e^−ℓ)^γ, not (e^−ℓ)^γ: "
               "rows that are sure and right are to count less."),
              otherwise=where, **ROUNDED)
        slope = (by_definition(z.astype(float) + 1e-4, gamma)
                 - by_definition(z.astype(float) - 1e-4, gamma)) / 2e-4
        assert near(gradient, slope, **ROUNDED), (
            "The loss is right, the gradient is not. Is a part of it cut off?")
        extreme, gradient = outputs_and_gradient(
            lambda z: function(z, nd.array([0., 1., 1.]), gamma),
            nd.array([1000., -1000., 1000.]), nd.ones(3))
        assert near(extreme, [1000, 1000, 0], **ROUNDED), (
            f"At logits of ±1000 and γ = {gamma} it breaks. Compute all of it from the "
            "logit, by log losses.")
        assert np.isfinite(gradient).all(), (
            f"At logits of ±1000 and γ = {gamma} its gradient is not a number. A power "
            "of a number that is rounded to 0 has none: put γ into an exponent.")
    print(RIGHT)


def check_two_sigmoids(answer: float) -> None:
    """Chapter 6: a second sigmoid cannot say 0.2, so it keeps the loss high.

    The answer is the least loss.
    """
    click, no_click = np.log(1 + np.exp(-1)), np.log(2)
    judge(numbers(answer).squeeze(), no_click,
          (-0.2 * np.log(0.2) - 0.8 * np.log(0.8),
           "One sigmoid gets there. Two cannot say 0.2."),
          (0.2 * click + 0.8 * no_click, "For this the model would have to know which "
           "rows are clicked. Here all rows look alike."),
          (0, "Not even a single sigmoid reaches zero here: the clicks are chance."),
          otherwise="Which probabilities can σ(σ(z)) be? Which of them is nearest to "
          "0.2?", **ROUNDED)
    print(RIGHT)
