"""Pages in a browser: complete, legible, accessible and light, in both themes.

Every page of the English edition, and of the Chinese one those of `SAMPLE`: two pages
of each kind, for all would double the time. Search is tried in both.
"""
import re
from pathlib import Path

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from glossary import chinese_names

TOC = yaml.safe_load((Path(__file__).parents[2] / "_toc.yml").read_text())
CHAPTERS = [TOC["root"]] + [c["file"] for part in TOC["parts"]
                            for c in part["chapters"]]
SAMPLE = ["book/intro", "book/glossary", "book/symptoms", "notebooks/01_fields",
          "notebooks/02_factorization_machines", "notebooks/10_looking_inside",
          "notebooks/16_life_after_mxnet", "search"]
CHINESE = [f"zh/{name}" for name in SAMPLE]
PAGES = [*CHAPTERS, "search", *CHINESE]
LAPTOP = 1264  # a window of 1,280 pixels less its scroll bar
THEMES, WIDTHS = ("light", "dark"), (360, 768, LAPTOP, 1920)
LIMIT = 1.5e6  # bytes over the wire

# Each scrolling or clipped box within the text that is neither code nor a table.
OVERFLOW = """() => {
  const found = [];
  const root = document.documentElement;
  const wide = root.scrollWidth - root.clientWidth;
  if (wide > 0) found.push(`the page, by ${wide}`);
  for (const box of document.querySelectorAll('.bd-article *')) {
    if (box.scrollWidth <= box.clientWidth + 1 || !box.clientWidth) continue;
    const style = getComputedStyle(box);
    if (style.overflowX === 'visible' || style.display === 'inline') continue;
    if (box.closest('pre, table, mjx-math, mjx-assistive-mml, .visually-hidden, dt')
        || box.querySelector('table')) continue;
    const text = box.textContent.trim().slice(0, 60);
    found.push(`${box.tagName}.${box.className}: ${text}`);
  }
  return found;
}"""
UNFOLD = """() => {
  document.querySelectorAll('button.toggle-button-hidden')
    .forEach((button) => button.click());
  document.querySelectorAll('details').forEach((box) => { box.open = true; });
}"""
# Each line of code or of output that ends beyond its box.
CUT = """() => [...document.querySelectorAll('.bd-article pre')]
  .filter((box) => box.scrollWidth > box.clientWidth)
  .map((box) => box.textContent.split('\\n'))
  .map((lines) => lines.reduce((a, b) => a.length < b.length ? b : a))"""
# Outputs of one cell, one printed right after another.
SPLIT = """() => [...document.querySelectorAll('.cell_output > .stream + .stream')]
  .map((box) => box.textContent)"""
HEADINGS = ("[...document.querySelectorAll('article h1, "
            "article h2, article h3, article h4, article h5')].map(h => +h.tagName[1])")
# Shown and not judged: it is as much the machine's as the page's.
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


@pytest.fixture(scope="module")
def visit(open_page):
    """What there is to know of a page, each visited once a theme."""
    known = {}

    def visit(name, theme="light"):
        if (name, theme) not in known:
            page, seen = open_page(name, theme)
            page.evaluate(UNFOLD)  # hints, solutions, tables
            # The theme takes its time to look for code that scrolls.
            page.wait_for_timeout(600)
            known[name, theme] = {
                # A copy: axe asks for style sheets once more.
                **seen, "errors": list(seen["errors"]),
                "bytes": sum(request.sizes()["responseBodySize"]
                             for request in list(seen["finished"])),
                "paint": page.evaluate(FIRST_PAINT),
                "headings": page.evaluate(HEADINGS),
                "math": page.locator("article .math").count(),
                "rendered": page.locator("article .math > mjx-container").count(),
                "math errors": page.locator("mjx-merror").count(),
                "theme": page.locator("html").get_attribute("data-theme"),
                "code": page.locator(".cell_input pre:visible").count(),
                "split": page.evaluate(SPLIT),
                "axe": violations(page, name),
                # A theme changes colours, not widths.
                "overflow": {width: overflow(page, width) for width in WIDTHS
                             if theme == "light"},
                "cut": cut(page) if theme == "light" else None}
            page.close()
        return known[name, theme]
    return visit


def violations(page, name):
    """What axe finds. Its contrast rule takes seconds on highlighted code, which has
    the same colours everywhere: one page stands for all."""
    contrast, code = "color-contrast", [] if name == CHAPTERS[4] else [[".highlight"]]
    runs = [({}, {"rules": {contrast: {"enabled": False}}}),
            ({"exclude": code}, {"runOnly": {"type": "rule", "values": [contrast]}})]
    return [violation for context, options in runs for violation in Axe().run(
        page, context=context or None,
        options=options | {"resultTypes": ["violations"]}).response["violations"]]


def overflow(page, width):
    # Not to be seen.
    page.add_style_tag(content="mjx-assistive-mml { display: none !important }")
    page.set_viewport_size({"width": width, "height": 900})
    return page.evaluate(OVERFLOW)


def cut(page):
    page.set_viewport_size({"width": LAPTOP, "height": 900})
    return page.evaluate(CUT)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PAGES)
def test_page_loads_from_its_own_address_alone_and_without_an_error(visit, name, theme):
    seen = visit(name, theme)
    assert (seen["foreign"], seen["errors"], seen["theme"]) == ([], [], theme)


@pytest.mark.parametrize("name", PAGES)
def test_every_formula_is_rendered(visit, name):
    seen = visit(name)
    assert seen["rendered"] == seen["math"] and not seen["math errors"]


def test_there_are_formulas(visit):
    assert sum(visit(name)["math"] for name in PAGES) > 300


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(visit, name, theme):
    found = [(v["id"], [node["target"] for node in v["nodes"]])
             for v in visit(name, theme)["axe"]
             if v["impact"] in ("serious", "critical")]
    assert not found


@pytest.mark.parametrize("name", [*CHAPTERS, *CHINESE[:-1]])
def test_headings_nest(visit, name):
    levels = visit(name)["headings"]
    assert levels[:1] == [1] and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))


@pytest.mark.parametrize("name", PAGES)
def test_nothing_but_code_and_tables_scrolls_sideways(visit, name):
    assert visit(name)["overflow"] == {width: [] for width in WIDTHS}


@pytest.mark.parametrize("name", PAGES)
def test_code_and_output_fit_a_laptops_window(visit, name):
    assert visit(name)["cut"] == []


@pytest.mark.parametrize("name", PAGES)
def test_what_is_printed_one_after_another_is_in_one_box(visit, name):
    assert visit(name)["split"] == []


def test_there_is_code(visit):
    assert sum(visit(name)["code"] for name in PAGES) > 400


def test_pages_are_light(visit, capsys):
    rows = [(name, visit(name)["bytes"], visit(name)["paint"]) for name in PAGES]
    with capsys.disabled():
        print("\n\n"
              "page                                          kB   first content, ms")
        for name, size, paint in rows:
            print(f"{name:40}{size / 1000:8.0f}{paint:10.0f}")
    assert max(size for _, size, _ in rows) <= LIMIT


@pytest.mark.parametrize("query, found", [("bilinearity", "notebooks/03_embedding"),
                                          ("哈希", "book/glossary")])
@pytest.mark.parametrize("edition", ["", "zh/"])
def test_search_finds_a_word_and_leads_to_its_page(open_page, address, edition, query,
                                                   found):
    if edition and query.isascii():
        query, found = "双线性", "notebooks/03_embedding"
    page, seen = open_page(f"{edition}search")
    page.goto(f"{address}/{edition}search.html?q={query}",
              wait_until="networkidle")  # each hit fetches its page
    page.locator(f"#search-results a[href*='{found}']").first.click()
    assert found in page.url and not seen["errors"]


def test_one_can_read_on_and_back(open_page):
    page, _ = open_page("notebooks/02_factorization_machines")
    page.locator("a.right-next").first.click()
    assert "03_embedding" in page.url
    page.locator("a.left-prev").first.click()
    assert "02_factorization" in page.url


def test_on_paper_drawings_stand_for_live_figures(open_page):
    for name, figure in (("notebooks/02_factorization_machines", "#fig-row"),
                         ("notebooks/10_looking_inside", "#fig-parts")):
        page, _ = open_page(name)
        drawing, live = page.locator(f"{figure} img"), page.locator(f"{figure} .live")
        assert live.is_visible() and not drawing.is_visible()
        page.emulate_media(media="print")
        assert drawing.is_visible() and not live.is_visible()


def found(page, queries):
    """For each query the pages that search leads to."""
    return page.evaluate("""(queries) => queries.map((query) =>
      Search._performSearch(...Search._parseQuery(query)).map((result) => result[0]))
    """, sorted(queries))


@pytest.mark.parametrize("edition", ["", "zh/"])
def test_search_finds_each_chinese_term_and_every_part_of_it(open_page, edition):
    page, _ = open_page(f"{edition}search")
    names = chinese_names()
    parts = {name[start:end] for name in names for start in range(len(name))
             for end in range(start + 1, len(name) + 1)}
    assert len(names) > 100 and {"域", "嵌入", "分解机"} < parts
    assert [part for part, pages in zip(sorted(parts), found(page, parts))
            if "book/glossary" not in pages] == []


@pytest.mark.parametrize("edition", ["", "zh/"])
def test_search_finds_each_english_term(open_page, edition):
    page, _ = open_page(f"{edition}search")
    text = (Path(__file__).parents[2] / "book/glossary.md").read_text("utf-8")
    names = set(re.findall(r"^(\S.*)\n  \*\*", text, re.M))
    assert len(names) > 100
    assert [name for name, pages in zip(sorted(names), found(page, names))
            if "book/glossary" not in pages] == []


@pytest.mark.parametrize("place", ["search", "notebooks/10_looking_inside#fig-parts",
                                   "book/glossary#term-embedding"])
def test_the_switch_leads_to_the_same_place_in_the_other_language(
        open_page, address, place):
    name, _, anchor = place.partition("#")
    page, seen = open_page(name)
    page.goto(f"{address}/{name}.html#{anchor}")
    for folder, language in (("zh/", "zh-CN"), ("", "en")):
        page.locator("a.language-switch").first.click()
        page.wait_for_load_state("networkidle")
        assert page.url == f"{address}/{folder}{name}.html" + (f"#{anchor}" if anchor
                                                               else "")
        assert page.locator("html").get_attribute("lang") == language
        assert not anchor or page.locator(f"[id='{anchor}']").count() == 1
    assert not seen["errors"]


@pytest.mark.parametrize("name, figure", [
    ("notebooks/02_factorization_machines", "#fig-row"),
    ("notebooks/10_looking_inside", "#fig-parts")])
def test_a_live_figure_and_its_drawing_speak_chinese(open_page, name, figure):
    page, _ = open_page(f"zh/{name}")
    live = page.locator(f"{figure} .live")
    said = [live.get_attribute("aria-label"), live.inner_text(),
            page.locator(f"{figure} img").get_attribute("alt")]
    assert all(re.search("[\u4e00-\u9fff]", text) for text in said), said
    for english in ("Logit:", "Multiplications", "Probability", "number of fields"):
        assert english not in said[1]


def test_search_splits_chinese_from_latin_and_invents_nothing(open_page):
    page, _ = open_page("search")
    for query in ("FM层", "FM 层", "L2正则项", "embedding 嵌入", "嵌入 哈希"):
        assert "book/glossary" in found(page, [query])[0], query
    assert found(page, ["鲸鱼"]) == [[]]
