"""How models are compared: measures of weighted rows, and intervals of differences."""
from itertools import combinations, product

import numpy as np
import pandas as pd
from scipy import stats

MEASURES = ("auc", "log_loss", "within")
LEAST = 1e-7  # what a probability of 0 counts as: float32 knows nothing nearer to 1


def auc(labels, p, weights=1.0):
    """AUC with weighted rows; (B, N) weights give B of them. Equal p count one half."""
    order = np.argsort(p)
    starts = np.flatnonzero(np.diff(p[order], prepend=-1.0))
    yes, no = (np.add.reduceat((weights * chosen)[..., order], starts, axis=-1)
               for chosen in (labels, 1 - labels))
    below = np.cumsum(no, axis=-1) - no / 2
    return (yes * below).sum(-1) / (yes.sum(-1) * no.sum(-1))


def judge(labels, p, groups, weights=None):
    """The `MEASURES` of N rows: a number each, or B where (B, groups) weights weigh
    the groups.

    `within` is the AUC of each group that has both labels, averaged by its rows.
    """
    weights = np.ones(groups.max() + 1) if weights is None else weights
    of_row = weights[..., groups]
    right = np.where(labels == 1, p, 1 - p.astype(float)).clip(LEAST)
    own = {i: groups == i for i in np.unique(groups)}
    mixed = [i for i, rows in own.items() if 0 < labels[rows].mean() < 1]
    aucs = np.array([auc(labels[own[i]], p[own[i]]) for i in mixed])
    share = weights[..., mixed] * [own[i].sum() for i in mixed]
    return {"auc": auc(labels, p, of_row),
            "log_loss": -(of_row * np.log(right)).sum(-1) / of_row.sum(-1),
            "within": (share * aucs).sum(-1) / share.sum(-1)}


def resampled(num_groups, times, seed=0):
    """How often each group is drawn, with replacement: (times, num_groups)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(num_groups, np.full(num_groups, 1 / num_groups), times)


def other_groups(d):
    """How far differences move when groups are drawn anew and the models stay.

    d is (seeds, B): a seed's difference, model - other, on each of B drawings of
    `resampled`. `people_low` and `people_high` hold 95 % of the mean over the
    seeds; `one_split` is the standard deviation of one seed's difference.
    """
    low, high = np.nanquantile(np.nanmean(d, axis=0), (0.025, 0.975))
    return {"people_low": low, "people_high": high,
            "one_split": np.nanstd(d, axis=1).mean()}


def tuned(trials, case, settings):
    """The settings with the best mean validation AUC of each case.

    `trials` has a row a trial, `case` names the columns that make a case, `settings`
    those that hold settings, with their types: {case: {setting: value}}.
    """
    means = trials.groupby([*case, *settings], dropna=False).validation_auc.mean()
    best = means.groupby(case).idxmax()
    return {where: {name: kind(value) for (name, kind), value
                    in zip(settings.items(), values[len(case):]) if pd.notna(value)}
            for where, values in best.items()}


def corrected_t(d, test_to_train):
    """Mean of differences by seed, with the 95 % interval and p of Nadeau and Bengio.

    One seed's training rows are another's test rows, so the variance of the mean is not
    sd² / n but sd² (1 / n + test rows / training rows): "Inference for the
    Generalization Error", Machine Learning 52, 2003.
    """
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


def differences(runs, models, fixed=()):
    """Compare all pairs of models on all splits by all `MEASURES`: rows of a table.

    The differences, model - other, are paired by seed; `p_holm` corrects p for all
    pairs and splits, measure by measure. On a split in `fixed` each seed has the same
    rows, and the intervals are the usual ones.
    """
    rows = []
    for measure in MEASURES:
        family = []
        for how, (model, other) in product(runs["split"].unique(),
                                           combinations(models, 2)):
            by_seed = runs[runs["split"] == how].pivot(
                index="seed", columns="model", values=measure)
            family.append({"measure": measure, "split": how, "model": model,
                           "other": other,
                           **corrected_t(by_seed[model] - by_seed[other],
                                         0 if how in fixed else 0.1 / 0.8)})
        for row, p in zip(family, holm([row["p"] for row in family])):
            rows.append({**row, "p_holm": p})
    return rows
