"""The stored times of chapter 4: complete, and of functions that it still has."""
from itertools import product

from studies import embedding_cost as study
from studies.study import read

METHODS = ("dense_product", "csr_product", "take", "sparse_embedding")


def test_each_method_and_size_is_stored_once():
    runs = read("embedding_cost")
    assert list(zip(runs.method, runs.n)) == list(product(METHODS, study.SIZES))
    assert (runs.rounds == study.ROUNDS).all() and (runs.seed == study.SEED).all()
    assert ((runs.least_ms > 0).all() and (runs.least_ms < runs.median_ms).all()
            and (runs.median_ms < runs.most_ms).all())


def test_the_study_still_times_the_chapters_functions():
    assert [row["method"] for row in study.run(rounds=1, sizes=[100])] == list(METHODS)
