"""The index of symptoms: what people ask, and where the book answers."""
import re
from functools import cache
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book/symptoms.md").read_text("utf-8")
ENTRIES = re.findall(r"^(\S.*)\n: (.+)$", PAGE, re.M)
LINK = r"\{(ref|eq|numref)\}`([^`]+)`"


@cache
def anchors():
    """Each label of a page, a section, an equation or a figure of the book."""
    found = set()
    for path in (ROOT / "book").glob("*.md"):
        found |= set(re.findall(r"^\(([\w-]+)\)=$", path.read_text("utf-8"), re.M))
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in nbformat.read(path, 4).cells:
            found |= set(re.findall(r"^\(([\w-]+)\)=$|^\$\$ \((eq-[\w-]+)\)$",
                                    cell.source, re.M))
            found.add(cell.metadata.get("mystnb", {}).get("figure", {}).get("name"))
    return {name for names in found if names
            for name in ([names] if isinstance(names, str) else names)}


def targets(answer):
    return [re.sub(r".*<(.+)>", r"\1", text) for _, text in re.findall(LINK, answer)]


def test_there_are_thirty_symptoms_each_once_and_each_read():
    questions = [question for question, _ in ENTRIES]
    assert len(questions) >= 30 and len(set(questions)) == len(questions)
    assert len(ENTRIES) == len(re.findall(r"^: ", PAGE, re.M))


@pytest.mark.parametrize("question, answer", ENTRIES, ids=[q for q, _ in ENTRIES])
def test_a_symptom_leads_to_anchors_that_exist(question, answer):
    assert targets(answer) and set(targets(answer)) <= anchors()
    assert len(answer) > 30 and answer.endswith(".")


def test_each_mistake_has_a_symptom():
    reached = {target for _, answer in ENTRIES for target in targets(answer)}
    mistakes = {name for name in anchors() if name.startswith("mistake-")}
    assert len(mistakes) >= 19 and mistakes <= reached


@pytest.mark.parametrize("page", ["intro", "how_to"])
def test_the_first_pages_lead_to_the_symptoms(page):
    assert "{doc}`symptoms`" in (ROOT / f"book/{page}.md").read_text("utf-8")
