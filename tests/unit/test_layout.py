# SPDX-License-Identifier: Apache-2.0
"""The house: who may import whom, read from the source itself."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("flows", "controller")
IO = {"asyncio", "logging", "os", "os_ken", "ovs", "random", "select", "signal", "socket"}
IO |= {"subprocess", "sys", "threading", "time"}

# From what runs to what is run: each part may import those after it.
STOREYS = (
    "controller.__main__",
    "controller.cli",
    "controller.daemon",
    "controller.serve_only",
    "controller",
    "controller.sources",
    "controller.responders",
    "controller.wire",
    "flows",
)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """All modules that the file imports, wherever in it; those of ours by their full names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            name = node.module or ""
            found |= {
                f"{name}.{a.name}" if f"{name}.{a.name}" in MODULES else name for a in node.names
            }
    return found


MODULES = {
    module_name(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")
}
IMPORTS = {name: imported(path) for name, path in MODULES.items()}


def storey(module: str) -> int:
    while module not in STOREYS:
        module = module.rpartition(".")[0]
    return STOREYS.index(module)


def pure(name: str) -> bool:
    return name.startswith(("flows", "controller.wire", "controller.responders"))


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_down(name: str) -> None:
    ours = IMPORTS[name] & MODULES.keys()
    assert {other for other in ours if storey(other) < storey(name)} == set()


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name.startswith("flows")))
def test_flows_never_imports_controller(name: str) -> None:
    assert {other for other in IMPORTS[name] if other.split(".")[0] == "controller"} == set()


@pytest.mark.parametrize("name", sorted(filter(pure, MODULES)))
def test_the_pure_parts_import_nothing_that_touches_the_world(name: str) -> None:
    assert {other for other in IMPORTS[name] if other.split(".")[0] in IO} == set()


def test_no_two_modules_import_each_other() -> None:
    graph = {name: imports & MODULES.keys() - {name} for name, imports in IMPORTS.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_module_says_its_licence_and_its_job(name: str) -> None:
    text = MODULES[name].read_text(encoding="utf-8")
    assert text.startswith("# SPDX-License-Identifier: Apache-2.0\n")
    assert ast.get_docstring(ast.parse(text))
