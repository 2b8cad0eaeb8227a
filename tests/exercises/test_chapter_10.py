"""Chapter 10's checks: right answers pass, typical mistakes get their hint."""
import numpy as np

from .common import right_and_wrong


def centre(w, V, sizes, rows="new", correct=True):
    w, V, old, first = w.copy(), V.copy(), V.copy(), 0
    for size in sizes:
        inside = np.isin(np.arange(len(V)), range(first, first + size))
        mean = old[inside].mean(axis=0)
        V[inside] -= mean
        w[~inside] += correct * (V if rows == "new" else old)[~inside] @ mean
        first += size
    return w, V


def centre_in_place(w, V, sizes):
    new_w, new_V = centre(w, V, sizes)
    w[:], V[:] = new_w, new_V
    return w, V


def auc(labels, logits):
    margins = logits[labels == 1][:, None] - logits[labels == 0]
    return np.mean((margins > 0) + 0.5 * (margins == 0))


def importance(logits, ids, labels, f, rng):
    shuffled = ids.copy()
    shuffled[:, f] = rng.permutation(ids[:, f])
    return auc(labels, logits(ids)) - auc(labels, logits(shuffled))


def importance_in_place(logits, ids, labels, f, rng):
    before = auc(labels, logits(ids))
    rng.shuffle(ids[:, f])
    return before - auc(labels, logits(ids))


def importance_of_rows(logits, ids, labels, f, rng):
    return auc(labels, logits(ids)) - auc(labels, logits(rng.permutation(ids)))


def shift(V_f, V_g):
    a = V_g[0]
    while np.sqrt(np.mean(((V_f + a) @ V_g.T)**2)) < 1:
        a = 2 * a
    return a


def decayed(rows, absent, learning_rate, l2):
    return rows * (1 - learning_rate * l2) ** absent[:, None]


def decayed_in_place(rows, absent, learning_rate, l2):
    rows *= (1 - learning_rate * l2) ** absent[:, None]
    return rows


CASES = {
    "pure_by_hand": ([[[0.75, -0.25], [-2.25, 0.75]]], [
        ([[1, -1], [-1, 1]], "plain means"), ([[0, -1], [-3, 0]], "overall mean back"),
        ([[0.75, 0.75], [-1, -0.25]], "columns' shares"), (0.75, "two columns")]),
    "centred_fm": ([centre], [
        (lambda w, V, sizes: centre(w, V, sizes, rows="old"), "a constant"),
        (lambda w, V, sizes: centre(w, V, sizes, correct=False), "takes <delta, v_j>"),
        (lambda w, V, sizes: (w, V - V.mean(axis=0)), "mean zero"),
        (centre_in_place, "changes the w or V")]),
    "importance": ([importance], [
        (importance_in_place, "on a copy"), (importance_of_rows, "do not use"),
        (lambda *args: -importance(*args), "The sign"),
        (lambda *args: importance(*args) / 2, "one half")]),
    "misleading_shift": ([shift], [
        (lambda V_f, V_g: V_g[0], "long enough"),
        (lambda V_f, V_g: np.ones_like(V_f), "One vector")]),
    "decayed": ([decayed, lambda *args: decayed(*args).tolist()], [
        (lambda v, m, rate, l2: v * (1 - rate * l2 * m[:, None]), "multiply"),
        (lambda v, m, rate, l2: v * np.exp(-rate * l2 * m[:, None]), "a jump"),
        (lambda v, m, rate, l2: decayed(v, m, 1, l2), "learning rate"),
        (lambda v, m, rate, l2: decayed(v, m * 0 + 9, rate, l2), "steps of its own"),
        (lambda v, m, rate, l2: decayed(v, m + 1, rate, l2), "Not yet"),
        (decayed_in_place, "changes the rows")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
