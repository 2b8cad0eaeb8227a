"""The first command: what machines it takes or refuses, and what it lends MXNet."""
import os
import subprocess
import sys
from pathlib import Path

import install
import preflight
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("machine", [
    ((3, 11), "Linux", "x86_64"), ((3, 14), "Linux", "x86_64"),
    ((3, 13), "Linux", "aarch64"), ((3, 13), "Darwin", "x86_64")])
def test_supported_machines_pass_the_preflight(machine):
    assert preflight.problem(*machine) is None


@pytest.mark.parametrize("machine, wrong, remedy", [
    (((3, 10), "Linux", "x86_64"), "Python 3.10", "PYTHON=python3.13"),
    (((3, 15), "Linux", "x86_64"), "Python 3.15", "PYTHON=python3.13"),
    (((3, 14), "Darwin", "x86_64"), "Python 3.14", "PYTHON=python3.13"),
    (((3, 12), "Windows", "AMD64"), "Windows", "WSL 2"),
    (((3, 12), "Darwin", "arm64"), "Apple silicon", "container"),
    (((3, 12), "Linux", "riscv64"), "riscv64", "x86-64"),
])
def test_other_machines_are_told_what_is_wrong_and_what_to_do(machine, wrong, remedy):
    message = preflight.problem(*machine)
    assert wrong in message and remedy in message and len(message.splitlines()) <= 3


@pytest.fixture
def copy(tmp_path):
    """What the first command needs, in a folder named with a space and an accent."""
    folder = tmp_path / "a bóok"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "pyproject.toml", "tools",
                 "src", "README.md"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def make(folder, python, **environment):
    return subprocess.run(["make", "book", f"PYTHON={python}"], cwd=folder, text=True,
                          capture_output=True, env={**os.environ, **environment})


def fake_python(path, code):
    """A Python that runs `code` before it runs what it is told to run."""
    path.write_text(f"#!/bin/sh\nexec '{sys.executable}' "
                    f"-c \"import sys, runpy; {code}; "
                    "sys.path.insert(0, sys.argv[1] + '/..'); sys.argv = sys.argv[1:]; "
                    "runpy.run_path(sys.argv[0], run_name='__main__')\" \"$@\"\n")
    path.chmod(0o755)
    return path


def test_make_stops_before_it_installs_on_an_unsupported_python(copy, tmp_path):
    result = make(copy,
                  fake_python(tmp_path / "python", "sys.version_info = (3, 9, 0)"))
    assert result.returncode != 0 and "This is Python 3.9" in result.stderr
    assert not (copy / ".venv").exists()


def run_install(copy, monkeypatch, **attributes):
    monkeypatch.setattr(install, "ROOT", copy)
    monkeypatch.setattr(install, "VENV", copy / ".venv")
    monkeypatch.setattr(install, "PYTHON", copy / ".venv/bin/python")
    monkeypatch.setattr(install, "LOG", copy / "_build/install.log")
    for name, value in attributes.items():
        monkeypatch.setattr(install, name, value)
    with pytest.raises(SystemExit) as end:
        install.main()
    return str(end.value)


def test_without_venv_the_package_to_install_is_named(copy, monkeypatch):
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda name: None)
    assert f"apt-get install python3.{sys.version_info[1]}-venv" in run_install(
        copy, monkeypatch)
    assert not (copy / ".venv").exists()


@pytest.mark.parametrize("uv", [None, "/bin/false"],
                         ids=["pip alone", "with a uv that fails"])
def test_without_an_index_the_first_line_says_so(copy, monkeypatch, uv):
    monkeypatch.setattr(install.shutil, "which", lambda name: uv)
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    lines = run_install(copy, monkeypatch).splitlines()
    assert lines[0].startswith("No package index can be reached") and len(lines) <= 6
    assert not (copy / ".venv/installed").exists()


@pytest.fixture
def packages(tmp_path):
    for name in ("mxnet/libmxnet.so", "scipy.libs/libquadmath-2d0c479f.so.0.0.0",
                 "scikit_learn.libs/libgomp-98b21ff3.so.1.0.0"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    return tmp_path


def links(packages):
    return {path.name: path.resolve().relative_to(packages).parts[0]
            for path in (packages / "mxnet").iterdir() if path.is_symlink()}


def test_only_the_libraries_that_the_system_lacks_are_lent(packages):
    install.lend_libraries(packages, "x86_64", is_there=lambda name: True)
    assert links(packages) == {}
    install.lend_libraries(packages, "x86_64",
                           is_there=lambda name: name == "libgomp.so.1")
    assert links(packages) == {"libquadmath.so.0": "scipy.libs"}
    (packages / "mxnet/libquadmath.so.0").unlink()
    install.lend_libraries(packages, "x86_64", is_there=lambda name: False)
    assert links(packages) == {"libquadmath.so.0": "scipy.libs",
                               "libgomp.so.1": "scikit_learn.libs"}


def test_on_arm_the_missing_packages_are_named(packages, monkeypatch):
    monkeypatch.setattr(install, "FOLDERS", [])
    with pytest.raises(SystemExit,
                       match="libopenblas.so.0.*\n.*libopenblas0-pthread liblapacke"):
        install.lend_libraries(packages, "aarch64", is_there=lambda name: False)


def test_the_pinned_packages_hold_the_libraries_that_are_lent():
    for pattern in install.LIBRARIES["x86_64"].values():
        assert list(Path(pytest.__file__).parents[1].glob(pattern))
