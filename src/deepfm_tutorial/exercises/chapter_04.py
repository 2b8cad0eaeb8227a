"""The checks of chapter 4's exercises."""
import numpy as np
from mxnet import nd

from ..embeddings import embed_by_take
from ._compare import RIGHT, near, numbers, outputs_and_gradient


def check_weighted_gradient(answer):
    """Chapter 4: the gradient of a weighted sum adds up the weights of the places."""
    answer = numbers(answer).ravel()
    assert answer.size == 5, "Five numbers are wanted, one for each feature."
    assert not near(answer, [2, 1, 2, 0, 1]), "These are occurrences. A row sends back c, not 1."
    assert not near(answer, [100, 10, 10, 0, 100]), (
        "A feature that occurs twice gets two contributions. They add up; the last is not all.")
    assert near(answer, [101, 10, 11, 0, 100]), (
        "For each feature: in which rows does it occur? Add up their weights.")
    print(RIGHT)


def check_gradient_by_product(function):
    """Chapter 4: the gradient of `take` as a product with the transposed one-hot matrix."""
    rng = np.random.default_rng(4)
    ids, marks = rng.integers([0, 3, 8], [3, 8, 9], size=(40, 3)), rng.normal(size=(40, 3, 3))
    n = 11                                           # two more than these rows use
    _, expected = outputs_and_gradient(
        lambda V: embed_by_take(ids, V), nd.zeros((n, 3)), nd.array(marks))
    last, whole_row = np.zeros((n, 3)), np.zeros((n, 3))
    last[ids] = marks
    np.add.at(whole_row, ids, marks.sum(axis=1, keepdims=True))
    answer = function(ids, marks, n)
    assert np.shape(answer) == (n, 3), f"The shape must be (n, k), here ({n}, 3), not {np.shape(answer)}."
    assert not near(answer, last), "Only the last mark of each feature is left. Repeated ids must add up."
    assert not near(answer, whole_row), (
        "Each feature also got its neighbour's marks. Take each field on its own.")
    assert near(answer, expected), (
        "Row i must be the sum of the marks at all places, of all fields, where i occurs.")
    print(RIGHT)


def check_useless(function):
    """Chapter 4: a method without any information that passes the weak check."""
    rng = np.random.default_rng(4)
    ids, table = rng.integers([0, 2, 5], [2, 5, 9], size=(30, 3)), nd.array(rng.normal(size=(9, 4)))
    E, gradient = outputs_and_gradient(lambda V: function(ids, V), table, nd.ones((30, 3, 4)))
    right_sums = embed_by_take(ids, table).asnumpy().sum(axis=(1, 2))
    occurrences = np.bincount(ids.ravel(), minlength=9)
    assert near(E, np.broadcast_to(E[:, :1, :1], E.shape)), (
        "All F·k numbers of a row are to be equal; these are not.")
    assert near(E.sum(axis=(1, 2)), right_sums), (
        "The sums of the rows differ: F·k equal numbers must add up to them.")
    assert near(gradient, np.tile(occurrences[:, None], (1, 4))), (
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
    E, gradient = outputs_and_gradient(lambda V: function(ids, nd.array(mask), V), table, marks)
    assert not np.isnan(E).any(), "A row without tags divides zero by zero. It is to get zeros."
    assert not near(E, x @ V), "That is the sum of the tags' rows. Divide by the number of tags."
    assert not near(E, x @ V / 4) and not near(E, V[ids].mean(axis=1)), (
        "Padding is no tag: leave it out, and divide by the row's own number of tags, not by L.")
    assert near(E, shares @ V), "For each row: the mean of V's rows over the ids whose mask is 1."
    assert near(gradient, shares.T @ marks.asnumpy()), (
        "The outputs are right, the gradient of the table is not.")
    print(RIGHT)
