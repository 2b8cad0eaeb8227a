"""The rows that all libraries train and are judged on: encoded once, kept in a file."""
import numpy as np

from deepfm_tutorial import FieldEncoder
from deepfm_tutorial.datasets import (
    load_coupons,
    load_movielens,
    make_click_log,
    split_by,
)

from . import settings

# Name → what loads a `deepfm_tutorial.datasets.Dataset`. `settings.EPOCHS` has a line
# for each.
LOADERS = {"click log": lambda: make_click_log(settings.CLICK_ROWS,
                                               settings.SPLIT_SEED),
           "MovieLens": lambda: load_movielens(progress=False),
           "coupons": load_coupons}


def split(log, shares=settings.SHARES):
    """Deal the rows to parts: name → rows. Those of one respondent stay together."""
    groups = getattr(log, "profiles", np.arange(len(log.labels)))
    return dict(zip(shares, split_by(groups, list(shares.values()),
                                     seed=settings.SPLIT_SEED)))


def write(name, path, shares=settings.SHARES):
    """Encode data set `name` and store the rows of each part at `path` (.npz).

    Ids are global, (N, F) int32, as `FieldEncoder` gives them; libraries that number
    each field from 0 subtract `offsets`. The encoder knows the training rows only.
    """
    log = LOADERS[name]()
    parts = split(log, shares)
    columns = {part: {field: column[rows] for field, column in log.columns.items()}
               for part, rows in parts.items()}
    encoder = FieldEncoder(missing=True).fit(columns["train"])
    ids = {f"{part}_ids": encoder.transform(columns[part]) for part in parts}
    labels = {f"{part}_labels": log.labels[rows] for part, rows in parts.items()}
    np.savez(path, field_sizes=encoder.field_sizes, offsets=encoder.field_offsets,
             **ids, **labels)
