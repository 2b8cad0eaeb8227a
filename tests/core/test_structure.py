"""The package's layout: what may import what, and what is public."""
import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import deepfm_tutorial

ROOT = Path(deepfm_tutorial.__file__).parent
ROOMS = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
API = (Path(__file__).parents[2] / "book/api.md").read_text("utf-8")


def imported(path):
    """The first part of each name that a file of the core imports from the package."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module] if node.module else [name.name for name in node.names]
            yield from (name.split(".")[0] for name in names)


def test_the_core_imports_no_room_but_for_a_servers_start():
    found = {(path.stem, name) for path in ROOT.glob("*.py") for name in imported(path)}
    assert ("training", "fields") in found  # that imports are seen at all
    assert ROOMS == ["datasets", "distributed", "exercises", "interop", "scale",
                     "serving"]
    to_rooms = {pair for pair in found if pair[1] in ROOMS}
    assert to_rooms == {("runtime", "distributed")}


def public_modules():
    found = pkgutil.walk_packages(deepfm_tutorial.__path__, "deepfm_tutorial.")
    return [importlib.import_module(info.name) for info in found
            if "._" not in info.name]


def public_functions():
    """The name and the function of each that the package defines, methods too."""
    for module in public_modules():
        for name, value in vars(module).items():
            if name[0] == "_" or getattr(value, "__module__", "") != module.__name__:
                continue
            of_class = vars(value) if inspect.isclass(value) else {name: value}
            for method, function in of_class.items():
                function = inspect.unwrap(getattr(function, "fget", function))
                is_public = method[0] != "_" or method in ("__init__", "__call__")
                if (inspect.isfunction(function) and is_public
                        and function.__module__ == module.__name__
                        and method != "hybrid_forward"):  # its signature is Gluon's
                    yield f"{module.__name__}.{name}.{method}", function


def test_public_signatures_have_types():
    checked = dict(public_functions())
    assert len(checked) > 100
    for name, function in checked.items():
        signature = inspect.signature(function)
        hints = {name: p.annotation for name, p in signature.parameters.items()
                 if name not in ("self", "cls")}
        assert signature.empty not in hints.values(), name
        assert signature.return_annotation is not signature.empty, name


def test_the_page_of_the_package_has_every_module():
    listed = re.findall(r"automodule:: deepfm_tutorial\.(\S+)", API)
    names = [module.__name__.removeprefix("deepfm_tutorial.") for module
             in public_modules()]
    expected = {name for name in names if name not in ROOMS
                and not name.startswith("exercises")}
    assert sorted(listed) == sorted(expected | {"datasets"})


def test_each_package_exports_what_it_says_and_the_root_nothing_of_a_room():
    rooms = [importlib.import_module(f"deepfm_tutorial.{room}") for room in ROOMS]
    for package in [deepfm_tutorial, *rooms]:
        assert package.__all__
        assert all(hasattr(package, name) for name in package.__all__)
    exported = [getattr(deepfm_tutorial, name) for name in deepfm_tutorial.__all__]
    homes = {getattr(thing, "__module__", "deepfm_tutorial") for thing in exported}
    assert all(home.count(".") <= 1 for home in homes), homes
