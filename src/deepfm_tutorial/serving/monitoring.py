"""Three monitors of a model in service, and what they show by chance (chapter 14)."""
import math
from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._validation import as_numpy, check_labels, check_weights
from ..fields import FieldEncoder


class Slice(NamedTuple):
    """What `calibration` finds in one slice.

    Attributes:
        rows: how many.
        predicted: mean probability that the model gave.
        clicked: the click rate.
        standard_error: of the click rate around `predicted`, for a calibrated model.
    """

    rows: int
    predicted: float
    clicked: float
    standard_error: float

    @property
    def z_score(self) -> float:
        """Clicked beyond predicted, in standard errors.

        It is standard normal for a calibrated model. Where the model was sure of every
        row there is no error: then it is 0, or infinite if a row proved it wrong.
        """
        beyond = self.clicked - self.predicted
        if not self.standard_error:
            return math.copysign(math.inf, beyond) if beyond else 0.0
        return beyond / self.standard_error

    def z_score_since(self, reference: "Slice") -> float:
        """How far `clicked − predicted` has moved since other rows, in standard errors.

        It is standard normal if the model is as far off as it was, and both have many
        rows.
        """
        before = reference.clicked - reference.predicted
        moved = (self.clicked - self.predicted) - before
        return moved / np.hypot(self.standard_error, reference.standard_error)


class Drift(NamedTuple):
    """What `drift` finds in one field.

    Attributes:
        distance: 0 for equal shares of the categories; near the population stability
            index (PSI) while it is small, and finite where a category is missing.
        by_chance: its mean for two samples of one distribution.
        p_value: how often two such samples are as far apart as these.
    """

    distance: float
    by_chance: float
    p_value: float


def calibration(labels: ArrayLike, probabilities: ArrayLike, slices: ArrayLike,
                weights: ArrayLike | None = None) -> dict[Hashable, Slice]:
    """Hold clicks against predicted clicks, slice by slice.

    Args:
        labels: (N,) zeros and ones.
        probabilities: (N,) what the model said, in [0, 1].
        slices: (N,) the name of each row's slice, for instance its device.
        weights: (N,) how many rows each stands for, or None for one each.

    Returns:
        A dict from slice to `Slice`, sorted by slice.

    Raises:
        TypeError, ValueError: labels other than 0 and 1, probabilities outside [0, 1],
            unequal lengths, or no rows.
    """
    p = as_numpy(probabilities).astype(np.float64)
    labels, slices = check_labels(labels, len(p)), as_numpy(slices)
    if slices.shape != p.shape or not len(p):
        raise ValueError(f"slices have shape {slices.shape}, probabilities {p.shape}: "
                         "(N,) is needed for both, N at least 1")
    if not (good := (p >= 0) & (p <= 1)).all():
        row = int(np.argmin(good))
        raise ValueError(f"probabilities[{row}] = {p[row]}: [0, 1] is allowed")
    w = np.ones(len(p)) if weights is None else check_weights(weights, len(p))
    names, of_row = np.unique(slices, return_inverse=True)
    rows, total, clicks, predicted, variance = (
        np.bincount(of_row, each)
        for each in (None, w, w * labels, w * p, w ** 2 * p * (1 - p)))
    found = zip(names.tolist(), rows, predicted / total, clicks / total,
                np.sqrt(variance) / total)
    return {name: Slice(int(n), *map(float, rest)) for name, n, *rest in found}


def unseen_share(encoder: FieldEncoder, ids: ArrayLike,
                 values: ArrayLike | None = None) -> dict[str, float]:
    """Return the share of rows with an unseen category: field name → share in [0, 1].

    Of a multi-valued field it is the share of values.

    Unseen is what the encoder has no id for: what it never saw, or saw less often than
    `min_count`. Continuous, binned and hashed fields have no such categories and are
    left out.

    Args:
        encoder: the `FieldEncoder` that made the ids.
        ids: (N, F), or (N, S) with multi-valued fields.
        values: x of the same shape; needed with multi-valued fields alone.

    Raises:
        TypeError, ValueError: bad ids.
    """
    found = encoder.by_field(ids, values)
    known = {name: local[is_there] != 0 for name, (local, is_there) in found.items()}
    return {name: float(1 - known[name].mean()) if len(known[name]) else 0.0
            for name in encoder.with_unseen}


def drift(encoder: FieldEncoder, reference_ids: ArrayLike,
          ids: ArrayLike, reference_values: ArrayLike | None = None,
          values: ArrayLike | None = None) -> dict[str, Drift]:
    """Compare how often each known category comes, then and now, field by field.

    Unseen categories are left out: `unseen_share` counts them. So are continuous
    fields, and multi-valued ones, whose values in a row depend on each other. Two
    samples of n and m rows with shares p_i and q_i of C categories, and shares r_i in
    both samples together, are Σ (p_i − q_i)² / r_i apart. Divided by 1/n + 1/m that is
    Pearson's χ², with C − 1 degrees of freedom where nothing drifted.

    Args:
        encoder: the `FieldEncoder` that made the ids.
        reference_ids: (N, F), for instance the validation rows.
        ids: (M, F), what came today.
        reference_values, values: x of the same shapes; needed with multi-valued fields
            alone.

    Returns:
        A dict from field name to `Drift`.

    Raises:
        ValueError: bad ids, or a field in which every row is unseen.
    """
    then = encoder.by_field(reference_ids, reference_values)
    now = encoder.by_field(ids, values)
    found = {}
    for name, size in zip(encoder.field_names, encoder.field_sizes):
        if name not in encoder.with_values:
            counts = [np.bincount(sample[name][0][:, 0], minlength=size)[1:]
                      for sample in (then, now)]
            found[name] = _drift(name, np.stack(counts))
    return found


def _drift(name: str, counts: np.ndarray) -> Drift:
    """The `Drift` of one field, from how often each category came: (2, C)."""
    counts = counts[:, counts.any(axis=0)]  # what came in neither sample tells nothing
    rows = counts.sum(axis=1)
    if not rows.all():
        raise ValueError(f"field {name!r}: every row is unseen in one of the samples; "
                         "known categories are needed")
    # Here, for it takes a second, and a server only predicts.
    from scipy.stats import chi2_contingency

    tested = chi2_contingency(counts, correction=False)
    noise = (1 / rows).sum()
    return Drift(float(tested.statistic * noise), float(tested.dof * noise),
                 float(tested.pvalue))
