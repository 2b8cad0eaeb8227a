"""Chapter 4's checks: right answers pass, typical mistakes get their hint."""
import numpy as np
from mxnet import nd

from deepfm_tutorial import embed_by_take

from .common import right_and_wrong


def by_product(ids, marks, n):
    return sum(np.eye(n)[ids[:, f]].T @ marks[:, f] for f in range(ids.shape[1]))


def last_only(ids, marks, n):
    out = np.zeros((n, marks.shape[2]))
    out[ids] += marks
    return out


def whole_row(ids, marks, n):
    return np.eye(n)[ids].sum(axis=1).T @ marks.sum(axis=1)


def spread(ids, V, statistic=nd.mean):
    E = embed_by_take(ids, V)
    of_row = statistic(E, axis=(1, 2), keepdims=True)
    return nd.broadcast_axis(of_row, axis=(1, 2), size=E.shape[1:])


def tags(divide=True, empty_to_zero=True, padding=False):
    def mean_of_tags(ids, mask, table):
        E = embed_by_take(ids, table)
        if padding:
            return E.mean(axis=1)
        total = (E * mask.expand_dims(2)).sum(axis=1)
        count = mask.sum(axis=1, keepdims=True)
        if not divide:
            return total
        return total / (nd.maximum(count, 1) if empty_to_zero else count)
    return mean_of_tags


def tags_by_product(ids, mask, V):
    x = (nd.one_hot(nd.array(ids), len(V)) * mask.expand_dims(2)).sum(axis=1)
    return nd.dot(x / nd.maximum(mask.sum(axis=1, keepdims=True), 1), V)


CASES = {
    "weighted_gradient": ([
        [101, 10, 11, 0, 100], nd.array([[101, 10, 11, 0, 100]]).T], [
        ([2, 1, 2, 0, 1], "not 1"), ([100, 10, 10, 0, 100], "add up"),
        ([101, 10, 11, 100], "Five numbers"),
        ([1, 10, 11, 0, 100], "For each feature")]),
    "gradient_by_product": ([by_product], [
        (last_only, "Only the last"), (whole_row, "neighbour"),
        (lambda ids, marks, n: marks, "shape"),
        (lambda ids, marks, n: by_product(ids[:, :1], marks, n), "of all fields")]),
    "useless": ([spread], [
        (embed_by_take, "are to be equal"),
        (lambda ids, V: spread(ids, V, nd.sum), "sums of the rows"),
        (lambda ids, V: spread(ids, V).detach(), "Ones sent back"),
        (lambda ids, V: embed_by_take(ids, V).asnumpy(), "Return an NDArray"),
        (lambda ids, V: embed_by_take(ids, V).mean(axis=(1, 2)), "shape must be")]),
    "mean_of_tags": ([tags(), tags_by_product], [
        (tags(divide=False), "That is the sum"),
        (tags(empty_to_zero=False), "zero by zero"),
        (tags(padding=True), "Padding is no tag"),
        (lambda ids, mask, V: tags(divide=False)(ids, mask, V) / mask.shape[1],
         "Padding is no tag"),
        (lambda ids, mask, V: tags()(ids, mask, V).detach(),
         "the gradient of the table")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
