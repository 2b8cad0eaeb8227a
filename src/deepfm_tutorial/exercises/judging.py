"""The checks of chapters 7 to 9."""
import numpy as np

from .features import RIGHT


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


def check_pure_by_hand(effect):
    """Chapter 9: the pure effect of a table of two by two with unequal weights."""
    assert np.shape(effect) == (2, 2), "A table of two rows and two columns is needed."
    by_corner = np.outer([1 / 4, -3 / 4], [3 / 4, -1 / 4]) * 4  # e.g. 4 (1 - p_0) (1 - q_0)
    assert not np.allclose(effect, [[1, -1], [-1, 1]]), (
        "Those are plain means. Weight them: p for the rows and q for the columns.")
    assert not np.allclose(effect, by_corner - 4 * 3 / 16), (
        "Add the overall mean back: it went out twice, with its row and with its column.")
    assert np.allclose(effect, by_corner), (
        "Row means are taken over columns, with q; column means over rows, with p.")
    print(RIGHT)


def check_centred_fm(centre):
    """Chapter 9: centre(w, V, field_sizes), the same FM with factor rows of mean zero by field."""
    rng, sizes = np.random.default_rng(0), (3, 5, 2, 4)
    w, V = rng.normal(size=14), rng.normal(size=(14, 3))
    given = w.copy(), V.copy()
    new_w, new_V = centre(w, V, sizes)
    assert (w == given[0]).all() and (V == given[1]).all(), "Your function changes the w or V it is given."
    firsts = np.cumsum((0, *sizes[:-1]))
    means = np.array([new_V[i:i + size].mean(axis=0) for i, size in zip(firsts, sizes)])
    assert np.abs(means).max() < 1e-9, "The factor rows of each field must have mean zero."
    ids = firsts + rng.integers(0, sizes, size=(200, 4))
    before, after = ([w[row].sum() + np.triu(V[row] @ V[row].T, 1).sum() for row in ids]
                     for w, V in ((w, V), (new_w, new_V)))
    error = np.subtract(after, before)
    assert error.std() < 1e-9, (
        "The logits are not the same, and not off by a constant either. A shift of one field by a "
        "takes <a, v_j> from the weights of all other fields' features j.")
    assert np.abs(error).max() < 1e-9, (
        f"All logits are off by {error[0]:.3f}, a constant. Did you correct the weights with factor "
        "rows from before the other fields were shifted?")
    print(RIGHT)


def check_importance(importance):
    """Chapter 9: importance(logits, ids, labels, f, rng), the AUC that field f is worth."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 50, size=(3000, 3))
    labels = (rng.random(3000) < 1 / (1 + np.exp(-(ids[:, 0] - 25) / 5))).astype(float)
    given, asked = ids.copy(), []

    def logits(ids):
        asked.append(np.array(ids))
        return ids[:, 0].astype(float)

    found = [importance(logits, ids, labels, f, np.random.default_rng(1)) for f in range(3)]
    assert (ids == given).all(), "Your function shuffles the ids it is given: work on a copy."
    assert all((np.sort(seen, axis=0) == np.sort(given, axis=0)).all() for seen in asked), (
        "Shuffle the field's own ids: each must occur as often as before.")
    margins = logits(ids)[labels == 1][:, None] - logits(ids)[labels == 0]
    auc = np.mean((margins > 0) + 0.5 * (margins == 0))
    assert abs(found[0] + auc - 0.5) > 0.03, "The sign: a field of use has an importance above zero."
    assert found[1] == found[2] == 0, "A field that the logits do not use must have importance 0."
    assert abs(found[0] - (auc - 0.5)) < 0.03, (
        f"With its only field shuffled, a model is left with an AUC of one half: {auc:.2f} - 0.50 is "
        f"the importance, not {found[0]:.2f}. Shuffle field f alone, for all rows.")
    print(RIGHT)


def check_misleading_shift(shift):
    """Chapter 9: shift(V_f, V_g), one vector that makes the uncentred strength at least 1."""
    for seed, scale in enumerate((1, 0.1, 0.01)):
        rng = np.random.default_rng(seed)
        V_f, V_g = rng.normal(scale=scale, size=(7, 8)), rng.normal(scale=scale, size=(3, 8))
        a = np.asarray(shift(V_f.copy(), V_g.copy()))
        assert a.shape == (8,), "One vector (k,) for all rows of f: other shifts change the logits."
        raw = np.sqrt(np.mean(((V_f + a) @ V_g.T)**2))
        assert raw >= 1, (f"The uncentred strength is {raw:.2f} with factors of size {scale}: point a "
                          "along a factor row of g, not across them, and make it long enough.")
    print(RIGHT)
