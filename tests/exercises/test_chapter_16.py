"""Chapter 16's checks: right answers pass, typical mistakes get their hint."""
import numpy as np

from .common import right_and_wrong


def running(value, rows, batches):
    left = 0.9 ** batches
    return left + (value - left) * (rows - 1) / rows


def bag(ids, values):
    kept = values != 0
    lengths = kept.sum(axis=1)
    return ids[kept], np.cumsum(lengths) - lengths, values[kept]


def changed(place, change):
    """`bag` with one of its three arrays changed, which gets the padded ones, too."""
    def function(ids, values):
        found = list(bag(ids, values))
        found[place] = change(found[place], ids, values)
        return tuple(found)
    return function


CASES = {
    "first_steps": ([(7.9057e-8, 2.5e-9), [7.9e-8, 2.5e-9]], [
        ((2.5e-9, 7.9e-8), "other way round"), ((2.5e-9, 2.5e-9), "before the corr"),
        ((2.5e-6, 2.5e-9), "square root"), ((6.32e-8, 2e-9), "a sixth"),
        ((1.265e-6, 4e-8), "four fifths"), ((1e-7, 1e-8), "where is that a fifth"),
        ((0.0307, 0.5), "where is that a fifth"), (7.9e-8, "Two numbers")]),
    "running_variance": ([running], [
        (lambda value, rows, batches: value * (rows - 1) / rows, "started from"),
        (lambda value, rows, batches: value * rows / (rows - 1), "larger one"),
        (lambda value, rows, batches: value, "PyTorch's still"),
        (lambda value, rows, batches: 1, "put the start back")]),
    "bag_inputs": ([bag], [
        (lambda ids, values: ids, "Three arrays"),
        (lambda ids, values: (ids.ravel(), 0, values.ravel()), "padding is still"),
        (changed(1, lambda a, ids, x: (x != 0).sum(axis=1)), "the lengths"),
        (changed(1, lambda a, ids, x: np.cumsum((x != 0).sum(axis=1))), "the ends"),
        (changed(1, lambda a, ids, x: a + 1), "offsets are wrong"),
        (changed(0, lambda a, ids, x: ids.T[x.T != 0]), "column by column"),
        (changed(0, lambda a, ids, x: a + 1), "not those that have a value"),
        (changed(2, lambda a, ids, x: np.ones_like(a)), "These are ones"),
        (changed(2, lambda a, ids, x: 2 * a), "values are not those")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
