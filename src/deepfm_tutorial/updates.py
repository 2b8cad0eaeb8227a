"""One update of a model's weights from one batch: of all of them, or by rows (chapters 7, 10)."""
import mxnet as mx
import numpy as np
from mxnet import autograd, gluon, nd

TABLES = ".*(weights|factors)$"  # one row a feature: w of `FirstOrder` and V of `FieldEmbedding`


def logistic_loss(logits, labels):
    """−log of the probability that the logits give the labels: log(1 + e^z) − y z, (B,).

    Gluon's `SigmoidBinaryCrossEntropyLoss` has a wrong gradient at z = 0 exactly, where an
    all-zero model starts; the gradient of this form is σ(z) − y everywhere.
    """
    return nd.Activation(logits, "softrelu") - labels * logits


class Updates:
    """Trains a model batch by batch: `updates(ids, labels, values) → loss`, summed over the batch.

    With `lazy_tables`, a step takes each distinct id of the batch out of the tables once,
    trains those rows alone and puts them back: its cost follows the batch and not the table.
    The optimizer then treats a row as if the steps without it had not been, Adam's moments
    included. For plain SGD that changes nothing; for Adam it is known as the lazy variant.

    Attributes:
        weights: the parameters that are trained as a whole.
        tables: those that are trained by rows; their gradient takes no memory any more.
        states: the optimizer's state of each, weights first, as `create_state` returns it.

    Args:
        model: one of this package's models, with weights.
        optimizer: an `mx.optimizer.Optimizer`.
        with_values: whether batches come with values x.
        embedding_l2: λ, as for `fit`.
        lazy_tables: whether to train the tables by rows.
    """

    def __init__(self, model, optimizer, *, with_values=False, embedding_l2=0.0, lazy_tables=False):
        self.optimizer, self.embedding_l2 = optimizer, embedding_l2
        for table in model.collect_params(TABLES).values():
            table.grad_req = "null" if lazy_tables else "write"
        self.tables = list(model.collect_params(TABLES).values()) if lazy_tables else []
        self.weights = [p for p in model.collect_params().values() if p.grad_req != "null"]
        self.states = [optimizer.create_state(i, parameter.data())
                       for i, parameter in enumerate(self.weights + self.tables)]
        self._graph = as_graph(model, self.tables, with_values, with_embeddings=embedding_l2 > 0)

    def __call__(self, ids, labels, values=None):
        """Update the weights once.

        Args:
            ids: (B, F) NumPy ids, already checked. values: the same shape, or None.
            labels: (B,).

        Returns:
            The loss before the update as an NDArray (1,), not yet waited for.
        """
        inputs, labels = [] if values is None else [nd.array(values)], nd.array(labels)
        used, places = self._distinct(ids)
        rows = [table.data().take(used) for table in self.tables]  # (U,) and (U, k)
        for taken in rows:
            taken.attach_grad()
        with autograd.record():
            logits, *embeddings = as_list(self._graph(places, *inputs, *rows))
            loss = logistic_loss(logits, labels).sum()
            penalty = sum(e.square().sum() * (self.embedding_l2 / 2) for e in embeddings)
            objective = loss + penalty
        objective.backward()
        self.optimizer.rescale_grad = 1 / len(ids)  # the mean over the batch
        self._update_weights()
        self._update_tables(used, rows)
        return loss

    def _distinct(self, ids):
        """The ids that occur, (U,), and for each place of the batch which of them, (B, F)."""
        if not self.tables:
            return None, nd.array(ids, dtype="int32")
        used, places = np.unique(ids, return_inverse=True)
        return nd.array(used, dtype="int32"), nd.array(places.reshape(ids.shape), dtype="int32")

    def _update_weights(self):
        for i, parameter in enumerate(self.weights):
            self.optimizer.update(i, parameter.data(), parameter.grad(), self.states[i])

    def _update_tables(self, used, rows):
        """Let the optimizer see a table and its state as if they were the batch's rows alone."""
        for i, (table, taken) in enumerate(zip(self.tables, rows), start=len(self.weights)):
            whole = as_list(self.states[i])
            parts = [array.take(used) for array in whole]
            state = parts[0] if len(parts) == 1 else tuple(parts) or None
            self.optimizer.update(i, taken, taken.grad, state)
            for array, part in zip([table.data(), *whole], [taken, *parts]):
                _put_rows(array, used, part)


def named_parameters(model):
    """The parameters by their place in the model, as in `embedding.factors`.

    Gluon's public names count the blocks that a process has made; `save_parameters` goes by these.
    """
    return model._collect_params_with_prefix()


def as_graph(model, tables, with_values=False, with_embeddings=False):
    """Return the model as a block in which `tables` are inputs, as ids are, and no parameters.

    Args:
        model: one of this package's models.
        tables: those of its parameters that the caller hands over at each call, by rows.
        with_values: whether it takes values x after the ids.
        with_embeddings: whether it returns E beside the logits.
    """
    inputs = [mx.sym.var("ids", dtype="int32")] + [mx.sym.var("values", dtype="float32")] * with_values
    outputs = [model(*inputs)] + ([model.embedding(*inputs)] if with_embeddings else [])
    rows = [mx.sym.var(table.name, dtype="float32") for table in tables]
    graph = gluon.SymbolBlock(outputs, inputs + rows, params=model.collect_params())
    # Static memory: fresh arrays each step cost the system a page fault every 4 KB.
    graph.hybridize(static_alloc=True)
    return graph


def _put_rows(table, ids, rows):
    """`table[ids] = rows` in place. (In MXNet 1.9.1 that form waits for all work under way.)"""
    nd._internal._scatter_set_nd(table, rows, ids.expand_dims(0), shape=table.shape, out=table)


def as_list(arrays):
    """None, an array or several: what optimizers and graphs return, as a list."""
    if arrays is None:
        return []
    return list(arrays) if isinstance(arrays, (tuple, list)) else [arrays]
