"""The Chinese edition: complete, never silently stale, and equal in all that counts."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import editions
import messages
import nbformat
import pytest
import translations
from bs4 import BeautifulSoup
from glossary import chinese_names
from translations import catalogues

from deepfm_tutorial import exercises
from deepfm_tutorial.exercises import _language

ROOT = Path(__file__).parents[2]
LANGUAGE = "zh_CN"
PATHS = translations.paths(LANGUAGE)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MISSING_AT_MOST = 0.01  # of all messages
TEXT = "{http://www.w3.org/2000/svg}text"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def finished(path):
    return list(catalogues.read(path).items())


@pytest.fixture(scope="module")
def english():
    """What is to be translated now: a set of messages for each catalogue."""
    found = {translations.LOCALE / LANGUAGE / "LC_MESSAGES" / f"{page}.po": catalog
             for page, catalog in translations.extract().items()}
    found[translations.LOCALE / LANGUAGE / "words.po"] = translations.of_words()
    found[translations.EXERCISES / f"{LANGUAGE}.po"] = translations.of_exercises()
    return {path: {message.id for message in catalog if message.id}
            for path, catalog in found.items()}


def test_what_is_missing_is_within_the_stated_share(english):
    assert set(english) == set(PATHS)
    missing = {path.name: len(wanted - set(catalogues.read(path)))
               for path, wanted in english.items()}
    total = sum(map(len, english.values()))
    assert total > 2000
    assert sum(missing.values()) <= MISSING_AT_MOST * total, (
        f"{missing}: run make translations and translate what it names")


def test_catalogues_hold_nothing_that_the_book_no_longer_says(english):
    for path, wanted in english.items():
        assert set(catalogues.read(path)) <= wanted, f"{path.name}: make translations"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_numbers_formulas_code_references_and_links_are_those_of_the_english(path):
    for message, translation in finished(path):
        assert messages.faults(message, translation) == [], translation


@pytest.mark.parametrize("changed, said", [
    ("{term}`批次 <batch>`有 3 行 $x_i$，见 [书](u)，`fit`", "lacks the number 64"),
    ("{term}`批次 <batch>`有 64 行 $x_j$，见 [书](u)，`fit`", "lacks the formula"),
    ("批次有 64 行 $x_i$，见 [书](u)，`fit`", "lacks the reference"),
    ("{term}`批次 <id>`有 64 行 $x_i$，见 [书](u)，`fit`", "lacks the reference"),
    ("{term}`批次 <batch>`有 64 行 $x_i$，见 [书](v)，`fit`", "lacks the link u"),
    ("{term}`批次 <batch>`有 64 行 $x_i$，见 [书](u)，`fit2`", "lacks the code fit"),
    ("{term}`批次 <batch>`有 64 行 $x_i$，见 [书](u)，`fit`，3", "adds the number 3"),
    ("{term}`批次 <batch>`**（64 行）**$x_i$，见 [书](u)，`fit`", "asterisks")])
def test_a_translation_that_loses_or_changes_something_is_found_out(changed, said):
    english = "A {term}`batch` has 64 rows $x_i$, see [a book](u), `fit`"
    assert messages.faults(
        english, "{term}`批次 <batch>`有 64 行 $x_i$，见 [书](u)，`fit`") == []
    assert said in " ".join(messages.faults(english, changed))


def test_numbers_are_compared_by_value():
    assert messages.faults("10 million rows, 5,000 of January 2022",
                           "1000 万行，其中 5000 行是 2022 年 1 月的") == []
    assert messages.faults("10 million rows", "1000 千行")


@pytest.fixture
def one_page(tmp_path):
    """A book of one page of this one, with its catalogue."""
    for name in ("book/_ext", "book/_static", "locale"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "book/references.bib", tmp_path / "book")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/bibliography\n")
    text = (ROOT / "book/bibliography.md").read_text("utf-8")
    page = tmp_path / "book/bibliography.md"
    page.write_text(text + "\n\nOne sentence.\n\nAnother sentence.\n")
    catalog = tmp_path / f"locale/{LANGUAGE}/LC_MESSAGES/book/bibliography.po"
    with open(catalog, "a", encoding="utf-8") as file:
        file.write('\nmsgid "One sentence."\nmsgstr "一句话。"\n'
                   '\nmsgid "Another sentence."\nmsgstr "另一句话。"\n')
    return page


def build(root):
    shutil.copy(ROOT / "_config.yml", root)
    settings = editions.settings(LANGUAGE, root, root / "out")
    done = subprocess.run(
        [Path(sys.executable).with_name("jupyter-book"), "build", root, "--all", "-W",
         "--keep-going", "--path-output", root / "out", "--config", settings],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    page = root / "out/_build/html/book/bibliography.html"
    return BeautifulSoup(page.read_text("utf-8"), "html.parser").find("article")


def test_a_changed_sentence_and_it_alone_falls_back_to_english_marked(one_page):
    root = one_page.parents[1]
    before = build(root)
    assert before.select(".untranslated, .untranslated-note") == []
    assert "一句话。" in before.get_text() and "另一句话。" in before.get_text()
    text = one_page.read_text("utf-8")
    one_page.write_text(text.replace("Another sentence.", "Another word."), "utf-8")
    after = build(root)
    assert [p.get_text() for p in after.select(".untranslated")] == ["Another word."]
    assert "一句话。" in after.get_text() and "另一句话。" not in after.get_text()
    note = after.select(".untranslated-note")[0].get_text()
    assert set(re.findall(r"\d+", note)) == {"1", "3"}   # of a title, two sentences


def test_a_message_whose_english_changed_is_marked_and_keeps_its_translation(tmp_path):
    path = tmp_path / "page.po"
    old, new = "The same model is trained in six ways.", (
        "The same model is trained in seven ways.")
    translations.renew(path, translations.of([(old, "")]), LANGUAGE)
    text = path.read_text("utf-8").replace('msgstr ""\n', 'msgstr "训练六种方式。"\n')
    head, _, rest = text.partition("\n\n")
    path.write_text(translations.HEADER.format(language=LANGUAGE) + rest, "utf-8")
    assert catalogues.read(path) == {old: "训练六种方式。"}
    assert (old, "训练六种方式。") in _language.entries(path.read_text("utf-8"))
    translations.renew(path, translations.of([(new, "_compare")]), LANGUAGE)
    assert catalogues.read(path) == {}                    # until somebody has read it
    assert "训练六种方式。" not in dict(
        _language.entries(path.read_text("utf-8"))).values()
    (message,) = [message for message in translations.load(path) if message.id]
    assert (message.id, message.string, message.fuzzy) == (new, "训练六种方式。", True)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chinese_notebook_has_the_english_code_and_every_translation(path):
    english = nbformat.read(path, 4)
    known = catalogues.messages(LANGUAGE, f"notebooks/{path.stem}")
    chinese = catalogues.translated(english, known, catalogues.words(LANGUAGE))
    nbformat.validate(chinese)
    for before, after in zip(english.cells, chinese["cells"], strict=True):
        assert before.cell_type == after["cell_type"] and before.id == after["id"]
        if before.cell_type == "code":
            assert before.source == after["source"]
    text = "\n\n".join(
        [cell["source"] for cell in chinese["cells"]
         if cell["cell_type"] == "markdown"]
        + [json.dumps(cell["metadata"], ensure_ascii=False)
           for cell in chinese["cells"]])
    lost = [new for message, new in known.items()
            if not message.startswith("\n") and new not in text
            and json.dumps(new, ensure_ascii=False)[1:-1] not in text]
    assert lost == []


def test_drawings_keep_all_but_their_words():
    say = catalogues.words(LANGUAGE)
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, 4).cells:
            if not catalogues.is_drawing(cell):
                continue
            drawing = next(output.data[catalogues.SVG] for output in cell.outputs
                           if catalogues.SVG in output.get("data", {}))
            wanted = [say[label] for label in catalogues.labels(drawing)
                      if label in say]
            redrawn = catalogues.relabelled(drawing, say)
            shown = ElementTree.fromstring(redrawn).iter(TEXT)
            assert wanted == [text.text for text in shown] != []
            assert drawing.count("<path") == redrawn.count("<path")


def test_the_front_pages_picture_has_its_words_in_chinese():
    folder = ROOT / "book/_static"
    english = (folder / "deepfm.svg").read_text("utf-8")
    assert (folder / f"deepfm.{LANGUAGE}.svg").read_text("utf-8") == (
        catalogues.relabelled(english, catalogues.words(LANGUAGE)))


def test_each_message_of_a_check_is_found_with_what_it_fills_in(monkeypatch):
    monkeypatch.setenv("LANGUAGE", LANGUAGE)
    for message, translation in finished(translations.EXERCISES / f"{LANGUAGE}.po"):
        for number in range(5):
            message = message.replace(f"{{{number}}}", f"<{number}>")
            translation = translation.replace(f"{{{number}}}", f"<{number}>")
        assert _language.translated(message) == translation


@pytest.mark.parametrize("language, said", [
    ("zh_CN:zh", CHINESE), ("en_GB", re.compile("Two rows of three ids")),
    ("de_DE", re.compile("Two rows of three ids"))])
def test_a_check_speaks_the_sessions_language(monkeypatch, language, said):
    monkeypatch.setenv("LANGUAGE", language)
    with pytest.raises(AssertionError) as refused:
        exercises.check_ids_by_hand([1, 2, 3])
    assert said.search(str(refused.value))


def test_a_chinese_session_says_that_an_answer_is_right():
    code = ("import deepfm_tutorial; from deepfm_tutorial import exercises; "
            "exercises.check_ids_by_hand([[4, 11, 15], [2, 8, 14]])")
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env=os.environ | {"LANGUAGE": "", "LC_ALL": "",
                                            "LC_MESSAGES": "", "LANG": "zh_CN.UTF-8"})
    assert CHINESE.search(said.stdout), said.stdout + said.stderr


def test_every_page_has_a_chinese_title():
    for page in translations.LOCALE.glob(f"{LANGUAGE}/LC_MESSAGES/*/*.po"):
        name = page.relative_to(translations.LOCALE / LANGUAGE / "LC_MESSAGES")
        source = ROOT / name.with_suffix(".md")
        title = (re.search(r"^# (.+)$", source.read_text("utf-8"), re.M)[1]
                 if source.is_file() else re.search(
                     r"^# (.+)$", nbformat.read(
                         ROOT / name.with_suffix(".ipynb"), 4).cells[0].source,
                     re.M)[1])
        known = catalogues.read(page)
        assert title == "DeepFM" or CHINESE.search(known[title]), name


def test_the_chinese_glossary_has_each_chinese_name_of_the_english_one():
    """A reader finds a name by search in both editions: here without a browser."""
    (path,) = [path for path in PATHS if path.name == "glossary.po"]
    chinese = "\n".join(catalogues.read(path).values())
    assert len(chinese_names()) > 100
    assert [name for name in sorted(chinese_names()) if name not in chinese] == []


def test_the_chinese_readme_has_the_english_ones_lines_code_links_and_numbers():
    english, chinese = ((ROOT / name).read_text("utf-8").partition("\n## ")[2]
                        for name in ("README.md", "README.zh.md"))
    for marks in (r"^```.*?^```", r"^- ", r"^\| "):
        flags = re.M | re.S
        found = [re.findall(marks, text, flags) for text in (english, chinese)]
        assert found[0] == found[1] != [], marks
    for before, after in zip(*(re.split(r"\n(?=- |\| |```|## )", text)
                               for text in (english, chinese)), strict=True):
        assert messages.faults(before, after) == [], after
