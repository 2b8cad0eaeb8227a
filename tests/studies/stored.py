"""What the tests of compared models hold stored runs against."""
from itertools import combinations

import pandas as pd

from studies import comparison, study


def check_cases(runs, columns, cases):
    """Each case, the values of these columns in a row, is there once, and no other."""
    assert sorted(runs[columns].itertuples(index=False, name=None)) == sorted(cases)


def check_runs(runs, key, cases, best, settings, by="split"):
    """Each case is there once, with the settings that the search chose for it."""
    cases = list(cases)
    check_cases(runs, key[:len(cases[0])], cases)
    for case, group in runs.groupby([by, "model"]):
        chosen, = group[list(settings)].drop_duplicates().to_dict("records")
        assert {k: v for k, v in chosen.items() if pd.notna(v)} == best[case]


def check_differences(name, splits, models, by="split"):
    """The table of differences is that of the runs; return it."""
    runs, stored = study.read(name), study.read(f"{name}_differences")
    pairs = list(combinations(models, 2))
    assert len(stored) == len(comparison.MEASURES) * len(splits) * len(pairs)
    means = runs.groupby([by, "model"])[list(comparison.MEASURES)].mean()
    for row in stored.itertuples():
        mean = means[row.measure][getattr(row, by)]
        assert abs(mean[row.model] - mean[row.other] - row.mean) < 1e-5
        assert row.low <= row.mean <= row.high and row.people_low <= row.people_high
    return stored
