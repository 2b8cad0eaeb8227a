"""Linear and second-order parts: logistic regression and the FM (chapter 2)."""
from collections.abc import Sequence

from mxnet import nd, sym

from .embeddings import FieldBlock, FieldEmbedding, register


def pairwise_interactions(
        embeddings: nd.NDArray | sym.Symbol) -> nd.NDArray | sym.Symbol:
    """Sum the inner products of all pairs of fields, in O(kF).

    Σ_{f<g} ⟨e_f, e_g⟩ = ½ (‖Σ_f e_f‖² − Σ_f ‖e_f‖²): Lemma 3.1 of Rendle, 2010.

    Args:
        embeddings: E, an NDArray or Symbol of shape (B, F, k).

    Returns:
        Shape (B,).
    """
    # MXNet 1.9.1 sums over the last axis alone about twice as fast as over others.
    square_of_sum = embeddings.transpose((0, 2, 1)).sum(axis=2).square().sum(axis=1)
    sum_of_squares = embeddings.square().reshape((0, -1)).sum(axis=1)
    return 0.5 * (square_of_sum - sum_of_squares)


class FirstOrder(FieldBlock):
    """w₀ + Σ_i w_i x_i: the bias and the first-order part of equation (1).

    Parameters: `bias` (1,) and `weights` (n,). Both start at zero: a probability of ½.

    Args:
        field_sizes: how many ids each field owns.
        pooled: as for `FieldBlock`.
    """

    def __init__(self, field_sizes: Sequence[int], pooled: bool = False) -> None:
        super().__init__(field_sizes, pooled=pooled)
        self.bias = self.params.get("bias", shape=(1,), init="zeros")
        self.weights = self.table("weights", init="zeros")

    def hybrid_forward(self, F, ids, values=None, *, bias, weights):
        terms = F.take(weights, ids)  # (B, F)
        terms = terms if values is None else terms * values
        return F.broadcast_add(terms.sum(axis=1), bias)  # (B,)


@register
class LogisticRegression(FieldBlock):
    """First order alone: `model(ids, values) → logits`, (B,).

    Args:
        field_sizes: how many ids each field owns.
        pooled: as for `FieldBlock`.
    """

    def __init__(self, field_sizes: Sequence[int], pooled: bool = False) -> None:
        super().__init__(field_sizes, pooled=pooled)
        self.first_order = FirstOrder(field_sizes, pooled)

    def hybrid_forward(self, F, ids, values=None):
        return self.first_order(ids, values)


@register
class FM(FieldBlock):
    """Factorization machine: `model(ids, values) → logits`, (B,).

    It computes equation 1 of Rendle, 2010.

    Args:
        field_sizes: how many ids each field owns.
        num_factors: k, the length of each feature's factor row.
        pooled: as for `FieldBlock`.
    """

    def __init__(self, field_sizes: Sequence[int], num_factors: int = 10,
                 pooled: bool = False) -> None:
        super().__init__(field_sizes, num_factors=num_factors, pooled=pooled)
        self.first_order = FirstOrder(field_sizes, pooled)
        self.embedding = FieldEmbedding(field_sizes, num_factors, pooled)

    def hybrid_forward(self, F, ids, values=None):
        embeddings = self.embedding(ids, values)  # (B, F, k)
        return self.first_order(ids, values) + pairwise_interactions(embeddings)
