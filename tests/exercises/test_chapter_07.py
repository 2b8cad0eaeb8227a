"""Chapter 7's checks: right answers pass, typical mistakes get their hint."""
import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from .common import right_and_wrong


def undo_sampling(p, kept):
    return kept * p / (kept * p + 1 - p)


def find_temperature(logits, labels):
    candidates = np.geomspace(0.2, 5, 300)
    losses = [
        np.mean(np.logaddexp(0, logits / T) - labels * logits / T) for T in candidates]
    return candidates[np.argmin(losses)]


def through_odds(p, kept):
    odds = kept * p / (1 - p)
    return odds / (1 + odds)


def overflowing(logits, labels):
    candidates = np.geomspace(0.2, 5, 300)
    losses = [np.mean(np.log1p(np.exp(z)) - labels * z)
              for z in (logits / T for T in candidates)]
    return candidates[np.argmin(losses)]


def by_derivative(logits, labels):
    """1 / T as the root of the loss's derivative by it."""
    return 1 / brentq(lambda s: np.mean((expit(s * logits) - labels) * logits), 0.1, 10)


def above_one(logits, labels):
    return max(1.0, find_temperature(logits, labels))


CASES = {
    "auc_with_ties": ([2 / 3], [
        (5 / 9, "tie as a loss"), (7 / 9, "tie as a win"), (5 / 7, "all nine count"),
        (0.5, "nine comparisons")]),
    "undo_sampling": ([undo_sampling, lambda p, kept: p / (p + (1 - p) / kept)], [
        (lambda p, kept: p * kept, "the odds"),
        (lambda p, kept: p / (p + (1 - p) * kept), "the wrong way"),
        (lambda p, kept: p, "Not the full log's"),
        (through_odds, "one of 1 stays 1")]),
    "temperature": ([find_temperature, by_derivative], [
        (lambda z, y: 1 / find_temperature(z, y), "the factor 1 / T"),
        (above_one, "T below 1"), (lambda z, y: 1.0, "2.5 times"),
        (overflowing, "overflows")]),
    "best_accuracy": ([lambda p: np.maximum(p, 1 - p).mean()], [
        (lambda p: max(p.mean(), 1 - p.mean()), "always no"),
        (lambda p: (p < 0.5).mean(), "can be reached"),
        (lambda p: np.maximum(p, 1 - p), "One number")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
