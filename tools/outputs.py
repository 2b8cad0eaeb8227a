"""Renews the outputs that are stored in the notebooks: `make outputs`.

`python tools/outputs.py 01_fields 05_dnn` renews those of some. Where code and results
are the same, a run writes the bytes that are there, for what says nothing stays as it
was stored: which Python executed a notebook, and the last digits of a drawing. What is
measured during the run differs.
"""
import copy
import re
import sys
from pathlib import Path

import nbformat
import needs
from book import ROOT, Failed, by_needs, execute, notebooks

SVG = "image/svg+xml"
NAME = re.compile(r"\b[mp][0-9a-f]{10}\b")  # made from how NumPy shows numbers
NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)")
INVISIBLE = 0.01  # points


def main(names=(), root=ROOT):
    """Renew the named notebooks of the book in `root`, or all; return an exit status.

    What failed is left as it was, and so is what this machine cannot execute.
    """
    paths = {path.stem: path for path in notebooks(root)}
    names = [Path(name).stem for name in names] or list(paths)
    if unknown := [name for name in names if name not in paths]:
        print(f"{unknown[0]} is none of {', '.join(paths)}", file=sys.stderr)
        return 2
    met, unmet = by_needs([paths[name] for name in names])
    stored = copy.deepcopy(met)

    def store(path, notebook):
        nbformat.write(tidy(notebook, stored[path]), path)

    (root / "_build").mkdir(exist_ok=True)
    try:
        with open(root / "_build/outputs.log", "w", encoding="utf-8") as log:
            execute(met, log, store)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    for path, reason in unmet.items():
        print(f"{path.stem} keeps its stored outputs. {reason}")
    return 0


def tidy(executed, stored):
    """The executed notebook as it is stored: without differences that say nothing."""
    executed.metadata = stored.metadata
    for cell, before in zip(executed.cells, stored.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs = in_one(cell.outputs)
            for new, old in zip(cell.outputs, before.outputs):
                drawings = [output.get("data", {}).get(SVG) for output in (new, old)]
                if same_drawing(*drawings):
                    new.data[SVG] = old.data[SVG]
    return executed


def in_one(outputs):
    """Outputs in which no stream follows itself: where it was cut is chance."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def same_drawing(new, old):
    """Whether both are SVG, and nobody can see a difference."""
    if not new or not old:
        return False
    (new, numbers), (old, others) = map(_text_and_numbers, (new, old))
    return new == old and all(abs(a - b) < INVISIBLE for a, b in zip(numbers, others))


def _text_and_numbers(svg):
    names = {}
    svg = NAME.sub(lambda name: f"name {names.setdefault(name[0], len(names))}", svg)
    parts = NUMBER.split(svg)
    return parts[::2], [float(number) for number in parts[1::2]]


if __name__ == "__main__":
    # Before the notebooks: a download's progress bar is no chapter's output.
    needs.main()
    sys.exit(main(sys.argv[1:]))
