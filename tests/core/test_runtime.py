"""What is set before MXNet is imported, each in a process of its own."""
import os
import re
import subprocess
import sys

import numpy
import pytest

from deepfm_tutorial import runtime
from deepfm_tutorial.runtime import LENT

SETTINGS = ["OMP_NUM_THREADS", "MXNET_CPU_WORKER_NTHREADS", "GOMP_SPINCOUNT",
            "OMP_WAIT_POLICY", "DEEPFM_TUTORIAL_NUMPY_BOOL"]
STATE = f"""
import os, types, numpy
before = dict(vars(numpy))
import deepfm_tutorial, mxnet
gone = [name for name in before if name not in vars(numpy)]
# NumPy loads submodules of its own on demand.
new = [name for name, value in vars(numpy).items()
       if name not in before and not isinstance(value, types.ModuleType)]
changed = [name for name in before if vars(numpy).get(name) is not before[name]]
print(*(os.environ.get(name) for name in {SETTINGS[:4]}), gone, new, changed)
"""


def run(code, **settings):
    kept = {k: v for k, v in os.environ.items() if k not in SETTINGS}
    return subprocess.run([sys.executable, "-c", code], text=True, capture_output=True,
                          env={**kept, **settings})


def test_numpy_is_left_as_it_was_found_and_threads_are_set():
    result = run(STATE)
    assert (result.stdout.strip()
            == f"{min(os.cpu_count(), 4)} 1 10000 None [] [] []"), result.stderr
    assert result.stderr == ""


def test_the_users_own_settings_win():
    """MXNet would abort on the list."""
    result = run(STATE, OMP_NUM_THREADS="3,2", MXNET_CPU_WORKER_NTHREADS="2",
                 OMP_WAIT_POLICY="active", DEEPFM_TUTORIAL_NUMPY_BOOL="keep")
    missing = [name for name in LENT if name not in vars(numpy)]
    assert (missing and result.stdout.strip()
            == f"3 2 None active [] {missing} []"), result.stderr


def test_what_the_user_lent_or_imported_before_stays():
    result = run("import numpy, sklearn; numpy.npv = 7\nimport deepfm_tutorial, sys\n"
                 "assert numpy.npv == 7 and sys.modules['sklearn'] is sklearn")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name, value, read", [
    ("OMP_NUM_THREADS", "3,2", "3"), ("OMP_NUM_THREADS", " 3 , 2", "3"),
    ("OMP_NUM_THREADS", "", None), ("MXNET_CPU_WORKER_NTHREADS", "", "1"),
    ("GOMP_SPINCOUNT", "5k", "5k"), ("OMP_WAIT_POLICY", "PASSIVE", "PASSIVE")])
def test_settings_are_read_as_openmp_allows_them(name, value, read, monkeypatch):
    """`read` is what MXNet sees; None stands for as many as there are cores."""
    monkeypatch.setattr(os, "environ", {name: value})
    runtime.set_threads()
    assert os.environ[name] == (read or str(min(os.cpu_count(), runtime.MOST_THREADS)))


@pytest.mark.parametrize("name, value", [
    ("OMP_NUM_THREADS", "many"), ("OMP_NUM_THREADS", "0"), ("OMP_NUM_THREADS", "2,-1"),
    ("OMP_NUM_THREADS", "9" * 20), ("MXNET_CPU_WORKER_NTHREADS", "0"),
    ("GOMP_SPINCOUNT", "long"), ("OMP_WAIT_POLICY", "patient")])
def test_a_setting_that_is_none_is_ignored_with_a_warning(name, value, monkeypatch):
    monkeypatch.setattr(os, "environ", {name: value})
    with pytest.warns(UserWarning, match=f"{name}={value!r} is ignored: .* is allowed"):
        runtime.set_threads()
    assert os.environ.get(name) != value and os.environ["OMP_NUM_THREADS"].isdecimal()


@pytest.mark.parametrize("mode, message", [
    ("off", "AttributeError: (module 'numpy' has no attribute|`np.PZERO` was removed)"),
    ("yes", "'yes': lend, keep or off is allowed")])
def test_off_lends_nothing_and_other_words_are_refused(mode, message):
    assert re.search(
        message, run("import deepfm_tutorial", DEEPFM_TUTORIAL_NUMPY_BOOL=mode).stderr)


def test_what_mxnet_imports_for_nothing_is_spared_and_can_be_imported_later():
    result = run("import deepfm_tutorial, sys\n"
                 "assert not [name for name in sys.modules "
                 "if name.startswith(('sklearn', 'scipy.stats'))]\n"
                 "import sklearn.metrics, scipy.stats")
    assert result.returncode == 0, result.stderr
