"""What depends on where the book is built.

| variable | what it does |
| --- | --- |
| `BOOK_EXECUTED` | a folder of executed notebooks; without, stored outputs are shown |
| `BOOK_REPOSITORY` | its web address: edit, issue and launch buttons lead there |
| `BOOK_BRANCH` | the branch that they lead to, `main` unless told |
| `BOOK_URL` | where the pages will be served |

Without an address the buttons are absent.
"""
import os
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import catalogues


def set_repository(app, config):
    if url := os.environ.get("BOOK_REPOSITORY"):
        config.html_theme_options |= {
            "repository_url": url,
            "repository_branch": os.environ.get("BOOK_BRANCH", "main"),
            "use_repository_button": True, "use_issues_button": True,
            "use_edit_page_button": True,
            "launch_buttons": {"binderhub_url": "https://mybinder.org",
                               "notebook_interface": "jupyterlab"}}
    config.html_baseurl = os.environ.get("BOOK_URL", "")


def set_edition(app, config):
    """Version and date of the last change, for the foot of each page."""
    word = catalogues.words(config.language).get("Version", "Version")
    config.html_theme_options["extra_footer"] += (
        f" {word} {version('deepfm_tutorial')}.")
    root = Path(__file__).parents[2]
    # A clone, not an unpacked archive.
    if (root / ".git").exists() and shutil.which("git"):
        changed = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=root,
                                 capture_output=True, text=True,
                                 check=False).stdout.strip()
        if changed:
            os.environ.setdefault("SOURCE_DATE_EPOCH", changed)
            config.html_last_updated_fmt = "%Y-%m-%d"


def take_executed(app, docname, source):
    """Read a notebook's executed copy in its place."""
    copy = Path(os.environ.get("BOOK_EXECUTED", os.devnull)) / (
        Path(docname).name + ".ipynb")
    if copy.is_file():
        source[0] = copy.read_text("utf-8")


def mend_roles(app, pagename, templatename, context, doctree):
    """Docutils gives entries of the bibliography a role that a list must not hold."""
    context["body"] = context.get("body", "").replace('role="doc-biblioentry"',
                                                      'role="listitem"')


def drop_second_icons(app, exception):
    """The theme brings its icons twice: a web font draws them, a script has 1.6 MB."""
    if exception is None and app.builder.format == "html":
        for page in Path(app.outdir).rglob("*.html"):
            page.write_text(re.sub(r"<script [^>]*fontawesome\.js[^>]*></script>", "",
                                   page.read_text()))


def setup(app):
    for handler in (set_repository, set_edition):
        # Before the theme and myst-nb look.
        app.connect("config-inited", handler, priority=10)
    app.connect("source-read", take_executed)
    app.connect("html-page-context", mend_roles)
    app.connect("build-finished", drop_second_icons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
