"""Chapter 9's runs: four models on MovieLens 100K, split in two ways, written in three.

`python -m studies.movielens` first searches for each model's settings and then trains
every model with five other seeds. It stores two tables:

movielens_search  a row a trial: model, settings, the best epoch's validation AUC.
                  Random split, ten fields. No test row is looked at.
movielens         a row a run: split, variant, model, seed, settings, what `study.run`
                  notes, and the AUC among test rows of users that training knew and of
                  new ones.
"""
import time
from itertools import product

import numpy as np
from sklearn.metrics import roc_auc_score

from deepfm_tutorial import FieldEncoder, fit, predict
from deepfm_tutorial.datasets import load_movielens
from deepfm_tutorial.datasets.movielens import GENRES

from . import study

SEARCH_SEED, SEEDS = 0, (1, 2, 3, 4, 5)
FACTORS, HIDDEN_UNITS = 16, (64, 64)
TRAINING = {"epochs": 40, "batch_size": 1024, "patience": 3}
SETTINGS = ("learning_rate", "embedding_l2", "dropout")
# What the search tries, all combinations: Adam's step size, the penalty on factors, the
# share dropped.
GRIDS = {
    "LR": ((2e-3, 5e-3, 1e-2), (0,), (0,)),
    "FM": ((2e-3, 5e-3), (0, 1e-2, 3e-2, 1e-1), (0,)),
    "DNN": ((2e-3, 5e-3), (0, 1e-2, 3e-2, 1e-1), (0.5,)),
    "DeepFM": ((2e-3, 5e-3), (0, 1e-2, 3e-2, 1e-1), (0.5,)),
}
# The settings are searched once, for the first of these, and serve for all.
CASES = (("random", "ten fields"), ("temporal", "ten fields"),
         ("random", "age as number"), ("random", "genres as set"))


def split(data, how):
    """Deal the rows 80/10/10, at random or by time: three arrays of row numbers."""
    order = (np.random.default_rng(0).permutation(len(data.labels)) if how == "random"
             else np.argsort(data.timestamps, kind="stable"))
    return np.split(order, [80_000, 90_000])


def write_out(data, variant, train):
    """The log as the variant has it: its columns, and which of them are continuous."""
    columns = dict(data.columns)
    if variant == "age as number":
        columns["age"] = (data.ages - data.ages[train].mean()) / data.ages[train].std()
        return columns, ["age"]
    if variant == "genres as set":
        sets = [text.split("|") for text in columns.pop("genres").tolist()]
        return columns | {g: np.array([g in genres for genres in sets], float)
                          for g in GENRES}, GENRES
    return columns, []


def encode(data, variant, parts):
    """Field sizes, and `(ids, labels, values)` a part; the encoder sees the first."""
    columns, continuous = write_out(data, variant, parts[0])
    encoder = FieldEncoder(continuous).fit(
        {name: c[parts[0]] for name, c in columns.items()})
    ids, values = encoder.transform(columns), encoder.values(columns)
    return encoder.field_sizes, [(ids[rows], data.labels[rows], values[rows])
                                 for rows in parts]


def training(settings):
    """What `fit` is given: the settings without those of the model."""
    return TRAINING | {name: settings[name]
                       for name in ("learning_rate", "embedding_l2")}


def search(data):
    """Try every combination of a model's grid, judged by the validation rows."""
    sizes, (train, validation, _) = encode(data, CASES[0][1], split(data, CASES[0][0]))
    rows = []
    for name, grid in GRIDS.items():
        for settings in (dict(zip(SETTINGS, values)) for values in product(*grid)):
            start = time.time()
            model = study.build(name, sizes, FACTORS, HIDDEN_UNITS, settings["dropout"])
            history = fit(model, train, validation, seed=SEARCH_SEED, progress=False,
                          **training(settings))
            rows.append({"model": name, **settings, "best_epoch": history.best_epoch,
                         "validation_auc": max(m.auc for m in history.validation)})
            print(rows[-1], f"{time.time() - start:.0f} s", flush=True)
    return study.write("movielens_search", rows)


def chosen(trials):
    """The settings of each model's best trial: {model: {setting: value}}."""
    best = (
        trials.loc[trials.groupby("model").validation_auc.idxmax()].set_index("model"))
    return best[list(SETTINGS)].to_dict("index")


def by_user(model, test, is_new):
    """AUC among test rows of users that training knew, and among those of new ones."""
    _, labels, _ = test
    p = predict(model, test)
    return {f"auc_{kind}_users": roc_auc_score(labels[rows], p[rows]) if rows.any()
            else np.nan for kind, rows in (("known", ~is_new), ("new", is_new))}


def runs(data, settings):
    """Train every model of every case with every seed; judge it on the test rows."""
    rows = []
    for how, variant in CASES:
        parts = split(data, how)
        sizes, (train, validation, test) = encode(data, variant, parts)
        users = data.columns["user"]
        is_new = ~np.isin(users[parts[2]], users[parts[0]])
        for name, seed in product(GRIDS, SEEDS):
            start = time.time()
            model = study.build(name, sizes, FACTORS, HIDDEN_UNITS,
                                settings[name]["dropout"])
            result = study.run(model, train, validation, test, seed=seed,
                               **training(settings[name]))
            rows.append({"split": how, "variant": variant, "model": name, "seed": seed,
                         **settings[name], **result, **by_user(model, test, is_new)})
            print(rows[-1], f"{time.time() - start:.0f} s", flush=True)
    return study.write("movielens", rows)


if __name__ == "__main__":
    movielens = load_movielens()
    runs(movielens, chosen(search(movielens)))
