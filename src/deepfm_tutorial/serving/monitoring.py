"""Monitors of a model in service, and what they show by chance (chapter 14)."""
import math
from collections.abc import Hashable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._validation import as_numpy, check_integer, check_labels, check_weights
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
        return _in_errors(self.clicked - self.predicted, self.standard_error)

    def z_score_since(self, reference: "Slice") -> float:
        """How far `clicked − predicted` has moved since other rows, in standard errors.

        It is standard normal if the model is as far off as it was, and both have many
        rows.
        """
        before = reference.clicked - reference.predicted
        moved = (self.clicked - self.predicted) - before
        return _in_errors(moved, np.hypot(self.standard_error,
                                          reference.standard_error))


def _in_errors(gap: float, error: float) -> float:
    if not error:
        return math.copysign(math.inf, gap) if gap else 0.0
    return float(gap / error)


class Drift(NamedTuple):
    """What `drift` finds in one field, and `score_drift` in a model's answers.

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
    p = _probabilities("probabilities", probabilities)
    labels, slices = check_labels(labels, len(p)), as_numpy(slices)
    if slices.shape != p.shape:
        raise ValueError(f"slices have shape {slices.shape}, probabilities {p.shape}: "
                         "(N,) is needed for both")
    w = np.ones(len(p)) if weights is None else check_weights(weights, len(p))
    names, of_row = np.unique(slices, return_inverse=True)
    rows, total, clicks, predicted, variance = (
        np.bincount(of_row, each)
        for each in (None, w, w * labels, w * p, w ** 2 * p * (1 - p)))
    found = zip(names.tolist(), rows, predicted / total, clicks / total,
                np.sqrt(variance) / total)
    return {name: Slice(int(n), *map(float, rest)) for name, n, *rest in found}


def z_scores_since(reference: Mapping[Hashable, Slice],
                   now: Mapping[Hashable, Slice]) -> dict[Hashable, float]:
    """Return how far each slice's gap has moved since other rows, in standard errors.

    A slice that was not there then, of a new device for instance, has no gap to compare
    with: its own z-score is taken. A slice that no longer comes is left out.

    Args:
        reference, now: what `calibration` returned then and now.
    """
    return {name: of.z_score_since(reference[name]) if name in reference
            else of.z_score for name, of in now.items()}


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
    fields, and multi-valued ones, whose values in a row depend on each other. Missing
    values, where the encoder allows them, are a category like others. The distance
    is Σ (then_i − now_i)² / both_i, of each category's shares then, now and in both
    samples. Divided by 1/N + 1/M, for N rows and M, it is Pearson's statistic. Its
    mean, where nothing drifted, is one less than there are categories. With rare
    categories it varies more than χ² does; the p value knows by how much.

    Args:
        encoder: the `FieldEncoder` that made the ids.
        reference_ids: (N, F), for instance the validation rows.
        ids: (M, F), what came today.
        reference_values, values: x of the same shapes; needed with multi-valued fields
            alone.

    Returns:
        A dict from field name to `Drift`. A field of which one sample has no known
        category shows no drift, distance 0 and p value 1: its unseen share is 1.

    Raises:
        TypeError, ValueError: bad ids.
    """
    then = encoder.by_field(reference_ids, reference_values)
    now = encoder.by_field(ids, values)
    found = {}
    for name, size in zip(encoder.field_names, encoder.field_sizes):
        if name not in encoder.with_values:
            counts = [np.bincount(sample[name][0][:, 0], minlength=size)[1:]
                      for sample in (then, now)]
            found[name] = _drift(np.stack(counts))
    return found


def score_drift(reference: ArrayLike, probabilities: ArrayLike,
                bins: int = 10) -> Drift:
    """Compare what the model says, then and now. It needs no labels.

    The reference is cut into bins of equally many rows, and each row of both samples
    counts for its bin. Equal probabilities fall into one bin; so there may be fewer.

    Args:
        reference: (N,) probabilities, for instance of the validation rows.
        probabilities: (M,) of today's rows.
        bins: 2 or more.

    Raises:
        TypeError, ValueError: probabilities outside [0, 1], no rows, or bins below 2.
    """
    check_integer("bins", bins, least=2)
    then = _probabilities("reference", reference)
    now = _probabilities("probabilities", probabilities)
    edges = np.unique(np.quantile(then, np.arange(1, bins) / bins))
    return _drift(np.stack([np.bincount(np.searchsorted(edges, p, side="right"),
                                        minlength=len(edges) + 1)
                            for p in (then, now)]))


def _drift(counts: np.ndarray) -> Drift:
    """The `Drift` of one field, from how often each category came: (2, C)."""
    counts = counts[:, counts.any(axis=0)]  # what came in neither sample tells nothing
    rows = counts.sum(axis=1)
    if not rows.all():
        return Drift(0.0, 0.0, 1.0)
    noise = (1 / rows).sum()
    shares = counts / rows[:, None]
    in_both = counts.sum(axis=0)
    distance = ((shares[0] - shares[1])**2 / in_both).sum() * rows.sum()
    mean = counts.shape[1] - 1
    return Drift(float(distance), float(mean * noise),
                 _p_value(distance / noise, mean, _variance(in_both, rows)))


def _variance(in_both: np.ndarray, rows: np.ndarray) -> float:
    """Variance of Pearson's statistic where nothing drifted.

    A category that came t times in both samples has a binomial number of them in one.
    The square of its deviation, over its variance, has mean 1, and variance 2 plus an
    excess of 1 / (t · share · (1 − share)) − 6 / t. All add up; the last term is there
    since the numbers add up to the sample.
    """
    total, (share, rest) = rows.sum(), rows / rows.sum()
    excess = 1 / (share * rest) - 6
    categories = len(in_both)
    return (2 * (categories - 1)
            + excess * ((1 / in_both).sum() - categories**2 / total))


def _p_value(statistic: float, mean: float, variance: float) -> float:
    """How often a gamma distribution of that mean and variance is as large.

    With variance 2 · mean it is χ².
    """
    # Here, for it takes a second, and a server only predicts.
    from scipy.stats import gamma

    if mean <= 0 or variance <= 0:  # it could only be what it is
        return 1.0
    return float(gamma.sf(statistic, mean**2 / variance, scale=variance / mean))


def _probabilities(name: str, given: ArrayLike) -> np.ndarray:
    """Return them as (N,) float64, or raise ValueError with the first that is none."""
    p = as_numpy(given).astype(np.float64)
    if p.ndim != 1 or not len(p):
        raise ValueError(f"{name} have shape {p.shape}: (N,) is needed, N at least 1")
    if not (good := (p >= 0) & (p <= 1)).all():
        row = int(np.argmin(good))
        raise ValueError(f"{name}[{row}] = {p[row]}: [0, 1] is allowed")
    return p
