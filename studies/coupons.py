"""The coupon chapter's runs: four models and boosted trees on a survey, split two ways.

`python -m studies.coupons` searches for each model's settings on either split and then
trains every model with twenty other seeds. A seed draws the split, and the model's
start too unless another is given. All cores work; `LOKY_MAX_CPU_COUNT=1` leaves it to
one. The results are the same. Eight tables are stored, each headed by a fingerprint of
the study's source and of the data. In a row of a run stand split, model, reading,
columns, seed, start, settings, best epoch, and of the test rows AUC, log loss and
`within`, the AUC within a profile.

coupons_search       a row a trial: split, model, seed, settings, best epoch, validation
                     AUC. No test row is looked at.
coupons              a row a run: every model on either split.
coupons_differences  a row a pair of models, a split and a measure:
                     `comparison.differences`, and, with the trained models as they are,
                     95 % of the mean difference when other profiles are drawn
                     (`people_low`, `people_high`), and the standard deviation
                     by that drawing of one seed's difference (`one_split`).
coupons_calibration  DeepFM by profile, a row a seed and coupon: how many test rows, the
                     mean prediction and the share that said yes.
coupons_reliability  the same of all models on either split, all seeds together, by
                     coupon and by tenth of the prediction; `sd` is that of
                     predicted - answered by seed.
coupons_numbers      a row a run, split by profile: how the ordered columns were read.
coupons_columns      a row a run, split by profile: which columns the model was given.
coupons_starts       a row a run: more starts on the first three splits by profile.
"""
import time
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from deepfm_tutorial import FieldEncoder, fit, predict
from deepfm_tutorial.datasets import coupons, load_coupons, split_by

from . import comparison, study

FINGERPRINT = study.fingerprint(Path(__file__).read_bytes(),
                                Path(comparison.__file__).read_bytes(),
                                coupons.SHA256.encode())
SEARCH_SEEDS, SEEDS, FEW_SEEDS = (100, 101), range(20), range(10)
STARTED, STARTS = range(3), range(1000, 1004)
SPLITS = ("row", "profile")
TRAINING = {"epochs": 60, "batch_size": 512, "patience": 5}
TREES = 400  # at most; as with epochs, the validation rows choose how many are kept
DEEP = {"learning_rate": (5e-3,), "penalty": (0, 100, 1000), "dropout": (0.2, 0.5),
        "factors": (8,), "units": (64, 128)}
# What the search tries, all combinations; `units` is the size of each of two layers,
# and `penalty` is κ: λ of the penalty is κ / N.
GRIDS = {
    "LR": {"learning_rate": (2e-3, 5e-3, 1e-2), "penalty": (0, 5)},
    # With smaller steps it stops, for want of patience, before its factors have grown.
    "FM": {"learning_rate": (5e-3, 1e-2), "penalty": (0, 5, 20), "factors": (8, 16)},
    "DNN": DEEP,
    "DeepFM": DEEP,
    "trees": {"learning_rate": (0.05, 0.1), "leaves": (8, 16, 32, 64)},
}
SETTINGS = {"learning_rate": float, "penalty": float, "dropout": float,
            "factors": int, "units": int, "leaves": int}
# Constant; 1 - direction_same; empty but for 108 rows.
LEFT_OUT = ("toCoupon_GEQ5min", "direction_opp", "car")
# How often a respondent goes to where the coupon is for.
HABIT = {"Bar": "Bar", "Coffee House": "CoffeeHouse",
         "Carry out & Take away": "CarryAway",
         "Restaurant(<20)": "RestaurantLessThan20",
         "Restaurant(20-50)": "Restaurant20To50"}
HABITS = tuple(HABIT.values())
# What an ordered column's categories are as numbers: years, thousands of dollars,
# hours, degrees Fahrenheit, times a month.
ORDERED = {
    "age": {"below21": 18, "50plus": 50} | {str(age): age for age in range(21, 50, 5)},
    "income": {"Less than $12500": 6.25, "$100000 or More": 106.25} | {
        f"${low} - ${low + 12_499}": low / 1000 + 6.25
        for low in range(12_500, 100_000, 12_500)},
    "time": {"7AM": 7, "10AM": 10, "2PM": 14, "6PM": 18, "10PM": 22},
    "expiration": {"2h": 2, "1d": 24},
    "temperature": {degrees: degrees for degrees in (30, 55, 80)},
    **dict.fromkeys(HABITS, {"never": 0, "less1": 0.5, "1~3": 2, "4~8": 6, "gt8": 10}),
}
READINGS = {"categories": {}, "raw": {"continuous": tuple(ORDERED)},
            "standardised": {"standardised": tuple(ORDERED)},
            "binned": {"binned": dict.fromkeys(ORDERED, 4)}}
# Which columns a model is given, beside all of them; `visits`: see `with_visits`.
CHOICES = (("LR", "coupon"), ("LR", "coupon, habits"), ("LR", "visits"),
           ("LR", "drive, coupon"), ("LR", "all, visits"), ("FM", "all, visits"),
           ("DeepFM", "all, visits"), ("trees", "all, visits"))


def with_visits(columns):
    """The columns and a crossed one: the coupon, and its respondent's `HABIT`."""
    own = [f"{coupon}: {columns[HABIT[coupon]][row]}"
           for row, coupon in enumerate(columns["coupon"])]
    return columns | {"visits": np.array(own)}


def choose(columns, choice):
    """The columns that a choice names."""
    columns = with_visits({name: column for name, column in columns.items()
                           if name not in LEFT_OUT})
    names = {"coupon": ["coupon"], "coupon, habits": ["coupon", *HABITS],
             "visits": ["visits"], "all, visits": list(columns),
             "drive, coupon": set(columns) - {*coupons.PERSONAL, "visits"},
             "all": set(columns) - {"visits"}}[choice]
    return {name: column for name, column in columns.items() if name in names}


def as_numbers(columns):
    """The columns, of which the ordered ones are numbers, NaN where a cell is empty."""
    return columns | {
        name: np.array([meaning.get(cell, np.nan) for cell in columns[name].tolist()])
        for name, meaning in ORDERED.items()}


def split(data, how, seed):
    """Deal the rows 80/10/10, row by row or whole profiles: three arrays of numbers."""
    groups = data.profiles if how == "profile" else np.arange(len(data.labels))
    return split_by(groups, seed=seed)


def encode(data, parts, reading, choice):
    """The encoder, and a `Data` for each part; it is fitted on the first."""
    columns = choose(data.columns, choice)
    columns = columns if reading == "categories" else as_numbers(columns)
    of_part = [{name: column[rows] for name, column in columns.items()}
               for rows in parts]
    encoder = FieldEncoder(**READINGS[reading], missing=True).fit(of_part[0])
    return encoder, [encoder.encode(part, data.labels[rows])
                     for part, rows in zip(of_part, parts)]


def train(name, encoder, parts, start, settings):
    """Train: the best epoch, its validation AUC, and predictions of the test rows."""
    if name == "trees":
        return grow(encoder, parts, start, settings)
    model = study.build(name, encoder.field_sizes, settings.get("factors"),
                        (settings.get("units"),) * 2, settings.get("dropout"))
    history = fit(model, *parts[:2], seed=start, progress=False, **TRAINING,
                  learning_rate=settings["learning_rate"],
                  table_l2=settings["penalty"] / len(parts[0].ids))
    return (history.best_epoch, max(found.auc for found in history.validation),
            predict(model, parts[2]))


def grow(encoder, parts, start, settings):
    """`train` for boosted trees: an epoch is a tree, a field a categorical column."""
    known, validation, test = (part.ids - np.array(encoder.field_offsets)
                               for part in parts)
    trees = HistGradientBoostingClassifier(
        learning_rate=settings["learning_rate"], max_leaf_nodes=settings["leaves"],
        max_iter=TREES, early_stopping=False, random_state=start,
        categorical_features=range(len(encoder.field_names)))
    trees.fit(known, parts[0].labels)
    aucs = [comparison.auc(parts[1].labels, p[:, 1])
            for p in trees.staged_predict_proba(validation)]
    best = int(np.argmax(aucs))
    p = [p[:, 1] for p in trees.staged_predict_proba(test)][best]
    return best + 1, aucs[best], p


def trial(data, how, seed, name, settings):
    """Train one model once: its row of the search's table."""
    encoder, parts = encode(data, split(data, how, seed), "categories", "all")
    epoch, found, _ = train(name, encoder, parts, seed, settings)
    row = {"split": how, "model": name, "seed": seed, **dict.fromkeys(SETTINGS),
           **settings, "best_epoch": epoch, "validation_auc": found}
    print(row, flush=True)
    return row


def search(data):
    """Try every combination of a model's grid, judged by the validation rows."""
    trials = [(how, seed, name, dict(zip(grid, values)))
              for how, seed, (name, grid) in product(SPLITS, SEARCH_SEEDS,
                                                     GRIDS.items())
              for values in product(*grid.values())]
    rows = study.in_parallel(partial(trial, data), trials)
    return study.write("coupons_search", rows, FINGERPRINT)


def chosen(trials):
    """The settings with the best mean validation AUC: {(split, model): settings}."""
    return comparison.tuned(trials, ["split", "model"], SETTINGS)


def run(data, best, how, name, seed, reading="categories", choice="all", start=None):
    """Train one model once: its row of the table, its test rows and predictions."""
    begin, parts = time.time(), split(data, how, seed)
    encoder, encoded = encode(data, parts, reading, choice)
    start, settings = seed if start is None else start, best[how, name]
    epoch, _, p = train(name, encoder, encoded, start, settings)
    test = parts[2]
    row = {"split": how, "model": name, "reading": reading, "columns": choice,
           "seed": seed, "start": start, **dict.fromkeys(SETTINGS), **settings,
           "best_epoch": epoch,
           **comparison.judge(data.labels[test], p, data.profiles[test])}
    print(row, f"{time.time() - begin:.1f} s", flush=True)
    return row, test, p


def main_runs(data, best):
    """Train every model on both splits with every seed; compare and calibrate them."""
    cases = list(product(SPLITS, GRIDS, SEEDS))
    found = dict(zip(cases, study.in_parallel(partial(run, data, best), cases)))
    table = study.write("coupons", [row for row, *_ in found.values()], FINGERPRINT)
    weights = comparison.resampled(data.profiles.max() + 1, 1000)
    drawn = {case: comparison.judge(data.labels[test], p, data.profiles[test], weights)
             for case, (_, test, p) in found.items()}
    study.write("coupons_differences", [
        {**row, **respondents(drawn, **row)}
        for row in comparison.differences(table, GRIDS)], FINGERPRINT)
    tests = pd.concat([answers(data, *case, *rest) for case, (_, *rest)
                       in found.items()])
    deepfm = tests[(tests["split"] == "profile") & (tests.model == "DeepFM")]
    study.write("coupons_calibration", means(deepfm, ["seed", "coupon"]).reset_index(),
                FINGERPRINT)
    study.write("coupons_reliability", reliability(tests), FINGERPRINT)
    return table


def respondents(drawn, measure, split, model, other, **_):
    """How far a pair's difference moves when other respondents are drawn."""
    return comparison.other_groups(np.array([
        drawn[split, model, seed][measure] - drawn[split, other, seed][measure]
        for seed in SEEDS]))


def answers(data, how, name, seed, test, p):
    """The test rows of a run, with what was predicted and what was answered."""
    return pd.DataFrame({
        "split": how, "model": name, "seed": seed,
        "coupon": data.columns["coupon"][test],
        "tenth": np.minimum(10 * p, 9).astype(int).astype(str),
        "predicted": p, "answered": data.labels[test]})


def means(tests, keys):
    """Mean prediction, share of yes and number of rows, for all values of the keys."""
    groups = tests.groupby(keys)
    return groups[["predicted", "answered"]].mean().assign(rows=groups.size())


def reliability(tests):
    """`means` of each model by coupon and by tenth, and the gap's sd by seed."""
    tables = []
    for by in ("coupon", "tenth"):
        keys = ["split", "model", by]
        by_seed = means(tests, [*keys, "seed"])
        gap = by_seed.predicted - by_seed.answered
        tables.append(means(tests, keys).assign(sd=gap.groupby(keys).std(), by=by)
                      .rename_axis(["split", "model", "group"]).reset_index())
    return pd.concat(tables)


def by_profile(data, best, name, cases):
    """Runs on the split by profile, stored as a table."""
    runs = study.in_parallel(partial(run, data, best, "profile"), cases)
    return study.write(name, [row for row, *_ in runs], FINGERPRINT)


if __name__ == "__main__":
    survey = load_coupons()
    settings = chosen(search(survey))
    main_runs(survey, settings)
    by_profile(survey, settings, "coupons_numbers",
               product(("LR", "DeepFM"), FEW_SEEDS, READINGS))
    by_profile(survey, settings, "coupons_columns",
               [(model, seed, "categories", choice)
                for (model, choice), seed in product(CHOICES, FEW_SEEDS)])
    by_profile(survey, settings, "coupons_starts",
               product(GRIDS, STARTED, ["categories"], ["all"], STARTS))
