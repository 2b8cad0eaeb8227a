"""One letter, one meaning: no chapter's letter stands for two things."""
import re
from collections import defaultdict
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
WHOLE, CHAPTER = "## Letters of the whole book", "## Letters of one chapter"
INDICES = set("ijfgrbl")  # the page names them in a sentence
STYLED = r"\\(?:text|operatorname|tilde|bar|hat)\b"


def letters(cell):
    r"""The letters that a cell of the table claims: `$w$, entry $w_i$` claims w alone.

    A subscript or an accent makes no other letter of one, a star does: p and p^*.
    """
    found = set()
    for formula in re.findall(r"\$([^$]+)\$", cell):
        for part in formula.split("="):  # $\hat y = \sigma(z)$ claims y
            part = re.sub(r"_(\{(?:[^{}]|\{[^{}]*\})*\}|\\\w+\{[^}]*\}|.)", "", part)
            name = re.match(STYLED + r"\s*\{?([A-Za-z]+)\}?(\^\*)?"
                            r"|(\\?[A-Za-z]+)(\^\*)?", part.strip())
            found.add((name[1] or name[3]) + (name[2] or name[4] or ""))
    return found - {"\\sigma"}  # the sigmoid, in a cell about y or z


def chapters():
    """Label of an equation, a figure or a chapter → the notebook that defines it."""
    found = {}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in nbformat.read(path, 4).cells:
            found |= dict.fromkeys(re.findall(r"\((\w+-[\w-]+)\)", cell.source)
                                   if cell.cell_type == "markdown" else (), path.stem)
    return found


def rows(text, heading):
    """The table below a heading: a list of (letter's cell, meaning, defined)."""
    table = re.search(r"^\| Letter.*\n\|.*\n((?:\|.*\n?)+)",
                      text[text.index(heading):], re.M)[1]
    cells = ([cell.strip() for cell in line.strip()[1:-1].split("|")]
             for line in table.splitlines())
    return [(letter, meaning, defined) for letter, _, _, meaning, defined in cells]


def double_meanings(text, chapter_of):
    """Return a sentence for each letter with two meanings that nobody owns up to.

    A row owns up to it by `kept beside $b$: why`. So does one that need not.
    """
    whole = INDICES.union(*(letters(letter) for letter, *_ in rows(text, WHOLE)))
    claimed, wrong = defaultdict(set), []
    for cell, meaning, defined in rows(text, CHAPTER):
        kept = {each for formula in re.findall(r"kept beside (\$[^$]+\$)", meaning)
                for each in letters(formula)}
        labels = re.findall(r"`(?:[^`<]*<)?([\w.~-]+)>?`", defined)
        for chapter in {chapter_of.get(label, "the package") for label in labels}:
            twice = letters(cell) & (whole | claimed[chapter])
            wrong += [f"{chapter}: {letter} in {cell}" for letter in twice - kept]
            wrong += [f"{chapter}: {letter} is kept in {cell} beside nothing"
                      for letter in kept - (whole | claimed[chapter])]
            claimed[chapter] |= letters(cell)
    return wrong


CHAPTER_OF = chapters()
PAGE = (ROOT / "book/notation.md").read_text("utf-8")


def test_no_letter_has_two_meanings_in_a_chapter():
    assert double_meanings(PAGE, CHAPTER_OF) == []


@pytest.mark.parametrize("cell, claimed", [
    ("$w$, entry $w_i$", {"w"}), ("$W_{ij}$", {"W"}), ("$\\bar d$", {"d"}),
    ("$z^*$, $p^* = \\sigma(z^*)$", {"z^*", "p^*"}), ("$t_{\\text{own}}$", {"t"}),
    ("$\\hat y = \\sigma(z)$", {"y"}), ("$\\varphi$, $\\Phi$", {"\\varphi", "\\Phi"}),
    ("$\\tilde Z_{ij}$, $\\ell$", {"Z", "\\ell"}), ("$a_{\\text{device}}$, …", {"a"})])
def test_letters_are_read_from_formulas(cell, claimed):
    assert letters(cell) == claimed


@pytest.mark.parametrize("row, found", [
    ("| $F$ | | | a force | {eq}`eq-mf` |", "F in"),
    ("| $r$ | | | a radius | {eq}`eq-mf` |", "r in"),
    ("| $q$ | | | one | {eq}`eq-mf` |\n| $q_i$ | | | two | {eq}`eq-pairs` |", "q in"),
    ("| $q$ | | | one (kept beside $F$: no) | {eq}`eq-mf` |", None),
    ("| $q$ | | | one (kept beside $o$: no) | {eq}`eq-mf` |", "beside nothing"),
    ("| $F$ | | | a force (kept beside $F$: physics) | {eq}`eq-mf` |", None)])
def test_a_second_meaning_is_found_out(row, found):
    before = double_meanings(PAGE, CHAPTER_OF)
    wrong = double_meanings(PAGE.rstrip("\n") + f"\n{row}\n", CHAPTER_OF)
    assert (wrong == before) if found is None else found in wrong[-1]
