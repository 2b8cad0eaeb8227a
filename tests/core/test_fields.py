"""FieldEncoder: ids by hand, the way back, and every refusal."""
import hashlib
import json
from inspect import signature

import numpy as np
import pandas as pd
import pytest

from deepfm_tutorial import UNSEEN, FieldEncoder

LOG = {"day": ["Mon", "Sun", "Sun"], "user": [30, 10, 20]}


def test_ids_sizes_and_offsets_by_hand():
    encoder = FieldEncoder().fit(LOG)
    assert encoder.field_names == ("day", "user")
    assert encoder.field_sizes == (3, 4) and encoder.num_features == 7
    assert encoder.field_offsets == (0, 3)
    ids = encoder.transform(LOG)
    np.testing.assert_array_equal(ids, [[1, 6], [2, 4], [2, 5]])
    assert ids.dtype == np.int32


def test_describe_is_the_way_back_for_seen_and_unseen_values():
    encoder = FieldEncoder().fit(LOG)
    assert encoder.describe(encoder.transform(LOG)) == LOG
    # Another order of columns.
    ids = encoder.transform({"user": [99, 10], "day": ["Tue", "Mon"]})
    np.testing.assert_array_equal(ids, [[0, 3], [1, 4]])
    described = encoder.describe(ids)
    assert described == {"day": [UNSEEN, "Mon"], "user": [UNSEEN, 10]}
    np.testing.assert_array_equal(
        encoder.transform({"day": described["day"], "user": [99, 10]}), ids)


def test_unseen_marker_in_training_data_stays_unseen():
    encoder = FieldEncoder().fit({"day": ["Mon", UNSEEN]})
    assert encoder.field_sizes == (2,)
    np.testing.assert_array_equal(encoder.transform({"day": [UNSEEN]}), [[0]])


def test_continuous_fields_have_one_feature_and_carry_their_number():
    log = {"day": ["Mon", "Sun"], "price": [2.5, -1.0]}
    encoder = FieldEncoder(continuous=["price"]).fit(log)
    assert encoder.field_sizes == (3, 2)
    np.testing.assert_array_equal(encoder.transform(log), [[1, 4], [2, 4]])
    np.testing.assert_array_equal(encoder.values(log), [[1, 2.5], [1, -1]])
    assert encoder.values(log).dtype == np.float32


def test_ids_do_not_depend_on_the_order_of_the_rows():
    shuffled = {"day": ["Sun", "Mon", "Sun"], "user": [20, 30, 10]}
    assert (FieldEncoder().fit(LOG).describe([[1, 6]])
            == FieldEncoder().fit(shuffled).describe([[1, 6]]))


def test_rare_categories_count_as_unseen():
    log = {"day": ["Mon", "Sun", "Sun"], "user": [10, 10, 20]}
    encoder = FieldEncoder(min_count=2).fit(log)
    assert encoder.field_sizes == (2, 2)
    np.testing.assert_array_equal(encoder.transform(log), [[0, 3], [1, 3], [1, 2]])


def test_a_hashed_field_sends_every_category_to_a_bucket_known_or_not():
    # Not 5 buckets: 256 leaves 1, so that the order of the bytes would not matter.
    encoder = FieldEncoder(hashed={"user": 7}).fit(LOG)
    assert encoder.field_sizes == (3, 8)
    users = np.array([30, 10, 20, 99])
    ids = encoder.transform({"day": ["Mon"] * 4, "user": users})
    by_hand = [int.from_bytes(hashlib.blake2b(str(u).encode(), digest_size=8).digest(),
                              "little") % 7 for u in users]
    # 3 is the id that is never used.
    np.testing.assert_array_equal(ids[:, 1], [4 + b for b in by_hand])
    assert encoder.describe(ids)["user"] == by_hand
    text = FieldEncoder(hashed={"user": 7}).fit({**LOG, "user": ["30", "10", "20"]})
    assert text.transform({"day": ["Mon"], "user": ["99"]})[0, 1] == ids[3, 1]


def test_stored_as_json_and_back_an_encoder_is_the_same():
    log = {**LOG, "price": [2.5, -1.0, 3.0], "site": ["a", "b", "b"],
           "big": [True, False, True]}
    encoder = FieldEncoder(["price"], min_count=1, hashed={"site": 7}).fit(log)
    again = FieldEncoder.from_dict(json.loads(json.dumps(encoder.as_dict())))
    later = {"day": ["Sun", "Tue"], "user": [10, 99], "price": [1.0, 2.0],
             "site": ["c", "a"], "big": [True, True]}
    np.testing.assert_array_equal(again.transform(later), encoder.transform(later))
    np.testing.assert_array_equal(again.values(later), encoder.values(later))
    assert (again.fingerprint == encoder.fingerprint
            and again.field_sizes == encoder.field_sizes)


SETTINGS = {"continuous": ["a"], "min_count": {"b": 2}, "hashed": {"c": 3},
            "standardised": ["d"], "binned": {"e": 4}, "multi_valued": ["f"],
            "missing": ["a", "b"]}


def test_an_encoder_stored_and_read_has_all_settings_for_the_next_fit():
    columns = dict.fromkeys("abcde", [1, 2]) | {"f": [["x"], ["y"]]}
    for settings in (SETTINGS, {"min_count": 2, "missing": True}):
        encoder = FieldEncoder(**settings).fit(columns)
        again = FieldEncoder.from_dict(json.loads(json.dumps(encoder.as_dict())))
        for name in signature(FieldEncoder).parameters:
            assert getattr(again, name) == getattr(encoder, name), name


@pytest.mark.parametrize("way", sorted(SETTINGS))
def test_a_field_that_a_setting_names_must_be_there(way):
    with pytest.raises(ValueError, match=rf"{way} fields \['\w'.*are not among"):
        FieldEncoder(**{way: SETTINGS[way]}).fit({"x": [1, 2]})


def test_the_fingerprint_changes_with_everything_that_ids_depend_on():
    others = [FieldEncoder().fit({"day": LOG["day"], "user": [30, 10, 21]}),
              FieldEncoder().fit({"user": LOG["user"], "day": LOG["day"]}),
              FieldEncoder().fit({**LOG, "user": ["30", "10", "20"]}),
              FieldEncoder(hashed={"user": 3}).fit(LOG),
              FieldEncoder(["user"]).fit(LOG)]
    prints = [encoder.fingerprint for encoder in [FieldEncoder().fit(LOG), *others]]
    assert len(set(prints)) == 6
    assert FieldEncoder().fit(
        {k: v[::-1] for k, v in LOG.items()}).fingerprint == prints[0]


def pandas(*values):
    """A column as pandas holds text: of type object."""
    return pd.Series(values, dtype=object)


REFUSED = {
    "continuous and hashed": (lambda: FieldEncoder(["a"], hashed={"a": 2}),
                              ValueError, r"\['a'\]"),
    "no buckets": (lambda: FieldEncoder(hashed={"a": 0}),
                   ValueError, r"hashed\['a'\] = 0"),
    "min_count": (lambda: FieldEncoder(min_count=0),
                  ValueError, "min_count = 0: at least 1"),
    "NaN to be hashed": (
        lambda: FieldEncoder(hashed={"a": 2}).fit({"a": [1.0, np.nan]}),
        ValueError, "'a', row 1.*missing"),
    "unequal columns": (lambda: FieldEncoder().fit({"a": [1, 2], "b": [1]}),
                        ValueError, "'b': 1"),
    "no columns": (lambda: FieldEncoder().fit({}), ValueError, "empty"),
    "no rows": (lambda: FieldEncoder().fit({"a": []}), ValueError, "empty"),
    "a missing column": (lambda: FieldEncoder().fit(LOG).transform({"day": ["Mon"]}),
                         ValueError, r"missing \['user'\]"),
    "an extra column": (
        lambda: FieldEncoder().fit(LOG).transform({**LOG, "x": [1, 2, 3]}),
        ValueError, r"superfluous \['x'\]"),
    "unequal columns in transform": (
        lambda: FieldEncoder().fit(LOG).transform({"day": ["Mon"], "user": [1, 2]}),
        ValueError, "length"),
    "transform before fit": (lambda: FieldEncoder().transform(LOG),
                             ValueError, "fit first"),
    "describe before fit": (lambda: FieldEncoder().describe([[0]]),
                            ValueError, "fit first"),
    "sizes before fit": (lambda: FieldEncoder().field_sizes, ValueError, "fit first"),
    "two-dimensional column": (lambda: FieldEncoder().fit({"a": np.ones((2, 2))}),
                               ValueError, r"'a' has shape \(2, 2\): \(N,\)"),
    "NaN as a category": (lambda: FieldEncoder().fit({"a": [1.0, np.nan]}),
                          ValueError, "'a', row 1.*missing"),
    "NaN as a number": (lambda: FieldEncoder(["a"]).fit({"a": [1.0, np.nan]}),
                        ValueError, "'a', row 1"),
    "text as a number": (lambda: FieldEncoder(["a"]).fit({"a": ["x"]}),
                         TypeError, "'a'"),
    "numbers where pandas' text was": (
        lambda: FieldEncoder().fit(LOG).transform({"day": pandas(1), "user": [10]}),
        TypeError, "'day' holds numbers: fit saw text"),
    "text where numbers were": (
        lambda: FieldEncoder().fit(LOG).transform(
            {"day": ["Mon"], "user": pandas("10")}),
        TypeError, "'user' holds text: fit saw numbers"),
    "None in pandas' text": (lambda: FieldEncoder().fit({"a": pandas("x", None)}),
                             ValueError, "'a', row 1.*missing"),
    "NaN in pandas' text": (lambda: FieldEncoder().fit({"a": pandas("x", np.nan)}),
                            ValueError, "'a', row 1.*missing"),
    "NA in pandas' text": (lambda: FieldEncoder().fit({"a": pd.array(["x", pd.NA])}),
                           ValueError, "'a', row 1.*missing"),
    "NaN in a list of text": (lambda: FieldEncoder().fit({"a": ["x", float("nan")]}),
                              ValueError, "'a', row 1.*missing"),
    "a number in a list of text": (lambda: FieldEncoder().fit({"a": ["x", 1]}),
                                   TypeError, r"numbers \(row 1\) and text \(row 0\)"),
    "a name in the place of names": (lambda: FieldEncoder(continuous="age"),
                                     TypeError, "continuous = 'age': a list"),
    "a number beyond float32": (lambda: FieldEncoder(["a"]).fit({"a": [1.0, 1e300]}),
                                ValueError, "'a', row 1: 1e\\+300"),
    "text and numbers": (lambda: FieldEncoder().fit({"a": pandas("x", 1)}),
                         TypeError, r"numbers \(row 1\) and text \(row 0\)"),
    "None to be hashed": (
        lambda: FieldEncoder(hashed={"day": 2}).fit(LOG).transform(
            {"day": pandas("Mon", None), "user": [10, 20]}),
        ValueError, "'day', row 1.*missing"),
    "numbers where text was": (
        lambda: FieldEncoder().fit(LOG).transform({"day": [1], "user": [10]}),
        TypeError, "'day'"),
    "describe an id of another field": (
        lambda: FieldEncoder().fit(LOG).describe([[5, 4]]),
        ValueError, r"ids\[0, 0\] = 5: field 0 .* 0 to 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case):
    act, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        act()


def test_a_refused_fit_leaves_the_encoder_as_it_was():
    encoder = FieldEncoder().fit(LOG)
    with pytest.raises(ValueError):
        encoder.fit({"a": [1, 2], "b": [1]})
    assert encoder.field_names == ("day", "user")


CELLS = ["a", "b", "z", "", "<unseen>", np.str_("a"), 1, 7, -1, 2 ** 70, 1.0, 1.5, True,
         np.int64(1), None, float("nan"), float("inf"), b"a", ["a"]]


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("settings", [{}, {"hashed": {"text": 3}}, {"min_count": 2}])
def test_a_record_that_is_looked_up_has_the_ids_of_one_that_is_read(settings, missing):
    encoder = FieldEncoder(missing=missing, **settings).fit(
        {"text": ["a", "a", "b"], "number": [1, 1, 2], "yes": [True, True, False]})
    for place in ("text", "number", "yes"):
        for cell in CELLS:
            record = {"yes": False, "number": 1, "text": "a"} | {place: cell}
            found = []
            for columns in ([record], {name: [value] for name, value in
                                       record.items()}):
                try:
                    found.append(encoder.transform(columns).tolist())
                except (TypeError, ValueError) as error:
                    found.append((type(error), str(error)))
            assert found[0] == found[1], (place, cell)


def test_plain_records_are_looked_up_and_others_are_read(monkeypatch):
    encoder = FieldEncoder().fit({"text": ["a", "b"], "number": [1, 2]})
    plain = [{"text": "b", "number": 2}, {"number": 1, "text": "new"}]
    expected = encoder.transform({"text": ["b", "new"], "number": [2, 1]})
    monkeypatch.setattr("deepfm_tutorial.fields.read_columns", None)
    np.testing.assert_array_equal(encoder.transform(plain), expected)
    assert encoder.transform(plain).dtype == np.int32
    for others in ([{"text": "b", "number": 2.0}], [{"text": "b"}], [], tuple(plain)):
        with pytest.raises(TypeError, match="NoneType"):
            encoder.transform(others)


def test_what_was_looked_up_is_learned_anew_with_fit():
    encoder = FieldEncoder().fit({"text": ["b"], "other": ["x"]})
    assert encoder.transform([{"text": "b", "other": "x"}]).tolist() == [[1, 3]]
    encoder.fit({"text": ["a", "b"], "other": ["x", "x"]})
    assert encoder.transform([{"text": "b", "other": "x"}]).tolist() == [[2, 4]]
