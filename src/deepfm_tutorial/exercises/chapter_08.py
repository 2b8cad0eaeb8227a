"""The checks of chapter 8's exercises."""
import numpy as np

from ._compare import RIGHT


def check_paired_interval(low, high):
    """Chapter 8: the ends of a t interval from five differences, in thousandths."""
    d = np.array([-1, 2, 3, 5, 6])
    half = (high - low) / 2
    assert abs((low + high) / 2 - d.mean()) < 0.01, "The interval's middle is the mean difference."
    assert abs(half - 2.78 * d.std(ddof=1)) > 0.02, "Divide s by the root of 5: it is about a mean."
    assert abs(half - 2.78 * d.std() / 5**0.5) > 0.02, (
        "For s, divide the sum of squares by 4: the mean came from the same five numbers.")
    assert abs(half - 1.96 * d.std(ddof=1) / 5**0.5) > 0.02, (
        "1.96 is for a known s. With s from five numbers, t = 2.78.")
    assert abs(half - 2.78 * d.std(ddof=1) / 5**0.5) < 0.02, f"Half the width is not {half:.3f}."
    print(RIGHT)


def check_ten_years(rise):
    """Chapter 8: by how much ten years of age move an FM's logit."""
    others = np.array([[2, 1], [0, 3], [1, 1]])
    bracket = 0.5 + others.sum(axis=0) @ [1, -1]
    assert not np.isclose(rise, bracket), "That is for one standard deviation, 12.5 years."
    assert not np.isclose(rise, 10 * bracket), "x is standardised: ten years are not x = 10."
    assert not np.isclose(rise, 0.8 * (bracket - 0.5)), "The feature's own weight is in the slope too."
    assert not np.isclose(rise, -0.8 * bracket), "The size is right. Does the logit rise or fall?"
    assert np.isclose(rise, 0.8 * bracket), (
        "The slope is the bracket: w_i, plus v_i times the sum of the other factor rows.")
    print(RIGHT)


def check_best_of_five(chance):
    """Chapter 8: how often A's best of five runs lies above B's."""
    u, du = np.linspace(0.75, 0.81, 20_001, retstep=True)

    def density(mean, s):
        return np.exp(-((u - mean) / s)**2 / 2) / (s * np.sqrt(2 * np.pi))

    below_a, below_b = (np.cumsum(density(*luck)) * du for luck in ((0.780, 0.004), (0.783, 0.001)))
    single, best = (np.sum(n * below_a**(n - 1) * density(0.780, 0.004) * below_b**n) * du for n in (1, 5))
    assert abs(chance - single) > 0.01, "That is one run against one run: take the best of five."
    assert abs(chance - (1 - best)) > 0.01, "That is how often B is ahead."
    assert abs(chance - best) < 0.01, "Draw five runs of each, many times, and compare the largest."
    print(RIGHT)


def check_liked_rate(liked_rate):
    """Chapter 8: liked_rate(column, labels, train), each row's share of liked training rows."""
    rng = np.random.default_rng(0)
    column, labels = rng.integers(0, 400, 2000).astype(str), rng.integers(0, 2, 2000).astype(float)
    train = rng.permutation(2000)[:1500]
    flipped = 1 - labels
    flipped[train] = labels[train]
    found, again = liked_rate(column, labels, train), liked_rate(column, flipped, train)
    assert np.shape(found) == (2000,), "One share for each of the N rows is needed."
    assert np.allclose(found, again, equal_nan=True), (
        "Other labels outside training, and your shares change: labels of the test rows leak in.")
    of = {}
    for category, label in zip(column[train], labels[train]):
        of.setdefault(category, []).append(label)
    known = np.array([category in of for category in column])
    assert np.allclose(found[~known], labels[train].mean()), (
        "A category that training lacks gets the share of liked rows in all of training.")
    assert np.allclose(found[known], [np.mean(of[category]) for category in column[known]]), (
        "For a known category, take the mean label of its training rows.")
    print(RIGHT)


def check_gauc(gauc):
    """Chapter 8: gauc(y, p, users), the AUC within users, weighted by their rows."""
    rng = np.random.default_rng(0)
    users = rng.choice([f"u{u}" for u in range(40)], 300, p=np.arange(1, 41) / 820)
    y, p = rng.integers(0, 2, 300) * (users > "u2"), rng.integers(0, 9, 300) / 10
    aucs, rows = [], []
    for user in set(users):
        of_user = users == user
        margins = (p[of_user & (y == 1)][:, None] - p[of_user & (y == 0)]).ravel()
        if len(margins):
            aucs.append(np.mean((margins > 0) + 0.5 * (margins == 0)))
            rows.append(of_user.sum())
    with_halves = (np.dot(aucs, rows) + 0.5 * (len(y) - sum(rows))) / len(y)
    found = gauc(y, p, users)
    assert not np.isclose(found, np.mean(aucs)), "Weight each user's AUC by the number of their rows."
    assert not np.isclose(found, with_halves), (
        "Users whose rows are all liked or all not liked have no AUC: leave them out.")
    assert np.isclose(found, np.average(aucs, weights=rows)), "Not the weighted mean of users' AUCs."
    print(RIGHT)
