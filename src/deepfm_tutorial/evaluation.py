"""Predict, and evaluate predictions (chapter 7)."""
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from ._validation import (
    as_numpy,
    check_data,
    check_ids,
    check_values,
    field_bounds,
    parts_of,
    past_the_door,
)
from .embeddings import FieldBlock
from .fields import Data

INFERENCE_BATCH = 8192


class Metrics(NamedTuple):
    """What `evaluate` measures.

    Attributes:
        auc: area under the ROC curve, in [0, 1]: how often a click outranks a
            non-click.
        log_loss: mean negative log likelihood in nats, ≥ 0: punishes wrong
            probabilities too.
    """

    auc: float
    log_loss: float


def predict(model: FieldBlock, data: Data | tuple | ArrayLike) -> np.ndarray:
    """Return the probability of a click for every row: (N,) float32 in [0, 1].

    Args:
        model: one of this package's models.
        data: a `Data` or a plain tuple like it, whose labels are not looked at and may
            be None; or ids alone, (N, F), which are no tuple.

    Raises:
        TypeError, ValueError: wrong ids or values, before anything is computed.
    """
    ids, values = data, None
    if isinstance(data, tuple):
        ids, _, values = parts_of(data, "data", labelled=False)
    ids = check_ids(ids, *field_bounds(model.field_sizes))
    values = None if values is None else check_values(values, ids.shape)
    return _probabilities(model, ids, values)


def evaluate(model: FieldBlock, data: Data | tuple) -> Metrics:
    """Return the model's `Metrics` on a `Data` or a plain tuple like it.

    Raises:
        TypeError, ValueError: wrong data, or labels of one class only, for which there
            is no AUC.
    """
    data = check_data(data, model.field_sizes, "data", both_classes=True)
    return metrics(model, data)


def metrics(model: FieldBlock, data: tuple) -> Metrics:
    """`evaluate` for data that were checked."""
    # Here, for it takes a second, and who serves a model never evaluates it.
    from sklearn.metrics import log_loss, roc_auc_score

    ids, labels, values = data
    probabilities = _probabilities(model, ids, values).astype(np.float64)
    return Metrics(float(roc_auc_score(labels, probabilities)),
                   float(log_loss(labels, probabilities, labels=[0, 1])))


def in_parts(compute: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    """Compute something of every row, `INFERENCE_BATCH` rows at a time, and join it."""
    starts = range(0, len(arrays[0]), INFERENCE_BATCH)
    parts = [compute(*(a[i:i + INFERENCE_BATCH] for a in arrays)) for i in starts]
    return np.concatenate([as_numpy(part) for part in parts])


def _probabilities(model: FieldBlock, ids: np.ndarray,
                   values: np.ndarray | None) -> np.ndarray:
    with past_the_door():
        return expit(in_parts(model, *([ids] if values is None else [ids, values])))
