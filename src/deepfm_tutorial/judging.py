"""Predict, and judge predictions (chapter 7)."""
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from .checks import check_ids, check_labels, check_values, field_bounds

INFERENCE_BATCH = 8192


class Metrics(NamedTuple):
    """What `evaluate` measures.

    Attributes:
        auc: area under the ROC curve, in [0, 1]: how often a click outranks a non-click.
        log_loss: mean negative log likelihood in nats, ≥ 0: punishes wrong probabilities too.
    """

    auc: float
    log_loss: float


def predict(model, ids, values=None):
    """Return the probability of a click for every row: (N,) float32 NumPy numbers in [0, 1].

    Args:
        model: one of this package's models.
        ids: (N, F) whole numbers.
        values: (N, F) numbers x, or None for ones.
    """
    ids = check_ids(ids, *field_bounds(model.field_sizes))
    values = None if values is None else check_values(values, ids.shape)
    parts = [slice(i, i + INFERENCE_BATCH) for i in range(0, len(ids), INFERENCE_BATCH)]
    logits = [model(ids[part], None if values is None else values[part]) for part in parts]
    return expit(np.concatenate([part.asnumpy() for part in logits]))


def evaluate(model, data):
    """Return the model's `Metrics` on `(ids, labels)` or `(ids, labels, values)`.

    Raises:
        ValueError: bad data, or labels of one class only, for which there is no AUC.
    """
    return metrics(model, checked(model, data, "data", both_classes=True))


def metrics(model, data):
    """`evaluate` for data that `checked` has seen."""
    ids, labels, values = data
    probabilities = predict(model, ids, values).astype(np.float64)
    from sklearn.metrics import log_loss, roc_auc_score  # here, for it takes a second, and a server never judges

    return Metrics(float(roc_auc_score(labels, probabilities)),
                   float(log_loss(labels, probabilities, labels=[0, 1])))


def checked(model, data, name, both_classes=False):
    """Check data as a whole, so that a bad row stops the training before its first step."""
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        raise ValueError(f"{name}: (ids, labels) or (ids, labels, values) is needed")
    ids, labels, *values = data
    try:
        ids = check_ids(ids, *field_bounds(model.field_sizes))
        labels = check_labels(labels, len(ids))
        values = check_values(values[0], ids.shape) if values else None
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    if both_classes and labels.min() == labels.max():
        raise ValueError(f"{name}: every label is {labels[0]:g}; AUC needs both classes")
    return ids, labels, values
