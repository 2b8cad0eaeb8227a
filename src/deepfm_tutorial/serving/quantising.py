"""Factor rows in a few bits (chapter 13)."""
import numpy as np
from numpy.typing import ArrayLike

from .._validation import check_integer


def quantise(factors: ArrayLike, bits: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Round each row of V to whole multiples of a step of its own.

    The step is the row's largest entry in size, divided by 2^(bits − 1) − 1. So each
    row uses all codes, whatever its length, and no entry moves by more than half of its
    row's step.

    Args:
        factors: V, (n, k) finite numbers.
        bits: from 2 to 8.

    Returns:
        The codes, (n, k) int8, from −(2^(bits − 1) − 1) to 2^(bits − 1) − 1, and the
        scales, (n,) float32, which are the steps. A row of zeros has step 0.

    Raises:
        TypeError, ValueError: another shape, a number that is not finite, or bits out
            of range.
    """
    if check_integer("bits", bits, least=2) > 8:
        raise ValueError(f"bits = {bits}: at most 8 is allowed")
    V = np.asarray(factors, dtype=np.float32)
    if V.ndim != 2 or not np.isfinite(V).all():
        raise ValueError(f"factors have shape {V.shape}: "
                         "(n, k) finite numbers are needed")
    largest_code = 2 ** (bits - 1) - 1
    scales = np.abs(V).max(axis=1) / np.float32(largest_code)
    steps = np.where(scales > 0, scales, 1)[:, None]
    codes = np.rint(V / steps).clip(-largest_code, largest_code)
    return codes.astype(np.int8), scales


def dequantise(codes: np.ndarray, scales: ArrayLike) -> np.ndarray:
    """Return the numbers that codes stand for.

    For a batch, look up first: `dequantise(codes[ids], scales[ids])` is E, (B, F, k),
    and the table stays small.

    Args:
        codes: (…, k), as `quantise` returns them.
        scales: (…), the steps of the same rows.

    Returns:
        (…, k) float32.
    """
    return codes * np.asarray(scales, dtype=np.float32)[..., None]
