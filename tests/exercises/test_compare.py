"""The comparison that all checks share, on answers that can be counted by hand."""
import numpy as np
import pytest
from mxnet import nd

from deepfm_tutorial.exercises._compare import (
    EXACT,
    ROUNDED,
    judge,
    near,
    outputs_and_gradient,
)


@pytest.mark.parametrize("tolerance, near_by, off", [
    ({}, 1.00005, 1.0005), (ROUNDED, 1.0005, 1.005), (EXACT, 1.000005, 1.00005)])
def test_near_is_as_far_as_the_tolerance_says(tolerance, near_by, off):
    assert near(near_by, 1, **tolerance) and not near(off, 1, **tolerance)


def test_any_form_of_the_numbers_will_do_but_one_shape_is_needed():
    for answer in ([1, 2], (1.0, 2.0), np.array([1, 2], np.int8), nd.array([1, 2])):
        assert near(answer, [1, 2])
    for answer in ([[1, 2]], [1], 1, [1, 2, 2]):
        assert not near(answer, [1, 2])
    assert not near([1, 1], 1) and not near(np.nan, np.nan) and not near(np.nan, 1)


def test_what_is_right_is_right_also_near_a_mistake_and_each_mistake_has_its_hint():
    mistakes = (1.0005, "rounded up"), ([1, 1], "two numbers"), (3, "three")
    assert judge(1.0004, 1, *mistakes, **ROUNDED) is None
    for answer, said in ((3, "three"), ([1, 1], "two numbers"), (2, "Not yet"),
                         ([1, 2], r"shape \(2,\): \(\) is needed")):
        with pytest.raises(AssertionError, match=said):
            judge(answer, 1, *mistakes)
    for answer in (2, [1, 2]):
        with pytest.raises(AssertionError, match="^one number$"):
            judge(answer, 1, *mistakes, otherwise="one number")
    with pytest.raises(AssertionError, match="Not yet"):  # as near as an answer must be
        judge(3.0005, 1, *mistakes)


def test_outputs_and_the_gradient_that_the_head_sends_back():
    x, head = nd.array([1, 2, 3]), nd.array([1, 10, 100])
    outputs, gradient = outputs_and_gradient(lambda v: v * v, x, head)
    np.testing.assert_array_equal(outputs, [1, 4, 9])
    np.testing.assert_array_equal(gradient, [2, 40, 600])
    _, cut = outputs_and_gradient(lambda v: nd.array(v.asnumpy() ** 2), x, head)
    assert not cut.any()
    for function, said in ((lambda v: v.asnumpy(), "Return an NDArray"),
                           (lambda v: v.sum(), r"must be \(3,\), not \(1,\)")):
        with pytest.raises(AssertionError, match=said):
            outputs_and_gradient(function, x, head)
