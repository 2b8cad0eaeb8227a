"""A synthetic click log whose true click probabilities are known (chapter 7).

The logit of a row is a sum of planted effects: one table for each field, pair of fields
and triple of fields that matters. So the best possible AUC and log loss are known, and
so is what each part of a model could have found.
"""
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from .._validation import check_integer

# In the order of their best hours, three apart from midnight on.
TOPICS = ("games", "travel", "news", "business", "food", "fashion", "sport", "film")
# The first three are on the move, the others at home.
SEGMENTS = ("student", "commuter", "tourist", "parent", "retired", "remote worker")
CATEGORIES = {
    "weekday": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "hour": tuple(f"{hour:02}" for hour in range(24)),
    "device": ("phone", "tablet", "desktop"),
    "position": ("top", "middle", "bottom"),
    "section": ("home", "article", "search", "video"),
    "topic": TOPICS,
    "segment": SEGMENTS,
    "campaign": tuple(f"c{number:03}" for number in range(1, 401)),
}
"""Field name → its categories. The tables' axes follow its order, weekday first.

:meta hide-value:
"""

BIAS = -2.4

NEW_CAMPAIGNS = tuple(f"c{number:03}" for number in range(401, 441))
CHANGES = {
    "phones": "four impressions in five are on a phone, not one in two",
    "campaigns": "forty new campaigns take a quarter of the impressions",
    "positions": "the bottom of the page is worth what the top was, and the top what "
                 "the bottom was",
    "habits": "the triple reverses: people on the move click on the phone after noon",
}
"""What can happen to the world, one at a time (chapter 14).

`phones` and `campaigns` change which rows come, `positions` and `habits` which rows are
clicked.

:meta hide-value:
"""


class ClickLog(NamedTuple):
    """A log of N impressions.

    Attributes:
        columns: field name → (N,) array of text, in the order of `CATEGORIES`.
        labels: (N,) float32, 1 for a click.
        probabilities: (N,) float64, the true probability of that click.
    """

    columns: dict
    labels: np.ndarray
    probabilities: np.ndarray


def frequencies(change: str | None = None) -> dict[str, np.ndarray]:
    """Return how often each category comes: field name → shares that add up to 1.

    Fields are drawn independently of each other. `change` is one of `CHANGES`, or None.
    """
    share = {name: np.ones(len(categories)) for name, categories in CATEGORIES.items()}
    # Most at 8 and 20 o'clock, and as much before noon as after.
    share["hour"] = 1 + 0.6 * np.cos(4 * np.pi * (np.arange(24) - 8) / 24)
    share["device"] = np.array([0.50, 0.15, 0.35])
    share["position"] = np.array([0.40, 0.35, 0.25])
    share["section"] = np.array([0.40, 0.30, 0.20, 0.10])
    share["campaign"] = 1 / np.arange(1, 401)  # the long tail: Zipf's law
    if change == "phones":  # tablet and desktop keep their ratio
        share["device"] = np.array([0.80, 0.06, 0.14])
    share = {name: weights / weights.sum() for name, weights in share.items()}
    if change == "campaigns":
        new = 1 / np.arange(1, len(NEW_CAMPAIGNS) + 1)
        share["campaign"] = np.append(0.75 * share["campaign"], 0.25 * new / new.sum())
    return share


def planted_effects(change: str | None = None) -> dict[tuple[str, ...], np.ndarray]:
    """Return the tables that the true logit adds up: (field, …) → one axis a field.

    A row's true logit is `BIAS` plus, from each table, the entry at the row's
    categories. `change` is one of `CHANGES`, or None.
    """
    hour, number = np.arange(24), 1 + np.arange(len(_categories(change)["campaign"]))
    position, habit = (-1 if change == reverses else 1
                       for reverses in ("positions", "habits"))
    weekend = np.array([-0.4] * 5 + [1] * 2)  # its mean over a week is zero
    leisure = np.array([1, 1, -1, -1, -1, -1, 1, 1])  # by topic
    phone, morning = np.array([1, -1, -1]), np.where(hour < 12, 1, -1)
    moving = np.array([1, 1, 1, -1, -1, -1])  # by segment
    return {
        ("device",): np.array([0.3, 0.0, -0.3]),
        ("position",): position * np.array([0.5, 0.0, -0.5]),
        ("section",): np.array([-0.2, 0.0, 0.5, 0.2]),
        ("campaign",): 0.5 * np.sin(3 * number),
        # Each topic has its best hour: two hands of one clock.
        ("hour", "topic"):
            1.2 * np.cos(2 * np.pi * (hour[:, None] - 3 * np.arange(8)) / 24),
        ("weekday", "topic"): 0.8 * np.outer(weekend, leisure),
        # On the desk people search, on the phone they browse.
        ("device", "section"): 0.6 * np.outer([0.7, 0.0, -1.0], [0.5, 0.0, -1.5, 1.0]),
        # Campaigns and segments are directions in a plane; the effect is their cosine.
        ("segment", "campaign"):
            0.8 * np.cos(2 * np.pi * np.arange(6)[:, None] / 6 - number),
        # Who is on the move clicks on the phone before noon, who is at home after noon.
        ("hour", "device", "segment"):
            habit * 0.8 * np.einsum("h,d,s->hds", morning, phone, moving),
    }


def _categories(change: str | None) -> dict[str, tuple]:
    new = NEW_CAMPAIGNS if change == "campaigns" else ()
    return CATEGORIES | {"campaign": CATEGORIES["campaign"] + new}


def make_click_log(num_rows: int, seed: int, orders: Collection[int] = (1, 2, 3),
                   change: str | None = None) -> ClickLog:
    """Draw a click log. Equal seeds give equal categories, whatever `orders` says.

    Args:
        num_rows: how many impressions, N.
        seed: of the categories and of the clicks.
        orders: which effects the world has: 1 first order, 2 pairs, 3 the triple.
        change: what happened to the world, one of `CHANGES`, or None.

    Returns:
        A `ClickLog`.

    Raises:
        TypeError, ValueError: `num_rows`, `seed`, `change` or an order is not allowed.
    """
    check_integer("num_rows", num_rows)
    check_integer("seed", seed, least=0)
    if strange := set(orders) - {1, 2, 3}:
        raise ValueError(f"orders = {orders}: "
                         f"{sorted(strange)} is not among 1, 2 and 3")
    if change not in (None, *CHANGES):
        raise ValueError(f"change = {change!r}: "
                         f"None or one of {list(CHANGES)} is allowed")
    rng = np.random.default_rng(seed)
    drawn = {name: rng.choice(len(p), size=num_rows, p=p)
             for name, p in frequencies(change).items()}
    logits = np.full(num_rows, BIAS)
    for fields, table in planted_effects(change).items():
        if len(fields) in orders:
            logits += table[tuple(drawn[name] for name in fields)]
    probabilities = expit(logits)
    labels = (rng.random(num_rows) < probabilities).astype(np.float32)
    names = _categories(change)
    columns = {name: np.array(names[name])[codes] for name, codes in drawn.items()}
    return ClickLog(columns, labels, probabilities)
