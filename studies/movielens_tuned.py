"""Chapter 9's models once more, with more to choose from: two penalties, averages.

`python -m studies.movielens_tuned` tries step size, either penalty and dropout for each
model on the random split of `studies.movielens`, with its two seeds for that. Then it
trains every model on that study's twenty splits, twice: once it keeps the weights as
they are after the best epoch, once their averages (γ = 0.01). All cores work;
`LOKY_MAX_CPU_COUNT=1` leaves it to one. Three tables are stored, each headed by a
fingerprint of the source of both studies and of the data.

movielens_tuned_search       a row a trial: model, seed, settings, best epoch,
                             validation AUC. No test row is looked at, and nothing is
                             averaged.
movielens_tuned              a row a run: kept weights, model, seed, settings, best
                             epoch, and of the test rows AUC, log loss and `within`.
movielens_tuned_differences  a row a pair of models, kept weights and a measure:
                             `comparison.differences` and `comparison.other_groups`.
"""
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from deepfm_tutorial import fit, predict
from deepfm_tutorial.datasets import load_movielens

from . import comparison, movielens, study
from .movielens import FACTORS, HIDDEN_UNITS, SEARCH_SEEDS, SEEDS, encode, split

FINGERPRINT = study.fingerprint(Path(__file__).read_bytes(),
                                movielens.FINGERPRINT.encode())
# With less patience it may stop before the factors have grown.
TRAINING = movielens.TRAINING | {"epochs": 100, "patience": 5}
KEPT = {"weights": 0.0, "averages": 0.01}  # what `fit` keeps: its `averaging`
RATES = {"learning_rate": (1e-3, 2e-3, 5e-3)}
ROWS = {"embedding_l2": (0.01, 0.03, 0.1)}
DROPOUT = {"dropout": (0, 0.5)}
DEEP = [RATES | DROPOUT | {"penalty": (0, 30, 100, 300, 1000)}, RATES | DROPOUT | ROWS]
# What the search tries, all combinations of each; `penalty` is κ: the penalty on whole
# tables has λ = κ / N.
GRIDS = {"LR": [{"learning_rate": (2e-3, 5e-3, 1e-2), "penalty": (0, 1, 5)}],
         "FM": [RATES | {"penalty": (0, 1, 5, 20)}, RATES | ROWS],
         "DNN": DEEP, "DeepFM": DEEP}
SETTINGS = dict.fromkeys(("learning_rate", "penalty", "embedding_l2", "dropout"), float)


def combinations(name):
    """Every setting of a model that the search tries."""
    return [dict(zip(grid, values)) for grid in GRIDS[name]
            for values in product(*grid.values())]


def train(data, seed, name, settings, averaging=0.0):
    """Train a model on a random split: it, its history, its test rows encoded and by
    number."""
    rows = split(data, "random", seed)
    encoder, parts = encode(data, movielens.FORMS[0], rows)
    model = study.build(name, encoder.field_sizes, FACTORS, HIDDEN_UNITS,
                        settings.get("dropout"), pooled=encoder.pooled)
    history = fit(model, *parts[:2], seed=seed, progress=False, averaging=averaging,
                  learning_rate=settings["learning_rate"],
                  embedding_l2=settings.get("embedding_l2", 0.0),
                  table_l2=settings.get("penalty", 0.0) / len(rows[0]), **TRAINING)
    return model, history, parts[2], rows[2]


def trial(data, seed, name, settings):
    """Train one model once: its row of the search's table."""
    _, history, *_ = train(data, seed, name, settings)
    row = {"model": name, "seed": seed, **dict.fromkeys(SETTINGS), **settings,
           "best_epoch": history.best_epoch,
           "validation_auc": max(found.auc for found in history.validation)}
    print(row, flush=True)
    return row


def search(data):
    """Try every combination of a model's grids, judged by the validation rows."""
    trials = [(seed, name, settings) for seed, name in product(SEARCH_SEEDS, GRIDS)
              for settings in combinations(name)]
    rows = study.in_parallel(partial(trial, data), trials)
    return study.write("movielens_tuned_search", rows, FINGERPRINT)


def chosen(trials):
    """The settings with the best mean validation AUC: {model: settings}."""
    return comparison.tuned(trials, ["model"], SETTINGS)


def run(data, best, kept, name, seed):
    """Train one model once: its row of the table, its test rows and predictions."""
    model, history, encoded, test = train(data, seed, name, best[name], KEPT[kept])
    p = predict(model, encoded)
    row = {"kept": kept, "model": name, "seed": seed, **dict.fromkeys(SETTINGS),
           **best[name], "best_epoch": history.best_epoch,
           **comparison.judge(data.labels[test], p, users_of(data)[test])}
    print(row, flush=True)
    return row, test, p


def users_of(data):
    """Each row's user as a number."""
    return movielens.number_of(data.columns["user"])


def main_runs(data, best):
    """Train every model with every seed, and compare them by the weights kept."""
    cases = list(product(KEPT, GRIDS, SEEDS))
    found = dict(zip(cases, study.in_parallel(partial(run, data, best), cases)))
    table = study.write("movielens_tuned", [row for row, *_ in found.values()],
                        FINGERPRINT)
    users = users_of(data)
    weights = comparison.resampled(users.max() + 1, 1000)
    drawn = {case: comparison.judge(data.labels[test], p, users[test], weights)
             for case, (_, test, p) in found.items()}
    rows = comparison.differences(table.rename(columns={"kept": "split"}), GRIDS)
    for row in rows:
        row["kept"] = row.pop("split")
        row |= comparison.other_groups(np.array([
            drawn[row["kept"], row["model"], seed][row["measure"]]
            - drawn[row["kept"], row["other"], seed][row["measure"]]
            for seed in SEEDS]))
    study.write("movielens_tuned_differences", rows, FINGERPRINT)


if __name__ == "__main__":
    log = load_movielens()
    main_runs(log, chosen(search(log)))
