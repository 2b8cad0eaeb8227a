"""The coupon survey as it was published, and a split that keeps groups whole."""
import lzma

import numpy as np
import pytest
from samples import check_dataset

from deepfm_tutorial.datasets import coupons, load_coupons, split_by


def test_the_published_data():
    data = load_coupons()
    assert len(data.columns) == 25 and len(data.labels) == 12_684
    assert data.labels.sum() == 7210
    whole = [name for name, column in data.columns.items() if column.dtype == np.int64]
    assert whole == ["temperature", "has_children", "toCoupon_GEQ5min",
                     "toCoupon_GEQ15min", "toCoupon_GEQ25min", "direction_same",
                     "direction_opp"]
    empty = {name: sum(cell is None for cell in column.tolist())
             for name, column in data.columns.items()}
    assert {name: count for name, count in empty.items() if count} == {
        "car": 12_576, "Bar": 107, "CoffeeHouse": 217, "CarryAway": 151,
        "RestaurantLessThan20": 130, "Restaurant20To50": 189}
    assert "" not in {cell for column in data.columns.values() for cell in column}


def test_a_profile_is_a_way_to_answer_the_personal_questions():
    data = load_coupons()
    answers = list(zip(*(data.columns[name] for name in coupons.PERSONAL)))
    assert len(set(answers)) == len(set(zip(answers, data.profiles.tolist()))) == 567
    first = np.unique(data.profiles, return_index=True)[1]
    np.testing.assert_array_equal(data.profiles[np.sort(first)], np.arange(567))


def test_it_is_a_data_set():
    check_dataset(load_coupons())


@pytest.mark.parametrize("spoil", [lambda packed: packed[:-100], lambda packed: b"",
                                   lambda packed: lzma.compress(b"Y\n1\n")])
def test_a_damaged_file_is_refused(tmp_path, monkeypatch, spoil):
    (tmp_path / "spoilt.xz").write_bytes(spoil(coupons.FILE.read_bytes()))
    monkeypatch.setattr(coupons, "FILE", tmp_path / "spoilt.xz")
    with pytest.raises(ValueError, match="spoilt.xz is damaged.*install"):
        load_coupons()


def test_a_split_has_each_row_once_and_no_group_twice():
    groups = np.random.default_rng(0).integers(300, size=5000).astype(str)
    parts = split_by(groups, (0.5, 0.3, 0.2), seed=1)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(5000))
    names = [set(groups[rows]) for rows in parts]
    assert sum(map(len, names)) == len(set.union(*names))
    largest = np.unique(groups, return_counts=True)[1].max() / 5000
    np.testing.assert_allclose(np.array([len(rows) for rows in parts]) / 5000,
                               (0.5, 0.3, 0.2), atol=largest)


def test_a_group_goes_where_its_middle_is():
    halves = split_by(np.repeat(range(10), 10), (0.5, 0.5))
    assert [len(rows) for rows in halves] == [50, 50]


def test_seeds_repeat_and_differ():
    one, again, other = (split_by(range(100), seed=seed) for seed in (5, 5, 6))
    for rows, same in zip(one, again):
        np.testing.assert_array_equal(rows, same)
    assert not np.array_equal(one[2], other[2])
    assert [len(rows) for rows in one] == [80, 10, 10]


@pytest.mark.parametrize("groups, shares, message", [
    (range(10), (0.8, 0.3), r"shares = \(0.8, 0.3\): they must add up to 1"),
    (range(10), (0.0, 0.5, 0.5), r"shares\[0\] = 0.0"),
    (range(10), (), r"shares = \(\): they must add up to 1"),
    ([1, 1, 2], (0.4, 0.3, 0.3), "a part of 2 groups would be empty"),
    ([[1, 2]], (0.5, 0.5), r"groups have shape \(1, 2\)"),
])
def test_a_split_that_cannot_be_is_refused(groups, shares, message):
    with pytest.raises(ValueError, match=message):
        split_by(groups, shares)
