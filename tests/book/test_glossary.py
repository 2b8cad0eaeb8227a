"""The glossary and the table of symbols say what the book and the package say."""
import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import nbformat
import pytest

import deepfm_tutorial
from deepfm_tutorial import (
    DNN,
    FM,
    MLP,
    DeepFM,
    FieldEmbedding,
    FieldEncoder,
    FirstOrder,
    LogisticRegression,
)

ROOT = Path(__file__).parents[2]
MODULES = {info.name.split(".")[-1]: importlib.import_module(info.name) for info
           in pkgutil.walk_packages(deepfm_tutorial.__path__, "deepfm_tutorial.")
           if "._" not in info.name}
EXAMPLES = {"DNN": DNN((2, 3)), "DeepFM": DeepFM((2, 3)), "FM": FM((2, 3)), "MLP": MLP(
    4), "FieldEmbedding": FieldEmbedding((2, 3), 2), "FirstOrder": FirstOrder((2, 3)),
            "LogisticRegression": LogisticRegression((2, 3)),
            "FieldEncoder": FieldEncoder().fit({"device": ["phone"]})}


def is_public(name):
    return not name.startswith("_")


def ours(module):
    """The public names that a module of the package defines, not those it imports."""
    assigned = {target.id for node in ast.parse(inspect.getsource(module)).body
                if isinstance(node, ast.Assign) for target in node.targets
                if isinstance(target, ast.Name)}
    return {name: value for name, value in vars(module).items()
            if is_public(name) and (
                name in assigned
                or getattr(value, "__module__", "") == module.__name__)}


DEFINED = MODULES | {name: value for module in MODULES.values()
                     for name, value in ours(module).items()}
CALLABLES = {name: value for name, value in DEFINED.items()
             if inspect.isfunction(value) or inspect.isclass(value)}


def attributes(name):
    """What a class of the package has beyond what MXNet or Python gives to each."""
    if not inspect.isclass(cls := DEFINED[name]):
        return set()
    from_package = [base for base in cls.__mro__
                    if base.__module__.startswith("deepfm_tutorial")]
    found = {attribute for base in from_package for attribute in vars(base)}
    found |= ({field.name for field in dataclasses.fields(cls)}
              if dataclasses.is_dataclass(cls) else set())
    if name in EXAMPLES:
        plain = set().union(
            *(vars(base()) for base in cls.__mro__ if base.__name__ == "HybridBlock"))
        found |= set(vars(EXAMPLES[name])) - plain
    return set(filter(is_public, found))


def parameters(name):
    return set(inspect.signature(CALLABLES[name]).parameters)


PLAIN = set(DEFINED) | set().union(*map(attributes, DEFINED),
                                   *map(parameters, CALLABLES))


def check(node):
    """Raise AssertionError unless all names in an entry of the column "In code" exist.

    Allowed: a name, `Class.attribute`, `function(parameter)`, `name[f]`, `len(name)`.
    """
    if isinstance(node, ast.Name):
        assert node.id in PLAIN, f"{node.id}: no such attribute, function or parameter"
    elif isinstance(node, ast.Attribute):
        first, *path = ast.unparse(node).split(".")
        assert first in DEFINED, f"{first}: no such class or module"
        assert path[0] in attributes(first), f"{first} has no {path[0]}"
        thing = EXAMPLES.get(first)
        for attribute in path if len(path) > 1 else ():
            assert hasattr(thing, attribute), (
                f"{first}.{'.'.join(path)}: no {attribute}")
            thing = getattr(thing, attribute)
    elif isinstance(node, ast.Subscript):
        indices = [part.id for part in ast.walk(node.slice)
                   if isinstance(part, ast.Name)]
        assert indices and all(len(index) == 1 for index in indices), ast.unparse(node)
        check(node.value)
    elif isinstance(node, ast.Call) and ast.unparse(node.func) == "len":
        assert len(node.args) == 1
        check(node.args[0])
    elif isinstance(node, ast.Call):
        function = ast.unparse(node.func)
        assert function in CALLABLES, f"{function}: no such function or class"
        assert node.args and not node.keywords
        for argument in map(ast.unparse, node.args):
            assert argument in parameters(function), (
                f"{function} has no parameter {argument}")
    else:
        raise AssertionError(f"{ast.unparse(node)}: not a form that the table uses")


def symbol_table():
    """The rows of the page's tables, as dicts from column to text."""
    rows = []
    for table in re.findall(r"(?:^\|.*\n?)+",
                            (ROOT / "book/notation.md").read_text("utf-8"), re.M):
        head, rule, *body = [[cell.strip() for cell in line.strip()[1:-1].split("|")]
                             for line in table.splitlines()]
        assert set("".join(rule)) <= set("-: ")
        for cells in body:
            assert len(cells) == len(head), cells
            rows.append(dict(zip(head, cells)))
    return rows


CODE = [entry for row in symbol_table()
        for entry in re.findall(r"`([^`]+)`", row["In code"])]


@pytest.mark.parametrize("entry", sorted(set(CODE)))
def test_the_name_of_a_symbol_exists_in_the_package(entry):
    check(ast.parse(entry, mode="eval").body)


@pytest.mark.parametrize("entry", [
    "embedding_rows", "fields_size[f]", "len(hidden_layers)", "fit(batchsize)",
    "fitt(batch_size)", "ClickLog.truth", "DeepFM.network", "DeepFM.mlp.first",
    "FM.prefix", "collect_params", "_bounds", "np", "nd", "HybridBlock",
    "field_sizes[0]", "fit()", "fit(seed=seed)", "n_f", "field_sizes + ids"])
def test_a_made_up_name_is_found_out(entry):
    with pytest.raises(AssertionError):
        check(ast.parse(entry, mode="eval").body)


def test_each_symbol_has_a_letter_or_a_name_a_meaning_and_a_place():
    rows = symbol_table()
    assert len(rows) > 40 and len(CODE) > 25
    for row in rows:
        assert (row["Letter"] or row["In code"]) and row["Meaning"]
        assert re.match(r"\{(eq|numref|doc|func)\}`[^`]+`", row["Defined"]), row


ENTRIES = re.findall(
    r"^(\S.*)\n  (\S.*)$",
    re.search(r"^```\{glossary\}\n(.*?)^```$",
              (ROOT / "book/glossary.md").read_text("utf-8"), re.M | re.S)[1], re.M)
TERMS = [term for term, _ in ENTRIES]


def test_terms_are_unique_and_in_alphabetical_order():
    folded = [term.casefold() for term in TERMS]
    assert len(TERMS) >= 60
    assert folded == sorted(set(folded))


@pytest.mark.parametrize("term, definition", ENTRIES, ids=TERMS)
def test_a_definition_begins_with_the_chinese_term_and_ends_with_a_place(
        term, definition):
    chinese = re.match(r"\*\*([^*]+)\.\*\* \S", definition)
    assert chinese and re.search(r"[\u4e00-\u9fff]", chinese[1])
    assert re.search(r"\{(doc|numref|eq)\}`[^`]+`\.$", definition)


def prose():
    """Every page and every chapter: its name and its Markdown without code."""
    for path in [*(ROOT / "book").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]:
        cells = nbformat.read(path, 4).cells if path.suffix == ".ipynb" else None
        yield path.name, path.read_text("utf-8") if cells is None else "\n\n".join(
            cell.source for cell in cells if cell.cell_type == "markdown")


def test_every_link_to_a_term_has_its_term():
    used = [(name, text) for name, page in prose()
            for text in re.findall(r"\{term\}`([^`]+)`", page)]
    assert used
    for name, text in used:
        target = re.fullmatch(r".*<(.+)>", text, re.S)
        assert (target[1] if target else text) in TERMS, f"{name}: {text}"
