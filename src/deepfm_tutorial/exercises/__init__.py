"""Checks for the exercises: each takes a reader's answer and says what is wrong with it.

A check raises `AssertionError` with a message that helps, or prints that the answer is right.
`features` has those of chapters 1 to 3, `network` 4 to 6, `judging` 7 to 9, `scaling` those of
10, `machines` of 11, `serving` and `monitoring` of 12.
"""
from .features import *  # noqa: F403
from .judging import *  # noqa: F403
from .machines import *  # noqa: F403
from .monitoring import *  # noqa: F403
from .network import *  # noqa: F403
from .scaling import *  # noqa: F403
from .serving import *  # noqa: F403
