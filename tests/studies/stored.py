"""What the tests of compared models hold stored runs against."""
from itertools import combinations

import pandas as pd

from studies import comparison, study


def check_runs(runs, key, cases, best, settings):
    """Each case is there once, with the settings that the search chose for it."""
    cases = sorted(cases)
    key = key[:len(cases[0])]
    assert sorted(runs[key].itertuples(index=False, name=None)) == cases
    for case, group in runs.groupby(["split", "model"]):
        chosen, = group[list(settings)].drop_duplicates().to_dict("records")
        assert {k: v for k, v in chosen.items() if pd.notna(v)} == best[case]


def check_differences(name, splits, models):
    """The table of differences is that of the runs; return it."""
    runs, stored = study.read(name), study.read(f"{name}_differences")
    pairs = list(combinations(models, 2))
    assert len(stored) == len(comparison.MEASURES) * len(splits) * len(pairs)
    means = runs.groupby(["split", "model"])[list(comparison.MEASURES)].mean()
    for row in stored.itertuples():
        mean = means[row.measure][row.split]
        assert abs(mean[row.model] - mean[row.other] - row.mean) < 1e-5
        assert row.low <= row.mean <= row.high and row.people_low <= row.people_high
    return stored
