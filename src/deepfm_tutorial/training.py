"""Train, predict, judge."""
from dataclasses import dataclass, field
from typing import NamedTuple

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon, nd
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score
from tqdm.auto import tqdm

from .checks import check_ids, check_labels, check_values, field_bounds, real_number, whole_number

INFERENCE_BATCH = 8192


class Metrics(NamedTuple):
    """What `evaluate` measures.

    Attributes:
        auc: area under the ROC curve, in [0, 1]: how often a click outranks a non-click.
        log_loss: mean negative log likelihood in nats, ≥ 0: punishes wrong probabilities too.
    """

    auc: float
    log_loss: float


@dataclass
class History:
    """What `fit` saw, one entry an epoch.

    Attributes:
        train_loss: mean logistic loss over the epoch's batches, dropout on, penalty left out.
        validation: `Metrics` on the validation rows after the epoch; empty without such rows.
        best_epoch: the epoch, counted from 1, whose weights the model now has; 0 for the
            weights that it started with.
        interrupted: whether Ctrl-C ended the training.
    """

    train_loss: list = field(default_factory=list)
    validation: list = field(default_factory=list)
    best_epoch: int = 0
    interrupted: bool = False


def logistic_loss(logits, labels):
    """−log of the probability that the logits give the labels: log(1 + e^z) − y z, (B,).

    Gluon's `SigmoidBinaryCrossEntropyLoss` has a wrong gradient at z = 0 exactly, where an
    all-zero model starts; the gradient of this form is σ(z) − y everywhere.
    """
    return nd.Activation(logits, "softrelu") - labels * logits


def fit(model, train, validation=None, *, epochs=20, batch_size=1024, learning_rate=1e-3,
        embedding_l2=0.0, patience=3, seed=0, progress=True):
    """Train with Adam on the logistic loss; keep the weights of the best epoch.

    The best epoch is the one with the highest validation AUC; without validation rows, the
    last. A model that has no weights yet is initialised from `seed`; one that has goes on from
    them. The model is hybridised. Equal seeds give bit-equal weights on one machine.

    Args:
        model: one of this package's models.
        train: `(ids, labels)` or `(ids, labels, values)`: (N, F), (N,) and (N, F).
        validation: the same for the rows that decide when to stop, or None.
        epochs: at most so many passes over the training rows.
        batch_size: rows a step; the last batch of an epoch may be smaller.
        learning_rate: Adam's step size.
        embedding_l2: λ of the penalty λ/2 Σ ‖x_i v_i‖², summed over a row's features and averaged
            over the batch: a factor row pays when it is used.
        patience: stop after so many epochs in a row without a better validation AUC.
        seed: of the initial weights, the order of rows, and dropout.
        progress: whether to show a progress bar.

    Returns:
        A `History`. Ctrl-C ends training early, keeps the best weights so far and says so.

    Raises:
        TypeError, ValueError: wrong data or settings, before any weight changes; or the loss
            stopped being a number, after the best weights so far were put back.
    """
    whole_number("epochs", epochs)
    whole_number("batch_size", batch_size)
    real_number("learning_rate", learning_rate, 0, np.inf, low_allowed=False)
    real_number("embedding_l2", embedding_l2, 0, np.inf)
    whole_number("patience", patience)
    whole_number("seed", seed, least=0)
    if embedding_l2 and not hasattr(model, "embedding"):
        raise ValueError(f"embedding_l2 = {embedding_l2}: {type(model).__name__} has no embedding, "
                         "only 0 is allowed")
    train = _checked(model, train, "train")
    if validation is not None:
        validation = _checked(model, validation, "validation", both_classes=True)

    mx.random.seed(seed)
    if not _has_weights(model):
        model.initialize()
    # Static memory: fresh arrays each step cost the system a page fault every 4 KB.
    model.hybridize(static_alloc=True)
    trainer = gluon.Trainer(model.collect_params(), "adam", {"learning_rate": learning_rate})
    order = np.random.default_rng(seed)
    history, best = History(), _weights(model)
    steps = -(-len(train[0]) // batch_size)
    with tqdm(total=epochs * steps, disable=not progress, unit="batch") as bar:
        try:
            for epoch in range(1, epochs + 1):
                history.train_loss.append(
                    _epoch(model, trainer, train, batch_size, order, embedding_l2, bar))
                if validation:
                    history.validation.append(_metrics(model, validation))
                    bar.set_postfix_str(f"validation AUC {history.validation[-1].auc:.4f}")
                if _is_best(history):
                    history.best_epoch, best = epoch, _weights(model)
                if epoch - history.best_epoch == patience:
                    break
        except KeyboardInterrupt:
            history.interrupted = True
        finally:
            nd.waitall()
            _restore(model, best)
    if history.interrupted:
        print(f"Interrupted in epoch {epoch}. The model has the weights of "
              + (f"epoch {history.best_epoch}, its best so far." if history.best_epoch
                 else "before the training."))
    return history


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
    return _metrics(model, _checked(model, data, "data", both_classes=True))


def _metrics(model, data):
    ids, labels, values = data
    probabilities = predict(model, ids, values).astype(np.float64)
    return Metrics(float(roc_auc_score(labels, probabilities)),
                   float(log_loss(labels, probabilities, labels=[0, 1])))


def _checked(model, data, name, both_classes=False):
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


def _epoch(model, trainer, train, batch_size, order, embedding_l2, bar):
    """One pass over the shuffled rows. Returns the mean loss."""
    num_rows, total = len(train[0]), 0.0
    shuffled, pending = order.permutation(num_rows), None
    for start in range(0, num_rows, batch_size):
        rows = shuffled[start:start + batch_size]
        loss = _step(model, trainer, [a if a is None else a[rows] for a in train], embedding_l2)
        # Read the loss one step late: the next step is then already under way.
        total += pending.asscalar() if pending is not None else 0.0
        pending = loss
        bar.update()
    mean = (total + pending.asscalar()) / num_rows
    if not np.isfinite(mean):
        raise ValueError(f"the training loss became {mean}: try a smaller learning_rate than "
                         f"{trainer.learning_rate:g}")
    return float(mean)


def _step(model, trainer, batch, embedding_l2):
    """One update of the weights. Returns the batch's summed loss, not yet waited for."""
    ids, labels, values = batch
    ids, labels = nd.array(ids, dtype="int32"), nd.array(labels)
    with autograd.record():
        loss = logistic_loss(model(ids, values), labels).sum()
        penalty = model.embedding(ids, values).square().sum() * (embedding_l2 / 2) if embedding_l2 else 0
        objective = loss + penalty
    objective.backward()
    trainer.step(len(ids))  # divides the summed gradient by the batch size
    return loss


def _is_best(history):
    if not history.validation:
        return True
    aucs = [metrics.auc for metrics in history.validation]
    return aucs[-1] > max(aucs[:-1], default=-np.inf)


def _has_weights(model):
    try:
        return bool([parameter.data() for parameter in model.collect_params().values()])
    except RuntimeError:  # Gluon's word for "not initialised"
        return False


def _weights(model):
    return {name: p.data().copy() for name, p in model.collect_params().items()}


def _restore(model, weights):
    for name, parameter in model.collect_params().items():
        parameter.set_data(weights[name])
