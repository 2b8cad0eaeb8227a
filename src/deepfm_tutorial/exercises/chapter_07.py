"""The checks of chapter 7's exercises."""
import numpy as np

from ._compare import RIGHT


def check_auc_with_ties(auc):
    """Chapter 7: the AUC of six rows, some of them tied, a number."""
    couples = [(a, b) for a in (0.8, 0.5, 0.3) for b in (0.5, 0.5, 0.2)]  # clicked, unclicked
    auc = float(auc)                                 # a fraction too
    above, tied = (sum(test(a, b) for a, b in couples) for test in (np.greater, np.equal))
    assert not np.isclose(auc, above / 9), "You count a tie as a loss: it counts half."
    assert not np.isclose(auc, (above + tied) / 9), "You count a tie as a win: it counts half."
    assert not np.isclose(auc, above / (9 - tied)), "Tied couples are couples too: all nine count."
    assert abs(auc - (above + tied / 2) / 9) < 0.001, (
        "Three clicked rows and three others make nine couples: write them down, one by one.")
    print(RIGHT)


def check_undo_sampling(undo_sampling):
    """Chapter 7: undo_sampling(p, kept), from the sampled log's probabilities to the full one's."""
    for kept in (0.25, 0.05, 1):
        truth = np.random.default_rng(0).uniform(0.01, 0.9, size=50)
        clicks, others = truth, (1 - truth) * kept   # what is left of one impression
        p = clicks / (clicks + others)
        found = undo_sampling(p, kept)
        assert np.shape(found) == p.shape, f"One probability for each of p's {len(p)} is needed."
        assert kept == 1 or not np.allclose(found, p * kept), (
            "Not the probability but the odds p / (1 - p) change by the factor `kept`.")
        assert kept == 1 or not np.allclose(found, p / (p + (1 - p) * kept)), (
            "That is the wrong way: fewer clicks a row are in the full log, not more.")
        assert np.allclose(found, truth), f"Not the full log's probabilities, with kept = {kept}."
    print(RIGHT)


def check_temperature(find_temperature):
    """Chapter 7: find_temperature(logits, labels), the T that makes the log loss of z / T least."""
    rng = np.random.default_rng(0)
    z = rng.normal(-1, 1.5, size=4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-z))).astype(float)

    def is_least(logits, T):                         # the derivative by 1 / T changes its sign at T
        slope = [np.mean((1 / (1 + np.exp(-logits / t)) - labels) * logits) for t in (1.02 * T, 0.98 * T)]
        return slope[0] < 0 < slope[1]

    for stretch in (2.5, 0.4):
        T = float(find_temperature(stretch * z, labels))
        assert T > 0 and not is_least(stretch * z, 1 / T), (
            "You return the factor 1 / T. Logits are divided by a temperature.")
        assert is_least(stretch * z, T), (
            f"T = {T:.3f} is not the least log loss for logits that are {stretch} times the true "
            "ones" + ("." if stretch > 1 else ": a model that doubts too much needs T below 1."))
    print(RIGHT)


def check_best_accuracy(best_accuracy):
    """Chapter 7: best_accuracy(p), the accuracy to expect of the best yes or no to each row."""
    for high in (0.4, 0.95):
        p = np.random.default_rng(0).uniform(0.02, high, size=300)
        says_yes = p >= np.append(p, 2)[:, None]     # (301, N): every threshold, and "always no"
        by_threshold = np.where(says_yes, p, 1 - p).mean(axis=1)
        found = best_accuracy(p)
        assert np.ndim(found) == 0, "One number is needed, the mean over the rows."
        assert high < 0.5 or not np.isclose(found, max(p.mean(), 1 - p.mean())), (
            "That is one answer for all, always yes or always no. Each row may get its own.")
        assert np.isclose(found, by_threshold.max()), (
            f"{by_threshold.max():.3f} can be reached with p from 0.02 to {high}, you say {found:.3f}. "
            "How often is a yes right for a row with p, and how often a no?")
    print(RIGHT)
