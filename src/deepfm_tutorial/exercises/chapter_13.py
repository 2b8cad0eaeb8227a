"""The checks of chapter 13's exercises."""
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ._compare import RIGHT, judge, near


def check_codes_by_hand(codes: ArrayLike) -> None:
    """Chapter 13: four bits have few codes, so three numbers are rounded to them.

    The answer is the three codes.
    """
    judge(codes, [7, -3, 1],
          ([8, -3, 1], "Four signed bits, of equal reach up and down, end at 7: the "
           "step is 0.6 / 7."),
          ([7, -2, 0], "Round to the nearest code; you cut off."),
          ([127, -53, 11], "Those are eight bits. With four, the largest code is 7."),
          ([15, -6, 1], "The sign needs one of the four bits: codes run from -7 to 7."))
    print(RIGHT)


def check_undo_second_sigmoid(undo: Callable[[np.ndarray], ArrayLike]) -> None:
    """Chapter 13: a second sigmoid can be undone, since it has an inverse.

    undo(q) returns the probabilities behind σ(σ(z)), and refuses numbers that are none.
    """
    z = np.linspace(-6, 6, 101)
    p = 1 / (1 + np.exp(-z))
    found = undo(1 / (1 + np.exp(-p)))
    assert np.shape(found) == p.shape, (
        f"One probability for each of q's {len(p)} is needed.")
    assert not near(found, z, rtol=1e-5, atol=1e-3), (
        "That is z: you undid both sigmoids. One was right.")
    assert near(found, p, rtol=1e-5, atol=1e-6), (
        "Not σ(z). What is the inverse of the sigmoid?")
    for strange in (0.4, 0.75, 1.2, -0.5, np.nan):
        try:
            with np.errstate(invalid="ignore"):  # of the last two there is no logarithm
                undo(np.array([0.6, strange]))
        except ValueError:
            continue
        raise AssertionError(
            f"{strange} is no σ(σ(z)), since σ(z) lies between 0 and 1: raise a "
            "ValueError.")
    print(RIGHT)


def check_four_bit_packing(pack: Callable[[np.ndarray], np.ndarray],
                           unpack: Callable[[np.ndarray, int], ArrayLike]) -> None:
    """Chapter 13: two codes from -7 to 7 fit into a byte, and come out of it again.

    pack(codes) returns the bytes, and unpack(packed, k) the codes.
    """
    for n, k in ((5, 8), (4, 3), (1, 1)):
        codes = np.random.default_rng(k).integers(-7, 8, size=(n, k)).astype(np.int8)
        codes[0, 0] = -7
        packed = pack(codes.copy())
        assert packed.dtype.itemsize == 1, (
            f"Bytes are needed, such as uint8; you return {packed.dtype}.")
        assert packed.shape == (n, (k + 1) // 2), (
            f"{k} codes fit into {(k + 1) // 2} bytes: the shape must be "
            f"{(n, (k + 1) // 2)}, yours is {packed.shape}.")
        found = unpack(packed, k)
        assert np.shape(found) == (n, k), (
            f"unpack must return shape {(n, k)}, not {np.shape(found)}.")
        right = np.array_equal(found, codes)
        assert right or not np.array_equal(np.abs(found), np.abs(codes)), (
            "The sizes are right, and some signs are not.")
        assert right or not np.array_equal(np.asarray(found, int) % 16, codes % 16), (
            "A negative code comes back as the code plus 16: subtract where you added.")
        assert right, "unpack(pack(codes), k) is not codes."
    print(RIGHT)
