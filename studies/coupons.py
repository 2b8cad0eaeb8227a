"""The coupon chapter's runs: four models and boosted trees on a survey, split two ways.

`python -m studies.coupons` searches for each model's settings, trains every model with
twenty seeds on either split, and then reads ordered columns as numbers. A seed draws
the split and the model's start. It stores five tables, each headed by a fingerprint of
this file and of the data:

coupons_search       a row a trial: model, settings, seed, best epoch, validation AUC.
                     Split by profile, its own seeds. No test row is looked at.
coupons              a row a run: split, model, seed, settings, best epoch, and on the
                     test rows AUC, log loss and `within`, the AUC within a profile.
coupons_differences  a row a pair of models, a split and a measure: see `differences`.
coupons_calibration  DeepFM by profile, a row a seed and coupon: how many test rows, the
                     mean prediction and the share that said yes.
coupons_numbers      a row a run, split by profile: how the ordered columns were read.
"""
import time
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier

from deepfm_tutorial import (
    DNN,
    FM,
    DeepFM,
    FieldEncoder,
    LogisticRegression,
    fit,
    predict,
)
from deepfm_tutorial.datasets import coupons, load_coupons, split_by

from . import study

FINGERPRINT = study.fingerprint(Path(__file__).read_bytes(), coupons.SHA256.encode())
SEARCH_SEEDS, SEEDS, NUMBER_SEEDS = (100, 101, 102), range(20), range(10)
SPLITS = ("row", "profile")
FACTORS, HIDDEN_UNITS = 8, (64, 64)
TRAINING = {"epochs": 60, "batch_size": 512, "patience": 5}
TREES = 150  # at most; as with epochs, the validation rows choose how many are kept
# What the search tries, all combinations.
GRIDS = {
    "LR": {"learning_rate": (2e-3, 5e-3, 2e-2)},
    "FM": {"learning_rate": (2e-3, 5e-3), "embedding_l2": (0.03, 0.1, 0.3)},
    "DNN": {"learning_rate": (2e-3, 5e-3), "embedding_l2": (0.1, 0.3),
            "dropout": (0.2, 0.5)},
    "DeepFM": {"learning_rate": (2e-3, 5e-3), "embedding_l2": (0.1, 0.3),
               "dropout": (0.2, 0.5)},
    "trees": {"learning_rate": (0.05, 0.1), "leaves": (8, 16)},
}
SETTINGS = ("learning_rate", "embedding_l2", "dropout", "leaves")
# Constant; 1 - direction_same; empty but for 108 rows.
LEFT_OUT = ("toCoupon_GEQ5min", "direction_opp", "car")
FREQUENCY = {"never": 0, "less1": 0.5, "1~3": 2, "4~8": 6, "gt8": 10}
AGES = {"below21": 18, "50plus": 50} | {str(age): age for age in range(21, 50, 5)}
INCOMES = {"Less than $12500": 6.25, "$100000 or More": 106.25} | {
    f"${low} - ${low + 12_499}": low / 1000 + 6.25
    for low in range(12_500, 100_000, 12_500)}
# What an ordered column's categories are as numbers: years, thousands of dollars,
# hours, degrees Fahrenheit, times a month.
ORDERED = {
    "age": AGES, "income": INCOMES,
    "time": {"7AM": 7, "10AM": 10, "2PM": 14, "6PM": 18, "10PM": 22},
    "expiration": {"2h": 2, "1d": 24},
    "temperature": {degrees: degrees for degrees in (30, 55, 80)},
    **dict.fromkeys(("Bar", "CoffeeHouse", "CarryAway", "RestaurantLessThan20",
                     "Restaurant20To50"), FREQUENCY),
}
READINGS = {"categories": {}, "raw": {"continuous": tuple(ORDERED)},
            "standardised": {"standardised": tuple(ORDERED)},
            "binned": {"binned": dict.fromkeys(ORDERED, 4)}}
BOOTSTRAP = 1000
MEASURES = ("auc", "log_loss", "within")


def fields(data):
    """The columns that the models see."""
    return {name: column for name, column in data.columns.items()
            if name not in LEFT_OUT}


def split(data, how, seed):
    """Deal the rows 80/10/10, row by row or whole profiles: three arrays of numbers."""
    groups = data.profiles if how == "profile" else np.arange(len(data.labels))
    return split_by(groups, seed=seed)


def as_numbers(columns):
    """The columns, of which the ordered ones are numbers, NaN where a cell is empty."""
    return columns | {
        name: np.array([meaning.get(cell, np.nan) for cell in columns[name].tolist()])
        for name, meaning in ORDERED.items()}


def encode(columns, labels, parts, reading="categories"):
    """The encoder, and a `Data` for each part; it is fitted on the first."""
    columns = columns if reading == "categories" else as_numbers(columns)
    of_part = [{name: column[rows] for name, column in columns.items()}
               for rows in parts]
    encoder = FieldEncoder(**READINGS[reading], missing=True).fit(of_part[0])
    return encoder, [encoder.encode(part, labels[rows])
                     for part, rows in zip(of_part, parts)]


def build(name, field_sizes, dropout=0.0):
    """The untrained model called `name`."""
    if name == "LR":
        return LogisticRegression(field_sizes)
    if name == "FM":
        return FM(field_sizes, FACTORS)
    return {"DNN": DNN, "DeepFM": DeepFM}[name](field_sizes, FACTORS,
                                                HIDDEN_UNITS, dropout)


def train(name, encoder, parts, seed, settings):
    """Train: the best epoch, its validation AUC, and predictions of the test rows."""
    if name == "trees":
        return grow(encoder, parts, seed, settings)
    settings = dict(settings)
    model = build(name, encoder.field_sizes, settings.pop("dropout", 0.0))
    history = fit(model, *parts[:2], seed=seed, progress=False, **TRAINING, **settings)
    return (history.best_epoch, max(found.auc for found in history.validation),
            predict(model, parts[2]))


def grow(encoder, parts, seed, settings):
    """`train` for boosted trees: an epoch is a tree, a field a categorical column."""
    categories = [part.ids - np.array(encoder.field_offsets) for part in parts]
    trees = HistGradientBoostingClassifier(
        learning_rate=settings["learning_rate"], max_leaf_nodes=settings["leaves"],
        max_iter=TREES, early_stopping=False, random_state=seed,
        categorical_features=range(len(encoder.field_names)))
    trees.fit(categories[0], parts[0].labels)
    aucs = [auc(parts[1].labels, p[:, 1])
            for p in trees.staged_predict_proba(categories[1])]
    best = int(np.argmax(aucs))
    for tree, p in enumerate(trees.staged_predict_proba(categories[2])):
        if tree == best:
            return best + 1, aucs[best], p[:, 1]


def auc(labels, p, weights=1.0):
    """AUC with weighted rows; (B, N) weights give B of them. Equal p count one half."""
    order = np.argsort(p)
    starts = np.flatnonzero(np.diff(p[order], prepend=-1.0))
    yes, no = (np.add.reduceat((weights * chosen)[..., order], starts, axis=-1)
               for chosen in (labels, 1 - labels))
    below = np.cumsum(no, axis=-1) - no / 2
    return (yes * below).sum(-1) / (yes.sum(-1) * no.sum(-1))


def judge(labels, p, profiles, weights=None):
    """The `MEASURES` on test rows: a number each, or B where (B, 567) weights weigh
    profiles.

    `within` is the AUC of each profile that has both labels, averaged by its rows.
    """
    weights = np.ones(profiles.max() + 1) if weights is None else weights
    of_row = weights[..., profiles]
    loss = -np.log(np.where(labels == 1, p, 1 - p).astype(float))
    own = {i: profiles == i for i in np.unique(profiles)}
    mixed = [i for i, rows in own.items() if 0 < labels[rows].mean() < 1]
    aucs = np.array([auc(labels[own[i]], p[own[i]]) for i in mixed])
    share = weights[..., mixed] * [own[i].sum() for i in mixed]
    return {"auc": auc(labels, p, of_row),
            "log_loss": (of_row * loss).sum(-1) / of_row.sum(-1),
            "within": (share * aucs).sum(-1) / share.sum(-1)}


def search(data):
    """Try every combination of a model's grid, judged by the validation rows."""
    rows, columns = [], fields(data)
    for seed in SEARCH_SEEDS:
        encoder, parts = encode(columns, data.labels, split(data, "profile", seed))
        for name, grid in GRIDS.items():
            for values in product(*grid.values()):
                settings = dict(zip(grid, values))
                epoch, found, _ = train(name, encoder, parts, seed, settings)
                rows.append({"model": name, **dict.fromkeys(SETTINGS), **settings,
                             "seed": seed, "best_epoch": epoch,
                             "validation_auc": found})
                print(rows[-1], flush=True)
    return study.write("coupons_search", rows, FINGERPRINT)


def chosen(trials):
    """The settings of each model with the best mean validation AUC, without gaps."""
    means = trials.groupby(["model", *SETTINGS], dropna=False).validation_auc.mean()
    best = [means[model].idxmax() for model in GRIDS]
    return {model: {name: float(value) if name != "leaves" else int(value)
                    for name, value in zip(SETTINGS, values) if pd.notna(value)}
            for model, values in zip(GRIDS, best)}


def run(data, how, name, seed, settings, reading="categories"):
    """Train one model once: its row of the table, its test rows and predictions."""
    start, rows = time.time(), split(data, how, seed)
    encoder, parts = encode(fields(data), data.labels, rows, reading)
    epoch, _, p = train(name, encoder, parts, seed, settings)
    row = {"split": how, "model": name, "seed": seed, "reading": reading,
           **dict.fromkeys(SETTINGS), **settings, "best_epoch": epoch,
           **judge(data.labels[rows[2]], p, data.profiles[rows[2]])}
    print(row, f"{time.time() - start:.1f} s", flush=True)
    return row, rows[2], p


def runs(data, settings):
    """Train every model on both splits with every seed; compare them, test DeepFM."""
    count = data.profiles.max() + 1
    weights = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count),
                                                   size=BOOTSTRAP)
    rows, drawn, coupon = [], {}, []
    for how, seed, name in product(SPLITS, SEEDS, GRIDS):
        row, test, p = run(data, how, name, seed, settings[name])
        rows.append(row)
        drawn[how, name, seed] = judge(data.labels[test], p, data.profiles[test],
                                       weights)
        if (how, name) == ("profile", "DeepFM"):
            coupon += calibration(data, seed, test, p)
    table = study.write("coupons", rows, FINGERPRINT)
    study.write("coupons_calibration", coupon, FINGERPRINT)
    study.write("coupons_differences", differences(table, drawn), FINGERPRINT)
    return table


def calibration(data, seed, test, p):
    """A row a coupon: what was predicted and what was answered."""
    rows = pd.DataFrame({"coupon": data.columns["coupon"][test], "predicted": p,
                         "answered": data.labels[test]}).groupby("coupon")
    means = rows.mean().assign(rows=rows.size()).reset_index()
    return [{"seed": seed, **row} for row in means.to_dict("records")]


def differences(table, drawn):
    """Compare each pair of models on each split by each measure: rows of a table.

    mean, sd: of the differences model - other, paired by seed.
    low, high, p: the corrected resampled t-test of Nadeau and Bengio (2003): the seeds'
        test sets overlap with other seeds' training sets, so the variance of the mean
        is sd² (1/20 + test rows / training rows) and not sd²/20.
    p_holm: p, corrected by Holm for all pairs on both splits.
    respondents_low, respondents_high: the trained models as they are, other people
        asked: 95 % of the mean difference when profiles are drawn with replacement.
    one_split: the standard deviation by that drawing, of one seed's difference.
    """
    rows = []
    for measure, how in product(MEASURES, SPLITS):
        by_seed = table[table["split"] == how].pivot(
            index="seed", columns="model", values=measure)
        for model, other in combinations(GRIDS, 2):
            d = np.array([drawn[how, model, seed][measure]
                          - drawn[how, other, seed][measure] for seed in by_seed.index])
            low, high = np.nanquantile(np.nanmean(d, axis=0), (0.025, 0.975))
            rows.append({"measure": measure, "split": how, "model": model,
                         "other": other, **corrected_t(by_seed[model] - by_seed[other]),
                         "respondents_low": low, "respondents_high": high,
                         "one_split": np.nanstd(d, axis=1).mean()})
    for measure in MEASURES:
        family = [row for row in rows if row["measure"] == measure]
        for row, p in zip(family, holm([row["p"] for row in family])):
            row["p_holm"] = p
    return rows


def corrected_t(d, test_to_train=0.1 / 0.8):
    """Nadeau and Bengio's interval and p of the mean of differences by seed."""
    error = d.std(ddof=1) * np.sqrt(1 / len(d) + test_to_train)
    half = stats.t.ppf(0.975, len(d) - 1) * error
    return {"mean": d.mean(), "sd": d.std(ddof=1), "low": d.mean() - half,
            "high": d.mean() + half,
            "p": 2 * stats.t.sf(abs(d.mean()) / error, len(d) - 1)}


def holm(p):
    """Holm's adjusted p: the smallest times how many, the next times one fewer, …"""
    order, adjusted = np.argsort(p), np.empty(len(p))
    stepped = np.sort(p) * np.arange(len(p), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted


def numbers(data, settings):
    """Read the ordered columns in all ways, for LR and DeepFM."""
    rows = [run(data, "profile", name, seed, settings[name], reading)[0]
            for reading, name, seed in product(READINGS, ("LR", "DeepFM"),
                                               NUMBER_SEEDS)]
    return study.write("coupons_numbers", rows, FINGERPRINT)


if __name__ == "__main__":
    survey = load_coupons()
    best = chosen(search(survey))
    runs(survey, best)
    numbers(survey, best)
