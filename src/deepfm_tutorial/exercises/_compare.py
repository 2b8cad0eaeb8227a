"""The one way in which the checks compare an answer with what is right.

An answer is near the right one, or it is near a mistake that has a hint of its own.
"""
from collections.abc import Callable

import numpy as np
from mxnet import autograd, nd
from numpy.typing import ArrayLike

from .._validation import as_numpy
from ._language import translated

RIGHT = translated("Right.")
ROUNDED = {"rtol": 1e-3, "atol": 1e-4}  # by hand to three digits, or through float32
EXACT = {"rtol": 1e-5, "atol": 1e-8}


def numbers(answer: ArrayLike | nd.NDArray) -> np.ndarray:
    """Return the answer as an array of floats, whatever it came as."""
    return np.asarray(as_numpy(answer), float)


def near(answer: ArrayLike | nd.NDArray, expected: ArrayLike,
         rtol: float = 1e-4, atol: float = 1e-5) -> bool:
    """Return whether the two have one shape and agree in all numbers."""
    answer, expected = numbers(answer), numbers(expected)
    return answer.shape == expected.shape and np.allclose(answer, expected, rtol, atol)


def judge(answer: ArrayLike | nd.NDArray, right: ArrayLike,
          *mistakes: tuple[ArrayLike, str], otherwise: str | None = None,
          **tolerance: float) -> None:
    """Refuse what is not near `right`, with the hint for the mistake that it is near.

    Args:
        mistakes: pairs of a typical wrong answer and its hint.
        otherwise: what to say about any other; if None, its shape is named or a smaller
            case advised.
        tolerance: `near`'s rtol and atol.
    """
    if near(answer, right, **tolerance):
        return
    for wrong, hint in mistakes:
        assert not near(answer, wrong, **tolerance), hint
    answered, needed = np.shape(numbers(answer)), np.shape(right)
    assert otherwise or answered == needed, (
        f"Your answer has shape {answered}: {needed} is needed.")
    raise AssertionError(otherwise or (
        "Not yet. The hint may help, and so may a smaller case, worked out by hand."))


def outputs_and_gradient(
        function: Callable[[nd.NDArray], nd.NDArray], argument: nd.NDArray,
        head: nd.NDArray) -> tuple[np.ndarray, np.ndarray]:
    """Return function(argument), and the gradient that `head` sends back from there."""
    argument.attach_grad()
    with autograd.record():
        outputs = function(argument)
        assert isinstance(outputs, nd.NDArray), (
            "Return an NDArray: a gradient must find its way back.")
        assert outputs.shape == head.shape, (
            f"The shape must be {head.shape}, not {outputs.shape}.")
        # Add zero by a path back to the argument: the function may have cut its own.
        zero = 0 * argument.sum().reshape((1,) * outputs.ndim)
        attached = nd.broadcast_add(outputs, zero)
    attached.backward(head)
    return outputs.asnumpy(), argument.grad.asnumpy()
