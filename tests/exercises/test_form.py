"""Each exercise has a hint, a folded solution that is checked, and a place to try."""
import importlib
import inspect
import re
from pathlib import Path

import nbformat
import pytest

from deepfm_tutorial import exercises as checks

ROOT = Path(__file__).parents[2]
WITH_CHECKS = {path.stem.removeprefix("chapter_") for path
               in Path(checks.__file__).parent.glob("chapter_*.py")}
CHAPTERS = sorted(path for path in (ROOT / "notebooks").glob("*.ipynb")
                  if path.stem[:2] in WITH_CHECKS)
START = r"\{exercise-start\}[^\n]*\n:label: (\S+)"
END = r"\{solution-end\}"


def exercises(path):
    """Return label → the cells from the exercise's own to the end of its solution."""
    cells, found = nbformat.read(path, 4).cells, {}
    for i, cell in enumerate(cells):
        if label := re.search(START, cell.source):
            end = next(
                j for j in range(i, len(cells)) if re.search(END, cells[j].source))
            found[label[1]] = cells[i:end + 1]
    return found


def test_labels_are_unique():
    labels = [label for path in CHAPTERS for label in exercises(path)]
    assert len(labels) == len(set(labels)) >= 27


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_each_exercise_can_be_tried_and_its_folded_solution_is_checked(path):
    found = exercises(path)
    assert 3 <= len(found) <= 5
    for label, (task, place, *solution) in found.items():
        assert "{admonition} Hint\n:class: dropdown" in task.source, label
        check = re.search(r"exercises\.(check_\w+)", place.source)[1]
        assert check in task.source and place.metadata["tags"] == ["remove-cell"], label
        # The place to try has nothing to run yet.
        assert place.source.startswith("# ") and "\n" not in place.source, label
        assert f"{{solution-start}} {label}\n:class: dropdown" in solution[0].source
        hidden = [cell.metadata["jupyter"]["source_hidden"] for cell in solution]
        assert all(hidden), label
        code = [cell.source for cell in solution if cell.cell_type == "code"]
        assert all(source.startswith("# Solution") for source in code), label
        assert any(f"exercises.{check}(" in source for source in code), label
        assert re.search(START, "\n".join(cell.source for cell in solution)) is None


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_uses_all_checks_of_its_module(path):
    module = importlib.import_module(f"{checks.__name__}.chapter_{path.stem[:2]}")
    defined = {name for name in vars(module) if name.startswith("check_")}
    source = "\n".join(cell.source for cell in nbformat.read(path, 4).cells)
    assert set(re.findall(r"exercises\.(check_\w+)", source)) == defined
    for name in defined:
        check = getattr(checks, name)
        assert inspect.unwrap(check) is getattr(module, name)
        assert check.__doc__.startswith(f"Chapter {int(path.stem[:2])}: ")


def test_completion_shows_checks_alone():
    modules = [importlib.import_module(f"{checks.__name__}.chapter_{number}")
               for number in sorted(WITH_CHECKS)]
    defined = [name for module in modules for name in vars(module)
               if name.startswith("check_")]
    assert dir(checks) == checks.__all__ == sorted(defined)
