"""One update of a model's weights in which tables are trained by rows (chapter 11)."""
from collections.abc import Callable, Iterator
from typing import ClassVar

import mxnet as mx
import numpy as np
from mxnet import nd

from .._validation import ROWS_AT_ONCE
from ..embeddings import FieldBlock
from ..training import TrainStep, as_list


class LazyTrainStep(TrainStep):
    """A `TrainStep` whose cost follows the batch and not the tables.

    It takes each distinct id of the batch out of the tables once, trains those rows
    alone and puts them back, with their part of the optimizer's state. In a step
    without it, a row and its state stand still. For plain SGD that changes nothing; for
    Adam it is known as the lazy variant. The optimizer still counts all steps of the
    table: Adam corrects the moments of a row that comes first in step 1,000 as if they
    were a thousand steps old, and moves it by 2.5 learning rates. In the `with` block,
    tables have no gradient that would take memory; with `table_l2`, four bytes a
    feature count the steps that its rows have gone through.

    The optimizer must treat each row by itself. One that looks at the whole of a
    parameter, such as LARS and LAMB with their norms, would see the batch's rows alone.

    With `table_l2`, a row decays in the steps without it, too: `settle` makes up for
    them before the row is used. For plain SGD the result is that of a `TrainStep`; for
    Adam it is close to it (`decay_adam`). Other optimizers are refused.

    Attributes:
        weights: the parameters that are trained as a whole.
        tables: the model's tables, those that are frozen too.
        states: the optimizer's state of each weight, then of each table that is not
            frozen.

    Args:
        model, optimizer, with_values, embedding_l2, table_l2: as for `TrainStep`.

    Raises:
        ValueError: `table_l2` with an optimizer whose decay is not known.
    """

    by_rows: ClassVar[bool] = True

    def __init__(self, model: FieldBlock, optimizer: mx.optimizer.Optimizer, *,
                 with_values: bool = False, embedding_l2: float = 0.0,
                 table_l2: float = 0.0) -> None:
        self.tables = model.tables
        super().__init__(model, optimizer, with_values=with_values,
                         embedding_l2=embedding_l2, table_l2=table_l2,
                         tables=self.tables)
        for table in self._trained(self.tables):
            self.during[table] = "null"
            self.states.append(optimizer.create_state(len(self.states), table.data()))
        self._decay = _decay_of(optimizer) if table_l2 else None
        # How many steps there were, and how many of them each row has gone through.
        self._steps = 0
        self._gone_through = np.zeros(sum(model.field_sizes) if table_l2 else 0,
                                      np.int32)

    def __call__(self, ids: np.ndarray, labels: np.ndarray,
                 values: np.ndarray | None = None,
                 weights: np.ndarray | None = None) -> nd.NDArray:
        """Update the weights once. Arguments and result as for `TrainStep`."""
        used, places = distinct(ids)
        if self._decay:
            self._catch_up(used)
            self._steps += 1
            self._gone_through[used] = self._steps
        used = nd.array(used, dtype="int32")
        rows = [table.data().take(used) for table in self.tables]  # (U,) and (U, k)
        for taken in self._trained(rows):
            taken.attach_grad()
        loss = self._differentiate(places, labels, values, weights, *rows)
        self._update_weights()
        self._update_tables(used, self._trained(rows))
        return loss

    def settle(self) -> None:
        """Bring every row to where the penalty would have it after all steps so far."""
        num_rows = len(self._gone_through) if self._decay else 0
        for first in range(0, num_rows, ROWS_AT_ONCE):
            self._catch_up(np.arange(first, min(first + ROWS_AT_ONCE, num_rows)))
            nd.waitall()  # or the copies of many parts would be in memory together

    def _catch_up(self, ids: np.ndarray) -> None:
        """Let rows decay for the steps that went by without them."""
        late = ids[self._gone_through[ids] < self._steps]
        if not len(late):
            return
        absent = nd.array(self._steps - self._gone_through[late])
        self._gone_through[late] = self._steps
        late = nd.array(late, dtype="int32")
        for i, table in enumerate(self._trained(self.tables), start=len(self.weights)):
            arrays = [table.data(), *as_list(self.states[i])]
            rows = [array.take(late) for array in arrays]
            steps = absent.reshape((-1, *[1] * (rows[0].ndim - 1)))
            for array, row in zip(arrays, self._decay(self.optimizer, steps, *rows)):
                _put_rows(array, late, row)

    def _trained(self, of_tables: list) -> list:
        """Those of a list, one entry a table, whose table is not frozen."""
        return [one for one, table in zip(of_tables, self.tables)
                if self.is_trained[table]]

    def _update_tables(self, used: nd.NDArray, rows: list[nd.NDArray]) -> None:
        """Let the optimizer see the batch's rows alone, of each table and its state."""
        tables = self._trained(self.tables)
        for i, (table, taken) in enumerate(zip(tables, rows), start=len(self.weights)):
            several = isinstance(self.states[i], (tuple, list))
            whole = as_list(self.states[i])
            parts = [array if array is None else array.take(used) for array in whole]
            state = tuple(parts) if several else parts[0] if parts else None
            self.optimizer.update(i, taken, taken.grad, state)
            for array, part in zip([table.data(), *whole], [taken, *parts]):
                if array is not None:  # DCASGD without momentum has one such
                    _put_rows(array, used, part)


def _decay_of(optimizer: mx.optimizer.Optimizer) -> Callable:
    """What an optimizer and its penalty make of rows in steps without a gradient."""
    if isinstance(optimizer, mx.optimizer.Adam):
        return decay_adam
    if type(optimizer) is mx.optimizer.SGD and not optimizer.momentum:
        return decay_sgd
    raise ValueError(f"table_l2 by rows is known for Adam and for SGD without momentum "
                     f"and not for {type(optimizer).__name__}"
                     f"(momentum={getattr(optimizer, 'momentum', None)}): "
                     "train with TrainStep")


def decay_sgd(optimizer: mx.optimizer.SGD, absent: nd.NDArray,
              rows: nd.NDArray) -> Iterator[nd.NDArray]:
    """Rows after some steps of SGD with the penalty alone: times (1 − ηλ)^steps.

    Args:
        optimizer: an SGD without momentum, step size η and wd = λ.
        absent: (U, 1) or (U,), how many steps each row was away.
        rows: (U, k) or (U,).

    Yields:
        The rows, as long as they were.
    """
    yield rows * (1 - optimizer.learning_rate * optimizer.wd) ** absent


def decay_adam(optimizer: mx.optimizer.Adam, absent: nd.NDArray, rows: nd.NDArray,
               mean: nd.NDArray, square: nd.NDArray) -> Iterator[nd.NDArray]:
    """Rows and their moments after some steps of Adam with the penalty alone, nearly.

    In such a step the gradient is λw. What the mean of earlier gradients still moves is
    a geometric series, over in some ten steps. The rest is a decay, w' = −η λw / √ω, in
    which ω itself goes to (λw)². It is followed in two halves, each with ω and with
    Adam's correction of η as they are in its middle.

    Args:
        optimizer: an Adam, step size η and wd = λ.
        absent: (U, 1) or (U,), how many steps each row was away.
        rows, mean, square: (U, k) or (U,), weights w and the moments of their gradient.

    Yields:
        Rows, mean and square, as large as they were.
    """
    pull, half, epsilon = optimizer.wd, absent / 2, optimizer.epsilon
    beta1, beta2 = optimizer.beta1, optimizer.beta2
    ratio = beta1 / beta2 ** 0.5

    def rate(steps_ago: nd.NDArray) -> nd.NDArray:  # as Adam corrects it
        t = nd.maximum(optimizer.num_update - steps_ago, 1)
        return optimizer.learning_rate * (1 - beta2 ** t).sqrt() / (1 - beta1 ** t)

    def after(steps: nd.NDArray) -> nd.NDArray:  # ω, when the gradient stays
        return target + (square - target) * beta2 ** steps

    target, few = (pull * rows).square(), nd.minimum(absent, 10) / 2
    left = mean - pull * rows
    rows = rows - rate(absent - few) * left * (1 - ratio ** absent) * (
        ratio / (1 - ratio)) / (after(few).sqrt() + epsilon)
    for steps_ago in (1.5 * half, half / 2):
        target = (pull * rows).square()
        speed = rate(steps_ago) * pull / (after(half / 2).sqrt() + epsilon)
        rows = rows * (-half * speed).exp()
        target = (target + (pull * rows).square()) / 2
        square = after(half)
    yield from (rows, left * beta1 ** absent + pull * rows, square)


def distinct(ids: np.ndarray) -> tuple[np.ndarray, nd.NDArray]:
    """The ids that occur, (U,), in order, and which of them is at each place, (B, F).

    It is `np.unique`, in about a third of the time for 100,000 ids: NumPy sorts 16 bits
    in time proportional to how many there are. So two stable sorts, by the low bits and
    then by the high ones, put ids in order.

    Args:
        ids: (B, F), from 0 to 2³² - 1.
    """
    flat = ids.ravel()
    order = np.argsort(flat.astype(np.uint16), kind="stable")
    high = (flat >> 16).astype(np.uint16)
    if high.any():
        order = order[np.argsort(high[order], kind="stable")]
    in_order = flat[order]
    is_first = np.concatenate(([True], in_order[1:] != in_order[:-1]))
    places = np.empty(flat.size, np.int32)
    places[order] = np.cumsum(is_first, dtype=np.int32) - 1
    return in_order[is_first], nd.array(places.reshape(ids.shape), dtype="int32")


def _put_rows(table: nd.NDArray, ids: nd.NDArray, rows: nd.NDArray) -> None:
    """`table[ids] = rows`, in place.

    In MXNet 1.9.1 that form would wait for all work under way.
    """
    nd._internal._scatter_set_nd(table, rows, ids.expand_dims(0), shape=table.shape,
                                 out=table)
