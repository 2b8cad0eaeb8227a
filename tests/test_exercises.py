"""The exercises' form: each has a hint, a folded solution that is checked, and a place to try."""
import re
from pathlib import Path

import nbformat
import pytest

NUMBERED = (Path(__file__).parents[1] / "notebooks").glob("[01]*.ipynb")
CHAPTERS = sorted(path for path in NUMBERED if path.stem != "13_common_mistakes")
START, SOLUTION, END = r"\{exercise-start\}[^\n]*\n:label: (\S+)", r"\{solution-start\} (\S+)", r"\{solution-end\}"


def exercises(path):
    """label → the cells from the exercise's own to the one that ends its solution."""
    cells, found = nbformat.read(path, 4).cells, {}
    for i, cell in enumerate(cells):
        if label := re.search(START, cell.source):
            end = next(j for j in range(i, len(cells)) if re.search(END, cells[j].source))
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
        assert place.source.startswith("# ") and "\n" not in place.source, label  # nothing to run yet
        assert f"{{solution-start}} {label}\n:class: dropdown" in solution[0].source
        assert all(cell.metadata["jupyter"]["source_hidden"] for cell in solution), label
        code = [cell.source for cell in solution if cell.cell_type == "code"]
        assert all(source.startswith("# Solution") for source in code), label
        assert any(f"exercises.{check}(" in source for source in code), label
        assert re.search(START, "\n".join(cell.source for cell in solution)) is None
