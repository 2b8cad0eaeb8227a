"""The checks of the exercises in chapters 7 to 9: right answers pass, typical mistakes get their hint."""
import numpy as np
import pytest

from deepfm_tutorial import exercises


def undo_sampling(p, kept):
    return kept * p / (kept * p + 1 - p)


def find_temperature(logits, labels):
    candidates = np.geomspace(0.2, 5, 300)
    losses = [np.mean(np.logaddexp(0, logits / T) - labels * logits / T) for T in candidates]
    return candidates[np.argmin(losses)]


def above_one(logits, labels):
    return max(1.0, find_temperature(logits, labels))


def liked_rate(column, labels, train):
    known = {c: labels[train][column[train] == c].mean() for c in set(column[train])}
    return np.array([known.get(c, labels[train].mean()) for c in column])


def liked_rate_zero(column, labels, train):
    rates = liked_rate(column, labels, train)
    return np.where(np.isin(column, column[train]), rates, 0)


def gauc(y, p, users, weighted=True, halves=False):
    aucs, rows = [], []
    for user in set(users):
        clicked, others = p[(users == user) & (y == 1)], p[(users == user) & (y == 0)]
        margins = clicked[:, None] - others
        if margins.size or halves:
            aucs.append(np.mean((margins > 0) + 0.5 * (margins == 0)) if margins.size else 0.5)
            rows.append(np.sum(users == user) if weighted else 1)
    return np.average(aucs, weights=rows)


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


def half(s, t=2.78):
    return 3 - t * s, 3 + t * s


RIGHT = [
    ("auc_with_ties", 2 / 3), ("undo_sampling", undo_sampling), ("temperature", find_temperature),
    ("best_accuracy", lambda p: np.maximum(p, 1 - p).mean()), ("paired_interval", half(1.5**0.5)),
    ("paired_interval", (-0.4, 6.4)), ("ten_years", -1.2), ("best_of_five", 0.553),
    ("liked_rate", liked_rate), ("gauc", gauc), ("pure_by_hand", [[0.75, -0.25], [-2.25, 0.75]]),
    ("centred_fm", centre), ("importance", importance), ("misleading_shift", shift),
]

WRONG = [
    ("auc_with_ties", 5 / 9, "tie as a loss"), ("auc_with_ties", 7 / 9, "tie as a win"),
    ("auc_with_ties", 5 / 7, "all nine count"), ("auc_with_ties", 0.5, "nine couples"),
    ("undo_sampling", lambda p, kept: p * kept, "the odds"),
    ("undo_sampling", lambda p, kept: p / (p + (1 - p) * kept), "the wrong way"),
    ("undo_sampling", lambda p, kept: p, "Not the full log's"),
    ("temperature", lambda z, y: 1 / find_temperature(z, y), "the factor 1 / T"),
    ("temperature", above_one, "T below 1"), ("temperature", lambda z, y: 1.0, "2.5 times"),
    ("best_accuracy", lambda p: max(p.mean(), 1 - p.mean()), "always no"),
    ("best_accuracy", lambda p: (p < 0.5).mean(), "can be reached"),
    ("best_accuracy", lambda p: np.maximum(p, 1 - p), "One number"),
    ("paired_interval", half(7.5**0.5), "root of 5"), ("paired_interval", half(1.2**0.5), "divide the sum"),
    ("paired_interval", half(1.5**0.5, 1.96), "known s"), ("paired_interval", (0, 5), "middle"),
    ("paired_interval", (1, 5), "not 2.000"),
    ("ten_years", -1.5, "one standard deviation"), ("ten_years", -15, "not x = 10"),
    ("ten_years", -1.6, "own weight"), ("ten_years", 1.2, "rise or fall"),
    ("best_of_five", 0.233, "best of five"), ("best_of_five", 0.447, "B is ahead"),
    ("best_of_five", 0.8, "Draw five"),
    ("liked_rate", lambda c, y, train: liked_rate(c, y, np.arange(len(y))), "leak in"),
    ("liked_rate", liked_rate_zero, "that training lacks"),
    ("liked_rate", lambda c, y, train: np.full(len(y), y[train].mean()), "mean label of its training rows"),
    ("liked_rate", lambda c, y, train: liked_rate(c, y, train)[train], "each of the N rows"),
    ("gauc", lambda y, p, users: gauc(y, p, users, weighted=False), "Weight each"),
    ("gauc", lambda y, p, users: gauc(y, p, users, halves=True), "leave them out"),
    ("gauc", lambda y, p, users: auc(y, p), "weighted mean"),
    ("pure_by_hand", [[1, -1], [-1, 1]], "plain means"), ("pure_by_hand", [[0, -1], [-3, 0]], "overall mean back"),
    ("pure_by_hand", [[0.75, 0.75], [-1, -0.25]], "with q"), ("pure_by_hand", 0.75, "two columns"),
    ("centred_fm", lambda w, V, sizes: centre(w, V, sizes, rows="old"), "a constant"),
    ("centred_fm", lambda w, V, sizes: centre(w, V, sizes, correct=False), "takes <a, v_j>"),
    ("centred_fm", lambda w, V, sizes: (w, V - V.mean(axis=0)), "mean zero"),
    ("centred_fm", centre_in_place, "changes the w or V"),
    ("importance", importance_in_place, "on a copy"),
    ("importance", lambda *args: -importance(*args), "The sign"),
    ("importance", importance_of_rows, "do not use"),
    ("importance", lambda *args: importance(*args) / 2, "one half"),
    ("misleading_shift", lambda V_f, V_g: V_g[0], "long enough"),
    ("misleading_shift", lambda V_f, V_g: np.ones_like(V_f), "One vector"),
]


def run(name, answer):
    check = getattr(exercises, f"check_{name}")
    return check(*answer) if name == "paired_interval" else check(answer)


@pytest.mark.parametrize("name, answer", RIGHT)
def test_a_right_answer_passes(name, answer, capsys):
    run(name, answer)
    assert capsys.readouterr().out == "Right.\n"


@pytest.mark.parametrize("name, answer, hint", WRONG)
def test_a_typical_mistake_gets_its_hint(name, answer, hint):
    with pytest.raises(AssertionError, match=hint):
        run(name, answer)
