"""Chapter 9's checks: right answers pass, typical mistakes get their hint."""
import numpy as np

from .common import right_and_wrong


def interval(variance, t=2.78):
    return 3 - t * variance**0.5, 3 + t * variance**0.5


def liked_rate(column, labels, train):
    known = {c: labels[train][column[train] == c].mean() for c in set(column[train])}
    return np.array([known.get(c, labels[train].mean()) for c in column])


def liked_rate_zero(column, labels, train):
    rates = liked_rate(column, labels, train)
    return np.where(np.isin(column, column[train]), rates, 0)


def auc(labels, logits):
    margins = logits[labels == 1][:, None] - logits[labels == 0]
    return np.mean((margins > 0) + 0.5 * (margins == 0))


def gauc(y, p, users, weighted=True, halves=False):
    aucs, rows = [], []
    for user in set(users):
        of_user = users == user
        several = len(set(y[of_user])) == 2
        if several or halves:
            aucs.append(auc(y[of_user], p[of_user]) if several else 0.5)
            rows.append(np.sum(of_user) if weighted else 1)
    return np.average(aucs, weights=rows)


CASES = {
    "paired_interval": ([interval(1.5), (-0.4, 6.4)], [
        (interval(7.5), "root of 5"), (interval(1.2), "divide the sum"),
        (interval(1.5, 1.96), "known s"), ((0, 5), "middle"), ((1, 5), "not 2.000")]),
    "best_of_five": ([0.553], [
        (0.233, "best of five"), (0.447, "B is ahead"), (0.8, "Draw five")]),
    "liked_rate": ([liked_rate], [
        (lambda c, y, train: liked_rate(c, y, np.arange(len(y))), "leak in"),
        (liked_rate_zero, "that training lacks"),
        (lambda c, y, train: np.full(len(y), y[train].mean()),
         "mean label of its training rows"),
        (lambda c, y, train: liked_rate(c, y, train)[train], "each of the N rows")]),
    "gauc": ([gauc], [
        (lambda y, p, users: gauc(y, p, users, weighted=False), "Weight each"),
        (lambda y, p, users: gauc(y, p, users, halves=True), "leave them out"),
        (lambda y, p, users: auc(y, p), "weighted mean")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
