"""Chapter 13's checks: right answers pass, typical mistakes get their hint."""
import numpy as np

from .common import right_and_wrong


def undo(q, low=0.5, high=0.74):
    if not ((q >= low) & (q <= high)).all():
        raise ValueError
    return np.log(q / (1 - q))


def undo_and_let_nan_pass(q):
    p = np.log(q / (1 - q))
    if ((p < -1e-6) | (p > 1 + 1e-6)).any():
        raise ValueError
    return p


def undo_what_is_in_range(q):
    if ((q < 0.5) | (q > 0.74)).any():
        raise ValueError
    return np.log(q / (1 - q))


def undo_both(q):
    return np.log(undo(q) / (1 - undo(q)))


def pack(codes):
    even = np.pad(codes + 8, ((0, 0), (0, codes.shape[1] % 2))).astype(np.uint8)
    return even[:, ::2] * 16 + even[:, 1::2]


def unpack(packed, k, shift=8):
    nibbles = np.stack([packed // 16, packed % 16], axis=2)
    return nibbles.reshape(len(packed), -1)[:, :k].astype(np.int8) - shift


CASES = {
    "codes_by_hand": ([[7, -3, 1]], [
        ([8, -3, 1], "0.6 / 7"), ([7, -2, 0], "cut off"),
        ([127, -53, 11], "eight bits"), ([15, -6, 1], "sign"), ([7, 3, 1], "Not yet"),
        ([7], "shape")]),
    "undo_second_sigmoid": ([undo], [
        (undo_both, "undid both"),
        (lambda q: np.log(q / (1 - q)), "raise a ValueError"),
        (lambda q: undo(q, low=0), "0.4 is no"), (undo_and_let_nan_pass, "1.2 is no"),
        (undo_what_is_in_range, "nan is no"),
        (lambda q: 2 * undo(q), "inverse"), (lambda q: 0.5, "One probability")]),
    "four_bit_packing": ([(pack, unpack)], [
        ((lambda codes: codes, unpack), "bytes: the shape"),
        ((lambda codes: pack(codes).astype(int), unpack), "Bytes are needed"),
        ((pack, lambda packed, k: unpack(packed, k + 1)), "must return shape"),
        ((pack, lambda packed, k: np.abs(unpack(packed, k))), "some signs"),
        ((pack, lambda packed, k: unpack(packed, k) % 16), "plus 16"),
        ((pack, lambda packed, k: unpack(packed, k, 7)), "is not codes")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
