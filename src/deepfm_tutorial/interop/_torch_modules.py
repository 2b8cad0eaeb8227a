"""The package's blocks as PyTorch modules, one to one, and Adam as MXNet has it.

Names and order of children and parameters are the blocks' own. Two names differ: a
batch norm's `gamma` and `beta` are `weight` and `bias`, as in `nn.BatchNorm1d`. This is
the one file of the package that imports torch as it is loaded.
"""
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .._validation import check_inputs


def _as_numpy(array: Any) -> Any:
    """A tensor as NumPy has it, wherever it lies; anything else as it is."""
    return array.detach().cpu().numpy() if torch.is_tensor(array) else array


class FirstOrder(nn.Module):
    """w₀ + Σ_i w_i x_i. Parameters: `bias` (1,) and `weights` (n,), zero at first."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))
        self.weights = nn.Parameter(torch.zeros(num_features))

    def forward(self, ids: Tensor, values: Tensor | None = None) -> Tensor:
        """(B, F) in, (B,) out."""
        terms = F.embedding(ids, self.weights.unsqueeze(1)).squeeze(2)  # (B, F)
        terms = terms if values is None else terms * values
        return terms.sum(dim=1) + self.bias


class FieldEmbedding(nn.Module):
    """x_i v_i of every field. Parameter: `factors`, (n, k), N(0, 0.01²) at first.

    With `pooled`, the buffer `fields` says of each id which field it is of.
    """

    def __init__(self, field_sizes: Sequence[int], num_factors: int,
                 pooled: bool = False) -> None:
        super().__init__()
        self.num_fields = len(field_sizes)
        self.factors = nn.Parameter(
            torch.empty(sum(field_sizes), num_factors).normal_(std=0.01))
        number = np.repeat(np.arange(len(field_sizes)), field_sizes)
        self.register_buffer("fields", torch.from_numpy(number) if pooled else None)

    def forward(self, ids: Tensor, values: Tensor | None = None) -> Tensor:
        """(B, F), or (B, S) if pooled, in; E, (B, F, k), out."""
        rows = F.embedding(ids, self.factors)
        if values is not None:
            rows = rows * values.unsqueeze(2)
        if self.fields is None:
            return rows
        of_field = F.one_hot(self.fields[ids], self.num_fields)  # (B, S, F)
        return of_field.to(rows.dtype).transpose(1, 2) @ rows


def pairwise_interactions(embeddings: Tensor) -> Tensor:
    """½ (‖Σ_f e_f‖² − Σ_f ‖e_f‖²): (B, F, k) in, (B,) out."""
    square_of_sum = embeddings.sum(dim=1).square().sum(dim=1)
    return 0.5 * (square_of_sum - embeddings.square().sum(dim=(1, 2)))


class BatchNorm(nn.BatchNorm1d):
    """Batch norm of (B, units) whose running variance is MXNet's.

    PyTorch's own adds the variance ÷ (B − 1) to the running one, MXNet ÷ B. Both divide
    by B in what they compute with. So a batch of one row is allowed here, as in MXNet.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, units) in and out."""
        mean, var = self.running_mean, self.running_var
        if self.training:
            var, mean = torch.var_mean(x, dim=0, correction=0)
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var, self.momentum)
        scale = self.weight * (var + self.eps).rsqrt()
        return (x - mean) * scale + self.bias


class MLP(nn.Module):
    """Hidden layers (linear, optional batch norm, ReLU, dropout), one linear output.

    It starts as the package's `MLP` does: He et al. for the weights, biases at zero.
    """

    def __init__(self, in_units: int, hidden_units: Sequence[int], dropout: float,
                 batch_norm: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for units in hidden_units:
            self.layers.append(nn.Linear(in_units, units, bias=not batch_norm))
            if batch_norm:
                self.layers.append(BatchNorm(units, eps=1e-5, momentum=0.1))
            self.layers.append(nn.ReLU())
            if dropout:
                self.layers.append(nn.Dropout(dropout))
            in_units = units
        self.output = nn.Linear(in_units, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        if batch_norm:
            nn.init.uniform_(self.output.weight, -in_units ** -0.5, in_units ** -0.5)

    def forward(self, embeddings: Tensor) -> Tensor:
        """(B, F, k) in, (B,) out."""
        return self.output(self.layers(embeddings.flatten(1))).squeeze(1)


class Model(nn.Module):
    """What the models share: `model(ids, values=None) → logits`, checked at the door.

    Attributes:
        field_sizes, pooled, arguments: as those of a `FieldBlock`.

    Args:
        field_sizes: how many ids each field owns.
        arguments: all others of the package's model, by name; it has checked them.
    """

    def __init__(self, field_sizes: Sequence[int], **arguments: Any) -> None:
        super().__init__()
        self.field_sizes, self.pooled = tuple(field_sizes), arguments["pooled"]
        self.arguments = {"field_sizes": self.field_sizes, **arguments}
        self._add_parts(**arguments)

    def _add_parts(self, **arguments: Any) -> None:
        """Make the blocks, in the order of the package's."""
        raise NotImplementedError

    def forward(self, ids: Any, values: Any = None) -> Tensor:
        """Return the logits.

        Args:
            ids: (B, F) whole numbers, global ids as a `FieldEncoder` gives them; any
                kind of array. (B, S) if the model is pooled.
            values: x of the same shape, or None for ones.

        Returns:
            Shape (B,), in the type and on the device of the weights.

        Raises:
            TypeError, ValueError: as of the package's models. An id out of its field's
                range is named, with its field and the range.
        """
        return self.logits(*self._checked(ids, values))

    def logits(self, ids: Tensor, values: Tensor | None = None) -> Tensor:
        """Compute without a check, from tensors on the device of the weights."""
        raise NotImplementedError

    @torch.compiler.disable  # it looks at numbers, which no compiled graph has
    def _checked(self, ids: Any, values: Any) -> tuple[Tensor, Tensor | None]:
        good = check_inputs(self, _as_numpy(ids), _as_numpy(values))
        like = next(self.parameters())
        # A tensor stays itself, so that gradients reach it.
        ids, values = (given if torch.is_tensor(given) else new if new is None
                       else torch.from_numpy(np.ascontiguousarray(new))
                       for given, new in zip((ids, values), good))
        ids = ids.to(like.device, torch.int64)
        return ids, None if values is None else values.to(like.device, like.dtype)


class LogisticRegression(Model):
    """First order alone."""

    def _add_parts(self, pooled: bool) -> None:
        self.first_order = FirstOrder(sum(self.field_sizes))

    def logits(self, ids: Tensor, values: Tensor | None = None) -> Tensor:
        """As `Model.logits`."""
        return self.first_order(ids, values)


class FM(Model):
    """Factorization machine."""

    def _add_parts(self, num_factors: int, pooled: bool) -> None:
        self.first_order = FirstOrder(sum(self.field_sizes))
        self.embedding = FieldEmbedding(self.field_sizes, num_factors, pooled)

    def logits(self, ids: Tensor, values: Tensor | None = None) -> Tensor:
        """As `Model.logits`."""
        embeddings = self.embedding(ids, values)  # (B, F, k)
        return self.first_order(ids, values) + pairwise_interactions(embeddings)


class DNN(Model):
    """Embeddings and an MLP on top."""

    def _add_parts(self, num_factors: int, hidden_units: Sequence[int], dropout: float,
                   batch_norm: bool, pooled: bool) -> None:
        self.embedding = FieldEmbedding(self.field_sizes, num_factors, pooled)
        self.mlp = MLP(len(self.field_sizes) * num_factors, hidden_units, dropout,
                       batch_norm)

    def logits(self, ids: Tensor, values: Tensor | None = None) -> Tensor:
        """As `Model.logits`."""
        return self.mlp(self.embedding(ids, values))


class DeepFM(DNN):
    """First order, pairs and MLP, the latter two on one E."""

    def _add_parts(self, **arguments: Any) -> None:
        self.first_order = FirstOrder(sum(self.field_sizes))
        super()._add_parts(**arguments)

    def logits(self, ids: Tensor, values: Tensor | None = None) -> Tensor:
        """As `Model.logits`."""
        embeddings = self.embedding(ids, values)  # (B, F, k)
        return (self.first_order(ids, values) + pairwise_interactions(embeddings)
                + self.mlp(embeddings))


MODULES = {module.__name__: module for module in (LogisticRegression, FM, DNN, DeepFM)}
"""The PyTorch module of each model, by the model's name."""


class Adam(torch.optim.Adam):
    """Adam whose ε is added before the bias correction, as MXNet does.

    PyTorch adds ε to √(ω / (1 − β₂^τ)), MXNet to √ω. So the same step needs
    ε / √(1 − β₂^τ) in PyTorch: at τ = 1 that is 31.6 ε.

    Attributes:
        mxnet_eps: ε as MXNet means it; each step overwrites the groups' `eps`.

    Args:
        params: as for `torch.optim.Adam`.
        lr, betas: the same.
        eps: ε as MXNet means it.
        weight_decay: λ of λ/2 ‖w‖², which is MXNet's `wd`.
    """

    def __init__(self, params: Any, lr: float = 1e-3,
                 betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0.0) -> None:
        self.mxnet_eps = eps
        super().__init__(params, lr=lr, betas=betas, eps=eps,
                         weight_decay=weight_decay)

    def step(self, closure: Callable | None = None) -> Any:
        """Update all parameters once; all of a group have had the same steps."""
        for group in self.param_groups:
            steps = [int(self.state[p]["step"]) for p in group["params"]
                     if self.state.get(p)]
            now = max(steps, default=0) + 1
            group["eps"] = self.mxnet_eps / math.sqrt(1 - group["betas"][1] ** now)
        return super().step(closure)
