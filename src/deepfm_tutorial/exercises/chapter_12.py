"""The checks of chapter 12's exercises."""
import numpy as np

from ._compare import RIGHT, judge


def check_codes_by_hand(codes):
    """Chapter 12: a row of three numbers, quantised to four bits."""
    judge(codes, [7, -3, 1],
           ([8, -3, 1], "Four signed bits, of equal reach up and down, end at 7: the step is 0.6 / 7."),
           ([7, -2, 0], "Round to the nearest code; you cut off."),
           ([127, -53, 11], "Those are eight bits. With four, the largest code is 7."),
           ([15, -6, 1], "The sign needs one of the four bits: codes run from -7 to 7."))
    print(RIGHT)


def check_undo_second_sigmoid(undo):
    """Chapter 12: undo(q), the probabilities behind σ(σ(z)); no others are accepted."""
    z = np.linspace(-6, 6, 101)
    p = 1 / (1 + np.exp(-z))
    found = np.asarray(undo(1 / (1 + np.exp(-p))))
    assert found.shape == p.shape, f"One probability for each of q's {len(p)} is needed."
    assert not np.allclose(found, z, atol=1e-3), "That is z: you undid both sigmoids. One was right."
    assert np.allclose(found, p, atol=1e-6), "Not σ(z). What is the inverse of the sigmoid?"
    for strange in (0.4, 0.75, 1.2, -0.5):
        try:
            with np.errstate(invalid="ignore"):  # of the last two there is no logarithm
                undo(np.array([0.6, strange]))
        except ValueError:
            continue
        raise AssertionError(f"{strange} is no σ(σ(z)), since σ(z) lies between 0 and 1: raise a ValueError.")
    print(RIGHT)


def check_four_bit_packing(pack, unpack):
    """Chapter 12: pack(codes), two codes from -7 to 7 in a byte, and unpack(packed, k)."""
    for n, k in ((5, 8), (4, 3), (1, 1)):
        codes = np.random.default_rng(k).integers(-7, 8, size=(n, k)).astype(np.int8)
        codes[0, 0] = -7
        packed = pack(codes.copy())
        assert packed.dtype.itemsize == 1, f"Bytes are needed, such as uint8; you return {packed.dtype}."
        assert packed.shape == (n, (k + 1) // 2), (
            f"{k} codes fit into {(k + 1) // 2} bytes: the shape must be {(n, (k + 1) // 2)}, "
            f"yours is {packed.shape}.")
        found = unpack(packed, k)
        assert np.shape(found) == (n, k), f"unpack must return shape {(n, k)}, not {np.shape(found)}."
        assert not np.array_equal(np.abs(found), np.abs(codes)) or np.array_equal(found, codes), (
            "The sizes are right, and some signs are not.")
        assert not np.array_equal(np.asarray(found, int) % 16, codes % 16) or np.array_equal(found, codes), (
            "A negative code comes back as the code plus 16: subtract where you added.")
        assert np.array_equal(found, codes), "unpack(pack(codes), k) is not codes."
    print(RIGHT)


def check_rows_needed(rows_needed):
    """Chapter 12: rows_needed(predicted, truth, limit), for a mean surprise just at the limit."""
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0.05, 0.4, size=500)
    for truth, limit in ((predicted + rng.uniform(0, 0.2, size=500), 3.0), (predicted * 0.5, 4.0)):
        gap, now = np.mean(truth - predicted), np.mean(truth * (1 - truth))
        right = (limit / gap)**2 * np.mean(predicted * (1 - predicted))
        found = rows_needed(predicted.copy(), truth.copy(), limit)
        assert np.ndim(found) == 0, "One number for the slice is needed."
        assert not np.isclose(found, (limit / gap)**2 * now), (
            "The surprise is divided by the deviation that the model believes in: its own p (1 - p).")
        assert not np.isclose(abs(found), right**0.5), (
            "Square it: with four times the rows the surprise is only twice as large.")
        assert not np.isclose(found, limit**2 * np.mean(predicted * (1 - predicted) / (truth - predicted)**2)), (
            "Gaps add up over the rows before they are squared: take the mean of the gaps first.")
        assert np.isclose(found, right), (
            f"{found:.1f} is not it. After n rows the mean gap is n times the mean of truth - predicted, and "
            "its deviation the root of n times the mean of predicted (1 - predicted).")
    print(RIGHT)
