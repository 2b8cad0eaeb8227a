"""The stored runs of chapter 11: complete, and what the book says of them."""
from itertools import product

from stored import check_cases

from studies import large_tables as study
from studies.study import read


def test_each_run_is_stored_once():
    check_cases(read("large_tables_growth"), ["features", "way"],
                product(study.FEATURES, study.WAYS))
    check_cases(read("large_tables_marks"), ["features", "rounds"],
                [(n, 21) for n in study.MARKED])
    check_cases(read("large_tables_mapped"), ["rows"],
                [(rows,) for rows in study.MAPPED_ROWS])
    check_cases(read("large_tables_adam"), ["batch_size", "lazy", "seed"],
                product((128, 2048), (False, True), study.SEEDS))
    amounts = [(way, amount) for way, those in (
        ("buckets", study.BUCKETS), ("head and buckets", study.HEADS),
        ("least count", study.LEAST_COUNTS)) for amount in those]
    check_cases(read("large_tables_price"), ["way", "amount", "seed"],
                [(*a, s) for a in amounts for s in study.SEEDS[:3]])


def test_each_optimizers_best_rate_has_all_seeds_and_no_run_was_cut_off():
    runs = read("large_tables_optimizers")
    assert list(runs.optimizer.unique()) == list(study.OPTIMIZERS)
    assert (runs.best_epoch < study.LONGEST - 3).all()
    for name, (_, rates) in study.OPTIMIZERS.items():
        mine = runs[runs.optimizer == name]
        first, others = mine[mine.seed == 1], mine[mine.seed > 1]
        assert sorted(first.learning_rate) == sorted(rates)
        best = first.learning_rate[first.validation_auc.idxmax()]
        assert sorted(others.seed) == [2, 3] and set(others.learning_rate) == {best}
    model = study.build("FM", (3, 4))
    kept = {name: study.state_numbers(optimizer, model)
            for name, (optimizer, _) in study.OPTIMIZERS.items()}
    assert kept == runs.groupby("optimizer").numbers.first().to_dict()


def test_by_rows_ten_million_features_slow_deepfm_by_at_most_one_and_a_half():
    speed = read("large_tables_growth").pivot(index="way", columns="features",
                                              values="rows_per_second")
    slower = speed[study.FEATURES[0]] / speed[study.FEATURES[-1]]
    # A bare FM has nothing beside its rows, and six times as many in the larger table.
    assert slower["DeepFM, by rows"] <= 1.5 and slower["FM, by rows"] < 1.8
    assert (slower["FM, MXNet's row-sparse"] > 2 * slower["FM, by rows"]
            and slower["FM, whole tables"] > 10)
    ours, theirs = speed.loc["FM, by rows"], speed.loc["FM, MXNet's row-sparse"]
    assert (ours > 0.85 * theirs).all()
    assert study.HIDDEN_UNITS == (64, 64)


def test_memory_follows_the_formula_and_not_the_rows():
    memory = read("large_tables_memory").iloc[-1]
    assert (memory.formula == 16 * memory.features * (study.FACTORS + 1)
            and memory.features > 9.9e6)
    assert abs(memory.peak / memory.formula - 1) < 0.1
    small, large = (row for _, row in read("large_tables_mapped").iterrows())
    assert large.peak - small.peak < 0.05 * (large.file - small.file)


def test_the_studys_code_still_gives_what_is_stored():
    """The cheapest run: the tail cut off where it leaves a handful of campaigns."""
    row = next(row for row in study.price(ways=[study.encoders()[-1]], seeds=[1]))
    stored = read("large_tables_price").query(
        "way == @row['way'] and amount == @row['amount'] and seed == 1").iloc[0]
    assert row["ids"] == stored.ids and abs(row["auc"] - stored.auc) < 0.002
