"""How the checks compare a reader's answer with what is right."""
import numpy as np
from mxnet import autograd, nd

from ..checks import as_numpy

RIGHT = "Right."


def judge(answer, right, *mistakes):
    """Compare numbers; `mistakes` are pairs of a typical wrong answer and the hint for it."""
    answer, right = np.asarray(as_numpy(answer), float), np.asarray(right, float)
    assert answer.shape == right.shape, (
        f"Your answer has shape {answer.shape}: {right.shape} is needed.")
    if np.allclose(answer, right, rtol=1e-4, atol=1e-5):
        return
    for wrong, hint in mistakes:
        assert not np.allclose(answer, wrong, rtol=1e-4, atol=1e-5), hint
    raise AssertionError(
        "Not yet. The hint may help, and so may a smaller case, worked out by hand.")


def numbers(answer):
    """The answer as an array of floats, whatever it came as."""
    return np.asarray(as_numpy(answer), dtype=float)


def near(answer, expected):
    """Whether the two have one shape and agree to about three digits."""
    answer, expected = numbers(answer), numbers(expected)
    return answer.shape == expected.shape and np.allclose(answer, expected, rtol=1e-3, atol=1e-4)


def outputs_and_gradient(function, argument, head):
    """function(argument), and the gradient that `head` sends back from there to the argument."""
    argument.attach_grad()
    with autograd.record():
        outputs = function(argument)
        assert isinstance(outputs, nd.NDArray), (
            "Return an NDArray: a gradient must find its way back.")
        assert outputs.shape == head.shape, (
            f"The shape must be {head.shape}, not {outputs.shape}.")
        # Zero, and a path back to the argument, even where the function has cut its own.
        attached = nd.broadcast_add(outputs, 0 * argument.sum().reshape((1,) * outputs.ndim))
    attached.backward(head)
    return outputs.asnumpy(), argument.grad.asnumpy()
