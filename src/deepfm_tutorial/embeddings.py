"""Embeddings: two ways to look a row up, and the models' base (chapters 3, 4)."""
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd
from mxnet.gluon import Block, HybridBlock, Parameter
from numpy.typing import ArrayLike

from ._validation import (
    check_ids,
    check_inputs,
    check_integer,
    check_sizes,
    field_bounds,
    is_past_the_door,
    past_the_door,
)

INPUTS = {"ids": "int32", "values": "float32"}
"""What a model takes, each (B, F), and its type. Only weighted rows need `values`."""

_one_call_at_a_time = threading.RLock()

MODELS: dict[str, type] = {}
"""Every model of the package by its name. `register` adds to it.

:meta hide-value:
"""


def embed_by_take(ids: ArrayLike | nd.NDArray, factors: nd.NDArray) -> nd.NDArray:
    """Look up each id's row of V.

    Args:
        ids: (B, F) whole numbers below n.
        factors: V, an NDArray of shape (n, k).

    Returns:
        E, an NDArray of shape (B, F, k).

    Raises:
        ValueError: an id is not a row of V. (`nd.take` alone would clip it.)
    """
    ids = check_ids(ids, 0, len(factors))
    return nd.take(factors, nd.array(ids, dtype="int32"))


def embed_by_dot(one_hot: nd.NDArray, factors: nd.NDArray,
                 field_sizes: Sequence[int]) -> nd.NDArray:
    """Multiply each field's one-hot block with its own rows of V.

    Args:
        one_hot: x, an NDArray of shape (B, n).
        factors: V, an NDArray of shape (n, k).
        field_sizes: n_f of every field; they add up to n.

    Returns:
        E, an NDArray of shape (B, F, k).

    Raises:
        ValueError: the three do not agree about n.
    """
    sizes = check_sizes("field_sizes", field_sizes)
    if not one_hot.shape[1] == len(factors) == sum(sizes):
        raise ValueError(f"one_hot has {one_hot.shape[1]} columns and factors "
                         f"{len(factors)} rows: field_sizes add up to {sum(sizes)}, "
                         "all three must agree")
    blocks = [nd.dot(one_hot[:, first:end], factors[first:end])
              for first, end in zip(*(bound.tolist() for bound in field_bounds(sizes)))]
    return nd.stack(*blocks, axis=1)


class FieldBlock(HybridBlock):
    """A block that takes `ids` and optional `values`, and refuses bad ones at the door.

    The check runs on real arrays, so it holds in eager and in hybridised use alike. It
    runs once: blocks inside a block are past the door. Several threads may call one
    block; MXNet gets their calls one after the other.

    A block declares its tables, the parameters with one row a feature, by `table`.
    Those are what can be trained by rows and spread over servers.

    A block with weights can be pickled and copied; the copy has the same weights.

    Attributes:
        field_sizes: how many ids each field owns, a tuple of F ints.
        pooled: whether a field may have several columns of ids, as the multi-valued
            ones of a `FieldEncoder` have. Then E has Σ x_i v_i over each field's
            columns.
        arguments: what the block was made with, by name: `type(block)(**arguments)`
            makes another one like it.
        usual_penalty: κ, the strength of `fit(table_l2=None)`.

    Args:
        field_sizes: as above.
        arguments: all others that the subclass takes; `pooled` may be among them.
    """

    usual_penalty = 5.0

    def __init__(self, field_sizes: Sequence[int], **arguments: Any) -> None:
        super().__init__()
        self.field_sizes = check_sizes("field_sizes", field_sizes)
        self.arguments = {"field_sizes": self.field_sizes, **arguments}
        self.pooled = bool(arguments.get("pooled", False))
        self._own_tables = []
        self._num_inputs = None

    def table(self, name: str, *width: int, init: Any) -> Parameter:
        """Return a new parameter, declared as a table: (n,) and `width` behind it."""
        table = self.params.get(name, shape=(sum(self.field_sizes), *width), init=init)
        self._own_tables.append(table)
        return table

    @property
    def tables(self) -> list[Parameter]:
        """The tables of this block and of all blocks inside it."""
        blocks = [block for block in blocks_of(self) if isinstance(block, FieldBlock)]
        # A table that two blocks share is one.
        return list(dict.fromkeys(t for block in blocks for t in block._own_tables))

    def forward(self, ids: Any, values: Any = None) -> Any:
        """Check `ids` and `values`, each (B, F), and compute. Symbols go unchecked."""
        if isinstance(ids, mx.sym.Symbol):
            return super().forward(ids, values)
        inputs = [ids] if values is None else [ids, values]
        if not is_past_the_door():
            good = check_inputs(self, ids, values)
            inputs = [_same_or_new(given, new) for given, new in zip(inputs, good)]
        with _one_call_at_a_time, past_the_door():
            if len(inputs) != self._num_inputs:
                # A compiled graph takes a fixed number of inputs. Without values it is
                # another graph, which multiplies by none.
                self._clear_cached_op()
                self._num_inputs = len(inputs)
            return self._computed(*map(_as_ndarray, inputs))

    def _computed(self, *inputs: nd.NDArray) -> Any:
        try:
            return super().forward(*inputs)
        except RuntimeError as error:
            if "has not been initialized" not in str(error):
                raise
            raise ValueError("the model has no weights yet: call fit first, or "
                             "initialize()") from None

    def __reduce__(self) -> tuple:
        """A block as its class, arguments and weights: what pickle and copy store."""
        parameters = named_parameters(self)
        weights = {name: p.data().asnumpy() for name, p in parameters.items()
                   if p._data is not None}
        frozen = [name for name, p in parameters.items() if p.grad_req == "null"]
        return _made_anew, (type(self), self.arguments, weights, frozen)


def _made_anew(kind: type, arguments: dict, weights: dict, frozen: list) -> FieldBlock:
    """The block that `FieldBlock.__reduce__` described."""
    block = kind(**arguments)
    if weights:
        block.initialize()
    for name, parameter in named_parameters(block).items():
        if name in frozen:
            parameter.grad_req = "null"
        if name in weights:
            parameter.set_data(weights[name])
    return block


def blocks_of(block: Block) -> Iterator[Block]:
    """Yield a block and all blocks inside it."""
    yield block
    for child in block._children.values():
        yield from blocks_of(child)


def register(model: type) -> type:
    """Class decorator: make a `FieldBlock` one of the package's `MODELS`.

    The tests of what every model must do run over all of them. A model is made by
    `Model(field_sizes)` with defaults for everything else, and gives logits, (B,).
    """
    MODELS[model.__name__] = model
    return model


def named_parameters(model: Block) -> dict[str, Parameter]:
    """The parameters by their place in the model, as in `embedding.factors`.

    Gluon's public names count the blocks that a process has made. `save_parameters`
    goes by places.
    """
    return model._collect_params_with_prefix()


def input_symbols(with_values: bool = False) -> list[mx.sym.Symbol]:
    """What stands for `ids`, and for `values` if the model gets them, in a graph."""
    names = list(INPUTS) if with_values else ["ids"]
    return [mx.sym.var(name, dtype=INPUTS[name]) for name in names]


def _same_or_new(given: Any, checked: np.ndarray) -> Any:
    """The caller's own NDArray if it will do: gradients must reach it. Else the new."""
    is_usable = isinstance(given, nd.NDArray) and given.dtype == checked.dtype
    return given if is_usable else checked


def _as_ndarray(array: Any) -> nd.NDArray:
    return (array if isinstance(array, nd.NDArray)
            else nd.array(array, dtype=array.dtype))


class FieldEmbedding(FieldBlock):
    """The embedding table of FM and DNN: `embedding(ids, values) → E`, (B, F, k).

    Its one parameter, `factors`, is V of equation (1), (n, k). Row f of a sample's E is
    x_i v_i for the active feature i of field f. V starts as normal noise of standard
    deviation 0.01: small, so that no pair matters before the data says so, and not
    zero, where the gradient of every pair vanishes.

    A field that has several columns of ids adds up its rows, Σ x_i v_i. A second table,
    `fields`, then says of each id which field it is of; it is never trained.

    Args:
        field_sizes: how many ids each field owns.
        num_factors: k, the length of each feature's factor row.
        pooled: whether a field may have several columns of ids.
    """

    def __init__(self, field_sizes: Sequence[int], num_factors: int,
                 pooled: bool = False) -> None:
        super().__init__(field_sizes, num_factors=num_factors, pooled=pooled)
        self.num_factors = check_integer("num_factors", num_factors)
        self.factors = self.table("factors", self.num_factors,
                                  init=mx.init.Normal(0.01))
        if pooled:
            number = np.repeat(np.arange(len(self.field_sizes)), self.field_sizes)
            self.fields = self.table("fields", init=mx.init.Constant(nd.array(number)))
            self.fields.grad_req = "null"

    def hybrid_forward(self, F, ids, values=None, *, factors, fields=None):
        rows = F.take(factors, ids)  # (B, F, k), or (B, S, k)
        if values is not None:
            rows = F.broadcast_mul(rows, values.expand_dims(2))
        if fields is None:
            return rows
        of_field = F.one_hot(F.take(fields, ids), len(self.field_sizes))  # (B, S, F)
        return F.batch_dot(of_field, rows, transpose_a=True)  # (B, F, k)
