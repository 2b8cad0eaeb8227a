"""Every row once, in random order, with memory for one block."""
import tracemalloc

import numpy as np
import pytest

from deepfm_tutorial import LogisticRegression, fit
from deepfm_tutorial import _validation as validation
from deepfm_tutorial.scale import blockwise_batches, shuffling
from deepfm_tutorial.training import shuffled_batches


def rows_of(data, batch_size, seed=0, batches=blockwise_batches):
    rng = np.random.default_rng(seed)
    return [batch[0][:, 0] for batch in batches(data, batch_size, rng)]


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(shuffling, "SHUFFLE_ROWS", 64)
    monkeypatch.setattr(shuffling, "RUN_ROWS", 8)
    monkeypatch.setattr(validation, "ROWS_AT_ONCE", 1000)


@pytest.mark.parametrize("num_rows", [1, 63, 64, 65, 200, 1000])
@pytest.mark.parametrize("batch_size", [1, 10, 64, 100])
@pytest.mark.parametrize("batches", [shuffled_batches, blockwise_batches])
def test_all_rows_once_in_batches_of_the_size_with_their_labels(
        small_blocks, batches, num_rows, batch_size):
    ids = np.arange(2 * num_rows).reshape(num_rows, 2)
    data = (ids, ids[:, 0] + 0.5, None)
    seen = list(batches(data, batch_size, np.random.default_rng(0)))
    sizes = [len(batch[0]) for batch in seen]
    assert set(sizes[:-1]) <= {batch_size} and len(seen) == -(-num_rows // batch_size)
    together = np.concatenate([batch[0] for batch in seen])
    np.testing.assert_array_equal(np.sort(together[:, 0]), ids[:, 0])
    np.testing.assert_array_equal(np.concatenate([batch[1] for batch in seen]),
                                  together[:, 0] + 0.5)
    assert {batch[2] for batch in seen} == {None}


@pytest.mark.parametrize("batches", [shuffled_batches, blockwise_batches])
def test_up_to_a_block_it_is_one_permutation_of_all_rows(batches):
    rows = np.random.default_rng(5).permutation(50)
    found = np.concatenate(rows_of((np.arange(50)[:, None],), 7, 5, batches))
    np.testing.assert_array_equal(found, rows)


def test_beyond_a_block_rows_of_far_away_runs_are_mixed(small_blocks):
    first = np.concatenate(rows_of((np.arange(1000)[:, None],), 10))[:60]
    runs = np.unique(first // 8)
    # Eight runs from everywhere, not the first eight.
    assert len(runs) == 8 and np.ptp(runs) > 60
    assert np.mean(np.diff(first) == 1) < 0.1    # and not run after run
    again, other = (np.concatenate(rows_of((np.arange(1000)[:, None],), 10, seed))
                    for seed in (0, 1))
    assert (again[:60] == first).all() and (other[:60] != first).any()


def test_fit_takes_mapped_files_and_needs_no_more_memory_for_more_rows(
        monkeypatch, tmp_path):
    """By tracemalloc, which sees NumPy's arrays and not the pages of mapped files."""
    for module, name in ((shuffling, "SHUFFLE_ROWS"), (validation, "ROWS_AT_ONCE")):
        monkeypatch.setattr(module, name, 4096)
    monkeypatch.setattr(shuffling, "RUN_ROWS", 256)
    peaks, weights = {}, {}
    for num_rows in (50_000, 500_000):
        rng = np.random.default_rng(0)
        ids = np.stack([rng.integers(0, 5, num_rows), rng.integers(5, 11, num_rows)],
                       axis=1).astype(np.int32)
        labels = (ids.sum(axis=1) % 2).astype(np.float32)
        for way in ("loaded", "mapped"):
            arrays = [ids, labels]
            if way == "mapped":
                for i, array in enumerate(arrays):
                    np.save(tmp_path / f"{num_rows}{i}.npy", array)
                    arrays[i] = np.load(tmp_path / f"{num_rows}{i}.npy", mmap_mode="r")
            model = LogisticRegression((5, 6))
            tracemalloc.start()
            fit(model, tuple(arrays), epochs=1, batch_size=25_000,
                batches=blockwise_batches, progress=False)
            peaks[num_rows, way] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            weights[num_rows, way] = model.first_order.weights.data().asnumpy()
        np.testing.assert_array_equal(weights[num_rows, "loaded"],
                                      weights[num_rows, "mapped"])
    more = 450_000 * 3 * 4  # bytes: two ids and a label a row
    assert peaks[500_000, "mapped"] - peaks[50_000, "mapped"] < 0.05 * more
