"""The checks of chapters 1 to 3."""
from itertools import combinations, product

import numpy as np

from ..checks import as_numpy
from ..fields import UNSEEN, FieldEncoder, one_hot, one_hot_csr

RIGHT = "Right."


def _judge(answer, right, *mistakes):
    """Compare numbers; `mistakes` are pairs of a typical wrong answer and the hint for it."""
    answer, right = np.asarray(as_numpy(answer), float), np.asarray(right, float)
    assert answer.shape == right.shape, f"Your answer has shape {answer.shape}: {right.shape} is needed."
    if np.allclose(answer, right, rtol=1e-4, atol=1e-5):
        return
    for wrong, hint in mistakes:
        assert not np.allclose(answer, wrong, rtol=1e-4, atol=1e-5), hint
    raise AssertionError("Not yet. The hint may help, and so may a smaller case, worked out by hand.")


def check_ids_by_hand(answer):
    """Chapter 1: the ids of two rows, written down without an encoder, (2, 3)."""
    encoder = FieldEncoder().fit({
        "weekday": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        "device": ["phone", "tablet", "desktop"] + 4 * ["phone"],
        "topic": ["news", "games", "sport", "travel"] + 3 * ["news"]})
    right = encoder.transform({"weekday": ["Sun", "Mon"], "device": ["tablet", "watch"],
                               "topic": ["sport", "news"]})
    answer = as_numpy(answer)
    assert answer.shape == (2, 3), "Two rows of three ids are asked for, such as [[1, 2, 3], [4, 5, 6]]."
    assert answer[0, 0] != 7, "Ids follow the sorted vocabulary, which begins with Fri, not the calendar."
    _judge(answer[0], right[0],
           ([3, 9, 12], "Each field keeps one id to spare: the sizes are 8, 4 and 5."),
           ([3, 10, 14], "A field's first id is the spare one: the vocabulary begins one later."))
    assert answer[1, 1] == 8, "A watch was never seen: it has the device field's first id, its offset."
    _judge(answer, right)
    print(RIGHT)


def check_csr_pays(answer):
    """Chapter 1: a function of B and F, the smallest n at which CSR takes fewer bytes than dense."""
    for B, F in ((1, 5), (2, 3), (3, 1), (50, 2), (1000, 10)):
        ids = np.tile(np.arange(F), (B, 1))
        csr = one_hot_csr(ids, 4 * F)
        stored = sum(a.size * np.dtype(a.dtype).itemsize for a in (csr.data, csr.indices, csr.indptr))
        dense_column = one_hot(ids, 4 * F).asnumpy().nbytes // (4 * F)
        _judge(answer(B, F), stored // dense_column + 1,
               (stored / dense_column, "That is where both take the same; n is whole, and CSR takes fewer."),
               ((8 * B * F + 8 * (B + 1)) // (4 * B) + 1, "A column number is an int64: eight bytes, so an entry takes twelve."),
               (3 * F + 1, "The starts of the rows are stored too, eight bytes a row."),
               (3 * F + 3, f"Not for B = {B}: where the last row ends is stored too, in eight bytes."),
               (stored // dense_column, f"For B = {B} CSR does not take fewer bytes yet."))
    print(RIGHT)


def check_hashed(answer):
    """Chapter 1: a function of a column and a number of buckets that needs no vocabulary."""
    names = [f"campaign {m}" for m in range(1000)]
    ids = as_numpy(answer(names, 500))
    assert ids.shape == (1000,), "One id for each category of the column is asked for."
    assert ids.dtype.kind in "iu", f"Ids are whole numbers, yours are {ids.dtype}."
    assert 0 <= ids.min() and ids.max() < 500, "Ids run from 0 to buckets - 1: take the remainder."
    assert as_numpy(answer(names, 7)).max() < 7, "The number of buckets is an argument: with 7, ids end at 6."
    builtin = np.array([hash(name) for name in names])
    assert not any(np.array_equal(ids, some % 500) for some in (builtin, abs(builtin))), (
        "Python's hash of a text is another one in every run: tomorrow each id would mean something else.")
    assert np.array_equal(answer(names[10:20], 500), ids[10:20]), (
        "The same category has another id in another column: is there a vocabulary left in it?")
    used = len(np.unique(ids))
    assert used > 400, f"{used} of 500 ids are used, where chance alone uses about 432: too many meet."
    print(RIGHT)


def check_rare_as_unseen(answer):
    """Chapter 1: a function of a column and a least count, the column with rare categories replaced."""
    column = [f"campaign {m}" for m in np.random.default_rng(0).geometric(0.15, size=300)]
    for least in (1, 2, 5):
        new = list(answer(list(column), least))
        assert len(new) == 300, "No row is dropped: the column keeps its length."
        for before, after in zip(column, new):
            count = column.count(before)
            assert after in (before, UNSEEN), f"{after!r} is no category of the column, and not UNSEEN."
            assert count != least or after == before, f"{least} rows are enough where {least} are asked for."
            assert count >= least or after == UNSEEN, (
                f"A category with {count} rows stayed, where {least} are asked for.")
            assert count < least or after == before, f"A category with {count} rows was replaced: {least} are enough."
    print(RIGHT)


def check_without_offsets(answer):
    """Chapter 1: how many different rows of ones 27 rows of ids make, if offsets are forgotten."""
    rows = {tuple(np.isin(range(3), ids)) for ids in product(range(3), repeat=3)}
    _judge(answer, len(rows),
           (27, "That is with the offsets. Without them (0, 1, 1) and (1, 0, 0) put their ones in the same columns."),
           (10, "That tells apart how often a column is met; a 1 that is put twice is still a 1."),
           (8, "A row without any 1 cannot occur: each row has at least one id."),
           (6, "Two fields may have the same id, too."))
    print(RIGHT)


def check_new_logit(answer):
    """Chapter 2: the toy's logit for Monday, desktop and news."""
    _judge(answer, -1 + (1 + 3 + 3),
           (-1, "That is the first order alone. The pairs are missing."),
           (7, "Those are the pairs alone. The bias is missing."),
           (13, "Each pair was counted twice: once as (i, j), once as (j, i)."),
           (12, "A feature makes no pair with itself: the rows' own squares are still in it."))
    print(RIGHT)


def check_fewest_features(answer):
    """Chapter 2: a function of k, the fewest features at which factors are fewer than pairs."""
    for k in (10, 1, 2, 30):
        right = next(n for n in range(1, 100) if k * n < len(list(combinations(range(n), 2))))
        _judge(answer(k), right,
               (2 * k + 1, f"For k = {k} there are as many factors as pairs at this n, not fewer."),
               (2 * k, "There are n(n - 1)/2 pairs, not n²/2."),
               (k + 2, "Each pair has one weight, not two: n(n - 1)/2 of them."))
    print(RIGHT)


def check_triples(answer):
    """Chapter 2: a function of x (n,) and U (n, k), the sum over all triples of features."""
    rng = np.random.default_rng(0)
    for n, k in ((1, 2), (3, 1), (6, 4), (9, 3)):
        x, U = rng.normal(size=n), rng.normal(size=(n, k))
        a = x[:, None] * U
        right = sum((a[i] * a[j] * a[m]).sum() for i, j, m in combinations(range(n), 3))
        s1, s2, s3 = (a ** 1).sum(axis=0), (a ** 2).sum(axis=0), (a ** 3).sum(axis=0)
        _judge(answer(x, U), right,
               (6 * right, "Each triple was counted six times, once for each order of its features."),
               ((s1 ** 3).sum() / 6, "The cube of the sum also has triples that name a feature twice or thrice."),
               ((s1 ** 3 - s3).sum() / 6, "Triples that name one feature twice, (i, i, j), are still in it."),
               ((s1 ** 3 - 3 * s1 * s2).sum() / 6,
                "(i, i, i) is in the cube once, and three times in what you took away."))
    print(RIGHT)


def check_field_aware(answer):
    """Chapter 2: a function of ids (F,) and V (n, F, k), the second order of the field-aware FM."""
    rng = np.random.default_rng(0)
    for F, k in ((3, 2), (5, 4)):
        ids, V = 4 * np.arange(F) + rng.integers(4, size=F), rng.normal(size=(4 * F, F, k))
        pairs = list(combinations(range(F), 2))
        right = sum(V[ids[f], g] @ V[ids[g], f] for f, g in pairs)
        _judge(answer(ids, V), right,
               (sum(V[ids[f], f] @ V[ids[g], g] for f, g in pairs),
                "Each feature used the row for its own field: it is the other feature's field that counts."),
               (sum(V[ids[f], g] @ V[ids[g], g] for f, g in pairs),
                "The second feature must use the row for the first one's field."),
               (2 * right, "Each pair was counted twice."))
    print(RIGHT)


def check_absorbed(answer):
    """Chapter 2: a function of w (n,) and V (n, k), the weights that make up for the squares."""
    rng = np.random.default_rng(0)
    w, V = rng.normal(size=12), rng.normal(size=(12, 3))
    squares = (V ** 2).sum(axis=1)
    new = as_numpy(answer(w.copy(), V.copy()))
    _judge(new, w - squares / 2,
           (w + squares / 2, "The broken model has too much already: the squares must be taken away."),
           (w - squares, "Only half of each square is in the broken model."),
           (w, "With w as it was, each active feature adds half of its row's own square."))
    for _ in range(20):  # and the two models agree
        active = rng.integers([0, 4, 8], [4, 8, 12])
        pairs = sum(V[i] @ V[j] for i, j in combinations(active, 2))
        _judge(new[active].sum() + 0.5 * (V[active].sum(axis=0) ** 2).sum(), w[active].sum() + pairs)
    print(RIGHT)


def check_surviving_terms(answer):
    """Chapter 3: four counts of terms in the double sum, for fields of 3, 6, 2 and 5 features."""
    field = np.repeat(range(4), (3, 6, 2, 5))
    terms = list(combinations(range(16), 2))
    between = sum(field[i] != field[j] for i, j in terms)
    assert len(answer) == 4, "Four numbers are asked for."
    hints = (
        (len(terms), (256, "i < j: no feature is paired with itself, and no pair is counted twice."),
         (240, "i < j: no pair is counted twice.")),
        (between, (len(terms) - between, "Those are the pairs inside a field; the others are wanted.")),
        (6, (4, "One feature a field is active, and it is their pairs that are counted."),
         (16, "Each pair of active features is one term.")),
        (3, (5, "A feature with x = 0 is in more than one pair."),
         (6, "The feature is active, but its x is a factor of its terms.")))
    for place, (number, (right, *mistakes)) in enumerate(zip(answer, hints), 1):
        _judge(number, right, *((wrong, f"Number {place}: {hint}") for wrong, hint in mistakes))
    print(RIGHT)


def check_inner_products(answer):
    """Chapter 3: a function of embeddings (B, F, k), every pair's inner product, (B, F(F - 1)/2)."""
    rng = np.random.default_rng(0)
    for B, F, k in ((1, 2, 3), (7, 3, 2), (5, 6, 4)):
        E = rng.normal(size=(B, F, k))
        right = np.stack([(E[:, f] * E[:, g]).sum(axis=1) for f, g in combinations(range(F), 2)], axis=1)
        by_second = sorted(combinations(range(F), 2), key=lambda pair: pair[::-1])
        _judge(answer(E), right,
               (np.stack([(E[:, f] * E[:, g]).sum(axis=1) for f, g in by_second], axis=1),
                "All there, in another order: (0, 1), (0, 2), …, and only then (1, 2)."))
    print(RIGHT)


def check_inside_pairs(answer):
    """Chapter 3: a function of ids, values and V, all pairs of features, also inside a field."""
    rng = np.random.default_rng(0)
    V = rng.normal(size=(15, 3))
    for counts in ((1, 1, 1), (3, 1, 2), (2, 4, 5)):
        ids = [5 * f + rng.permutation(5)[:count] for f, count in enumerate(counts)]
        values = [rng.normal(size=count) for count in counts]
        a = [value[:, None] * V[field_ids] for field_ids, value in zip(ids, values)]
        between = sum(a[f].sum(axis=0) @ a[g].sum(axis=0) for f, g in combinations(range(3), 2))
        inside = sum(rows[i] @ rows[j] for rows in a for i, j in combinations(range(len(rows)), 2))
        _judge(answer(ids, values, V), between + inside,
               (between, "Those are the pairs of fields. The pairs inside a field are missing."),
               (inside, "Those are the pairs inside the fields. The pairs of fields are missing."),
               (between + 2 * inside, "The pairs inside a field were counted twice."))
    print(RIGHT)


def check_swapped_tables(answer):
    """Chapter 3: the letters of those checks, A to E, that notice two swapped tables."""
    answer = set(answer)
    assert "A" not in answer, "A cannot: both tables have the same shape, so the whole has it too."
    assert "B" not in answer, "B cannot: its two routes use one and the same table, right or wrong."
    assert "C" not in answer, ("C cannot: both fields show their second category. The two rows change "
                               "places, and a sum over all pairs does not know the order.")
    assert "E" not in answer, "E cannot: over all eight rows, each pair of rows of V meets as often as before."
    assert answer == {"D"}, "One of them notices. In which row do the two fields not show the same position?"
    print(RIGHT)
