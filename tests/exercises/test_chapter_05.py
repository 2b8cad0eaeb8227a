"""Chapter 5's checks: right answers pass, typical mistakes get their hint."""
import numpy as np

from .common import right_and_wrong


def signed_sum(signed=True, linear_output=True, active=True, fewer=0):
    rng, rows = np.random.default_rng(0), np.array(list(np.ndindex(2, 2, 2)))

    def function(activation, hidden_layers):
        signal = rng.normal(size=(6, 2))[rows + [0, 2, 4]].reshape(8, 6)
        for _ in range(max(1, hidden_layers - fewer)):
            signal = signal @ rng.normal(size=(6, 6)) + rng.normal(size=6)
            signal = activation(signal) if active else signal
        z = signal @ rng.normal(size=6)
        z = z if linear_output else activation(z)
        return (1 - 2 * (rows.sum(axis=1) % 2)) @ z if signed else z.sum()
    return function


CASES = {
    "forward_and_slope": ([(15.5, 3, -3)], [
        ((9.5, 7, -1), "without ReLU"), ((15, 3, -3), "has a bias"),
        ((15.5, 7, -1), "closed unit"), (15.5, "Three numbers"),
        ((15.5, 1, -1), "u times W")]),
    "dropout_growth": ([32], [
        (1, "mean of the \\*square"), (1024, "root is still"), (2 ** 0.5, "one layer"),
        (2 ** -5, "Half of the units")]),
    "leaky_scale": ([lambda m, s: np.sqrt(2 / ((1 + s ** 2) * m))], [
        (lambda m, s: np.sqrt(2 / m), "ReLU's"),
        (lambda m, s: np.sqrt(2 / ((1 + s) * m)), "squared"),
        (lambda m, s: np.sqrt(1 / m), "multiplies the size by 0.7")]),
    "signed_sum": ([signed_sum()], [
        (signed_sum(signed=False), "with its sign"),
        (signed_sum(linear_output=False), "output unit linear"),
        (signed_sum(active=False), "activation applied"),
        (signed_sum(fewer=1), "as many as asked")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
