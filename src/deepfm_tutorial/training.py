"""Train, from the first batch or from where a training was cut off (chapters 7 and 10)."""
from dataclasses import asdict, dataclass, field
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet import nd
from tqdm.auto import tqdm

from . import checkpoint as files
from .batches import shuffled_batches
from .checks import real_number, whole_number
from .judging import Metrics, checked, metrics
from .updates import Updates, as_list


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


def fit(model, train, validation=None, *, epochs=20, batch_size=1024, learning_rate=1e-3,
        embedding_l2=0.0, patience=3, seed=0, lazy_tables=False, checkpoint=None, encoder=None,
        progress=True):
    """Train with Adam on the logistic loss; keep the weights of the best epoch.

    The best epoch is the one with the highest validation AUC; without validation rows, the
    last. A model that has no weights yet is initialised from `seed`; one that has goes on from
    them. The model is hybridised. Equal seeds give bit-equal weights on one machine.

    Arrays may be memory-mapped (`np.load(…, mmap_mode="r")`). Mapped int32 ids and float32
    labels and values are never loaded as a whole; other types are converted, which loads them.

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
        lazy_tables: whether a step updates only the rows of w and V that its batch uses, which
            large tables need: see `Updates`.
        checkpoint: a folder, or None. After each epoch all that is needed to go on is written
            there; the same call in another process goes on from it, to bit-equal weights.
        encoder: the `FieldEncoder` that made the ids. Its fingerprint goes into the checkpoint.
        progress: whether to show a progress bar.

    Returns:
        A `History`. Ctrl-C ends training early, keeps the best weights so far and says so.

    Raises:
        TypeError, ValueError: wrong data or settings, a checkpoint that is damaged or of another
            training, before any weight changes; or the loss stopped being a number, after the
            best weights so far were put back.
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
    train = checked(model, train, "train")
    if validation is not None:
        validation = checked(model, validation, "validation", both_classes=True)

    path = stored = None
    if checkpoint is not None:
        path = Path(checkpoint) / "training.npz"
        same = files.identity(model, train, validation, encoder, batch_size=batch_size, seed=seed,
                              learning_rate=learning_rate, embedding_l2=embedding_l2,
                              lazy_tables=lazy_tables)
        stored = files.read_same(path, same)

    mx.random.seed(seed)
    if not has_weights(model):
        model.initialize()
    model.hybridize(static_alloc=True)
    run = _Run(model, seed, Updates(model, mx.optimizer.Adam(learning_rate), with_values=train[2] is not None,
                                    embedding_l2=embedding_l2, lazy_tables=lazy_tables))
    steps = -(-len(train[0]) // batch_size)
    if stored:
        run.load(*stored, steps)
    with tqdm(total=epochs * steps, initial=run.epochs * steps, disable=not progress, unit="batch") as bar:
        try:
            while not run.finished(epochs, patience):
                run.epoch(train, validation, batch_size, bar)
                if path:
                    files.write(path, run.arrays(), {"same": same, **run.facts()})
        except KeyboardInterrupt:
            run.history.interrupted = True
        finally:
            nd.waitall()
            run.restore_best()
    if run.history.interrupted:
        print(f"Interrupted in epoch {run.epochs + 1}. The model has the weights of "
              + (f"epoch {run.history.best_epoch}, its best so far." if run.history.best_epoch
                 else "before the training."))
    return run.history


class _Run:
    """A training between two epochs: all that decides how it goes on."""

    def __init__(self, model, seed, updates):
        self.model, self.seed, self.updates = model, seed, updates
        self.order = np.random.default_rng(seed)
        self.history = History()
        self.parameters = list(model.collect_params().values())
        self.best = [parameter.data().copy() for parameter in self.parameters]

    @property
    def epochs(self):
        """How many are done."""
        return len(self.history.train_loss)

    def finished(self, epochs, patience):
        return self.epochs >= epochs or self.epochs - self.history.best_epoch >= patience

    def epoch(self, train, validation, batch_size, bar):
        """Pass over all rows once, judge, and keep the weights if they are the best so far."""
        # MXNet's random state cannot be read, so each epoch's dropout has a seed of its own.
        mx.random.seed(int(np.random.SeedSequence([self.seed, self.epochs]).generate_state(1)[0] >> 1))
        loss = _mean_loss(self.updates, shuffled_batches(train, batch_size, self.order), bar)
        if validation:
            self.history.validation.append(metrics(self.model, validation))
            bar.set_postfix_str(f"validation AUC {self.history.validation[-1].auc:.4f}")
        self.history.train_loss.append(loss)
        if _is_best(self.history):
            self.history.best_epoch = self.epochs
            for best, parameter in zip(self.best, self.parameters):
                parameter.data().copyto(best)  # in place: large tables are not held a third time

    def restore_best(self):
        for best, parameter in zip(self.best, self.parameters):
            parameter.set_data(best)

    def arrays(self):
        """Weights, optimizer's states and best weights, as a checkpoint names them."""
        now = {f"weights/{i}": p.data() for i, p in enumerate(self.parameters)}
        states = {f"state/{i}/{j}": array for i, state in enumerate(self.updates.states)
                  for j, array in enumerate(as_list(state))}
        best = {f"best/{i}": array for i, array in enumerate(self.best)}
        return now | states | (best if self.history.best_epoch < self.epochs else {})

    def facts(self):
        return {"history": asdict(self.history), "order": self.order.bit_generator.state}

    def load(self, arrays, facts, steps):
        """Go back to where `arrays` and `facts` were taken, `steps` an epoch."""
        self.history = History(**facts["history"])
        self.history.validation = [Metrics(*numbers) for numbers in self.history.validation]
        self.order.bit_generator.state = facts["order"]
        self.updates.optimizer.begin_num_update = self.epochs * steps
        for i, parameter in enumerate(self.parameters):
            self.best[i][:] = arrays.get(f"best/{i}", arrays[f"weights/{i}"])
            parameter.data()[:] = arrays[f"weights/{i}"]
        for i, state in enumerate(self.updates.states):
            for j, array in enumerate(as_list(state)):
                array[:] = arrays[f"state/{i}/{j}"]


def _mean_loss(updates, batches, bar):
    """Train on the batches. Returns the mean loss."""
    num_rows, total, pending = 0, 0.0, None
    for ids, labels, values in batches:
        loss = updates(ids, labels, values)
        # Read the loss one step late: the next step is then already under way.
        total += pending.asscalar() if pending is not None else 0.0
        pending = loss
        num_rows += len(ids)
        bar.update()
    mean = (total + pending.asscalar()) / num_rows
    if not np.isfinite(mean):
        raise ValueError(f"the training loss became {mean}: try a smaller learning_rate than "
                         f"{updates.optimizer.learning_rate:g}")
    return float(mean)


def _is_best(history):
    if not history.validation:
        return True
    aucs = [metrics.auc for metrics in history.validation]
    return aucs[-1] > max(aucs[:-1], default=-np.inf)


def has_weights(model):
    """Whether the model was initialised."""
    try:
        return bool([parameter.data() for parameter in model.collect_params().values()])
    except RuntimeError:  # Gluon's word for "not initialised"
        return False
