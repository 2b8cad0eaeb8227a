"""Chapter 11's checks: right answers pass, typical mistakes get their hint."""
import numpy as np

from .common import right_and_wrong


def needed(names, rounded=np.ceil):
    return lambda s, share: int(
        rounded(round(1 / (1 - (1 - share) ** (1 / names(s))), 9)))


def rows_by(add, average=False, places_for_ids=False):
    def answer(ids, gradient):
        used, places = np.unique(ids, return_inverse=True)
        places = places.reshape(ids.shape)
        rows = np.zeros((len(used), gradient.shape[-1]))
        add(rows, places, gradient)
        if average:
            rows /= np.bincount(places.ravel())[:, None]
        return (np.arange(len(used)) if places_for_ids else used), rows
    return answer


def plus_equals(rows, places, gradient):
    rows[places] += gradient


def drift(sign=-1, corrected=True, start=None, decay=0.999, last=False):
    def answer(m, v, t, absent, rate):
        moves = []
        for i in range(1, absent + 1):
            step = i if start == "absent" else t + i
            m, v = 0.9 * m, decay * v
            a, b = (1 - 0.9 ** step, 1 - 0.999 ** step) if corrected else (1, 1)
            moves.append(sign * rate * (m / a) / np.sqrt(v / b))
        return moves[-1] if last else sum(moves)
    return answer


def rows_of_a_whole_table(ids, gradient):
    whole = np.zeros((ids.max() + 1, gradient.shape[-1]))
    np.add.at(whole, ids, gradient)
    return np.unique(ids), whole[np.unique(ids)]


def one_by_one(s, share):
    buckets = 1
    while 1 - (1 - 1 / buckets) ** (s - 1) > share + 1e-12:
        buckets += 1
    return float(buckets)


CASES = {
    "buckets_needed": ([needed(lambda s: s - 1), one_by_one], [
        (needed(lambda s: s), "not in its own way"),
        (needed(lambda s: s - 1, np.floor), "one too few"),
        (lambda s, share: int(np.ceil((s - 1) / share)), "counts a bucket twice"),
        (lambda s, share: 1 / (1 - (1 - share) ** (1 / (s - 1))), "whole")]),
    "gradient_rows": ([rows_by(np.add.at)], [
        (rows_by(plus_equals), "keeps the last alone"),
        (rows_by(np.add.at, average=True), "do not average"),
        (rows_by(np.add.at, places_for_ids=True), "rows' own ids"),
        (rows_of_a_whole_table, "array of n rows")]),
    "catch_up": ([drift()], [
        (drift(sign=1), "against its gradient"), (drift(corrected=False), "corrected"),
        (drift(start="absent"), "count all steps"),
        (drift(decay=1), "squares decays as well"),
        (drift(last=True), "last step alone")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
