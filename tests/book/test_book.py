"""Both editions from stored outputs (nbval compares those), and what executes them."""
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import book
import editions
import languages
import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
BUTTONS = "a[href^=http]:not(article a)"  # the text may link to where it likes
BUILD = [Path(sys.executable).with_name("jupyter-book"), "build", "-W", "-n",
         "--keep-going"]


def toc_files():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"]] + [c["file"] for part in toc["parts"]
                            for c in part["chapters"]]


def build(source, output, repository="", language="en"):
    """Build an edition from its stored outputs; return the pages' folder."""
    settings = editions.settings(language, ROOT, output)
    result = subprocess.run(
        [*BUILD, source, "--path-output", output, "--config", settings], text=True,
        capture_output=True,
        env={**os.environ, "BOOK_REPOSITORY": repository, "BOOK_BRANCH": "trunk"})
    assert result.returncode == 0, result.stdout + result.stderr
    return output / "_build" / "html"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Each edition's folder of a fresh build, one within the other as they are read."""
    folder = tmp_path_factory.mktemp("book")
    with ThreadPoolExecutor(len(editions.FOLDERS)) as pool:
        made = pool.map(lambda language: build(ROOT, folder / language,
                                               language=language), editions.FOLDERS)
    root = folder / "html"
    for path, place in zip(made, editions.FOLDERS.values()):
        shutil.move(path, root / place)
    return {language: root / place for language, place in editions.FOLDERS.items()}


@pytest.fixture(scope="module", params=editions.FOLDERS)
def html(request, built):
    """The folder of an edition; each test that asks for it runs over all."""
    return built[request.param]


@pytest.fixture(scope="module")
def pages(html):
    return {name: BeautifulSoup((html / f"{name}.html").read_text(), "html.parser")
            for name in toc_files()}


def test_every_entry_of_the_table_of_contents_has_its_page_and_every_chapter_its_entry(
        pages):
    assert {f"notebooks/{path.stem}"
            for path in (ROOT / "notebooks").glob("*.ipynb")} <= set(pages)
    for name, page in pages.items():
        assert page.find("article").find("h1"), name


def test_no_page_shows_a_raw_directive_an_unresolved_reference_or_a_traceback(pages):
    for name, page in pages.items():
        article = page.find("article")
        assert not article.select(
            ".problematic, .system-message, .xref.std-ref, .xref.std-numref"), name
        assert "Traceback (most recent call last)" not in article.get_text(), name
        for code in article.select("pre, code"):
            code.extract()
        prose = article.get_text()
        assert not re.search(
            r"\{(eq|cite|doc|numref|ref|mod|term|math|figure|bibliography|glossary)\b",
            prose), name
        assert not re.search(r"```|:::|\$\$|\bXXX\b|\[\?\]", prose), name


def test_every_internal_link_leads_to_a_page_and_an_anchor(html, pages):
    ids = {name: {tag["id"] for tag in page.find_all(id=True)}
           for name, page in pages.items()}
    checked = 0
    for name, page in pages.items():
        for link in page.find("article").select("a[href]"):
            target = urlsplit(link["href"])
            if target.scheme or target.netloc:
                continue
            path = ((html / name).parent / unquote(target.path) if target.path
                    else html / f"{name}.html")
            assert path.resolve().is_file(), f"{name}: {link['href']}"
            page_name = str(path.resolve().relative_to(html.resolve()).with_suffix(""))
            if target.fragment and page_name in ids:
                assert (unquote(target.fragment)
                        in ids[page_name]), f"{name}: {link['href']}"
                checked += 1
    assert checked > 100


def test_equation_and_figure_references_show_a_number(pages):
    references = [link for page in pages.values()
                  for link in page.select("article a.reference.internal")
                  if "#equation-" in link["href"] or link["href"].startswith("#fig-")]
    assert len(references) > 20
    for link in references:
        assert re.fullmatch(r"\(\d+\.\d+\)|(Fig\.|图) \d+(\.\d+)?",
                            link.get_text()), link


def test_every_figure_has_a_caption_and_alt_text(pages):
    figures = [figure for page in pages.values()
               for figure in page.select("article figure")]
    assert len(figures) >= 9
    for figure in figures:
        alt = figure.find("img")["alt"]
        assert len(alt) > (20 if CHINESE.search(alt) else 40)
        assert figure.find("figcaption").get_text(strip=True)


def test_a_page_says_so_if_and_only_if_a_passage_is_not_translated(html, pages):
    for name, page in pages.items():
        marked = page.select("article .untranslated:not(dl.py *)")
        assert bool(page.select(".untranslated-note")) == (
            bool(marked) or (html.name == "zh" and name == "book/api")), name


def test_each_page_leads_to_itself_in_the_other_language(html, built, pages):
    (other,) = set(built.values()) - {html}
    for name, page in pages.items():
        (link,) = page.select("a.language-switch")
        there = ((html / name).parent / link["href"]).resolve()
        assert there == (other / f"{name}.html").resolve() and there.is_file()
        assert link["lang"] != page.find("html")["lang"]


def test_around_its_text_the_chinese_edition_is_chinese_too(built):
    seen = {"figure img[alt]": 0, ".exercise > .admonition-title": 0, "nav .caption": 0}
    for name in toc_files():
        page = BeautifulSoup((built["zh_CN"] / f"{name}.html").read_text(),
                             "html.parser")
        for place in seen:
            for tag in page.select(place):
                said = tag.get("alt") or tag.get_text()
                assert CHINESE.search(re.sub("练习", "", said)), f"{name}: {said}"
                seen[place] += 1
        assert "上线" in page.title.get_text()
        assert "版本" in page.select_one("footer.bd-footer-content").text
        assert not [tag for word in languages.THEME
                    for tag in page.select(f"[title='{word}'], [aria-label='{word}'], "
                                           f"[data-bs-title='{word}']")], name
    assert min(seen.values()) > 30, seen


def test_notebooks_to_download_are_in_the_pages_language(html, pages):
    for name in filter(lambda name: name.startswith("notebooks/"), pages):
        cells = nbformat.read(html / f"_sources/{name}.ipynb", 4).cells
        assert bool(CHINESE.search(cells[0].source)) == (html.name == "zh"), name


def test_no_page_loads_anything_from_another_server(pages):
    for name, page in pages.items():
        loaded = [tag.get("src") or tag.get("href")
                  for tag in page.select("script[src], img[src], link[rel=stylesheet]")]
        assert loaded and not [url for url in loaded if urlsplit(url).netloc], name


@pytest.fixture
def small_book(tmp_path):
    """A book of one page, with this book's settings."""
    shutil.copytree(ROOT / "book", tmp_path / "book")
    shutil.copytree(ROOT / "locale", tmp_path / "locale")
    shutil.copy(ROOT / "_config.yml", tmp_path)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: page\n")
    return tmp_path


def write_page(folder, *code):
    cells = [nbformat.v4.new_markdown_cell("# Page"),
             *map(nbformat.v4.new_code_cell, code)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3",
                             "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel),
                   folder / "page.ipynb")


def test_the_command_executes_the_notebooks_and_says_a_line_a_stage(small_book, capfd):
    write_page(small_book, "print(6 * int(open('number').read()))")
    (small_book / "number").write_text("7")
    assert book.main(small_book) == 0
    seen = capfd.readouterr()
    assert [line.split()[0] for line in seen.out.splitlines()] == [
        "page", "pages", str(small_book / "_build/html/index.html")]
    assert seen.err == "" and "42" in (small_book / "_build/html/page.html").read_text()
    # The page's source stays, its output does not.
    (small_book / "number").write_text("8")
    assert (book.main(small_book) == 0
            and "48" in (small_book / "_build/html/page.html").read_text())


def test_a_failing_cell_is_shown_with_its_traceback_and_nothing_after_it(
        small_book, capfd):
    write_page(small_book, "1 + 1", "assert 1 + 1 == 3, 'wrong'")
    assert book.main(small_book) == 1
    seen = capfd.readouterr()
    assert seen.out == "" and seen.err.startswith("page, code cell 2: ")
    assert ("assert 1 + 1 == 3" in seen.err
            and seen.err.rstrip().endswith("AssertionError: wrong"))
    assert not (small_book / "_build/html").exists()


@pytest.mark.parametrize("code, said", [
    ("import sys; print('careful', file=sys.stderr)", "stderr was found"),
    ("pass", "nowhere")])
def test_a_warning_fails_the_build_and_is_shown(small_book, capfd, code, said):
    write_page(small_book, code)
    if said == "nowhere":
        notebook = nbformat.read(small_book / "page.ipynb", 4)
        notebook.cells[0].source += "\n\n{doc}`nowhere`"
        nbformat.write(notebook, small_book / "page.ipynb")
    assert book.main(small_book) == 1
    shown = capfd.readouterr().err.splitlines()
    assert said in shown[0] and len(shown) < 5


def test_buttons_lead_to_the_repository_that_is_named_and_are_absent_without(
        small_book, pages):
    (small_book / "page.md").write_text("# Page\n")
    repository = "https://github.com/someone/some_book"
    page = BeautifulSoup((build(small_book, small_book / "out",
                                repository) / "page.html").read_text(), "html.parser")
    links = [a["href"] for a in page.select(BUTTONS)]
    assert f"{repository}/edit/trunk/page.md" in links
    assert any(link.startswith(f"{repository}/issues/new") for link in links)
    for without in pages.values():
        assert not without.select(BUTTONS)
