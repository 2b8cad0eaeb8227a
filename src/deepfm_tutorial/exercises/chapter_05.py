"""The checks of chapter 5's exercises."""
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ._compare import RIGHT, ROUNDED, judge, numbers


def check_forward_and_slope(answer: ArrayLike) -> None:
    """Chapter 5: a closed hidden unit sends nothing on and nothing back.

    The answer is the logit z and its two derivatives.
    """
    answer = numbers(answer).ravel()
    assert answer.size == 3, "Three numbers are wanted: z and its two derivatives."
    judge(answer[0], 15.5,
          (9.5, "The logit 9.5 is what comes out without ReLU."),
          (15.0, "The last unit has a bias, too."),
          otherwise="The logit is wrong. First Wa + c, then ReLU, then the output "
          "unit.", **ROUNDED)
    judge(answer[1:], [3, -3], ([7, -1], "The closed unit sends nothing back."),
          otherwise="Derivatives: u times W, over the units that are open.", **ROUNDED)
    print(RIGHT)


def check_dropout_growth(answer: float) -> None:
    """Chapter 5: ten dropouts of one half let the root mean square grow.

    The answer is the factor.
    """
    judge(numbers(answer).squeeze(), 32,
          (1, "The mean is kept. But what is the mean of the *square*?"),
          (2 ** 10, "So the mean square grows. The root is still to be taken."),
          (np.sqrt(2), "This is one layer's factor. There are ten."),
          otherwise="Half of the units are zero, the others are doubled. What becomes "
          "of the mean of h²?", **ROUNDED)
    print(RIGHT)


def check_leaky_scale(function: Callable[[int, float], float]) -> None:
    """Chapter 5: a leaky ReLU lets more through, so it needs a smaller starting scale.

    The answer is a function of a layer's inputs and the slope, and is measured.
    """
    rng = np.random.default_rng(5)
    for inputs, slope in ((100, 0.0), (50, 0.3), (100, 0.5), (60, 1.0)):
        scale, a = function(inputs, slope), rng.normal(size=inputs)
        sums = rng.normal(scale=scale, size=(20_000, inputs)) @ a
        bent = np.where(sums > 0, sums, slope * sums)
        growth = np.sqrt(np.mean(bent ** 2) / np.mean(a ** 2))
        measured = (f"With m = {inputs}, slope {slope}, one layer multiplies the size "
                    f"by {growth:.2f}.")
        if abs(growth - 1) < 0.04:                   # too little to tell it by
            measured = ("Close, but not it: what is the mean square of a sum after the "
                        "bend?")
        judge(scale, np.sqrt(2 / ((1 + slope**2) * inputs)),
              (np.sqrt(2 / inputs),
               "√(2/m) is ReLU's. Here negative sums leave something."),
              (np.sqrt(2 / ((1 + slope) * inputs)),
               "The mean *square* is to be kept, so the slope comes in squared."),
              otherwise=measured, **ROUNDED)
    print(RIGHT)


def check_signed_sum(
        function: Callable[[Callable[[np.ndarray], np.ndarray], int], float]) -> None:
    """Chapter 5: where no rule of three fields can be reached, the signed sum is zero.

    The answer is a function of an activation and a number of hidden layers, that sum.
    """
    # An activation that is always zero leaves a layer's biases as the next one's sums.
    seen = []
    function(lambda s: seen.append(numbers(s)) or np.zeros_like(s), 2)
    layers = [s for s in seen if 6 in s.shape]       # not the output's, if that has one
    assert layers, "The activation is never called on a layer of six units."
    assert layers[-1].any(), (
        "The second layer's sums are zero when its inputs are. Has it biases?")

    def largest(activation: Callable[[np.ndarray], np.ndarray], layers: int) -> float:
        return max(
            abs(numbers(function(activation, layers)).item()) for _ in range(10))

    assert largest(lambda s: s, 3) < 1e-4, (
        "Without an activation the sum must be zero. Is every logit counted with its "
        "sign?")
    assert largest(np.square, 1) < 1e-4, (
        "One layer of squares must give zero. Is the output unit linear?")
    assert largest(lambda s: np.maximum(s, 0), 1) > 1e-2, (
        "With ReLU the sum is zero. Is the activation applied?")
    assert largest(np.square, 2) > 1e-2, (
        "Two layers of squares must not give zero. Are there as many as asked for?")
    print(RIGHT)
