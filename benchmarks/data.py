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


def split(log):
    """Deal the rows to test and training. Those of one respondent stay together."""
    groups = getattr(log, "profiles", np.arange(len(log.labels)))
    shares = (settings.TEST_SHARE, 1 - settings.TEST_SHARE)
    return split_by(groups, shares, seed=settings.SPLIT_SEED)


def write(name, path):
    """Encode data set `name` and store its training and test rows at `path` (.npz).

    Ids are global, (N, F) int32, as `FieldEncoder` gives them; libraries that number
    each field from 0 subtract `offsets`. The encoder knows the training rows only.
    """
    log = LOADERS[name]()
    test, train = split(log)
    columns = {part: {field: column[rows] for field, column in log.columns.items()}
               for part, rows in (("train", train), ("test", test))}
    encoder = FieldEncoder(missing=True).fit(columns["train"])
    np.savez(path, field_sizes=encoder.field_sizes, offsets=encoder.field_offsets,
             train_ids=encoder.transform(columns["train"]),
             train_labels=log.labels[train],
             test_ids=encoder.transform(columns["test"]), test_labels=log.labels[test])
