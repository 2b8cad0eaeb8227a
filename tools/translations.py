"""Brings the catalogues of the book's translations up to date: `make translations`.

Three kinds of catalogue for each language, all in gettext's format:

locale/<language>/LC_MESSAGES/   the text of the pages, read by Sphinx
locale/<language>/words.po       what Sphinx does not see (book/_ext/catalogues.py)
src/deepfm_tutorial/exercises/<language>.po   what the checks of the exercises say

Messages that are new are added, those that are gone are dropped, and one whose English
changed keeps its translation, marked `fuzzy`: pages show the English until somebody has
read it again and taken the mark away. The last lines say what is missing, and which
translations do not have their message's numbers, formulas, code, references or links.
"""
import ast
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import book
import nbformat
import needs
import yaml
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from messages import faults

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book/_ext"))
import catalogues  # noqa: E402
import languages  # noqa: E402

LANGUAGES = ("zh_CN",)
LOCALE = ROOT / "locale"
EXERCISES = ROOT / "src/deepfm_tutorial/exercises"
PROSE = re.compile(r".* .*([.?:…]|: \{\d\})", re.S)  # what a check says, and no data


def main() -> int:
    """Bring all catalogues up to date; return an exit status."""
    templates = extract()
    for language in LANGUAGES:
        for page, template in templates.items():
            renew(LOCALE / language / "LC_MESSAGES" / f"{page}.po", template, language)
        renew(LOCALE / language / "words.po", of_words(), language)
        renew(EXERCISES / f"{language}.po", of_exercises(), language)
        draw_front_page(language)
        wrong = report(language)
    return 1 if wrong else 0


def extract() -> dict[str, Catalog]:
    """The messages that Sphinx sees, by page."""
    folder = ROOT / "_build"
    subprocess.run(
        [Path(sys.executable).with_name("jupyter-book"), "build", ROOT, "-W", "-n",
         "--keep-going", "--all", "--builder", "custom", "--custom-builder", "gettext"],
        check=True, stdout=subprocess.DEVNULL)
    found = {path.relative_to(folder / "gettext").with_suffix("").as_posix():
             load(path) for path in sorted((folder / "gettext").rglob("*.pot"))}
    for page in languages.ENGLISH:  # its own text, without that of the code
        own = " ".join((ROOT / f"{page}.md").read_text("utf-8").split())
        found[page] = of([(message.id, "") for message in found[page]
                          if message.id and message.id in own])
    return found


def load(path: Path, language: str | None = None) -> Catalog:
    """Read a catalogue."""
    with open(path, "rb") as file:
        return read_po(file, locale=language)


def of(messages: list[tuple[str, str]]) -> Catalog:
    """A catalogue of messages, each with a word on where it is found."""
    catalog = Catalog()
    for message, where in messages:
        catalog.add(message, auto_comments=[where] if where else [])
    return catalog


def of_words() -> Catalog:
    """Settings, switch, boxes, titles, alternative texts, drawings, live figures."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    options = config["sphinx"]["config"]["html_theme_options"]
    found = [(options[name], "every page") for name in
             ("search_bar_text", "extra_footer")]
    found += [(text, "above a page") for text in (languages.IN_ENGLISH,
                                                  languages.MISSING)]
    found += [(text, "every page") for text in ("Version", *languages.THEME)]
    found += [(text, "box") for text in book.BOX]
    for need in needs.NEEDS.values():
        found += [(f"This machine does not have {need.what}.", "box"),
                  (need.remedy, "box")]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        found += [(text, path.stem) for text in _words(nbformat.read(path, 4))]
    for path in sorted((ROOT / "book").glob("*.md")):
        found += [(text, path.stem)
                  for text in catalogues.titles(path.read_text("utf-8"))]
    for path in sorted((ROOT / "book/_static").glob("*.js")):
        found += [(text, path.name) for text in catalogues.live_words(path)]
    return of(found)


def _words(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield from catalogues.titles(cell.source)
        if alt := cell.metadata.get("mystnb", {}).get("image", {}).get("alt"):
            yield alt
        if catalogues.is_drawing(cell):
            for output in cell.outputs:
                yield from filter(_is_word, catalogues.labels(
                    output.get("data", {}).get(catalogues.SVG, "")))


def _is_word(label):
    return re.search("[a-z]{2}", label) and label not in _data()


def _data():
    """What drawings show of the toy's data, which has one name in all languages."""
    from deepfm_tutorial.figures import FIELDS
    return {*FIELDS, "Mon", "Sun", "desktop", "phone", "games", "news"}


def of_exercises() -> Catalog:
    """What the checks say: each text in their code but the documentation's."""
    found = []
    for path in [EXERCISES / "_compare.py", *sorted(EXERCISES.glob("chapter_*.py"))]:
        tree = ast.parse(path.read_text("utf-8"))
        documentation = {ast.get_docstring(node, clean=False) for node in ast.walk(tree)
                         if isinstance(node, (ast.Module, ast.FunctionDef))}
        for text in _texts(tree):
            if text not in documentation and PROSE.fullmatch(text):
                found.append((text, path.stem))
    return of([("Right.", "_compare"), *found])


def _texts(tree):
    """Texts in the code, outermost first; {0}, {1}, … stand for what is filled in."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
              for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            numbers = iter(range(len(node.values)))
            yield "".join(part.value if isinstance(part, ast.Constant)
                          else f"{{{next(numbers)}}}" for part in node.values)
        elif (isinstance(node, ast.Constant) and isinstance(node.value, str)
              and id(node) not in inside):
            yield node.value


def renew(path: Path, template: Catalog, language: str) -> None:
    """Bring one catalogue up to date, as `sphinx-intl update` does."""
    catalog = load(path, language) if path.is_file() else Catalog(locale=language)
    catalog.update(template, no_fuzzy_matching=False)
    for message in catalog:
        if message.id and message.id.startswith("\n"):  # a displayed formula
            message.string = message.id
            message.flags.discard("fuzzy")
    store(path, catalog)


def store(path: Path, catalog: Catalog) -> None:
    """Write a catalogue without what changes and says nothing: dates, flags, places."""
    for message in catalog:
        message.locations, message.flags = [], message.flags & {"fuzzy"}
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(HEADER.format(language=catalog.locale_identifier).encode())
        write_po(file, catalog, width=0, omit_header=True, ignore_obsolete=True)


HEADER = '''msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

'''


def draw_front_page(language: str) -> None:
    """Write the front page's picture with its words; Sphinx takes it by its name."""
    folder = ROOT / "book/_static"
    drawing = catalogues.relabelled((folder / "deepfm.svg").read_text("utf-8"),
                                    catalogues.words(language))
    (folder / f"deepfm.{language}.svg").write_text(drawing, "utf-8")


def paths(language: str) -> list[Path]:
    """Every catalogue of a language."""
    return [*sorted((LOCALE / language).rglob("*.po")), EXERCISES / f"{language}.po"]


def report(language: str) -> bool:
    """Print what is missing and what is wrong; return whether something is wrong."""
    wrong = False
    for path in paths(language):
        messages = [message for message in load(path) if message.id]
        missing = sum(not message.string or message.fuzzy for message in messages)
        if missing:
            print(f"{path.relative_to(ROOT)}: {missing} of {len(messages)} missing")
        for message in messages:
            if message.string and not message.fuzzy and (
                    found := faults(message.id, message.string)):
                wrong = True
                print(f"{path.name}: {unescape(message.string)[:60]} … "
                      f"{'; '.join(found)}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
