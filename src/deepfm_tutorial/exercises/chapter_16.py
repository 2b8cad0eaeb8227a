"""The checks of chapter 16's exercises. They need neither PyTorch nor JAX."""
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ._compare import EXACT, RIGHT, ROUNDED, judge, numbers


def check_first_steps(answer: ArrayLike) -> None:
    """Chapter 16: where ε is added decides how far a small gradient moves a weight.

    The answer is the size of the gradient that Adam's first step turns into a fifth of
    a learning rate, in MXNet and in PyTorch.
    """
    answer = 1e8 * numbers(answer).ravel()  # in ε, so that numbers have a usual size
    assert answer.size == 2, "Two numbers are wanted: MXNet's gradient and PyTorch's."
    added = np.array([0.001 ** -0.5, 1])
    judge(answer, added / 4,
          (added[::-1] / 4, "These are the two, the other way round."),
          ([0.25, 0.25], "In MXNet, ε is added to √ω before the correction. The "
           "correction makes 31.6 ε of it."),
          ([250, 0.25], "The correction comes with a square root: √0.001, not 0.001."),
          (added / 5, "That is a fifth of what is added to it. The step is a sixth."),
          (added * 4, "These gradients move their weights by four fifths."),
          otherwise="The step is |∇| / (|∇| + s) learning rates. What is s, in each of "
          "the two, and where is that a fifth?", rtol=0.01, atol=0)
    print(RIGHT)


def check_running_variance(function: Callable[[float, int, int], float]) -> None:
    """Chapter 16: PyTorch's running variance can be turned into MXNet's.

    function(running, rows, batches) takes what `nn.BatchNorm1d` has after so many
    batches of so many rows, from its start at 1.
    """
    rng = np.random.default_rng(16)
    for rows, batches in ((8, 1), (2, 3), (64, 10), (5, 200)):
        plain = torch_like = 1.0
        for variance in rng.uniform(0.5, 3, batches):
            plain = 0.9 * plain + 0.1 * variance
            torch_like = 0.9 * torch_like + 0.1 * variance * rows / (rows - 1)
        smaller, larger = (rows - 1) / rows, rows / (rows - 1)
        judge(numbers(function(torch_like, rows, batches)).squeeze(), plain,
              (torch_like * smaller, "The 1 that it started from was no batch's "
               "variance. What is left of it after so many batches?"),
              (torch_like * larger, "PyTorch divided by B − 1, so its variance is the "
               "larger one."),
              (torch_like, "That is PyTorch's still."),
              otherwise="Take out what is left of the start, turn the rest, and put "
              "the start back in.", **EXACT)
    print(RIGHT)


def check_bag_inputs(function: Callable[[np.ndarray, np.ndarray], tuple]) -> None:
    """Chapter 16: an EmbeddingBag takes sets end to end, without padding.

    function(ids, values) takes both padded, (B, S), and returns ids, offsets and values
    of what has a value.
    """
    rng = np.random.default_rng(16)
    for rows, columns in ((3, 2), (6, 4)):
        ids = rng.integers(0, 50, (rows, columns))
        values = rng.uniform(0.1, 1, (rows, columns))
        values[rng.random((rows, columns)) < 0.4] = 0
        values[1] = 0                                          # an empty set
        values[0, 0] = 1
        kept = values != 0
        lengths = kept.sum(axis=1)
        found = function(ids.copy(), values.copy())
        assert isinstance(found, tuple) and len(found) == 3, (
            "Three arrays are wanted: ids, offsets, values.")
        flat, offsets, x = map(numbers, found)
        assert flat.size != ids.size, "The padding is still there: its values are 0."
        judge(offsets, np.cumsum(lengths) - lengths,
              (lengths, "These are the lengths. Where does each row begin?"),
              (np.cumsum(lengths), "These are the ends. The first row begins at 0."),
              otherwise="The offsets are wrong: one a row, the sum of the lengths "
              "before it. An empty row begins where the next one does.", **EXACT)
        judge(flat, ids[kept],
              (ids.T[kept.T], "Row by row, not column by column."),
              otherwise="The ids are not those that have a value, row by row.", **EXACT)
        judge(x, values[kept], (np.ones(kept.sum()), "These are ones. Each id has its "
                                "value."),
              otherwise="The values are not those of the ids.", **ROUNDED)
    print(RIGHT)
