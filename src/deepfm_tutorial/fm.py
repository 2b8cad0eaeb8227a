"""Linear and second-order parts: logistic regression and the factorization machine (chapter 2)."""
from .embeddings import FieldBlock, FieldEmbedding


def pairwise_interactions(embeddings):
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

    Parameters: `bias` (1,) and `weights` (n,). Both start at zero, a probability of one half.
    """

    def __init__(self, field_sizes):
        super().__init__(field_sizes)
        with self.name_scope():
            self.bias = self.params.get("bias", shape=(1,), init="zeros")
            self.weights = self.params.get("weights", shape=(sum(self.field_sizes),), init="zeros")

    def hybrid_forward(self, F, ids, values=None, *, bias, weights):
        terms = F.take(weights, ids)  # (B, F)
        terms = terms if values is None else terms * values
        return F.broadcast_add(terms.sum(axis=1), bias)  # (B,)


class LogisticRegression(FieldBlock):
    """First order alone: `model(ids, values) → logits`, (B,).

    Args:
        field_sizes: how many ids each field owns.
    """

    def __init__(self, field_sizes):
        super().__init__(field_sizes)
        self.first_order = FirstOrder(field_sizes)

    def hybrid_forward(self, F, ids, values=None):
        return self.first_order(ids, values)


class FM(FieldBlock):
    """Factorization machine: `model(ids, values) → logits`, (B,). Equation 1 of Rendle, 2010.

    Args:
        field_sizes: how many ids each field owns.
        num_factors: k, the length of each feature's factor row.
    """

    def __init__(self, field_sizes, num_factors=10):
        super().__init__(field_sizes)
        self.first_order = FirstOrder(field_sizes)
        self.embedding = FieldEmbedding(field_sizes, num_factors)

    def hybrid_forward(self, F, ids, values=None):
        embeddings = self.embedding(ids, values)  # (B, F, k)
        return self.first_order(ids, values) + pairwise_interactions(embeddings)
