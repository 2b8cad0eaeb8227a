"""Dense embeddings: two ways to look a row up, and the block that models share (chapters 3, 4)."""
import mxnet as mx
import numpy as np
from mxnet import nd
from mxnet.gluon import HybridBlock

from .checks import check_ids, check_values, counts, field_bounds, whole_number


def embed_by_take(ids, factors):
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


def embed_by_dot(one_hot, factors, field_sizes):
    """Multiply each field's one-hot block with its own rows of V.

    Args:
        one_hot: x, an NDArray of shape (B, n).
        factors: V, an NDArray of shape (n, k).
        field_sizes: n_f of every field; they add up to n.

    Returns:
        E, an NDArray of shape (B, F, k).
    """
    sizes = counts("field_sizes", field_sizes)
    if not one_hot.shape[1] == len(factors) == sum(sizes):
        raise ValueError(f"one_hot has {one_hot.shape[1]} columns and factors {len(factors)} rows: "
                         f"field_sizes add up to {sum(sizes)}, all three must agree")
    blocks = [nd.dot(one_hot[:, first:end], factors[first:end])
              for first, end in zip(*(bound.tolist() for bound in field_bounds(sizes)))]
    return nd.stack(*blocks, axis=1)


class FieldBlock(HybridBlock):
    """A block that takes `ids` and optional `values`, and refuses bad ones at the door.

    The check runs on real arrays, so it holds in eager and in hybridised use alike.

    Args:
        field_sizes: how many ids each field owns.
    """

    def __init__(self, field_sizes):
        super().__init__()
        self.field_sizes = counts("field_sizes", field_sizes)
        self._bounds = field_bounds(self.field_sizes)
        self._num_inputs = None

    def forward(self, ids, values=None):
        """Check `ids` (B, F) and `values` (B, F), then compute. Symbols pass unchecked."""
        if isinstance(ids, mx.sym.Symbol):
            return super().forward(ids, values)
        checked = check_ids(ids, *self._bounds)
        inputs = [_same_or_new(ids, checked)]
        if values is not None:
            inputs.append(_same_or_new(values, check_values(values, checked.shape)))
        if len(inputs) != self._num_inputs:
            # A compiled graph takes one number of inputs. Without values it multiplies by none.
            self._clear_cached_op()
            self._num_inputs = len(inputs)
        return super().forward(*inputs)


def _same_or_new(given, checked):
    """The caller's own NDArray where it will do, so that gradients reach it; else a new one."""
    if isinstance(given, nd.NDArray) and given.dtype == checked.dtype:
        return given
    return nd.array(checked, dtype=checked.dtype)


class FieldEmbedding(FieldBlock):
    """The embedding table that FM and DNN share: `embedding(ids, values) → E`, (B, F, k).

    Its one parameter, `factors`, is V of equation (1), (n, k). Row f of a sample's E is
    x_i v_i for the active feature i of field f. V starts as normal noise of standard deviation
    0.01: small, so that no pair matters before the data says so, and not zero, where the
    gradient of every pair vanishes.

    Args:
        field_sizes: how many ids each field owns.
        num_factors: k.
    """

    def __init__(self, field_sizes, num_factors):
        super().__init__(field_sizes)
        self.num_factors = whole_number("num_factors", num_factors)
        with self.name_scope():
            self.factors = self.params.get(
                "factors", shape=(sum(self.field_sizes), self.num_factors),
                init=mx.init.Normal(0.01))

    def hybrid_forward(self, F, ids, values=None, *, factors):
        rows = F.take(factors, ids)  # (B, F, k)
        return rows if values is None else F.broadcast_mul(rows, values.expand_dims(2))
