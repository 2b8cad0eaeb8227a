"""The checks of the exercises in chapter 12: right answers pass, typical mistakes get their hint."""
import numpy as np
import pytest

from deepfm_tutorial import exercises


def undo(q, low=0.5, high=0.74):
    if ((q < low) | (q > high)).any():
        raise ValueError
    return np.log(q / (1 - q))


def undo_and_let_nan_pass(q):
    p = np.log(q / (1 - q))
    if ((p < -1e-6) | (p > 1 + 1e-6)).any():
        raise ValueError
    return p


def undo_both(q):
    return np.log(undo(q) / (1 - undo(q)))


def pack(codes):
    even = np.pad(codes + 8, ((0, 0), (0, codes.shape[1] % 2))).astype(np.uint8)
    return even[:, ::2] * 16 + even[:, 1::2]


def unpack(packed, k, shift=8):
    nibbles = np.stack([packed // 16, packed % 16], axis=2).reshape(len(packed), -1)[:, :k]
    return nibbles.astype(np.int8) - shift


RIGHT = [("check_codes_by_hand", [7, -3, 1]), ("check_undo_second_sigmoid", undo),
         ("check_four_bit_packing", pack, unpack)]
WRONG = [
    ("check_codes_by_hand", [8, -3, 1], "0.6 / 7"), ("check_codes_by_hand", [7, -2, 0], "cut off"),
    ("check_codes_by_hand", [127, -53, 11], "eight bits"), ("check_codes_by_hand", [15, -6, 1], "sign"),
    ("check_codes_by_hand", [7, 3, 1], "Not yet"), ("check_codes_by_hand", [7], "shape"),
    ("check_undo_second_sigmoid", undo_both, "undid both"),
    ("check_undo_second_sigmoid", lambda q: np.log(q / (1 - q)), "raise a ValueError"),
    ("check_undo_second_sigmoid", lambda q: undo(q, low=0), "0.4 is no"),
    ("check_undo_second_sigmoid", undo_and_let_nan_pass, "1.2 is no"),
    ("check_undo_second_sigmoid", lambda q: 2 * undo(q), "inverse"),
    ("check_undo_second_sigmoid", lambda q: 0.5, "One probability"),
    ("check_four_bit_packing", lambda codes: codes, unpack, "bytes: the shape"),
    ("check_four_bit_packing", lambda codes: pack(codes).astype(int), unpack, "Bytes are needed"),
    ("check_four_bit_packing", pack, lambda packed, k: unpack(packed, k + 1), "must return shape"),
    ("check_four_bit_packing", pack, lambda packed, k: np.abs(unpack(packed, k)), "some signs"),
    ("check_four_bit_packing", pack, lambda packed, k: unpack(packed, k) % 16, "plus 16"),
    ("check_four_bit_packing", pack, lambda packed, k: unpack(packed, k, 7), "is not codes"),
]


@pytest.mark.parametrize("check, answers", [(check, answers) for check, *answers in RIGHT])
def test_right_answers_pass(check, answers, capsys):
    getattr(exercises, check)(*answers)
    assert "Right" in capsys.readouterr().out


@pytest.mark.parametrize("check, answers, hint", [(check, answers, hint) for check, *answers, hint in WRONG])
def test_typical_mistakes_get_their_hint(check, answers, hint):
    with pytest.raises(AssertionError, match=hint):
        getattr(exercises, check)(*answers)
