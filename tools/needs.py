"""What a notebook or a test needs beyond the packages, and whether this machine has it.

A notebook says so in its metadata, a test with a marker:

    "deepfm_tutorial": {"needs": ["movielens"]}          @pytest.mark.needs("movielens")

Where a need is not met, the build shows the notebook with its stored outputs and a box
that says so, and the tests skip it with the same reason. `python tools/needs.py`
fetches what can be fetched.
"""
import importlib.util
import sys
from collections.abc import Callable, Iterable
from typing import NamedTuple


class Need(NamedTuple):
    """Something that may be absent.

    Attributes:
        what: its name in a sentence.
        is_here: whether this machine has it, found out without the network.
        remedy: what somebody does who wants it, a sentence.
        fetch: gets it, or raises OSError or ValueError; None if the user must.
    """

    what: str
    is_here: Callable[[], bool]
    remedy: str
    fetch: Callable[[], object] | None = None


def _movielens():
    # Here: MXNet comes with it, and most who ask need nothing.
    from deepfm_tutorial.datasets import movielens
    return movielens


def _package(*names):
    """Whether packages are installed. None of them is imported: that takes seconds."""
    return all(importlib.util.find_spec(name) for name in names)


NEEDS = {
    "movielens": Need(
        "the data set MovieLens 100K", lambda: _movielens().is_here(),
        "With a network, `make data` downloads it; without, DEEPFM_TUTORIAL_DATA "
        "names a folder that has it.", lambda: _movielens().load_movielens()),
    "torch": Need("PyTorch", lambda: _package("torch"), "`make torch` installs it."),
    "jax": Need("JAX with Optax", lambda: _package("jax", "jaxlib", "optax"),
                "`make torch` installs both."),
}


def of_notebook(notebook: dict) -> list[str]:
    """Return the names of what a notebook declares, in its order; maybe none."""
    return list(notebook["metadata"].get("deepfm_tutorial", {}).get("needs", []))


def unmet(names: Iterable[str]) -> str | None:
    """Return why these needs are not met, and what to do, or None if they are.

    Raises:
        ValueError: a name is not in `NEEDS`.
    """
    for name in names:
        if name not in NEEDS:
            raise ValueError(f"needs = {name!r}: one of {', '.join(NEEDS)} is allowed")
        if not NEEDS[name].is_here():
            return (
                f"This machine does not have {NEEDS[name].what}. {NEEDS[name].remedy}")
    return None


def main():
    """Fetch what is missing. A failure is said and no error: the book goes without."""
    for need in NEEDS.values():
        try:
            is_here = need.is_here()
        except (OSError, ValueError) as error:  # what the user has set is wrong
            sys.exit(f"{error}")
        if not is_here and need.fetch:
            try:
                need.fetch()
            except (OSError, ValueError) as error:
                print(f"Without {need.what}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
