"""Predict, and evaluate predictions (chapter 7)."""
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from ._validation import (
    as_numpy,
    check_data,
    check_encoder,
    check_inputs,
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
    """Return the probability of a click for every row: (N,) float64 in [0, 1].

    Args:
        model: one of this package's models.
        data: a `Data` or a plain tuple like it, whose labels are not looked at and may
            be None; or ids alone, (N, F), which are no tuple.

    Raises:
        TypeError, ValueError: wrong ids or values, or a model without weights, before
            anything is computed; logits that are not finite.
    """
    return expit(logits(model, data))


def logits(model: FieldBlock, data: Data | tuple | ArrayLike) -> np.ndarray:
    """Return the logit of every row: (N,) float64.

    float64 holds the model's float32 logits, and their sigmoid is below 1 up to a logit
    of 36; in float32 it would be 1 from 17 on, and sure rows would tie. Arguments and
    errors are those of `predict`.
    """
    ids, values = data, None
    if isinstance(data, tuple):
        ids, _, values, _ = parts_of(data, "data", labelled=False)
    elif isinstance(data, Mapping) or hasattr(data, "columns"):
        raise TypeError(f"data are a {type(data).__name__} of raw columns: hand over "
                        "encoder.encode(columns), or ids from encoder.transform")
    check_encoder(getattr(data, "encoder", None), model, values)
    ids, values = check_inputs(model, ids, values)
    return _logits(model, ids, values)


def evaluate(model: FieldBlock, data: Data | tuple) -> Metrics:
    """Return the model's `Metrics` on a `Data` or a plain tuple like it.

    A row of weight w counts as w rows.

    Raises:
        TypeError, ValueError: wrong data, labels of one class only, for which there is
            no AUC, a model without weights, or logits that are not finite.
    """
    data = check_data(data, model, "data", both_classes=True)
    return metrics(model, data)


def metrics(model: FieldBlock, data: tuple) -> Metrics:
    """`evaluate` for data that were checked."""
    # Here, for it takes a second, and who serves a model never evaluates it.
    from sklearn.metrics import roc_auc_score

    ids, labels, values, weights = data
    z = _logits(model, ids, values)
    # From logits: probabilities would cut off the loss of a row that is surely wrong.
    losses = np.logaddexp(0, z) - labels * z
    return Metrics(float(roc_auc_score(labels, z, sample_weight=weights)),
                   float(np.average(losses, weights=weights)))


def in_parts(compute: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    """Compute something of every row, `INFERENCE_BATCH` rows at a time, and join it."""
    if len(arrays[0]) <= INFERENCE_BATCH:
        return as_numpy(compute(*arrays))
    starts = range(0, len(arrays[0]), INFERENCE_BATCH)
    parts = [compute(*(a[i:i + INFERENCE_BATCH] for a in arrays)) for i in starts]
    return np.concatenate([as_numpy(part) for part in parts])


def _logits(model: FieldBlock, ids: np.ndarray,
            values: np.ndarray | None) -> np.ndarray:
    inputs = [ids] if values is None else [ids, values]
    with past_the_door():
        z = in_parts(model, *inputs).astype(np.float64)
    if not (good := np.isfinite(z)).all():
        row = int(np.argmin(good))
        x = "" if values is None else f", whose largest x is {abs(values[row]).max():g}"
        raise ValueError(f"the logit of row {row}{x} is {z[row]}: the model's weights "
                         "or the numbers overflow 32 bits")
    return z
