"""The package's layout: what may import what, and what is public."""
import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import deepfm_tutorial

ROOT = Path(deepfm_tutorial.__file__).parent
ROOMS = {path.parent.name for path in ROOT.glob("*/__init__.py")}
API = (Path(__file__).parents[1] / "book/api.md").read_text("utf-8")


def imported(module):
    """Each name that a core module imports from the package, as `room` or `module`."""
    for node in ast.walk(ast.parse((ROOT / f"{module}.py").read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield from [node.module.split(".")[0]] if node.module else [
                a.name for a in node.names]


def test_the_core_imports_no_room_but_for_a_servers_start():
    core = [path.stem for path in ROOT.glob("*.py")]
    found = {(module,
              name) for module in core for name in imported(module)} - {("a", "b")}
    assert {"datasets", "scale", "distributed", "serving", "exercises"} <= ROOMS
    assert ("training", "fields") in found  # that imports are seen at all
    assert {pair for pair in found if pair[1] in ROOMS} == {("runtime", "distributed")}


def public_modules():
    names = [info.name for info in pkgutil.walk_packages(deepfm_tutorial.__path__,
                                                         "deepfm_tutorial.")]
    return [importlib.import_module(name) for name in names
            if not any(part.startswith("_") for part in name.split("."))]


def public_functions():
    """Every public function and method that the package defines: its name and
    itself."""
    for module in public_modules():
        for name, value in vars(module).items():
            if (name.startswith("_")
                or getattr(value, "__module__", "") != module.__name__):
                continue
            members = vars(value).items() if inspect.isclass(value) else [(name, value)]
            for member, function in members:
                function = getattr(function, "__func__",
                                   getattr(function, "fget", function))
                if (inspect.isfunction(function)
                    and not re.match("_[^_]|__[er]", member)):
                    yield f"{module.__name__}.{name}.{member}", function


def test_public_signatures_have_types():
    checked = dict(public_functions())
    assert len(checked) > 100
    for name, function in checked.items():
        if name.endswith((".hybrid_forward", "__new__", "_make",
                          "_asdict", "_replace")):
            continue  # Gluon's, and a named tuple's, signature
        signature = inspect.signature(function)
        parameters = [p for p in signature.parameters.values()
                      if p.name not in ("self", "cls")]
        assert all(p.annotation is not p.empty for p in parameters), name
        assert signature.return_annotation is not signature.empty, name


def test_the_page_of_the_package_has_every_module():
    listed = re.findall(r"automodule:: (\S+)", API)
    rooms = [f"deepfm_tutorial.{room}" for room in ROOMS]
    modules = [module.__name__ for module in public_modules()
               if module.__name__ not in rooms]
    modules = [name for name in modules if ".exercises." not in name]
    assert sorted(listed) == sorted([*modules, "deepfm_tutorial.datasets"])


def test_each_package_exports_what_it_says_and_the_root_no_room():
    for package in [deepfm_tutorial, *(
            importlib.import_module(f"deepfm_tutorial.{room}") for room in ROOMS)]:
        assert package.__all__ and all(hasattr(package, name)
                                       for name in package.__all__)
    homes = {getattr(getattr(deepfm_tutorial, name), "__module__", "deepfm_tutorial")
             for name in deepfm_tutorial.__all__}
    assert all(home.count(".") <= 1 for home in homes)
