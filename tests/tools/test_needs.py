"""What a notebook needs beyond packages: met, unmet, unknown; in build and tests."""
import re
from pathlib import Path

import book
import nbformat
import needs
import pytest

pytest_plugins = "pytester"
ROOT = Path(__file__).parents[2]
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3",
                         "language": "python"}}
STORED, NEW = "stored output", "new output"


@pytest.fixture(params=[True, False], ids=["met", "unmet"])
def met(request, monkeypatch):
    monkeypatch.setitem(needs.NEEDS, "thing",
                        needs.Need("the thing", lambda: request.param, "Get one."))
    return request.param


def write(path, needed, code=f"print('{NEW}')"):
    """A notebook of a title and one cell, whose stored output is not what it prints."""
    cell = nbformat.v4.new_code_cell(
        code, outputs=[nbformat.v4.new_output("stream", text=STORED + "\n")],
        execution_count=1)
    nbformat.write(nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# Title"), cell],
        metadata={**KERNEL, "deepfm_tutorial": {"needs": needed}}), path)


def test_the_build_executes_what_has_its_needs_and_puts_a_box_on_the_rest(
        met, tmp_path, capsys):
    write(tmp_path / "page.ipynb", ["thing"])
    with open(tmp_path / "log", "w") as log:
        unmet = book.execute_all([tmp_path / "page.ipynb"], tmp_path / "executed", log)
    cells = nbformat.read(tmp_path / "executed/page.ipynb", 4).cells
    assert cells[-1].outputs[0].text == (NEW if met else STORED) + "\n"
    if met:
        assert unmet == {} and len(cells) == 2 and "page" in capsys.readouterr().out
    else:
        assert unmet == {"page": "This machine does not have the thing. Get one."}
        assert (cells[0].source == "# Title" and "stored outputs" in cells[1].source
                and "Get one." in cells[1].source)


def test_an_unknown_need_is_refused_by_name(tmp_path):
    write(tmp_path / "page.ipynb", ["pytroch"])
    with (pytest.raises(ValueError, match="needs = 'pytroch': one of movielens"),
          open(tmp_path / "log", "w") as log):
        book.execute_all([tmp_path / "page.ipynb"], tmp_path / "executed", log)
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert set(needs.of_notebook(nbformat.read(path, 4))) <= set(needs.NEEDS)


def run_tests(pytester, monkeypatch, has_thing, needed):
    """Run the book's conftest on a notebook and two tests, in a process of its own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tools"))
    # What is tested here does without, and saves its import.
    pytester.makepyfile(deepfm_tutorial="")
    thing = ("import needs\nneeds.NEEDS['thing'] = "
             f"needs.Need('the thing', lambda: {has_thing}, 'Get one.')\n")
    pytester.makeconftest(thing + (ROOT / "tests/conftest.py").read_text("utf-8"))
    pytester.makeini("[pytest]\nmarkers = needs(name)")
    write(pytester.path / "page.ipynb", [needed], code=f"print('{STORED}')")
    pytester.makepyfile(f"import pytest\n@pytest.mark.needs('{needed}')\n"
                        "def test_it(): pass\ndef test_other(): pass")
    return pytester.runpytest_subprocess("--nbval", "--nbval-current-env", "-rs", "-p",
                                         "no:cacheprovider")


@pytest.mark.parametrize("has_thing, outcomes",
                         [(True, {"passed": 3}), (False, {"passed": 1, "skipped": 2})])
def test_the_tests_of_what_is_missing_are_skipped_with_the_reason(pytester, monkeypatch,
                                                                  has_thing, outcomes):
    result = run_tests(pytester, monkeypatch, has_thing, "thing")
    result.assert_outcomes(**outcomes)
    assert ("This machine does not have the thing. Get one."
            in result.stdout.str()) != has_thing


def test_an_unknown_need_of_a_test_stops_the_tests(pytester, monkeypatch):
    result = run_tests(pytester, monkeypatch, True, "pytroch")
    assert (result.ret != 0
            and "needs = 'pytroch'" in result.stdout.str() + result.stderr.str())


@pytest.mark.parametrize("error", [ConnectionError("no answer"),
                                   PermissionError("no folder"), ValueError("altered")])
def test_what_cannot_be_fetched_is_said_and_stops_nothing(monkeypatch, capsys, error):
    def fetch():
        raise error
    monkeypatch.setattr(needs, "NEEDS", {
        "thing": needs.Need("the thing", lambda: False, "Get one.", fetch)})
    needs.main()
    assert capsys.readouterr().err == f"Without the thing: {error}\n"


@pytest.mark.parametrize("name, sign", [("movielens", r"load_movielens\("),
                                        ("torch", r"^import torch"),
                                        ("jax", r"^import jax")])
def test_every_notebook_that_uses_what_may_be_absent_says_so(name, sign):
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        notebook = nbformat.read(path, 4)
        code = "\n".join(cell.source for cell in notebook.cells
                         if cell.cell_type == "code")
        assert (bool(re.search(sign, code, re.M))
                == (name in needs.of_notebook(notebook))), path


def test_a_package_is_here_if_it_can_be_imported_and_none_is(monkeypatch):
    installed = {"torch", "jax", "jaxlib"}
    monkeypatch.setattr(needs.importlib.util, "find_spec",
                        lambda name: name if name in installed else None)
    assert needs.unmet(["torch"]) is None
    assert needs.unmet(["torch", "jax"]) == (
        "This machine does not have JAX with Optax. `make torch` installs both.")
    installed.clear()
    assert needs.unmet(["torch", "jax"]) == (
        "This machine does not have PyTorch. `make torch` installs it.")


def test_what_make_torch_adds_agrees_with_what_the_book_pins():
    """Else it would replace a package of the book by another version."""
    def pins(name):
        found = re.findall(r"^([\w.-]+)==(\S+)(?: *; *([^\\\n]*[^\\\s]))?",
                           (ROOT / name).read_text("utf-8"), re.M)
        return {(package.lower().replace("_", "-"),
                 when.replace("python_full_version", "python_version")
                 .replace('"', "'")): version for package, version, when in found}
    book, added = pins("requirements.txt"), pins("requirements-torch.txt")
    shared = {package for package, _ in book} & {package for package, _ in added}
    assert {"numpy", "scipy", "sympy", "ml-dtypes"} <= shared
    for (package, when), version in added.items():
        if package in shared:
            allowed = {v for (p, w), v in book.items()
                       if p == package and (w == when or not when)}
            assert version in allowed or (package, when) not in book and (
                package == "ml-dtypes"), (package, when)
    wanted = re.findall(r"^[\w-]+==[\w.]+",
                        (ROOT / "requirements-torch.in").read_text("utf-8"), re.M)
    assert set(wanted) <= {f"{package}=={v}" for (package, _), v in added.items()}
