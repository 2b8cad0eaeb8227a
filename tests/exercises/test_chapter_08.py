"""Chapter 8's checks: right answers pass, typical mistakes get their hint."""
import numpy as np

from .common import right_and_wrong


def holm(p, keep=True, limit=1.0, back=True, factors=None):
    order = np.argsort(p)
    stepped = p[order] * (np.arange(len(p), 0, -1) if factors is None else factors)
    stepped = np.maximum.accumulate(stepped) if keep else stepped
    adjusted = np.empty(len(p))
    adjusted[order if back else np.arange(len(p))] = stepped
    return np.minimum(adjusted, limit)


def bins(known, numbers, num_bins, side="right"):
    edges = np.quantile(known, np.arange(1, num_bins) / num_bins)
    return np.searchsorted(edges, numbers, side=side)


def equally_wide(known, numbers, num_bins):
    edges = np.linspace(known.min(), known.max(), num_bins + 1)[1:-1]
    return np.searchsorted(edges, numbers, side="right")


CASES = {
    "acquaintances": (
        [lambda people, train, test: np.isin(people[test], people[train]).mean()], [
            (lambda people, train, test: np.isin(
                np.unique(people[test]), people[train]).mean(), "share of people"),
            (lambda people, train, test: np.isin(people[train], people[test]).mean(),
             "about test rows"),
            (lambda people, train, test: 1 - np.isin(people[test],
                                                     people[train]).mean(),
             "the strangers"),
            (lambda people, train, test: 0.8, "the share is not 0"),
            (lambda people, train, test: 1.0, "Four of these five")]),
    "bins": ([bins], [
        (lambda known, numbers, n: bins(numbers, numbers, n), "Training alone"),
        (equally_wide, "equally wide"),
        (lambda known, numbers, n: bins(known, numbers, n) + 1, "from 0"),
        (lambda known, numbers, n: bins(known, numbers, n, "left"), "the upper bin"),
        (lambda known, numbers, n: numbers, "four bins the edges are")]),
    "ten_years": ([-1.2], [
        (-1.5, "one standard deviation"), (-15, "not x = 10"), (-1.6, "own weight"),
        (1.2, "rise or fall")]),
    "holm": ([holm], [
        (lambda p: np.minimum(5 * p, 1), "Bonferroni"),
        (lambda p: holm(p, keep=False), "the largest so far"),
        (lambda p: holm(p, back=False), "in the order"),
        (lambda p: holm(p, limit=9), "at most 1"),
        (lambda p: p, "Sort first")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
