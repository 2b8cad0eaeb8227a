"""Tests and notebooks whose needs are not met here are skipped, with the reason."""
import nbformat
import needs
import pytest


def pytest_collectstart():
    """Prepare NumPy for the tests' imports of MXNet; who hands out tests needs none."""
    import deepfm_tutorial  # noqa: F401


def needs_of(item):
    """The names of what a test, or a notebook's cell, declares."""
    if item.path.suffix == ".ipynb":
        return needs.of_notebook(nbformat.read(item.path, 4))
    return [name for marker in item.iter_markers("needs") for name in marker.args]


def pytest_collection_modifyitems(items):
    declared = {}  # of each notebook once, not of each cell
    for item in items:
        key = item.path if item.path.suffix == ".ipynb" else item.nodeid
        if key not in declared:
            declared[key] = needs.unmet(needs_of(item))
        if reason := declared[key]:
            item.add_marker(pytest.mark.skip(reason=reason))
