"""An optimizer whose state has one number a row (chapter 11)."""
import mxnet as mx
from mxnet import nd


class RowAdaGrad(mx.optimizer.Optimizer):
    """AdaGrad with one sum a row, of the mean squares of the row's gradients.

    A row moves by learning rate × gradient / (√sum + epsilon). So a table (n, k) has a
    state of n numbers, where AdaGrad has n·k and Adam 2·n·k. What has one number a row,
    as w and biases, gets plain AdaGrad.

    Attributes:
        epsilon: keeps the division finite.

    Args:
        learning_rate: step size of a row's first step.
        epsilon: above 0.
    """

    def __init__(self, learning_rate: float = 0.05, epsilon: float = 1e-7) -> None:
        super().__init__(learning_rate=learning_rate)
        self.epsilon = epsilon

    def create_state(self, index: int, weight: nd.NDArray) -> nd.NDArray:
        """Return zeros, (n, 1, …), for a parameter (n, …)."""
        return nd.zeros((len(weight),) + (1,) * (weight.ndim - 1))

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray,
               state: nd.NDArray) -> None:
        """Move the parameter against its gradient, in place."""
        grad = grad * self.rescale_grad
        squares = grad.square()
        if grad.ndim > 1:
            squares = squares.mean(axis=tuple(range(1, grad.ndim)), keepdims=True)
        state += squares
        step = nd.broadcast_div(grad, state.sqrt() + self.epsilon)
        weight -= self._get_lr(index) * step
