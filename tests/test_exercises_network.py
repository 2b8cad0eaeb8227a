"""The checks of the exercises of chapters 4 to 6: a right answer passes, a wrong one gets its hint."""
import numpy as np
import pytest
from mxnet import nd

from deepfm_tutorial import embed_by_take, exercises, logistic_loss


def by_product(ids, marks, n):
    return sum(np.eye(n)[ids[:, f]].T @ marks[:, f] for f in range(ids.shape[1]))


def last_only(ids, marks, n):
    out = np.zeros((n, marks.shape[2]))
    out[ids] += marks
    return out


def whole_row(ids, marks, n):
    return np.eye(n)[ids].sum(axis=1).T @ marks.sum(axis=1)


def spread(E, statistic):
    return nd.broadcast_axis(statistic(E, axis=(1, 2), keepdims=True), axis=(1, 2), size=E.shape[1:])


def tags(divide=True, empty_to_zero=True, padding=False):
    def mean_of_tags(ids, mask, table):
        E = embed_by_take(ids, table)
        if padding:
            return E.mean(axis=1)
        total = (E * mask.expand_dims(2)).sum(axis=1)
        count = mask.sum(axis=1, keepdims=True)
        return total / (nd.maximum(count, 1) if empty_to_zero else count) if divide else total
    return mean_of_tags


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


def focal(power="1 - p", zero_too=True, stable=True, cut=False):
    def focal_loss(logits, labels, gamma):
        t = (2 * labels - 1) * logits if zero_too else logits
        log_p = -nd.Activation(-t, "softrelu") if stable else t.sigmoid().log()
        factor = nd.exp(-gamma * nd.Activation(-t if power == "p" else t, "softrelu"))
        return -(nd.BlockGrad(factor) if cut else factor) * log_p
    return focal_loss


CASES = [
    (exercises.check_weighted_gradient, [101, 10, 11, 0, 100],
     [([2, 1, 2, 0, 1], "not 1"), ([100, 10, 10, 0, 100], "add up"), ([101, 10, 11, 100], "Five numbers"),
      ([1, 10, 11, 0, 100], "For each feature")]),
    (exercises.check_gradient_by_product, by_product,
     [(last_only, "Only the last"), (whole_row, "neighbour"), (lambda ids, marks, n: marks, "shape"),
      (lambda ids, marks, n: by_product(ids[:, :1], marks, n), "of all fields")]),
    (exercises.check_useless, lambda ids, V: spread(embed_by_take(ids, V), nd.mean),
     [(embed_by_take, "are to be equal"), (lambda ids, V: spread(embed_by_take(ids, V), nd.sum),
       "sums of the rows"),
      (lambda ids, V: spread(embed_by_take(ids, V), nd.mean).detach(), "Ones sent back"),
      (lambda ids, V: embed_by_take(ids, V).asnumpy(), "Return an NDArray"),
      (lambda ids, V: embed_by_take(ids, V).mean(axis=(1, 2)), "shape must be")]),
    (exercises.check_mean_of_tags, tags(),
     [(tags(divide=False), "That is the sum"), (tags(empty_to_zero=False), "zero by zero"),
      (tags(padding=True), "Padding is no tag"),
      (lambda ids, mask, V: tags(divide=False)(ids, mask, V) / mask.shape[1], "Padding is no tag"),
      (lambda ids, mask, V: tags()(ids, mask, V).detach(), "the gradient of the table")]),
    (exercises.check_forward_and_slope, (15.5, 3, -3),
     [((9.5, 7, -1), "without ReLU"), ((15, 3, -3), "has a bias"), ((15.5, 7, -1), "closed unit"),
      (15.5, "Three numbers"), ((15.5, 1, -1), "u times W")]),
    (exercises.check_dropout_growth, 32,
     [(1, "mean of the"), (1024, "root is still"), (2 ** 0.5, "one layer"), (2 ** -5, "Half of the units")]),
    (exercises.check_leaky_scale, lambda m, s: np.sqrt(2 / ((1 + s ** 2) * m)),
     [(lambda m, s: np.sqrt(2 / m), "ReLU's"), (lambda m, s: np.sqrt(2 / ((1 + s) * m)), "squared"),
      (lambda m, s: np.sqrt(1 / m), "multiplies the size by 0.7")]),
    (exercises.check_signed_sum, signed_sum(),
     [(signed_sum(signed=False), "with its sign"), (signed_sum(linear_output=False), "output unit linear"),
      (signed_sum(active=False), "activation applied"), (signed_sum(fewer=1), "as many as asked")]),
    (exercises.check_deepfm_count, (64, 84),
     [((63, 83), "One is missing, a bias"), ((59, 79), "units have biases"), ((48, 68), "F·k numbers"),
      ((64, 128), "not the whole model"), ((64, 94), "kn factors more"), (64, "Two numbers")]),
    (exercises.check_both_sides, [3, 14],
     [([-1, 2], "pair's side alone"), ([4, 12], "network's side alone"), ([6, 11], "by one embedding is the other"),
      ([3, 2], "each a sum")]),
    (exercises.check_focal_loss, focal(),
     [(focal(power="p"), "not p"), (focal(zero_too=False), "1 − σ"), (focal(stable=False), "softplus"),
      (focal(cut=True), "the gradient is not"), (lambda z, y, gamma: logistic_loss(z, y), "γ = 2")]),
    (exercises.check_two_sigmoids, 0.6931,
     [(0.5004, "One sigmoid"), (0.6172, "look alike"), (0, "not even a single"), (0.3133, "nearest to 0.2")]),
]


@pytest.mark.parametrize("check, right, wrong", CASES, ids=[case[0].__name__ for case in CASES])
def test_a_right_answer_passes_and_a_wrong_one_gets_its_hint(check, right, wrong, capsys):
    check(right)
    assert capsys.readouterr().out == "Right.\n"
    for answer, hint in wrong:
        with pytest.raises(AssertionError, match=f"(?i){hint}"):
            check(answer)
    assert capsys.readouterr().out == ""
