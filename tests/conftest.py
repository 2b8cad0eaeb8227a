"""Tests and notebooks whose needs this machine does not meet are skipped, and the reason is shown."""
import os

# Several processes of tests share the cores; the notebooks' kernels inherit it.
if processes := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 0)):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))

import nbformat
import needs  # it prepares NumPy and the other settings of threads
import pytest


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
