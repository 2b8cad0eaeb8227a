"""Chapter 9's runs: four models on MovieLens 100K, split in two ways.

`python -m studies.movielens` searches for each model's settings on either split and
then trains every model with twenty other seeds. On the random split a seed draws the
rows, and the model's start too unless another is given; the split by time is one. All
cores work; `LOKY_MAX_CPU_COUNT=1` leaves it to one. Five tables are stored, each headed
by a fingerprint of the study's source and of the data. In a row of a run stand split,
model, how the genres are written, which rows trained it, seed, start, settings, best
epoch, and of the test rows AUC, log loss, `within`, the AUC within a user, and the AUC
among rows of users that training knew and of new ones.

movielens_search       a row a trial: split, model, seed, settings, best epoch,
                       validation AUC. No test row is looked at.
movielens              a row a run: every model on either split.
movielens_differences  a row a pair of models, a split and a measure:
                       `comparison.differences` and `comparison.other_groups`, by users.
movielens_genres       a row a run, random split: genres as a set, pooled or not.
movielens_more         a row a run: more starts on the first three random splits; and,
                       by time, models trained on the validation rows as well.
"""
import time
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from deepfm_tutorial import FieldEncoder, fit, predict
from deepfm_tutorial.datasets import load_movielens, movielens
from deepfm_tutorial.datasets.movielens import GENRES

from . import comparison, study

FINGERPRINT = study.fingerprint(Path(__file__).read_bytes(),
                                Path(comparison.__file__).read_bytes(),
                                *(sha.encode() for sha in movielens.SHA256.values()))
SEARCH_SEEDS, SEEDS, FEW_SEEDS = (100, 101), range(20), range(10)
STARTED, STARTS = range(3), range(1000, 1004)
SPLITS = ("random", "time")
FACTORS, HIDDEN_UNITS = 16, (64, 64)
TRAINING = {"epochs": 40, "batch_size": 1024, "patience": 3}
PAIRS = {"learning_rate": (2e-3, 5e-3), "embedding_l2": (0, 0.01, 0.03, 0.1)}
# What the search tries, all combinations.
GRIDS = {"LR": {"learning_rate": (2e-3, 5e-3, 1e-2)}, "FM": PAIRS,
         "DNN": PAIRS | {"dropout": (0.5,)}, "DeepFM": PAIRS | {"dropout": (0.5,)}}
SETTINGS = {"learning_rate": float, "embedding_l2": float, "dropout": float}
# A film's genres: one category, a feature each with all pairs, or their mean.
FORMS = ("combination", "all pairs", "pooled")


def split(data, how, seed):
    """Deal the rows 80/10/10, at random or by time: three arrays of row numbers."""
    order = (np.random.default_rng(seed).permutation(len(data.labels))
             if how == "random" else np.argsort(data.timestamps, kind="stable"))
    return np.split(order, [80_000, 90_000])


def write_out(data, form):
    """The log's columns, the genres in one of the `FORMS`; which are continuous."""
    if form == "combination":
        return data.columns, ()
    others = {name: column for name, column in data.columns.items() if name != "genres"}
    sets = [text.split("|") for text in data.columns["genres"].tolist()]
    if form == "pooled":
        return others | {"genres": sets}, ()
    return others | {genre: np.array([genre in genres for genres in sets], float)
                     for genre in GENRES}, GENRES


def encode(data, form, parts):
    """The encoder, and a `Data` for each part; it is fitted on the first."""
    columns, continuous = write_out(data, form)
    of_part = [{name: [column[row] for row in rows] if isinstance(column, list)
                else column[rows] for name, column in columns.items()}
               for rows in parts]
    encoder = FieldEncoder(continuous).fit(of_part[0])
    return encoder, [encoder.encode(part, data.labels[rows])
                     for part, rows in zip(of_part, parts)]


def train(name, encoder, parts, start, settings, epochs=None):
    """Train a model: it, the best epoch and that one's validation AUC.

    With a number of epochs the last one is kept, and no part validates.
    """
    model = study.build(name, encoder.field_sizes, FACTORS, HIDDEN_UNITS,
                        settings.get("dropout"), pooled=encoder.pooled)
    more = TRAINING | ({"epochs": epochs} if epochs else {})
    history = fit(model, parts[0], None if epochs else parts[1], seed=start,
                  progress=False, learning_rate=settings["learning_rate"],
                  embedding_l2=settings.get("embedding_l2", 0.0), **more)
    return (model, history.best_epoch,
            max((found.auc for found in history.validation), default=None))


def trial(data, how, seed, name, settings):
    """Train one model once: its row of the search's table."""
    encoder, parts = encode(data, "combination", split(data, how, seed))
    _, epoch, auc = train(name, encoder, parts, seed, settings)
    row = {"split": how, "model": name, "seed": seed, **dict.fromkeys(SETTINGS),
           **settings, "best_epoch": epoch, "validation_auc": auc}
    print(row, flush=True)
    return row


def search(data):
    """Try every combination of a model's grid, judged by the validation rows."""
    trials = [(how, seed, name, dict(zip(grid, values)))
              for how, seed, (name, grid) in product(SPLITS, SEARCH_SEEDS,
                                                     GRIDS.items())
              for values in product(*grid.values())]
    rows = study.in_parallel(partial(trial, data), trials)
    return study.write("movielens_search", rows, FINGERPRINT)


def chosen(trials):
    """The settings with the best mean validation AUC: {(split, model): settings}."""
    return comparison.tuned(trials, ["split", "model"], SETTINGS)


def run(data, best, how, name, seed, form="combination", start=None, epochs=None):
    """Train one model once: its row of the table, its test rows and predictions.

    A number of epochs has it trained that long on training and validation rows.
    """
    begin, (known, validation, test) = time.time(), split(data, how, seed)
    known = np.concatenate([known, validation]) if epochs else known
    encoder, parts = encode(data, form, (known, validation, test))
    start, settings = seed if start is None else start, best[how, name]
    model, epoch, _ = train(name, encoder, parts, start, settings, epochs)
    p, users = predict(model, parts[2]), data.columns["user"]
    row = {"split": how, "model": name, "genres": form,
           "trained_on": "90 %" if epochs else "80 %", "seed": seed, "start": start,
           **dict.fromkeys(SETTINGS), **settings, "best_epoch": epoch,
           **comparison.judge(data.labels[test], p, number_of(users)[test]),
           **by_user(data.labels[test], p, np.isin(users[test], users[known]))}
    print(row, f"{time.time() - begin:.1f} s", flush=True)
    return row, test, p


def number_of(users):
    """Each row's user as a number from 0 to the number of users - 1."""
    return np.unique(users, return_inverse=True)[1]


def by_user(labels, p, is_known):
    """AUC among test rows of users that training knew, and among those of new ones."""
    return {f"auc_{kind}_users": comparison.auc(labels[rows], p[rows])
            if rows.any() else None
            for kind, rows in (("known", is_known), ("new", ~is_known))}


def main_runs(data, best):
    """Train every model on both splits with every seed, and compare them."""
    cases = list(product(SPLITS, GRIDS, SEEDS))
    found = dict(zip(cases, study.in_parallel(partial(run, data, best), cases)))
    table = study.write("movielens", [row for row, *_ in found.values()], FINGERPRINT)
    users = number_of(data.columns["user"])
    weights = comparison.resampled(users.max() + 1, 1000)
    drawn = {case: comparison.judge(data.labels[test], p, users[test], weights)
             for case, (_, test, p) in found.items()}
    rows = comparison.differences(table, GRIDS, fixed=("time",))
    study.write("movielens_differences", [
        {**row, **comparison.other_groups(np.array([
            drawn[row["split"], row["model"], seed][row["measure"]]
            - drawn[row["split"], row["other"], seed][row["measure"]]
            for seed in SEEDS]))} for row in rows], FINGERPRINT)
    return table


def further_runs(data, best, table):
    """Genres written in three forms; more starts; more training rows."""
    forms = product(["random"], GRIDS, FEW_SEEDS, FORMS[1:])
    store = {"movielens_genres": list(forms)}
    starts = product(["random"], GRIDS, STARTED, FORMS[:1], STARTS)
    by_time = table[table["split"] == "time"]
    longer = [("time", row.model, row.seed, FORMS[0], None, row.best_epoch)
              for row in by_time.itertuples()]
    store["movielens_more"] = [*starts, *longer]
    for name, cases in store.items():
        runs = study.in_parallel(partial(run, data, best), cases)
        study.write(name, [row for row, *_ in runs], FINGERPRINT)


if __name__ == "__main__":
    log = load_movielens()
    settings = chosen(search(log))
    further_runs(log, settings, main_runs(log, settings))
