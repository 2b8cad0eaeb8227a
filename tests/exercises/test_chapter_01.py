"""Chapter 1's checks: right answers pass, typical mistakes get their hint."""
import zlib

import numpy as np

from deepfm_tutorial import UNSEEN

from .common import right_and_wrong


def crc(column, buckets):
    return [zlib.crc32(name.encode()) % buckets for name in column]


def by_number_hash(column, buckets):
    """Right in another form: the numbers' own hash is the same in every run."""
    return [hash(zlib.crc32(name.encode()) + 2 ** 61) % buckets for name in column]


def by_position(column, buckets):
    return np.unique(column, return_inverse=True)[1] % buckets


def rare_as_unseen(column, least, to=UNSEEN):
    return [name if column.count(name) >= least else to for name in column]


CASES = {
    "ids_by_hand": ([[[4, 11, 15], [2, 8, 14]]], [
        ([4, 11, 15], "Two rows"),
        ([[7, 10, 15], [1, 8, 14]], "sorted"),
        ([[3, 9, 12], [1, 7, 11]], "sizes are 8, 4 and 5"),
        ([[4, 3, 3], [2, 0, 2]], "offset"), ([[3, 2, 2], [1, 0, 1]], "offset"),
        ([[3, 10, 14], [1, 8, 13]], "begins one later"),
        ([[4, 11, 15], [2, 12, 14]], "never seen"),
        ([[4, 11, 15], [3, 8, 14]], "Not yet")]),
    "csr_pays": ([lambda B, F: (12 * B * F + 8 * (B + 1)) // (4 * B) + 1], [
        (lambda B, F: 3 * F + 2 + 2 / B, "both take the same"),
        (lambda B, F: 3 * F + 3, "last row ends"),
        (lambda B, F: 3 * F + 1, "starts of the rows"),
        (lambda B, F: (8 * B * F + 8 * (B + 1)) // (4 * B) + 1, "int64"),
        (lambda B, F: int(3 * F + 2 + 2 / B), "the same|fewer bytes yet")]),
    "hashed": ([crc, by_number_hash], [
        (lambda column, buckets: crc(column, buckets)[:1], "One id"),
        (lambda column, buckets: [zlib.crc32(name.encode()) for name in column],
         "remainder"),
        (lambda column, buckets: [hash(name) % buckets for name in column],
         "every run"),
        (lambda column, buckets: [hash(name + "s") % buckets for name in column],
         "every run"),
        (lambda column, buckets: [id(name) % buckets for name in column], "address"),
        (lambda column, buckets: np.random.default_rng().integers(
            buckets, size=len(column)), "every run|chance"),
        (by_position, "vocabulary left"),
        (lambda column, buckets: [len(name) % buckets for name in column],
         "too many meet")]),
    "rare_as_unseen": ([rare_as_unseen], [
        (lambda column, least: [name for name in column if column.count(name) >= least],
         "dropped"),
        (lambda column, least: rare_as_unseen(column, least, to="rare"), "not UNSEEN"),
        (lambda column, least: rare_as_unseen(column, least + 1),
         "1 rows are enough|are enough where"),
        (lambda column, least: column, "stayed"),
        (lambda column, least: [
            UNSEEN if column.count(name) > least else name for name in column],
         "was replaced")]),
    "weights_of_newcomer": ([[0, 0, 1 / 8], np.array([0, 0, .125])], [
        ([0, 1 / 8], "Three weights"), ([1 / 8, 0, 1 / 8], "plain encoder's"),
        ([0, 1 / 8, 1 / 8], "id of its own"), ([0, .5, 1 / 8], "id of its own"),
        ([0, 0, 0], "after rare_as_unseen"), ([0, 0, 6 / 18], "all rows")]),
    "without_offsets": ([7], [
        (27, "with the offsets"), (10, "put twice"), (8, "without any 1"),
        (6, "Two fields")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
