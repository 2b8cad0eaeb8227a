"""Translations that gettext does not reach, and notebooks in another language.

Sphinx translates what it reads as text, message by message, from
`locale/<language>/LC_MESSAGES`. Titles of exercises, alternative texts of figures, the
words of drawings and of live figures, and those of the settings are no text to it.
They are in `locale/<language>/words.po`. All functions here take a notebook or a text
and such a dictionary, from English to its translation, and return a changed copy.
"""
import copy
import re
from collections import Counter
from functools import cache
from html import escape, unescape
from pathlib import Path

from babel.messages.pofile import read_po

LOCALE = Path(__file__).parents[2] / "locale"

# What may stand before a message on its line.
MARK = (r"(?:#{1,6} |[-*] (?:\[[ x]\] )?|\d+\. |: |> |[`:]{3,}\{[\w-]+\} ?"
        r"|(?:.*\|)? ?)")
# What Sphinx leaves out: titles of exercises, and what buttons say.
TITLE = re.compile(r"(?m)^(```\{exercise-start\} |```\{button-ref\} [^`]+\n\n)(.+)$")
BOX = ":class: warning not-executed"
SAID = re.compile(r'\bsay\(\s*"((?:[^"\\]|\\.)*)"')  # a live figure's words
SVG = "image/svg+xml"
# One text of a drawing, as Matplotlib writes it in outlines: a comment, then a group.
LABEL = re.compile(
    r'<!-- (?P<text>[^\n]*?) -->\s*<g style="(?P<style>[^"]*)" transform="translate\('
    r'(?P<x>[-\d.]+) (?P<y>[-\d.]+)\)(?P<turn> rotate\([-\d.]+\))? scale\('
    r'(?P<size>[\d.]+) -[\d.]+\)">\s*(?P<defs><defs>.*?</defs>)?(?P<glyphs>.*?)</g>',
    re.S)
HALF_A_GLYPH = 32  # of 100 units an em


def read(path: Path) -> dict[str, str]:
    """The finished translations of a catalogue; what is marked fuzzy is left out."""
    if not path.is_file():
        return {}
    with open(path, "rb") as file:
        return {message.id: message.string for message in read_po(file)
                if message.id and message.string and not message.fuzzy}


@cache  # each page asks
def words(language: str) -> dict[str, str]:
    """What `words.po` says."""
    return read(LOCALE / language / "words.po")


@cache
def messages(language: str, page: str) -> dict[str, str]:
    """What Sphinx's catalogue of a page says."""
    return read(LOCALE / language / "LC_MESSAGES" / f"{page}.po")


def live_words(script: Path) -> list[str]:
    """The words of a live figure."""
    return SAID.findall(script.read_text("utf-8"))


def with_words(notebook: dict, known: dict[str, str]) -> dict:
    """A notebook whose titles of exercises, alternative texts and drawings are known.

    Args:
        notebook: as nbformat has it.
        known: `words`.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = with_titles(cell["source"], known)
        if BOX in cell["source"]:
            cell["source"] = _by_lines(cell["source"], known)
        image = cell["metadata"].get("mystnb", {}).get("image", {})
        if "alt" in image:
            image["alt"] = known.get(image["alt"], image["alt"])
        if is_drawing(cell):
            for data in (output.get("data", {}) for output in cell["outputs"]):
                if SVG in data:
                    data[SVG] = relabelled(data[SVG], known)
    return notebook


def titles(text: str) -> list[str]:
    """The titles and the buttons of a text."""
    return [title for _, title in TITLE.findall(text)]


def with_titles(text: str, known: dict[str, str]) -> str:
    """A text with its titles and buttons as they are known."""
    return TITLE.sub(lambda found: found[1] + known.get(found[2], found[2]), text)


def _by_lines(box, known):
    """The box of tools/book.py: a title, and a sentence a line."""
    title, *lines = box.split("\n")
    name, _, text = title.partition(" ")
    return "\n".join([f"{name} {known.get(text, text)}",
                      *(known.get(line, line) for line in lines)])


def is_drawing(cell: dict) -> bool:
    """Whether a cell shows one of the package's drawings. Plots keep their words: they
    are what the code beside them prints."""
    return cell["cell_type"] == "code" and "figures.draw_" in cell["source"]


def labels(svg: str) -> list[str]:
    """The texts of a drawing, in its order."""
    return [unescape(found["text"]) for found in LABEL.finditer(svg)]


def relabelled(svg: str, known: dict[str, str]) -> str:
    """A drawing with the texts that are known as text, each where it was.

    A text is centred where it was, but for one whose line before or after begins at the
    same place: that begins there, too.
    """
    begins = Counter(found["x"] for found in LABEL.finditer(svg))

    def text(found):
        translated = known.get(unescape(found["text"]))
        if translated is None:
            return found[0]
        size = float(found["size"])
        starts = re.findall(r"translate\(([\d.]+) 0\)", found["glyphs"])
        middle = size * (float(starts[-1] if starts else 0) / 2 + HALF_A_GLYPH)
        anchor, x = ("start", 0) if begins[found["x"]] > 1 else ("middle", middle)
        turn = (found["turn"] or "").strip()
        # Other texts draw with the outlines that this one defines.
        return (f"{found['defs'] or ''}<text style=\"{found['style']}\" transform=\""
                f"translate({found['x']} {found['y']}) {turn}\" x=\"{x:.2f}\" "
                f"text-anchor=\"{anchor}\" font-size=\"{100 * size:g}\" "
                f"font-family=\"sans-serif\">{escape(translated)}</text>")
    return LABEL.sub(text, svg)


def translated(notebook: dict, known: dict[str, str], say: dict[str, str]) -> dict:
    """A notebook to download, its text translated and its code as it is.

    What has no translation stays English.

    Args:
        notebook: as nbformat has it.
        known: `messages` of its page.
        say: `words`.
    """
    notebook = with_words(notebook, say)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = translated_text(cell["source"], known)
        figure = cell["metadata"].get("mystnb", {}).get("figure", {})
        if "caption" in figure:
            figure["caption"] = known.get(figure["caption"], figure["caption"])
    return notebook


def translated_text(text: str, known: dict[str, str]) -> str:
    """A text in Markdown with each message that it holds as a block, translated."""
    in_one_line = " ".join(text.split())
    here = [message for message in known if " ".join(message.split()) in in_one_line]
    # Longer ones first: a short one may be a part of a longer one.
    for message in sorted(here, key=len, reverse=True):
        # A message is a block's whole text, however its lines are broken.
        pattern = (rf"(?m)^([ \t]*{MARK}?)"
                   + r"\s+".join(map(re.escape, message.split()))
                   + r"(?=[ \t]*(?:$|\|))")
        new = known[message]
        # Two turns: cells of a table share the bars between them.
        for _ in range(2):
            text = re.sub(pattern, lambda found, new=new: found[1] + new, text)
    return text
