"""One update of a model's weights in which tables are trained by rows (chapter 11)."""
import mxnet as mx
import numpy as np
from mxnet import nd

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
    tables have no gradient that would take memory.

    The optimizer must treat each row by itself. One that looks at the whole of a
    parameter, such as LARS and LAMB with their norms, would see the batch's rows alone.

    Attributes:
        weights: the parameters that are trained as a whole.
        tables: the model's tables, those that are frozen too.
        states: the optimizer's state of each weight, then of each table that is not
            frozen.

    Args:
        model, optimizer, with_values, embedding_l2: as for `TrainStep`.
    """

    def __init__(self, model: FieldBlock, optimizer: mx.optimizer.Optimizer, *,
                 with_values: bool = False, embedding_l2: float = 0.0) -> None:
        self.tables = model.tables
        super().__init__(model, optimizer, with_values=with_values,
                         embedding_l2=embedding_l2, tables=self.tables)
        for table in self._trained(self.tables):
            self.during[table] = "null"
            self.states.append(optimizer.create_state(len(self.states), table.data()))

    def __call__(self, ids: np.ndarray, labels: np.ndarray,
                 values: np.ndarray | None = None,
                 weights: np.ndarray | None = None) -> nd.NDArray:
        """Update the weights once. Arguments and result as for `TrainStep`."""
        used, places = distinct(ids)
        used = nd.array(used, dtype="int32")
        rows = [table.data().take(used) for table in self.tables]  # (U,) and (U, k)
        for taken in self._trained(rows):
            taken.attach_grad()
        loss = self._differentiate(places, labels, values, weights, *rows)
        self._update_weights()
        self._update_tables(used, self._trained(rows))
        return loss

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


def distinct(ids: np.ndarray) -> tuple[np.ndarray, nd.NDArray]:
    """The ids that occur, (U,), and which of them is at each place, (B, F)."""
    used, places = np.unique(ids, return_inverse=True)
    return used, nd.array(places.reshape(ids.shape), dtype="int32")


def _put_rows(table: nd.NDArray, ids: nd.NDArray, rows: nd.NDArray) -> None:
    """`table[ids] = rows`, in place.

    In MXNet 1.9.1 that form would wait for all work under way.
    """
    nd._internal._scatter_set_nd(table, rows, ids.expand_dims(0), shape=table.shape,
                                 out=table)
