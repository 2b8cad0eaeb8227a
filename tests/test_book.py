"""The rendered book, built from the stored outputs (nbval has just compared those)."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
BUILD = [Path(sys.executable).with_name("jupyter-book"), "build", "-W", "-n", "--keep-going"]


def toc_files():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"]] + [c["file"] for part in toc["parts"] for c in part["chapters"]]


def build(source, output, **environment):
    """Build a book from its stored outputs, as `make book` would; return what the command said."""
    return subprocess.run([*BUILD, source, "--path-output", output], text=True, capture_output=True,
                          env={**os.environ, "BOOK_EXECUTE": "off", **environment})


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The folder of a fresh build."""
    folder = tmp_path_factory.mktemp("book")
    result = build(ROOT, folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def pages(html):
    return {name: BeautifulSoup((html / f"{name}.html").read_text(), "html.parser") for name in toc_files()}


def test_every_entry_of_the_table_of_contents_has_its_page_and_every_chapter_its_entry(pages):
    assert {f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")} <= set(pages)
    for name, page in pages.items():
        assert page.find("article").find("h1"), name


def test_no_page_shows_a_raw_directive_an_unresolved_reference_or_a_traceback(pages):
    for name, page in pages.items():
        article = page.find("article")
        assert not article.select(".problematic, .system-message, .xref.std-ref, .xref.std-numref"), name
        assert "Traceback (most recent call last)" not in article.get_text(), name
        for code in article.select("pre, code"):
            code.extract()
        prose = article.get_text()
        assert not re.search(r"\{(eq|cite|doc|numref|ref|mod|term|math|figure|bibliography|glossary)\b", prose), name
        assert not re.search(r"```|:::|\$\$|\bXXX\b|\[\?\]", prose), name


def test_every_internal_link_leads_to_a_page_and_an_anchor(html, pages):
    ids = {name: {tag["id"] for tag in page.find_all(id=True)} for name, page in pages.items()}
    checked = 0
    for name, page in pages.items():
        for link in page.find("article").select("a[href]"):
            target = urlsplit(link["href"])
            if target.scheme or target.netloc:
                continue
            path = (html / name).parent / unquote(target.path) if target.path else html / f"{name}.html"
            assert path.resolve().is_file(), f"{name}: {link['href']}"
            page_name = str(path.resolve().relative_to(html.resolve()).with_suffix(""))
            if target.fragment and page_name in ids:
                assert unquote(target.fragment) in ids[page_name], f"{name}: {link['href']}"
                checked += 1
    assert checked > 100


def test_equation_and_figure_references_show_a_number(pages):
    references = [link for page in pages.values() for link in page.select("article a.reference.internal")
                  if "#equation-" in link["href"] or link["href"].startswith("#fig-")]
    assert len(references) > 20
    for link in references:
        assert re.fullmatch(r"\(\d+\.\d+\)|Fig\. \d+(\.\d+)?", link.get_text()), link


def test_every_figure_has_a_caption_and_alt_text(pages):
    figures = [figure for page in pages.values() for figure in page.select("article figure")]
    assert len(figures) >= 9
    for figure in figures:
        assert len(figure.find("img")["alt"]) > 40 and figure.find("figcaption").get_text(strip=True)


def test_no_page_loads_anything_from_another_server(pages):
    for name, page in pages.items():
        loaded = [tag.get("src") or tag.get("href") for tag in page.select("script[src], img[src], link[rel=stylesheet]")]
        assert loaded and not [url for url in loaded if urlsplit(url).netloc], name


@pytest.fixture
def small_book(tmp_path):
    """A book of one page, with this book's settings."""
    shutil.copytree(ROOT / "book", tmp_path / "book")
    shutil.copy(ROOT / "_config.yml", tmp_path)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: page\n")
    return tmp_path


def test_a_failing_notebook_stops_the_build(small_book):
    cells = [nbformat.v4.new_markdown_cell("# Page"), nbformat.v4.new_code_cell("assert 1 + 1 == 3")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), small_book / "page.ipynb")
    result = build(small_book, small_book, BOOK_EXECUTE="force")
    assert result.returncode != 0 and "AssertionError" in result.stdout + result.stderr


def test_buttons_lead_to_the_repository_that_is_named_and_are_absent_without(small_book):
    (small_book / "page.md").write_text("# Page\n")
    links = {}
    for address in ("", "https://github.com/someone/some_book"):
        result = build(small_book, small_book, BOOK_REPOSITORY=address, BOOK_BRANCH="trunk")
        assert result.returncode == 0, result.stdout + result.stderr
        page = BeautifulSoup((small_book / "_build/html/page.html").read_text(), "html.parser")
        links[address] = {a["href"] for a in page.select("a[href^=http]")}
    without, with_address = links.values()
    assert not without
    assert "https://github.com/someone/some_book/edit/trunk/page.md" in with_address
    assert any(link.startswith("https://github.com/someone/some_book/issues/new") for link in with_address)
