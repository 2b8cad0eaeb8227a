"""How one field becomes ids and numbers: by hand, and what each refuses."""
import json

import numpy as np
import pytest

from deepfm_tutorial import UNSEEN, FieldEncoder
from deepfm_tutorial.encodings import bucket

PRICES = [1.0, 2.0, 3.0, 4.0, 5.0, 100.0]


def encoded(column, later=None, **settings):
    """Ids and x of `later` rows, after learning from `column`."""
    encoder = FieldEncoder(**settings).fit({"x": column})
    data = encoder.encode({"x": column if later is None else later})
    return data.ids.tolist(), data.values if data.values is None else (
        data.values.tolist())


def test_standardised_numbers_have_the_training_rows_mean_and_deviation():
    assert encoded([True, False], continuous=["x"])[1] == [[1], [0]]
    ids, x = encoded([1, 3, None, 5], [3, None, 7], standardised=["x"], missing=True)
    assert ids == [[1], [2], [1]]
    deviation = np.sqrt((4 + 0 + 4) / 3)
    np.testing.assert_allclose(x, [[0], [1], [4 / deviation]], rtol=1e-6)
    large = encoded([1e39, 3e39], standardised=["x"])[1]  # as such beyond 32 bits
    np.testing.assert_allclose(large, [[-1], [1]])


def test_bins_hold_equally_many_training_rows_and_take_any_number():
    encoder = FieldEncoder(binned={"x": 3}).fit({"x": PRICES})
    ids = encoder.transform({"x": [*PRICES, -9, 1e300]})[:, 0].tolist()
    assert ids == [1, 1, 2, 2, 3, 3, 1, 3]
    assert encoder.encode({"x": PRICES}).values is None
    assert encoder.describe([[1], [2], [3]])["x"] == [
        "below 2.66667", "2.66667 to below 4.33333", "4.33333 or more"]
    assert encoded([7, 7, 7], [6, 7, 8], binned={"x": 4})[0] == [[1]] * 3
    # A number on an edge, here 2, is in the upper bin.
    assert encoded([1, 2, 3], binned={"x": 2})[0] == [[1], [2], [2]]
    gaps = FieldEncoder(binned={"x": 2}, missing=True).fit({"x": [1, None, 3]})
    ids = gaps.transform({"x": [None, 9, -9]})
    assert ids.tolist() == [[3], [2], [1]] and gaps.field_sizes == (4,)
    assert gaps.describe(ids)["x"] == [None, "2 or more", "below 2"]
    # Many equal numbers make fewer bins, and none without a training row.
    ids = np.ravel(encoded([0, 0, 0, 0, 5, 9], binned={"x": 3})[0])
    assert set(ids) == set(range(1, ids.max() + 1))


def test_a_set_has_one_over_its_size_for_each_and_any_length():
    learned = [["war", "drama"], ["drama"], [], ["comedy"]]
    encoder = FieldEncoder(missing=["x"]).fit({"x": learned})
    assert encoder.field_sizes == (5,)  # unseen, three, missing
    data = encoder.encode({"x": [["drama", "drama", "war"], [], None,
                                 ["new", "war", "comedy", "newer"]]})
    assert data.ids.tolist() == [[2, 3, 0, 0], [0, 0, 0, 0], [4, 0, 0, 0],
                                 [0, 3, 1, 0]]
    assert data.values.tolist() == [[0.5, 0.5, 0, 0], [0] * 4, [1, 0, 0, 0],
                                    [0.25] * 4]
    assert encoder.describe(data.ids, data.values)["x"] == [
        ["drama", "war"], [], [None], [UNSEEN, "war", "comedy", UNSEEN]]
    with pytest.raises(ValueError, match="values are None"):
        encoder.describe(data.ids)


def test_the_values_of_a_set_can_be_hashed():
    tags = [["war", "drama"], ["drama"]]
    encoder = FieldEncoder(hashed={"x": 50}, multi_valued=["x"]).fit({"x": tags})
    assert encoder.field_sizes == (51,) and encoder.with_unseen == ()
    data = encoder.encode({"x": [["war", "new"]]})
    assert data.ids.tolist() == [[1 + bucket("war", 50), 1 + bucket("new", 50)]]


def test_a_continuous_field_is_described_where_its_number_is_zero():
    encoder = FieldEncoder(["x"]).fit({"x": [0.0], "tags": [["a"]]})
    data = encoder.encode({"x": [0.0], "tags": [["a"]]})
    assert encoder.describe(data.ids, data.values) == {"x": ["x"], "tags": [["a"]]}


def test_least_counts_may_differ_by_field_and_count_the_rows_of_a_set():
    log = {"a": ["p", "p", "q"], "b": ["p", "p", "q"],
           "c": [["u", "u"], ["v"], ["v", "u"]]}
    encoder = FieldEncoder(min_count={"b": 2, "c": 2}).fit(log)
    assert encoder.field_sizes == (3, 2, 3)
    encoder = FieldEncoder(min_count={"c": 3}).fit(log)
    assert encoder.field_sizes == (3, 3, 1)


def test_a_hashed_field_costs_the_same_for_any_number_of_buckets():
    encoder = FieldEncoder(hashed={"x": 10 ** 9}).fit({"x": ["/a", "/b"]})
    assert len(json.dumps(encoder.as_dict())) < 400
    assert encoder.field_sizes == (10 ** 9 + 1,)


def test_all_kinds_of_fields_side_by_side_stored_and_back():
    log = {"day": ["Mon", None, "Sun"], "tags": [["a"], [], ["b", "a"]],
           "price": [1.0, 2.0, 4.0], "age": [20, 30, 40], "site": [1, 2, 3],
           "raw": [0.5, 1.5, None]}
    encoder = FieldEncoder(["raw"], hashed={"site": 4}, standardised=["price"],
                           binned={"age": 2}, missing=["day", "raw"]).fit(log)
    assert encoder.with_values == ("tags", "price", "raw") and encoder.pooled
    assert encoder.with_unseen == ("day", "tags")
    stored = json.loads(json.dumps(encoder.as_dict()))
    again = FieldEncoder.from_dict(stored)
    rows = json.loads(json.dumps(encoder.plain(log), allow_nan=False))
    for field in ("ids", "values"):
        np.testing.assert_array_equal(getattr(again.encode(rows), field),
                                      getattr(encoder.encode(log), field))
    assert again.fingerprint == encoder.fingerprint
    ids = encoder.transform(log)
    assert ids.shape == (3, 7)
    changed = {"mean": 5.0, "edges": [31.0], "num_buckets": 5, "missing": False}
    for name, field in stored["fields"].items():
        for key in changed.keys() & field.keys():
            other = {**stored, "fields": {**stored["fields"],
                                          name: {**field, key: changed[key]}}}
            if field[key] != changed[key]:
                assert (FieldEncoder.from_dict(other).fingerprint
                        != encoder.fingerprint), (name, key)


def test_frequent_categories_of_a_hashed_field_keep_ids_and_the_rest_shares_buckets():
    column = ["a"] * 3 + ["b"] * 2 + ["c", None]
    encoder = FieldEncoder((), {"x": 2}, {"x": 4}, missing=["x"]).fit({"x": column})
    again = FieldEncoder.from_dict(json.loads(json.dumps(encoder.as_dict())))
    asked = {"x": ["a", "b", "c", "new", None]}
    for one in (encoder, again):
        ids = one.transform(asked)[:, 0]
        assert one.field_sizes == (1 + 4 + 2 + 1,) and one.with_unseen == ()
        assert ids.tolist() == [5, 6, 1 + bucket("c", 4), 1 + bucket("new", 4), 7]
        assert one.describe(ids[:, None])["x"] == [
            "a", "b", f"bucket {bucket('c', 4)}", f"bucket {bucket('new', 4)}", None]
    all_hashed = [FieldEncoder((), least, {"x": 4}, missing=["x"]).fit({"x": column})
                  for least in (1, 2, {})]
    assert [one.field_sizes for one in all_hashed] == 3 * [(1 + 4 + 1,)]
    assert encoder.fingerprint != all_hashed[0].fingerprint
    sets = FieldEncoder((), {"x": 2}, {"x": 4}, multi_valued=["x"]).fit(
        {"x": [["a", "b"], ["a"], ["c"]]})
    assert sets.transform({"x": [["a"], ["b"]]}).tolist() == [[5], [1 + bucket("b", 4)]]


@pytest.mark.parametrize("make, error, message", [
    (lambda: FieldEncoder(standardised="x"), TypeError, "standardised = 'x': a list"),
    (lambda: FieldEncoder(hashed=["x"]), TypeError, r"hashed = \['x'\]: a mapping"),
    (lambda: FieldEncoder(binned={"x": 0}), ValueError, r"binned\['x'\] = 0"),
    (lambda: FieldEncoder(["x"], standardised=["x"]), ValueError,
     r"\['x'\] are continuous and standardised"),
    (lambda: FieldEncoder(binned={"x": 2}, multi_valued=["x"]), ValueError,
     r"\['x'\] are binned and multi_valued"),
    (lambda: FieldEncoder(missing=["y"]).fit({"x": [1]}), ValueError,
     r"missing fields \['y'\] are not among"),
    (lambda: encoded([1, 1], standardised=["x"]), ValueError, "deviation of 0"),
    (lambda: encoded([1, 1e300], standardised=["x"]), ValueError, "deviation of inf"),
    (lambda: encoded([1, 1e39], continuous=["x"]), ValueError,
     "row 1: 1e\\+39: more than 32 bits hold"),
    (lambda: encoded([1, np.inf], binned={"x": 2}), ValueError, "row 1: inf"),
    (lambda: encoded(["a"], ["\ud800"], hashed={"x": 2}), ValueError,
     "UTF-8 cannot write"),
    (lambda: encoded(["1"], binned={"x": 2}), TypeError, "'x' holds text"),
    (lambda: encoded([1, None], binned={"x": 2}), ValueError, "row 1: .*missing"),
    (lambda: encoded(["a|b"], multi_valued=["x"]), TypeError, "a list of values a row"),
])
def test_refused_with_the_reason(make, error, message):
    with pytest.raises(error, match=message):
        make()
