"""Chapter 6's checks: right answers pass, typical mistakes get their hint."""
from mxnet import nd

from deepfm_tutorial import logistic_loss

from .common import right_and_wrong


def by_log_losses(z, y, gamma):
    return nd.exp(-gamma * logistic_loss(z, 1 - y)) * logistic_loss(z, y)


def by_a_power(z, y, gamma):
    t = (2 * y - 1) * z
    return nd.sigmoid(-t) ** gamma * logistic_loss(z, y)


def focal(power="1 - p", zero_too=True, stable=True, cut=False):
    def focal_loss(logits, labels, gamma):
        t = (2 * labels - 1) * logits if zero_too else logits
        log_p = -nd.Activation(-t, "softrelu") if stable else t.sigmoid().log()
        of_power = nd.Activation(-t if power == "p" else t, "softrelu")
        factor = nd.exp(-gamma * of_power)
        return -(nd.BlockGrad(factor) if cut else factor) * log_p
    return focal_loss


CASES = {
    "deepfm_count": ([(64, 84)], [
        ((63, 83), "One is missing, a bias"), ((59, 79), "units have biases"),
        ((48, 68), "F·k numbers"), ((64, 128), "not the whole model"),
        ((64, 94), "kn factors more"), (64, "Two numbers")]),
    "both_sides": ([[3, 14]], [
        ([-1, 2], "pair's side alone"), ([4, 12], "network's side alone"),
        ([6, 11], "by one embedding is the other"), ([3, 2], "each a sum")]),
    "focal_loss": ([focal(), by_log_losses], [
        (by_a_power, "put γ into an exponent"),
        (focal(power="p"), "sure and right"), (focal(zero_too=False), "1 − σ"),
        (focal(stable=False), "by log losses"),
        (focal(cut=True), "the gradient is not"),
        (lambda z, y, gamma: logistic_loss(z, y), "γ = 2")]),
    "two_sigmoids": ([0.6931], [
        (0.5004, "One sigmoid"), (0.6172, "look alike"), (0, "Not even a single"),
        (0.3133, "nearest to 0.2")]),
}

test_a_right_answer_passes, test_a_mistake_gets_its_hint = right_and_wrong(CASES)
