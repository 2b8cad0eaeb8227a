"""An edition in another language, from the same sources.

`tools/editions.py` builds each edition with settings of its own; this extension does
what they ask for. The setting `edition_folders` maps each language to the folder of its
pages below the root, and is empty if the book is built in English alone: then there is
no switch between languages.
"""
import json
import re
from pathlib import Path

import catalogues
import nbformat
from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.i18n import AddTranslationClasses

NAMES = {"en": "English", "zh_CN": "中文"}
TAGS = {"en": "en", "zh_CN": "zh-CN"}
ENGLISH = {"book/api"}
"""Pages whose text is that of the code, which is English in every edition."""

MARK = "untranslated"
OTHERS = {"image", "toctree", "exercise_title", "solution_title", "inline"}
THEME = ("Main", "Page", "Color mode", "System Settings", "Toggle primary sidebar",
         "Toggle secondary sidebar", "© Copyright 2026.", "Link to this heading",
         "Link to this image", "Link to this equation", "Link to this term",
         "Link to this definition", "Link to this table", "列印成 PDF")
"""What the theme and Sphinx do not translate, or into traditional Chinese."""

SWITCH = "language-switch.html"
STATIC = Path(__file__).parents[1] / "_static"


def set_words(app, config):
    """Translate what the settings say, and put the switch above each page."""
    say = catalogues.words(config.language)
    options = config.html_theme_options
    for name in ("search_bar_text", "extra_footer"):
        options[name] = say.get(options[name], options[name])
    if config.edition_folders:
        config.templates_path.append(str(Path(__file__).with_name("templates")))
        options["article_header_end"] = [SWITCH, "article-header-buttons.html"]


def set_live_words(app):
    """Hand the words of live figures to their scripts."""
    if say := catalogues.words(app.config.language):
        used = {english: say[english] for path in STATIC.glob("*.js")
                for english in catalogues.live_words(path) if english in say}
        app.add_js_file(None, body=f"window.WORDS = {json.dumps(used)};")


def take_words(app, docname, source):
    """Put the words of a page in place before it is read."""
    say = catalogues.words(app.config.language)
    if say and str(app.env.doc2path(docname)).endswith(".ipynb"):
        notebook = nbformat.reads(source[0], 4)
        source[0] = nbformat.writes(catalogues.with_words(notebook, say))
    elif say:
        source[0] = catalogues.with_titles(source[0], say)


def set_captions(app, doctree):
    """Translate the captions of the table of contents."""
    known = catalogues.messages(app.config.language, app.env.docname)
    for toctree in doctree.findall(addnodes.toctree):
        toctree["caption"] = known.get(toctree["caption"], toctree["caption"])


class Marks(SphinxTransform):
    """Count what is English still, once Sphinx has marked it.

    Sphinx also marks pictures, tables of contents, buttons and exercises, whose
    words it does not find in its own catalogue: they have theirs from elsewhere.
    """

    default_priority = AddTranslationClasses.default_priority + 1

    def apply(self, **named):
        marked = [node for node in self.document.findall(nodes.Element)
                  if MARK in node["classes"]]
        for node in marked:
            if node.tagname in OTHERS:
                node["classes"].remove(MARK)
        self.document["missing"] = sum(MARK in node["classes"] for node in marked)


def set_page(app, pagename, templatename, context, doctree):
    """Tell a page's template of the other editions, its reader of what is missing."""
    language, folders = app.config.language, app.config.edition_folders
    up = "../" * (pagename.count("/") + (1 if folders.get(language) else 0))
    context["editions"] = [
        {"name": NAMES[other], "tag": TAGS[other],
         "address": f"{up}{folder + '/' if folder else ''}{pagename}.html"}
        for other, folder in folders.items() if other != language]
    if language != "en" and doctree is not None:
        context["body"] = _note(app, pagename, doctree) + context["body"]


def _note(app, pagename, doctree):
    """How much of a page is still English, in a box; nothing if nothing is."""
    say = catalogues.words(app.config.language)
    missing = doctree.get("missing", 0)
    if pagename in ENGLISH:
        text = say.get(IN_ENGLISH, IN_ENGLISH)
    elif missing:
        text = say.get(MISSING, MISSING).format(
            missing, doctree["translation_progress"]["total"])
    else:
        return ""
    return f'<div class="admonition note untranslated-note"><p>{text}</p></div>\n'


IN_ENGLISH = "What this page says of each name is the code's own text, in English."
MISSING = ("{0} of the {1} passages of this page are not translated yet. They are in "
           "English, with a line beside them.")


def write_notebooks(app, exception):
    """Replace the notebooks to download by translated ones."""
    folder = Path(app.outdir) / "_sources"
    if exception or app.config.language == "en" or app.builder.format != "html":
        return
    say = catalogues.words(app.config.language)
    for path in folder.rglob("*.ipynb"):
        page = path.relative_to(folder).with_suffix("").as_posix()
        known = catalogues.messages(app.config.language, page)
        notebook = nbformat.read(Path(app.srcdir) / f"{page}.ipynb", 4)
        nbformat.write(catalogues.translated(notebook, known, say), path)


def write_theme_words(app, exception):
    """Put in words that the theme has not translated: tips, and the foot's."""
    say = {english: word for english, word
           in catalogues.words(app.config.language).items() if english in THEME}
    if exception or not say or app.builder.format != "html":
        return
    words = re.compile(r'(?<=["\n>])(\s*)(' + "|".join(map(re.escape, say))
                       + r')(?=\s*["<])')
    for path in Path(app.outdir).rglob("*.html"):
        page = words.sub(lambda found: found[1] + say[found[2]],
                         path.read_text("utf-8"))
        path.write_text(page, "utf-8")


def setup(app):
    app.add_config_value("edition_folders", {}, "html")
    app.connect("config-inited", set_words, priority=5)  # before publish's version
    app.connect("builder-inited", set_live_words)
    app.connect("source-read", take_words, priority=600)  # after publish's copies
    # After the table of contents is put in (100), before Sphinx reads it.
    app.connect("doctree-read", set_captions, priority=200)
    app.add_transform(Marks)
    app.connect("html-page-context", set_page)
    app.connect("build-finished", write_notebooks)
    app.connect("build-finished", write_theme_words)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
