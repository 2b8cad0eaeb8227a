"""The deep part: fully connected layers on the concatenated embeddings (chapter 5)."""
from collections.abc import Sequence

import mxnet as mx
from mxnet.gluon import HybridBlock, nn

from ._validation import check_integer, check_number, check_sizes
from .embeddings import FieldBlock, FieldEmbedding, register


class ReLU(HybridBlock):
    """max(x, 0). NaN stays NaN; MXNet 1.9.1's `Activation('relu')` makes it 0, and a
    training that failed would go on unnoticed."""

    def hybrid_forward(self, F, x):
        return F.maximum(x, 0)


class ColumnDense(nn.Dense):
    """A dense layer on columns: (in_units, B) in, (units, B) out."""

    def hybrid_forward(self, F, x, weight, bias=None):
        z = F.linalg.gemm2(weight, x)  # `F.dot` is as fast and warns in ONNX's export
        return z if bias is None else F.broadcast_add(z, bias.expand_dims(1))


class BatchNorm(nn.BatchNorm):
    """Batch normalisation of columns, (units, B), over the batch.

    MXNet 1.9.1 takes three times as long where the normalised axis is the last one or
    the others have length 1. The shape (1, units, B) takes its fast path, and what lies
    as (units, B) in memory needs no copy for it.
    """

    def hybrid_forward(self, F, x, **params):
        return super().hybrid_forward(F, x.expand_dims(0), **params).reshape((-3, -1))


class MLP(HybridBlock):
    """Hidden layers (linear, optional batch norm, ReLU, dropout), one linear output.

    `mlp(embeddings) → logits`: (B, F, k) in, (B,) out.

    Args:
        in_units: F·k, the length of the concatenated embeddings.
        hidden_units: the width of each layer.
        dropout: the share of units that are *dropped* while training, in [0, 1). (The
            DeepFM paper states the share kept.)
        batch_norm: whether to normalise each layer over the batch, before its ReLU.
    """

    def __init__(self, in_units: int, hidden_units: Sequence[int] = (400, 400, 400),
                 dropout: float = 0.2, batch_norm: bool = False) -> None:
        super().__init__()
        in_units = check_integer("in_units", in_units)
        self.hidden_units = check_sizes("hidden_units", hidden_units)
        self.dropout = check_number("dropout", dropout, 0, 1)
        self.batch_norm = batch_norm
        dense = ColumnDense if batch_norm else nn.Dense
        # He et al., 2015: a standard deviation of √(2 / inputs) keeps the size of the
        # signal under ReLU.
        he = mx.init.MSRAPrelu(factor_type="in", slope=0)
        with self.name_scope():
            self.layers = nn.HybridSequential()
            for units in self.hidden_units:
                # Batch norm subtracts the mean, and any bias with it.
                self.layers.add(dense(units, in_units=in_units, weight_initializer=he,
                                      use_bias=not batch_norm))
                if batch_norm:
                    self.layers.add(BatchNorm(in_channels=units))
                self.layers.add(ReLU())
                if self.dropout:
                    self.layers.add(nn.Dropout(self.dropout))
                in_units = units
            # With batch norm, the last hidden layer has unit size at once, however
            # small the embeddings. He's output would start with logits to be unlearned.
            init = mx.init.Xavier(factor_type="in", magnitude=1) if batch_norm else he
            self.output = dense(1, in_units=in_units, weight_initializer=init)

    def hybrid_forward(self, F, embeddings):
        h = embeddings.reshape((0, -1))  # (B, F·k)
        if self.batch_norm:
            h = h.transpose()  # its layers work on columns
        return self.output(self.layers(h)).reshape((-1,))  # (B,)


@register
class DNN(FieldBlock):
    """Embeddings and an MLP on top: `model(ids, values) → logits`, (B,).

    Args:
        field_sizes: how many ids each field owns.
        num_factors: k, the length of each feature's factor row.
        hidden_units, dropout, batch_norm: as for `MLP`.
        pooled: as for `FieldBlock`.
    """

    usual_penalty = 1000.0  # small factors are enough: the network scales them

    def __init__(self, field_sizes: Sequence[int], num_factors: int = 10,
                 hidden_units: Sequence[int] = (400, 400, 400), dropout: float = 0.2,
                 batch_norm: bool = False, pooled: bool = False) -> None:
        super().__init__(field_sizes, num_factors=num_factors,
                         hidden_units=hidden_units, dropout=dropout,
                         batch_norm=batch_norm, pooled=pooled)
        self.embedding = FieldEmbedding(field_sizes, num_factors, pooled)
        num_inputs = len(self.field_sizes) * num_factors
        self.mlp = MLP(num_inputs, hidden_units, dropout, batch_norm)

    def hybrid_forward(self, F, ids, values=None):
        return self.mlp(self.embedding(ids, values))
