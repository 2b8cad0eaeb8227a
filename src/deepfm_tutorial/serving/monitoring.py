"""Three monitors of a model in service, and what they show by chance (chapter 13)."""
from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._validation import as_numpy, check_ids, check_labels, field_bounds
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

        It is standard normal for a calibrated model.
        """
        return (self.clicked - self.predicted) / self.standard_error

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


def calibration(labels: ArrayLike, probabilities: ArrayLike,
                slices: ArrayLike) -> dict[Hashable, Slice]:
    """Hold clicks against predicted clicks, slice by slice.

    Args:
        labels: (N,) zeros and ones.
        probabilities: (N,) what the model said, each above 0 and below 1.
        slices: (N,) the name of each row's slice, for instance its device.

    Returns:
        A dict from slice to `Slice`, sorted by slice.

    Raises:
        TypeError, ValueError: labels other than 0 and 1, probabilities outside (0, 1),
            unequal lengths, or no rows.
    """
    p = as_numpy(probabilities).astype(np.float64)
    labels, slices = check_labels(labels, len(p)), as_numpy(slices)
    if slices.shape != p.shape or not len(p):
        raise ValueError(f"slices have shape {slices.shape}, probabilities {p.shape}: "
                         "(N,) is needed for both, N at least 1")
    if not (good := (p > 0) & (p < 1)).all():
        row = int(np.argmin(good))
        raise ValueError(f"probabilities[{row}] = {p[row]}: (0, 1) is allowed")
    names, of_row = np.unique(slices, return_inverse=True)
    rows, clicks, predicted, variance = (np.bincount(of_row, weights)
                                         for weights in (None, labels, p, p * (1 - p)))
    found = zip(names.tolist(), rows, predicted / rows, clicks / rows,
                np.sqrt(variance) / rows)
    return {name: Slice(int(n), *map(float, rest)) for name, n, *rest in found}


def unseen_share(encoder: FieldEncoder, ids: ArrayLike) -> dict[str, float]:
    """Return the share of rows with an unseen category: field name → share in [0, 1].

    Unseen is what the encoder has no id for: what it never saw, or saw less often than
    `min_count`. Continuous and hashed fields have no such categories and are left out.

    Args:
        encoder: the `FieldEncoder` that made the ids.
        ids: (N, F).

    Raises:
        TypeError, ValueError: bad ids.
    """
    ids = check_ids(ids, *field_bounds(encoder.field_sizes))
    share = (ids == encoder.field_offsets).mean(axis=0)
    return {name: float(share[f]) for f, name in enumerate(encoder.field_names)
            if name not in encoder.continuous and name not in encoder.hashed}


def drift(encoder: FieldEncoder, reference_ids: ArrayLike,
          ids: ArrayLike) -> dict[str, Drift]:
    """Compare how often each known category comes, then and now, field by field.

    Unseen categories are left out: `unseen_share` counts them. So are continuous
    fields. Two samples of n and m rows with shares p_i and q_i of C categories, and
    shares r_i in both samples together, are Σ (p_i − q_i)² / r_i apart. Divided by
    1/n + 1/m that is Pearson's χ², with C − 1 degrees of freedom where nothing drifted.

    Args:
        encoder: the `FieldEncoder` that made the ids.
        reference_ids: (N, F), for instance the validation rows.
        ids: (M, F), what came today.

    Returns:
        A dict from field name to `Drift`.

    Raises:
        ValueError: bad ids, or a field in which every row is unseen.
    """
    bounds = field_bounds(encoder.field_sizes)
    both = check_ids(reference_ids, *bounds), check_ids(ids, *bounds)
    found = {}
    fields = zip(encoder.field_names, bounds[0], encoder.field_sizes)
    for f, (name, first, size) in enumerate(fields):
        if name not in encoder.continuous:
            counts = [np.bincount(sample[:, f] - first, minlength=size)[1:]
                      for sample in both]
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
