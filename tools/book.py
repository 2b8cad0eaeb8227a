"""Builds the book: `python tools/book.py`, which `make book` calls.

First the notebooks are executed, two at a time, into copies in _build/executed; then
Sphinx makes each edition's pages from the copies, two at a time as well. What they say
beside a line a stage is in _build/book.log.
"""
import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import editions
import nbformat
import needs
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi

AT_A_TIME = 2
ROOT = Path(__file__).resolve().parents[1]
SECONDS = 1800  # for a cell that hangs; on a busy machine a slow one needs minutes
BOX = ("This page shows stored outputs",
       "The chapter was not executed when this page was made.",
       "Its outputs are those of the last time that it was.")
NOT_EXECUTED = "warning not-executed"
PROBLEM = re.compile(r"WARNING:|ERROR:|CRITICAL:|Exception|[Ee]rror\b.*:")


class Failed(Exception):
    """A stage failed; the message says all that there is to say."""


def main(root=ROOT):
    """Build the book that lies in `root`; return its exit status."""
    start = time.time()
    build = root / "_build"
    build.mkdir(exist_ok=True)
    try:
        with open(build / "book.log", "w", encoding="utf-8") as log:
            unmet = execute_all(notebooks(root), build / "executed", log)
            make_pages(root, log)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    for name, reason in unmet.items():
        print(f"{name} was not executed; its page shows stored outputs. {reason}")
    print(f"{build / 'html' / 'index.html'}  "
          f"{time.time() - float(os.environ.get('BOOK_STARTED', start)):.0f} s in all")
    return 0


def notebooks(root):
    """The table of contents' notebooks, in its order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    chapters = [toc["root"],
                *(c["file"] for part in toc.get("parts", []) for c in part["chapters"])]
    return [path for chapter in chapters
            if (path := root / f"{chapter}.ipynb").is_file()]


def execute_all(paths, folder, log):
    """Write a copy of each notebook to `folder`, executed or stored; return the stored.

    Raises:
        Failed: a cell raised or hung; what still runs is ended.
    """
    folder.mkdir(exist_ok=True)
    met, unmet = by_needs(paths)
    for path, reason in unmet.items():
        nbformat.write(boxed(nbformat.read(path, 4), reason), folder / path.name)
    execute(met, log, lambda path, done: nbformat.write(done, folder / path.name))
    return {path.stem: reason for path, reason in unmet.items()}


def by_needs(paths):
    """Return the notebooks whose needs are met, and why those of others are not."""
    met, unmet = {}, {}
    for path in paths:
        notebook = nbformat.read(path, 4)
        if reason := needs.unmet(needs.of_notebook(notebook)):
            unmet[path] = reason
        else:
            met[path] = notebook
    return met, unmet


def execute(notebooks, log, keep):
    """Execute notebooks, by path, two at a time; `keep(path, notebook)` has each.

    Raises:
        Failed: a cell raised or hung; what still runs is ended.
    """
    try:
        asyncio.run(_execute(notebooks, log, keep))
    except ExceptionGroup as group:
        if not (failures := group.subgroup(Failed)):
            raise
        raise failures.exceptions[0] from None


async def _execute(notebooks, log, keep):
    turns = asyncio.Semaphore(AT_A_TIME)
    async with asyncio.TaskGroup() as group:  # ends the others when one fails
        # Long chapters come late in the book. Begun first, they leave no core idle.
        for path, notebook in reversed(notebooks.items()):
            group.create_task(_execute_one(path, notebook, log, keep, turns))


async def _execute_one(path, notebook, log, keep, turns):
    async with turns:
        start = time.monotonic()
        client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3",
                                record_timing=False,
                                resources={"metadata": {"path": str(path.parent)}})
        try:
            await client.async_execute(stdout=log, stderr=log)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise Failed(f"{path.stem}, code cell {client.code_cells_executed}: "
                         f"{strip_ansi(str(error))}") from None
        keep(path, notebook)
        print(f"{path.stem:32}{time.monotonic() - start:4.0f} s", flush=True)


def boxed(notebook, reason):
    """The notebook with a box below its title that says why outputs are stored ones."""
    # A sentence a line, so that each can be translated.
    lines = [*BOX[1:2], *re.split(r"(?<=\.) (?=[A-Z`])", reason), *BOX[2:]]
    box = nbformat.v4.new_markdown_cell(
        f"```{{admonition}} {BOX[0]}\n:class: {NOT_EXECUTED}\n\n"
        + "\n".join(lines) + "\n```")
    return nbformat.from_dict({**notebook,
                               "cells": [notebook.cells[0], box, *notebook.cells[1:]]})


def make_pages(root, log):
    """Make each edition's pages from the executed copies, below _build/html.

    Raises:
        Failed: there was a warning or an error.
    """
    start, build = time.monotonic(), root / "_build"
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        made = list(pool.map(partial(run_sphinx, root), editions.FOLDERS))
    log.writelines(said for _, said in made)
    for failed, said in made:
        if failed:
            lines = said.splitlines()
            raise Failed("\n".join([line for line in lines if PROBLEM.search(line)]
                                   or lines[-15:]))
    shutil.rmtree(build / "html", ignore_errors=True)
    for language, folder in editions.FOLDERS.items():
        shutil.move(pages_of(build, language), build / "html" / folder)
    print(f"{'pages':32}{time.monotonic() - start:4.0f} s", flush=True)


def pages_of(build, language):
    """Where an edition's pages are made."""
    return build / "editions" / language / "_build" / "html"


def run_sphinx(root, language):
    """Make an edition's pages: whether that failed, and what Sphinx said."""
    build = root / "_build"
    output = build / "editions" / language
    command = [Path(sys.executable).with_name("jupyter-book"), "build", root, "-W",
               "-n", "--keep-going", "--all", "--path-output", output, "--config",
               editions.settings(language, root, output)]
    sphinx = subprocess.run(
        command, env={**os.environ, "BOOK_EXECUTED": str(build / "executed")},
        encoding="utf-8", errors="replace", stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    return sphinx.returncode, strip_ansi(sphinx.stdout)


if __name__ == "__main__":
    # Before the notebooks: a download's progress bar is no chapter's output.
    needs.main()
    sys.exit(main())
