"""What a penalty on whole tables earns: on three data sets, and on the click log cut to
a quarter of its rows.

Each run is one training with the package's defaults but for the penalty; a seed decides
rows, their split, weights and batches. The strength is τ where λ = τ / n, n the number
of training rows; for the penalty on rows in use, λ itself.
"""
from pathlib import Path

import numpy as np

from deepfm_tutorial import FM, DeepFM, FieldEncoder, evaluate, fit
from deepfm_tutorial.datasets import (
    coupons,
    load_coupons,
    load_movielens,
    make_click_log,
    movielens,
    split_by,
)
from deepfm_tutorial.scale import LazyTrainStep

from . import study

FINGERPRINT = study.fingerprint(Path(__file__).read_bytes(), coupons.SHA256.encode(),
                                repr(movielens.SHA256).encode())
SETS = {"click log": 50_000, "click log, a quarter": 12_500, "MovieLens": None,
        "coupons": None}
SEEDS, SHARES = range(3), (0.7, 0.1, 0.2)  # of training, validation and test
WHOLE, IN_USE, BY_ROWS = "whole tables", "rows in use", "whole tables, by rows"
STRENGTHS = {"FM": (0, 1, 5, 20, 100), "DeepFM": (0, 100, 300, 1000, 3000)}
GRID = [(kind, penalty, strength) for kind, strengths in STRENGTHS.items()
        for penalty, grid in ((WHOLE, strengths), (IN_USE, (0.01, 0.1)),
                              (BY_ROWS, strengths[2:4]))
        for strength in grid]


def load(name, seed):
    """The encoder, and a `Data` of training, validation and test rows."""
    if SETS[name]:
        logs = [make_click_log(rows, 100 + 3 * seed + i)
                for i, rows in enumerate((SETS[name], 20_000, 50_000))]
        parts = [(log.columns, log.labels) for log in logs]
    else:
        log = load_coupons() if name == "coupons" else load_movielens(progress=False)
        groups = getattr(log, "profiles", np.arange(len(log.labels)))
        parts = [({field: column[rows] for field, column in log.columns.items()},
                  log.labels[rows]) for rows in split_by(groups, SHARES, seed=seed)]
    encoder = FieldEncoder(missing=True).fit(parts[0][0])
    return encoder, [encoder.encode(*part) for part in parts]


def run(name, seed, kind, penalty, strength):
    """One training: its row of the table."""
    encoder, (train, validation, test) = load(name, seed)
    model = {"FM": FM, "DeepFM": DeepFM}[kind](encoder.field_sizes,
                                               pooled=encoder.pooled)
    settings = ({"embedding_l2": strength} if penalty == IN_USE
                else {"table_l2": strength / len(train.ids)})
    history = fit(model, train, validation, epochs=100, seed=seed, progress=False,
                  **settings, **({"step": LazyTrainStep} if penalty == BY_ROWS else {}))
    judged, of_test = history.validation[history.best_epoch - 1], evaluate(model, test)
    return {"data": name, "seed": seed, "model": kind, "penalty": penalty,
            "strength": strength, "rows": len(train.ids),
            "best_epoch": history.best_epoch, "validation_auc": judged.auc,
            "validation_loss": judged.log_loss, **of_test._asdict()}


if __name__ == "__main__":
    cases = [(name, seed, *case) for name in SETS for seed in SEEDS for case in GRID]
    study.write("penalties", study.in_parallel(run, cases), FINGERPRINT)
