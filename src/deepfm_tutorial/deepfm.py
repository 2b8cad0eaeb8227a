"""DeepFM: first order, pairs and MLP over one embedding table (chapter 6)."""
from collections.abc import Sequence

from .dnn import MLP
from .embeddings import FieldBlock, FieldEmbedding, register
from .fm import FirstOrder, pairwise_interactions


@register
class DeepFM(FieldBlock):
    """`model(ids, values) → logits`, (B,): y_FM + y_DNN, before the sigmoid.

    This is the model of Guo et al., 2017. The FM part and the MLP read the *same* E.
    Both parts have a bias, w₀ and the output layer's; only their sum matters.

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
        self.first_order = FirstOrder(field_sizes, pooled)
        self.embedding = FieldEmbedding(field_sizes, num_factors, pooled)
        num_inputs = len(self.field_sizes) * num_factors
        self.mlp = MLP(num_inputs, hidden_units, dropout, batch_norm)

    def hybrid_forward(self, F, ids, values=None):
        embeddings = self.embedding(ids, values)  # (B, F, k)
        return (self.first_order(ids, values)
                + pairwise_interactions(embeddings)
                + self.mlp(embeddings))
