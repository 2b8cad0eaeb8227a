"""Columns in every form: one category is one id, or there is an error with the row."""
import datetime
import decimal
import json
import pickle

import numpy as np
import pandas as pd
import pytest

from deepfm_tutorial import FieldEncoder
from deepfm_tutorial.columns import Column

DAYS = ["2026-01-02", "2026-01-01", "2026-01-02"]
STAMPS = pd.Series(pd.to_datetime(DAYS))

# Of one column each, the forms in which it may travel: the first is a list.
FORMS = {
    "text": [["b", "a", "b"], ("b", "a", "b"), np.array(["b", "a", "b"]),
             np.array(["b", "a", "b"], object), pd.Series(["b", "a", "b"]),
             pd.Series(["b", "a", "b"], dtype="string"), pd.Index(["b", "a", "b"]),
             pd.Series(["b", "a", "b"], dtype="category")],
    "whole numbers": [[7, -3, 7], [7.0, -3.0, 7.0], np.array([7, -3, 7], np.int8),
                      np.array([7, -3, 7], np.float16), [np.float32(7), -3, 7],
                      pd.Series([7, -3, 7], dtype=object),
                      pd.Series([7, -3, 7], dtype="Int64"),
                      pd.Series([7, -3, 7], dtype="category"),
                      np.ma.array([7, -3, 7])],
    "large numbers": [[2**63, 2**53 + 1, 2**63],
                      np.array([2**63, 2**53 + 1, 2**63], np.uint64),
                      pd.Series(np.array([2**63, 2**53 + 1, 2**63], np.uint64),
                                dtype="UInt64")],
    "fractions": [[4.2, 0.1 + 0.2, 4.2], np.array([4.2, 0.3, 4.2], np.float32),
                  pd.Series([4.2, 0.3, 4.2], dtype="Float32"),
                  [np.float32(4.2), 0.3, np.float64(4.2)],
                  pd.Series([4.2, 0.3, 4.2], dtype="Float64")],
    "booleans": [[True, False, True], np.array([True, False, True]),
                 pd.Series([True, False, True], dtype="boolean"),
                 pd.Series([True, False, True], dtype=object)],
    "dates": [[datetime.date.fromisoformat(day) for day in DAYS], DAYS,
              [datetime.datetime.fromisoformat(day) for day in DAYS],
              np.array(DAYS, "M8[D]"), np.array(DAYS, "M8[ns]"), STAMPS,
              STAMPS.astype("M8[s]"), [day + "T00:00" for day in DAYS]],
    "months": [np.array(["2026-02", "2026-01", "2026-02"], "M8[M]"),
               ["2026-02-01", "2026-01-01", "2026-02-01"]],
    "times": [["2026-01-02T05:00", "0002-01-01T00:00", "2026-01-02T05:00:00.000"]],
    "dates of a zone": [STAMPS.dt.tz_localize("UTC").tolist(),
                        STAMPS.dt.tz_localize("UTC").dt.tz_convert("Asia/Shanghai"),
                        [day + "T01:00:00+01:00" for day in DAYS]],
    "lists": [[["b", "a"], [], ["c"]], pd.Series([["a", "b"], [], ["c"]]),
              [("b", "a", "a"), (), {"c"}],
              [np.array(["a", "b"]), np.array([], str), ["c"]]],
}


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("hashed", [None, {"x": 1000}])
def test_a_category_is_found_again_whichever_way_it_travels(kind, hashed):
    first, *others = FORMS[kind]
    if kind == "times":  # text becomes dates only where dates were learned
        first = np.array(first, "M8[ms]")
    encoder = FieldEncoder(hashed=hashed).fit({"x": first})
    stored = json.loads(json.dumps(encoder.plain({"x": first})))
    expected = [set(row) for row in encoder.transform({"x": first})]
    assert expected[0] != expected[1]
    for form in (*others, stored["x"]):
        ids = encoder.transform({"x": form})
        assert [set(row) for row in ids] == expected, form
        assert hashed or kind == "lists" or ids.min() > 0
    for form in others:  # and learned from any form it is the same encoder
        if not (kind in ("dates", "months", "dates of a zone")
                and isinstance(form[0], str)):
            again = FieldEncoder(hashed=hashed).fit({"x": form})
            assert again.fingerprint == encoder.fingerprint, form


GAPS = [[None, "a"], [np.nan, "a"], pd.Series([None, "a"]),
        pd.Series([None, "a"], dtype="string"), pd.Series(pd.Categorical([None, "a"])),
        [None, 1], [float("nan"), 1], pd.Series([None, 1], dtype="Int64"),
        np.array([np.nan, 1], np.float32), np.ma.array([5, 1], mask=[True, False]),
        [None, True], pd.Series([None, True], dtype="boolean"), [pd.NaT, STAMPS[0]],
        np.array(["NaT", "2026-01-01"], "M8[D]"), STAMPS.where([False, True, True])[:2],
        [None, ["a"]], [[None], ["a"]]]


@pytest.mark.parametrize("column", GAPS, ids=lambda column: repr(column)[:40])
def test_a_gap_is_refused_with_its_row_or_has_an_id_of_its_own(column):
    with pytest.raises(ValueError, match="'x', row 0.* missing.*missing=."):
        FieldEncoder().fit({"x": column})
    known = FieldEncoder().fit({"x": column[1:]})
    with pytest.raises(ValueError, match="'x', row 0.* missing"):
        known.transform({"x": column})
    for hashed in (None, {"x": 3}):
        encoder = FieldEncoder(hashed=hashed, missing=["x"]).fit({"x": column})
        ids = encoder.transform({"x": column})
        assert ids[0, 0] == encoder.num_features - 1 != ids[1, 0]
        values = encoder.values({"x": column})
        assert encoder.describe(ids, values)["x"][0] in (None, [None])
        stored = json.loads(json.dumps(encoder.plain({"x": column})))
        np.testing.assert_array_equal(encoder.transform(stored), ids)


REFUSED = {
    "infinity": ([1.0, np.inf], ValueError, "row 1: inf: a category is finite"),
    "a float too coarse": ([1.0, 2.0**60], ValueError, "row 1: .*64 bits cannot tell"),
    "a short float too coarse": (np.array([2**25], np.float32), ValueError,
                                 "row 0: .*32 bits cannot tell"),
    "more digits than are compared": ([123456789.25], ValueError, "cannot tell"),
    "beyond 64 bits": ([1, 2**64], ValueError, "row 1: 18446.*whole numbers of 64"),
    "numbers and text": (["a", 1], TypeError,
                         r"numbers \(row 1\) and text \(row 0\)"),
    "numbers and booleans": ([1, True], TypeError, r"booleans \(row 1\) and numbers"),
    "lists and text": ([["a"], "a"], TypeError, r"lists \(row 0\) and text \(row 1\)"),
    "zones and none": ([STAMPS[0], STAMPS[0].tz_localize("UTC")], TypeError,
                       "dates with a time zone and dates without"),
    "spans of time": (np.array([1, 2], "m8[s]"), TypeError, "row 0: .*timedelta"),
    "intervals": (pd.cut(pd.Series([1, 5]), 2), TypeError, "row 0: .*Interval"),
    "decimals": ([decimal.Decimal(1)], TypeError, "row 0: .*Decimal"),
    "bytes": ([b"a"], TypeError, "row 0: b'a'.*bytes"),
    "lists of lists": ([[["a"]]], TypeError, "row 0: .*a list, where one value"),
    "infinity in a set": ([[1.5, 2.5], [], [np.inf]], ValueError, "row 2: inf"),
    "numbers and text in sets": ([["a", "b"], [1]], TypeError,
                                 r"numbers \(row 1\) and text \(row 0\)"),
    "half a character": (["\ud800"], ValueError, "UTF-8 cannot write"),
    "a scalar": (1, ValueError, r"is 1: a list or an array .*\(N,\)"),
    "one text": ("abc", ValueError, r"'abc': a list or an array"),
    "a set": ({"a"}, ValueError, "a list or an array"),
    "two axes": (np.ones((2, 2)), ValueError, r"shape \(2, 2\): \(N,\)"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("hashed", [None, {"x": 9}])
def test_what_cannot_be_told_apart_or_stored_is_refused_at_fit(case, hashed):
    column, error, message = REFUSED[case]
    with pytest.raises(error, match=f"(?s)'x'.*{message}"):
        FieldEncoder(hashed=hashed).fit({"x": column})


def test_another_kind_than_was_learned_is_refused_also_if_nothing_was_kept():
    other = {"text": ["a"], "numbers": [1], "booleans": [True], "lists": [["a"]]}
    for column in other.values():
        encoder = FieldEncoder(min_count=2).fit({"x": column})  # an empty vocabulary
        stored = FieldEncoder.from_dict(json.loads(json.dumps(encoder.as_dict())))
        for asked in other.values():
            if asked is not column:
                for each in (encoder, stored):
                    with pytest.raises(TypeError, match="'x' holds"):
                        each.transform({"x": asked})
    dates = FieldEncoder().fit({"x": STAMPS})
    for text in ("today", "20260101", "01/02/2026", "2026-01-01T00:00Z"):
        with pytest.raises(ValueError, match="'x', row 0: .*dates are needed"):
            dates.transform({"x": [text]})


FRAME = pd.DataFrame({"day": ["Mon", "Sun"], "user": [3, 5]})
TABLES = [FRAME, FRAME.to_dict("list"), FRAME.to_dict("records"),
          FRAME.set_index(pd.Index([7, 7])), FRAME.to_records(index=False),
          FRAME.astype({"day": "category", "user": "Int64"})]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: type(table).__name__)
def test_tables_of_every_form_give_the_same_ids(table):
    encoder = FieldEncoder().fit(FRAME)
    np.testing.assert_array_equal(encoder.transform(table), encoder.transform(FRAME))
    assert FieldEncoder().fit(table).fingerprint == encoder.fingerprint


@pytest.mark.parametrize("table, error, message", [
    (FRAME.iloc[0], TypeError, r"Series: .*\(N,\).*one record is a list of one"),
    (FRAME.to_numpy(), TypeError, "columns are of type ndarray"),
    ({"day": "Mon", "user": 3}, ValueError, r"'day' is 'Mon': .*\(N,\)"),
    (["Mon", 3], TypeError, "record 0 is of type str"),
    ([{"day": "Mon", "user": 3}, {"day": "Mon"}], ValueError,
     "record 1 lacks the field 'user'"),
    (pd.concat([FRAME, FRAME], axis=1), ValueError, r"\['day', 'user'\] come twice"),
    (FRAME.rename(columns={"day": 0}), TypeError, "field names are text: 0 is of type"),
], ids=lambda value: type(value).__name__ if not isinstance(value, str) else "")
def test_other_tables_get_a_sentence(table, error, message):
    for act in (FieldEncoder().fit, FieldEncoder().fit(FRAME).transform):
        with pytest.raises(error, match=message):
            act(table)


def test_an_encoder_can_be_pickled():
    encoder = FieldEncoder(missing=True).fit({"x": [["a"], None]})
    again = pickle.loads(pickle.dumps(encoder))
    assert again.fingerprint == encoder.fingerprint


def test_memory_follows_the_text_and_not_its_longest_piece():
    column = Column("x", ["a"] * 999 + ["b" * 100_000])
    assert not isinstance(column.entries, np.ndarray)  # whose rows have one length
