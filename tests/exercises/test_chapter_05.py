"""Chapter 5's checks: right answers pass, typical mistakes get their hint."""
import numpy as np

from .common import right_and_wrong


def signed_sum(signed=True, linear_output=True, active=True, fewer=0, biases=1,
               row_by_row=False):
    rng, rows = np.random.default_rng(0), np.array(list(np.ndindex(2, 2, 2)))

    def function(activation, hidden_layers):
        E = rng.normal(size=(6, 2))[rows + [0, 2, 4]].reshape(8, 6)
        layers = [(rng.normal(size=(6, 6)), biases * rng.normal(size=6))
                  for _ in range(max(1, hidden_layers - fewer))]
        u = rng.normal(size=6)

        def network(signal):
            for W, c in layers:
                signal = signal @ W + c
                signal = activation(signal) if active else signal
            z = signal @ u
            return z if linear_output else activation(z)
        z = np.array([network(row) for row in E]) if row_by_row else network(E)
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
    "signed_sum": ([signed_sum(), signed_sum(row_by_row=True)], [
        (signed_sum(biases=0), "Has it biases"),
        (signed_sum(signed=False), "with its sign"),
        (signed_sum(linear_output=False), "output unit linear"),
        (signed_sum(active=False), "never called"),
        (signed_sum(fewer=1), "as many as asked")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
