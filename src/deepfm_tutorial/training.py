"""Train a model: the loss, one step, and `fit` (chapter 7)."""
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon, nd
from tqdm.auto import tqdm

from ._validation import check_data, check_encoder, check_integer, check_number
from .embeddings import (
    FieldBlock,
    FieldEmbedding,
    blocks_of,
    input_symbols,
    named_parameters,
)
from .evaluation import Metrics, metrics
from .fields import Data

LARGE_VALUE = 1e3  # a number above it is more likely why a training fails than its rate


def logistic_loss(logits: nd.NDArray, labels: nd.NDArray) -> nd.NDArray:
    """−log of the probability that logits z give labels y: log(1 + e^z) − y z, (B,).

    Gluon's `SigmoidBinaryCrossEntropyLoss` has a wrong gradient at z = 0 exactly, where
    an all-zero model starts; the gradient of this form is σ(z) − y everywhere.

    Raises:
        ValueError: the two have different shapes, which MXNet might broadcast.
    """
    if logits.shape != labels.shape:
        raise ValueError(f"logits have shape {logits.shape} and labels {labels.shape}: "
                         "one shape is needed for both")
    return nd.Activation(logits, "softrelu") - labels * logits


class GradReqs:
    """In its `with` block, parameters have the `grad_req` that training needs.

    A parameter whose `grad_req` is "null" beforehand is frozen: it is not updated.
    After the block, each `grad_req` is what it was.

    MXNet 1.9.1 computes the gradients of a layer's weight and bias together. If the
    weight has none, the bias's stays zero. So a frozen parameter gets a gradient in the
    block, too, unless it is a table.

    Attributes:
        is_trained: parameter → whether it is not frozen.
        during: parameter → its `grad_req` in the block.

    Args:
        model: one of this package's models.
    """

    def __init__(self, model: FieldBlock) -> None:
        parameters, tables = model.collect_params().values(), model.tables
        self.is_trained = {p: p.grad_req != "null" for p in parameters}
        may_have = [p for p in parameters if not isinstance(p, gluon.Constant)]
        self.during = {p: "write" for p in may_have
                       if self.is_trained[p] or p not in tables}

    def __enter__(self) -> "GradReqs":
        self._before = {p: p.grad_req for p in self.during}
        _set_grad_reqs(self.during)
        return self

    def __exit__(self, *error: Any) -> None:
        _set_grad_reqs(self._before)


class TrainStep(GradReqs):
    """One update of all weights from one batch: `step(ids, labels, …) → loss`.

    Use it in one `with` block: see `GradReqs`. Frozen parameters stay as they are.

    Attributes:
        weights: the parameters that are trained as a whole.
        states: the optimizer's state of each, as `create_state` returns it.

    Args:
        model: one of this package's models, with weights.
        optimizer: an `mx.optimizer.Optimizer`.
        with_values: whether batches come with values x.
        embedding_l2, table_l2: as for `fit`.
        tables: parameters that a subclass hands to the graph itself.
    """

    by_rows: ClassVar[bool] = False  # whether a step updates some rows of a table alone

    def __init__(self, model: FieldBlock, optimizer: mx.optimizer.Optimizer, *,
                 with_values: bool = False, embedding_l2: float = 0.0,
                 table_l2: float = 0.0, tables: Sequence[gluon.Parameter] = ()) -> None:
        super().__init__(model)
        self.optimizer, self.embedding_l2 = optimizer, embedding_l2
        self.weights = [p for p, yes in self.is_trained.items()
                        if yes and p not in tables]
        self.states = [optimizer.create_state(i, p.data())
                       for i, p in enumerate(self.weights)]
        if table_l2:  # MXNet adds wd · weight to the gradient
            optimizer.wd = table_l2
            optimizer.set_wd_mult({i: 0.0 for i, p in enumerate(self.weights)
                                   if p not in model.tables})
        self._graph = compiled(model, tables, with_values=with_values,
                               with_embeddings=embedding_l2 > 0)

    def __exit__(self, *error: Any) -> None:
        self.states.clear()  # first: a table's gradient may take their place in memory
        # Gluon's blocks refer to each other in circles. Without this, the arrays of a
        # graph would live on until Python next looks for circles.
        self._graph._clear_cached_op()
        super().__exit__(*error)

    def __call__(self, ids: np.ndarray, labels: np.ndarray,
                 values: np.ndarray | None = None,
                 weights: np.ndarray | None = None) -> nd.NDArray:
        """Update the weights once.

        Args:
            ids: (B, F) NumPy ids, already checked.
            labels: (B,).
            values: (B, F), or None.
            weights: (B,) what each row's loss and penalty are multiplied by, or None.

        Returns:
            The loss before the update, summed over the batch: an NDArray (1,), not yet
            waited for.
        """
        ids = nd.array(ids, dtype="int32")
        loss = self._differentiate(ids, labels, values, weights)
        self._update_weights()
        return loss

    def settle(self) -> None:
        """Bring all weights up to date. Here they always are: each is in every step."""

    def _differentiate(self, ids: nd.NDArray, labels: np.ndarray,
                       values: np.ndarray | None, weights: np.ndarray | None,
                       *rows: nd.NDArray) -> nd.NDArray:
        """Compute the gradient of loss and penalty; return the loss."""
        inputs = [ids, *rows] if values is None else [ids, nd.array(values), *rows]
        with autograd.record():
            logits, *embeddings = as_list(self._graph(*inputs))
            loss = logistic_loss(logits, nd.array(labels))
            squares = [e.square() for e in embeddings]  # (B, F, k)
            if weights is not None:
                w = nd.array(weights)
                loss = loss * w
                squares = [nd.broadcast_mul(e, w.reshape((-1, 1, 1))) for e in squares]
            loss = loss.sum()
            objective = loss + sum(e.sum() * (self.embedding_l2 / 2) for e in squares)
        objective.backward()
        self.optimizer.rescale_grad = 1 / len(labels)  # the mean over the batch
        return loss

    def _update_weights(self) -> None:
        for i, parameter in enumerate(self.weights):
            self.optimizer.update(i, parameter.data(), parameter.grad(), self.states[i])


def shuffled_batches(data: Sequence, batch_size: int,
                     rng: np.random.Generator) -> Iterator[list]:
    """Yield every row once, in random order.

    Args:
        data: arrays with N rows each, or None in the place of one.
        batch_size: rows a batch; the last may have fewer.
        rng: what draws the order.

    Yields:
        Lists like `data`, of a batch's rows.
    """
    order = rng.permutation(len(data[0]))
    for first in range(0, len(order), batch_size):
        yield rows_of(data, order[first:first + batch_size])


def rows_of(data: Sequence, rows: np.ndarray | slice) -> list:
    """Return some rows of each array, and None in the place of one that is None."""
    return [None if array is None else array[rows] for array in data]


@dataclass
class History:
    """What `fit` saw, one entry an epoch.

    Attributes:
        train_loss: mean logistic loss over the epoch's rows, weighted where they are,
            with dropout and without the penalty.
        validation: `Metrics` on the validation rows after the epoch; empty without any.
        best_epoch: the epoch, counted from 1, whose weights the model now has; 0 for
            the weights that it started with.
        interrupted: whether Ctrl-C ended the training.
    """

    train_loss: list[float] = field(default_factory=list)
    validation: list[Metrics] = field(default_factory=list)
    best_epoch: int = 0
    interrupted: bool = False


def fit(model: FieldBlock, train: Data | tuple, validation: Data | tuple | None = None,
        *, epochs: int = 20, batch_size: int = 1024, learning_rate: float = 1e-3,
        embedding_l2: float = 0.0, table_l2: float | None = 0.0,
        averaging: float = 0.0, patience: int = 3, seed: int = 0,
        step: type[TrainStep] = TrainStep, batches: Callable = shuffled_batches,
        checkpoint: Any = None, encoder: Any = None,
        progress: bool = True) -> History:
    """Train with Adam on the logistic loss; keep the weights of the best epoch.

    The best epoch is the one with the highest validation AUC; without validation rows,
    the last. A model that has no weights yet is initialised from `seed`; one that has
    goes on from them. Frozen parameters (`grad_req` "null") stay as they are; only the
    running statistics of batch norm, which have no gradient, move. The model is
    hybridised. Equal seeds give bit-equal weights on one machine.

    Args:
        model: one of this package's models.
        train: a `Data`, or a plain tuple `(ids, labels)`, `(ids, labels, values)` or
            `(ids, labels, values, weights)`. A row of weight w counts as w rows do;
            what all weights have in common makes no difference.
        validation: the same for the rows that decide when to stop, or None.
        epochs: at most so many passes over the training rows, counted from the first,
            also where a checkpoint is there.
        batch_size: rows a step; the last batch of an epoch may be smaller.
        learning_rate: Adam's step size.
        embedding_l2: λ of the penalty λ/2 Σ ‖e_f‖², summed over a row's fields and
            averaged over the batch: a factor row pays when it is used.
        table_l2: λ of the penalty λ/2 (‖w‖² + ‖V‖²), the same in every step: a row pays
            whether it is used or not. None stands for κ / N of N training rows, where
            κ is the model's `usual_penalty`: what did well in chapter 10.
        averaging: a share γ, in [0, 1). Above 0, averages of all weights go a share γ
            of the way to the new weights in each step (after Polyak and Juditsky,
            1992), and they are what is judged and kept: 0.01 did well in chapter 10.
            Not with `scale.LazyTrainStep`.
        patience: stop after so many epochs in a row without a better validation AUC.
        seed: of the initial weights, the order of rows, and dropout.
        step: how weights are updated: `TrainStep`, or `scale.LazyTrainStep` for large
            tables.
        batches: how rows are shuffled: `shuffled_batches`, or `scale.blockwise_batches`
            for files that are larger than memory.
        checkpoint: None, or a `scale.Checkpoint`. After each epoch all that is needed
            to go on is handed to it; the same call in another process goes on from
            there, to bit-equal weights.
        encoder: the `FieldEncoder` that made the ids of plain tuples, or None. A `Data`
            brings its own.
        progress: whether to show a progress bar.

    Returns:
        A `History`. Ctrl-C ends training early, keeps the best weights and says so.

    Raises:
        TypeError, ValueError: wrong data or settings, rows that model, encoder and
            each other do not fit, a checkpoint that is damaged or of another training,
            before any weight changes; or the loss stopped being a number, after the
            best weights so far were put back.
    """
    check_settings(epochs, batch_size, learning_rate, seed, checkpoint)
    check_integer("patience", patience)
    _check_penalty(model, embedding_l2)
    if table_l2 is not None:
        check_number("table_l2", table_l2, 0, np.inf)
    _check_averaging(averaging, step)
    encoders = [getattr(data, "encoder", None) for data in (train, validation)]
    train = check_data(train, model, "train")
    if validation is not None:
        validation = check_data(validation, model, "validation", both_classes=True)
    check_encoder(encoder, model, train[2])
    _check_fit_together([encoder, *encoders], train, validation)
    if table_l2 is None:
        table_l2 = model.usual_penalty / len(train[0])
    saved = checkpoint and checkpoint.open(
        model, {"training rows": train, "validation rows": validation},
        batch_size=batch_size, seed=seed, learning_rate=learning_rate,
        embedding_l2=embedding_l2, table_l2=table_l2, averaging=averaging,
        step=_name_of("step", step), batches=_name_of("batches", batches))

    initialise(model, seed)
    model.hybridize(static_alloc=True)
    rows = (*train[:3], _of_mean_one(train[3]))
    steps = math.ceil(len(train[0]) / batch_size)
    adam = mx.optimizer.Adam(learning_rate)
    with step(model, adam, with_values=train[2] is not None,
              embedding_l2=embedding_l2, table_l2=table_l2) as update:
        run = _Training(model, update, seed, averaging,
                        [data[2] for data in (train, validation)
                         if data is not None and data[2] is not None])
        if saved:
            run.load(*saved, steps)
        with tqdm(total=epochs * steps, initial=run.epochs * steps,
                  disable=not progress, unit="batch") as bar:
            try:
                while not run.is_finished(epochs, patience):
                    run.epoch(batches(rows, batch_size, run.rng), validation, bar)
                    if checkpoint:
                        checkpoint.save(*run.state())
            except KeyboardInterrupt:
                run.history.interrupted = True
            finally:
                nd.waitall()
                run.restore_best()
    if run.history.interrupted:
        _say_where(run)
    return run.history


class _Training:
    """A training between two epochs: all that decides how it goes on."""

    def __init__(self, model: FieldBlock, step: TrainStep, seed: int, averaging: float,
                 values: Sequence = ()) -> None:
        self.model, self.step, self.seed = model, step, seed
        self.averaging = averaging
        self.values = values  # x of all rows, to tell why a training failed
        self.rng = np.random.default_rng(seed)
        self.history = History()
        self.parameters = list(model.collect_params().values())
        self.best = [parameter.data().copy() for parameter in self.parameters]
        self.averages = [array.copy() for array in self.best] if averaging else []

    @property
    def epochs(self) -> int:
        """How many are done."""
        return len(self.history.train_loss)

    def is_finished(self, epochs: int, patience: int) -> bool:
        since_best = self.epochs - self.history.best_epoch
        return self.epochs >= epochs or since_best >= patience

    def epoch(self, batches: Iterable, validation: tuple | None, bar: tqdm) -> None:
        """Train on the batches once and evaluate; keep the weights if they are best."""
        # MXNet's random state cannot be read, so dropout has a new seed in each epoch.
        mx.random.seed(mxnet_seed(self.seed, self.epochs))
        num_rows, total, pending = 0, 0.0, nd.zeros((1,))
        for batch in batches:
            loss = self.step(*batch)
            for average, parameter in zip(self.averages, self.parameters):
                average += self.averaging * (parameter.data() - average)
            # Read the loss one step late: the next step is then already under way.
            total += float(pending.asscalar())
            pending = loss
            num_rows += len(batch[0])
            bar.update()
        self.step.settle()
        loss = (total + float(pending.asscalar())) / num_rows
        self._check_finite("the training loss", loss)
        # The last step moved the weights after its loss was computed.
        for parameter in self.parameters:
            self._check_finite("a parameter's norm", parameter.data().norm().asscalar())
        self._exchange()
        if validation:
            self.history.validation.append(self._judged(validation))
            bar.set_postfix_str(f"validation AUC {self.history.validation[-1].auc:.4f}")
        self.history.train_loss.append(loss)
        self._keep_if_best()
        self._exchange()

    def _exchange(self) -> None:
        """Put the averages, if there are any, in the weights' place, and back."""
        for average, parameter in zip(self.averages, self.parameters):
            held = parameter.data().copy()  # one at a time: a table may be large
            parameter.set_data(average)
            held.copyto(average)

    def _judged(self, validation: tuple) -> Metrics:
        try:
            return metrics(self.model, validation)
        except ValueError as error:  # the weights are finite; their sums are not
            raise ValueError(f"validation: {error}. {self._advice}") from None

    def _check_finite(self, what: str, number: float) -> None:
        if not np.isfinite(number):
            raise ValueError(f"{what} became {number}: {self._advice}")

    @property
    def _advice(self) -> str:
        """What keeps the next training finite."""
        largest = max((float(np.abs(x).max()) for x in self.values), default=0)
        if largest > LARGE_VALUE:
            return (f"values reach {largest:g}, and the model multiplies them with "
                    "each other: standardise their fields")
        rate = self.step.optimizer.learning_rate
        return f"try a smaller learning_rate than {rate:g}"

    def _keep_if_best(self) -> None:
        aucs = [found.auc for found in self.history.validation]
        if not aucs or aucs[-1] > max(aucs[:-1], default=-np.inf):
            self.history.best_epoch = self.epochs
            for best, parameter in zip(self.best, self.parameters):
                parameter.data().copyto(best)  # in place: no table is held a third time

    def restore_best(self) -> None:
        for best, parameter in zip(self.best, self.parameters):
            parameter.set_data(best)

    def state(self) -> tuple[dict[str, nd.NDArray], dict]:
        """What `load` needs: named arrays, and what JSON can hold."""
        now = {f"weights/{i}": p.data() for i, p in enumerate(self.parameters)}
        averages = {f"average/{i}": array for i, array in enumerate(self.averages)}
        states = {f"state/{i}/{j}": array for i, state in enumerate(self.step.states)
                  for j, array in enumerate(as_list(state))}
        best = {f"best/{i}": array for i, array in enumerate(self.best)}
        is_now = self.history.best_epoch == self.epochs
        return (now | averages | states | ({} if is_now else best),
                {"history": asdict(self.history), "rng": self.rng.bit_generator.state})

    def load(self, arrays: dict[str, np.ndarray], metadata: dict, steps: int) -> None:
        """Go back to where a `state` was taken, `steps` an epoch."""
        self.history = History(**metadata["history"])
        self.history.validation = [Metrics(*numbers)
                                   for numbers in self.history.validation]
        self.rng.bit_generator.state = metadata["rng"]
        self.step.optimizer.begin_num_update = self.epochs * steps
        for i, parameter in enumerate(self.parameters):
            parameter.data()[:] = arrays[f"weights/{i}"]
            judged = arrays.get(f"average/{i}", arrays[f"weights/{i}"])
            self.best[i][:] = arrays.get(f"best/{i}", judged)
        for i, average in enumerate(self.averages):
            average[:] = arrays[f"average/{i}"]
        for i, state in enumerate(self.step.states):
            for j, array in enumerate(as_list(state)):
                array[:] = arrays[f"state/{i}/{j}"]


def initialise(model: FieldBlock, seed: int) -> None:
    """Seed MXNet, and give the model its first weights if it has none."""
    mx.random.seed(seed)
    try:
        [parameter.data() for parameter in model.collect_params().values()]
    except RuntimeError:  # Gluon's word for "not initialised"
        model.initialize()


def mxnet_seed(*numbers: int) -> int:
    """Return a seed for MXNet, drawn from several numbers as NumPy draws one."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)


def compiled(model: FieldBlock, tables: Sequence[gluon.Parameter] = (), *,
             with_values: bool = False,
             with_embeddings: bool = False) -> gluon.SymbolBlock:
    """Return the model as a graph in which `tables` are inputs, as ids are.

    Args:
        model: one of this package's models.
        tables: those of its tables that the caller hands over at each call, by rows.
        with_values: whether it takes values x after the ids.
        with_embeddings: whether it returns E, of each embedding, beside the logits.
    """
    inputs = input_symbols(with_values)
    outputs = [model(*inputs)]
    if with_embeddings:
        outputs += [embedding(*inputs) for embedding in _embeddings_of(model)]
    rows = [mx.sym.var(table.name, dtype="float32") for table in tables]
    graph = gluon.SymbolBlock(outputs, inputs + rows, params=model.collect_params())
    # Static memory: fresh arrays each step cost the system a page fault every 4 KB.
    graph.hybridize(static_alloc=True)
    return graph


def as_list(arrays: Any) -> list:
    """None, an array or several: what optimizers and graphs return, as a list."""
    if arrays is None:
        return []
    return list(arrays) if isinstance(arrays, (tuple, list)) else [arrays]


def _embeddings_of(model: FieldBlock) -> list[FieldEmbedding]:
    return [block for block in blocks_of(model) if isinstance(block, FieldEmbedding)]


def _set_grad_reqs(grad_reqs: dict[gluon.Parameter, str]) -> None:
    for parameter, grad_req in grad_reqs.items():
        parameter.grad_req = grad_req


def check_settings(epochs: int, batch_size: int, learning_rate: float, seed: int,
                   checkpoint: Any) -> None:
    """Check what every training is told, here and on many machines.

    Raises:
        TypeError, ValueError: a setting makes no sense, or a folder's name stands in
            the place of a checkpoint.
    """
    check_integer("epochs", epochs)
    check_integer("batch_size", batch_size)
    check_number("learning_rate", learning_rate, 0, np.inf, low_allowed=False)
    check_integer("seed", seed, least=0)
    if isinstance(checkpoint, (str, os.PathLike)):
        raise TypeError(f"checkpoint = {checkpoint!r}: a checkpoint is needed, such as "
                        f"scale.Checkpoint({str(checkpoint)!r})")


def _check_fit_together(encoders: Sequence, train: tuple,
                        validation: tuple | None) -> None:
    """Refuse rows of two encoders, and values for a part of the rows alone."""
    known = [encoder for encoder in encoders if encoder is not None]
    if any(each is not known[0] and each.fingerprint != known[0].fingerprint
           for each in known[1:]):
        raise ValueError("train, validation and encoder are not of one FieldEncoder: "
                         "fit it on the training rows alone and encode all with it")
    if validation is not None and (train[2] is None) != (validation[2] is None):
        without = "train" if train[2] is None else "validation"
        raise ValueError(f"{without} has no values and the other rows have: they are "
                         "needed for both or for none")


def _of_mean_one(weights: np.ndarray | None) -> np.ndarray | None:
    """The weights, of which the mean is one. So a common factor changes no step."""
    if weights is None:
        return None
    return (weights * (len(weights) / weights.sum(dtype=np.float64))).astype(np.float32)


def correct_for_sampling(model: FieldBlock, kept: float) -> None:
    """Undo what the thinning out of negative rows did to a model's probabilities.

    A log keeps all clicks and a share of its other rows, drawn at random. Odds in it
    are 1/`kept` times the true ones, so every logit is too large by −log `kept`. This
    adds log `kept` to the model's bias. He et al., 2014, section 6.3, correct each
    probability instead, which comes to the same. Rows that were weighted need none.

    Args:
        model: one of this package's models, trained on the thinned-out log.
        kept: the share of negative rows that was kept, in (0, 1].

    Raises:
        TypeError, ValueError: `kept` is no such share, or the model has no bias.
    """
    if kept != 1:
        check_number("kept", kept, 0, 1, low_allowed=False)
    parameters = named_parameters(model)
    biases = [parameters[name] for name in ("first_order.bias", "mlp.output.bias")
              if name in parameters]
    if not biases:
        raise ValueError(f"{type(model).__name__} has none of the biases that this "
                         "package's models have")
    biases[0].set_data(biases[0].data() + math.log(kept))


def _check_penalty(model: FieldBlock, embedding_l2: float) -> None:
    check_number("embedding_l2", embedding_l2, 0, np.inf)
    if embedding_l2 and not _embeddings_of(model):
        raise ValueError(f"embedding_l2 = {embedding_l2}: {type(model).__name__} "
                         "has no embedding, only 0 is allowed")


def _check_averaging(averaging: float, step: type[TrainStep]) -> None:
    check_number("averaging", averaging, 0, 1)
    if averaging and getattr(step, "by_rows", False):
        raise ValueError(f"averaging = {averaging}: averages are of whole tables, and "
                         f"{step.__name__} updates a batch's rows, so only 0 is "
                         "allowed with it")


def _name_of(argument: str, part: Any) -> str:
    """The name by which a checkpoint knows a class or a function."""
    try:
        return part.__qualname__
    except AttributeError:
        raise TypeError(f"{argument} = {part!r}: a class or a function is needed, "
                        "for the checkpoint to name it") from None


def _say_where(run: _Training) -> None:
    best = run.history.best_epoch
    print(f"Interrupted in epoch {run.epochs + 1}. The model has the weights of "
          + (f"epoch {best}, its best so far." if best else "before the training."))
