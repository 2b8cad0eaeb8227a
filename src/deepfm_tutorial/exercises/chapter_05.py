"""The checks of chapter 5's exercises."""
import numpy as np

from ._compare import RIGHT, near, numbers


def check_forward_and_slope(answer):
    """Chapter 5: a logit and its gradient, where the second hidden unit is closed."""
    answer = numbers(answer).ravel()
    assert answer.size == 3, "Three numbers are wanted: z and its two derivatives."
    assert not near(answer[0], 9.5), "The logit 9.5 is what comes out without ReLU."
    assert not near(answer[0], 15.0), "The last unit has a bias, too."
    assert near(answer[0], 15.5), "The logit is wrong. First Wa + b, then ReLU, then the output unit."
    assert not near(answer[1:], [7, -1]), "The closed unit sends nothing back."
    assert near(answer[1:], [3, -3]), "Derivatives: u times W, over the units that are open."
    print(RIGHT)


def check_dropout_growth(answer):
    """Chapter 5: what ten dropouts of one half do to the root mean square."""
    answer = float(numbers(answer))
    assert not near(answer, 1), "The mean is kept. But what is the mean of the *square*?"
    assert not near(answer, 2 ** 10), "So the mean square grows. The root is still to be taken."
    assert not near(answer, np.sqrt(2)), "This is one layer's factor. There are ten."
    assert near(answer, 32), (
        "Half of the units are zero, the others are doubled. What becomes of the mean of h²?")
    print(RIGHT)


def check_leaky_scale(function):
    """Chapter 5: the starting scale for a leaky ReLU, measured on one wide layer."""
    rng = np.random.default_rng(5)
    for inputs, slope in ((100, 0.0), (50, 0.3), (100, 0.5), (60, 1.0)):
        scale, a = function(inputs, slope), rng.normal(size=inputs)
        assert slope == 0 or not near(scale, np.sqrt(2 / inputs)), (
            "√(2/m) is ReLU's. Here negative sums leave something.")
        assert slope in (0, 1) or not near(scale, np.sqrt(2 / ((1 + slope) * inputs))), (
            "The mean *square* is to be kept, so the slope comes in squared.")
        sums = rng.normal(scale=scale, size=(20_000, inputs)) @ a
        growth = np.sqrt(np.mean(np.where(sums > 0, sums, slope * sums) ** 2) / np.mean(a ** 2))
        assert abs(growth - 1) < 0.04, (
            f"With m = {inputs}, slope {slope}, one layer multiplies the size by {growth:.2f}.")
        assert near(scale, np.sqrt(2 / ((1 + slope**2) * inputs))), (
            "Close, but not it: what is the mean square of a sum after the bend?")
    print(RIGHT)


def check_signed_sum(function):
    """Chapter 5: which activations can reach beyond pairs of fields."""
    def largest(activation, hidden_layers):
        return max(abs(float(numbers(function(activation, hidden_layers)))) for _ in range(10))
    assert largest(lambda h: h, 3) < 1e-4, (
        "Without an activation the sum must be zero. Is every logit counted with its sign?")
    assert largest(np.square, 1) < 1e-4, (
        "One layer of squares must give zero. Is the output unit linear?")
    assert largest(lambda h: np.maximum(h, 0), 1) > 1e-2, (
        "With ReLU the sum is zero. Is the activation applied?")
    assert largest(np.square, 2) > 1e-2, (
        "Two layers of squares must not give zero. Are there as many as asked for?")
    print(RIGHT)
