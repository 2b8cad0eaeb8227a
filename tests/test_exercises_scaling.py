"""The checks of chapter 10's exercises: right answers pass, typical mistakes get their hint."""
import numpy as np
import pytest

from deepfm_tutorial import exercises


def needed(names, rounded=np.ceil):
    return lambda s, share: int(rounded(round(1 / (1 - (1 - share) ** (1 / names(s))), 9)))


def rows_by(add, average=False, places_for_ids=False):
    def answer(ids, gradient):
        used, places = np.unique(ids, return_inverse=True)
        places, rows = places.reshape(ids.shape), np.zeros((len(used), gradient.shape[-1]))
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


@pytest.mark.parametrize("check, answer", [
    ("buckets_needed", needed(lambda s: s - 1)), ("gradient_rows", rows_by(np.add.at)), ("catch_up", drift())])
def test_right_answers_pass(check, answer, capsys):
    getattr(exercises, f"check_{check}")(answer)
    assert capsys.readouterr().out == "Right.\n"


@pytest.mark.parametrize("check, answer, hint", [
    ("buckets_needed", needed(lambda s: s), "not in its own way"),
    ("buckets_needed", needed(lambda s: s - 1, np.floor), "one too few"),
    ("buckets_needed", lambda s, share: int(np.ceil((s - 1) / share)), "counts a bucket twice"),
    ("buckets_needed", lambda s, share: s / share, "whole"),
    ("gradient_rows", rows_by(plus_equals), "keeps the last alone"),
    ("gradient_rows", rows_by(np.add.at, average=True), "do not average"),
    ("gradient_rows", rows_by(np.add.at, places_for_ids=True), "rows' own ids"),
    ("catch_up", drift(sign=1), "against its gradient"), ("catch_up", drift(corrected=False), "corrected"),
    ("catch_up", drift(start="absent"), "count all steps"), ("catch_up", drift(decay=1), "v decays as well"),
    ("catch_up", drift(last=True), "last step alone")])
def test_typical_mistakes_get_their_hint(check, answer, hint):
    with pytest.raises(AssertionError, match=hint):
        getattr(exercises, f"check_{check}")(answer)
