# SPDX-License-Identifier: Apache-2.0
"""The house: who may import whom, read from the source itself."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests import room_coverage

ROOT = Path(__file__).parents[2]
PACKAGES = ("flows", "controller")  # each a folder, and a part of the package ovs_dhcpd
PREFIX = "ovs_dhcpd."  # which no name below has
IO = {"asyncio", "logging", "os", "os_ken", "ovs", "random", "select", "signal", "socket"}
IO |= {"subprocess", "sys", "threading", "time"}

OPTIONS = {"flows.options"}
USERDATA = {"flows.userdata"} | OPTIONS
BINDINGS = {"flows.bindings"} | USERDATA
PIPELINE = {"flows.pipeline"} | BINDINGS
CONFIGURATION = {"flows.configuration"} | BINDINGS
WIRE = {"controller.wire"} | PIPELINE
RESPONDERS = {"controller.responders"} | WIRE

# What each room may import, itself aside.
ROOMS = {
    "flows.options": set(),
    "flows.userdata": OPTIONS,
    "flows.bindings": USERDATA,
    "flows.configuration": BINDINGS,
    "flows.pipeline": BINDINGS,
    "controller.wire": PIPELINE,
    "controller.responders": WIRE | BINDINGS,
    "controller.ports": BINDINGS,
    "controller.bridges": {"controller.responders", "controller.wire"} | PIPELINE,
    "controller.leases": {"controller.responders", "controller.wire"} | PIPELINE,
    "controller.switch": {"controller.responders", "controller.wire"},
    "controller.drafting": {"controller.ports"} | CONFIGURATION,
    "controller.tracing": RESPONDERS | {"controller.responders"},
    "controller.watching": {"controller.responders", "controller.tracing"} | RESPONDERS,
    "controller.why": {"controller.leases", "controller.ports", "controller.wire"} | PIPELINE,
    "controller.ovsdb": {"controller.ports"} | PIPELINE,
    "controller.texts": {"controller.leases", "controller.ports", "controller.why"} | WIRE,
    "controller.sources": {"controller.ovsdb", "controller.ports"} | CONFIGURATION,
}
# They run the daemon and ask it: each imports what it needs, but not who is above it.
UPWARDS = ["controller.onlookers", "controller.http", "controller.commands"]
BELOW = {"controller", *ROOMS}
for index, name in enumerate(UPWARDS):
    ROOMS[name] = BELOW | {*UPWARDS[:index]}
PURE = {"controller.bridges", "controller.ports", "controller.responders", "controller.wire"}
PURE |= {"controller.leases", "controller.tracing", "controller.watching"}
PURE |= {"controller.drafting", "controller.why"}
PURE |= {room for room in ROOMS if room.startswith("flows.")}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """All modules that the file imports, wherever in it; those of ours by their full names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix(PREFIX) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            name = (node.module or "").removeprefix(PREFIX)
            found |= {
                f"{name}.{a.name}" if f"{name}.{a.name}" in MODULES else name for a in node.names
            }
    return found


MODULES = {
    module_name(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")
}
IMPORTS = {name: imported(path) for name, path in MODULES.items()}


def room(module: str) -> str:
    """The folder of a module; a package is in itself."""
    return module if module in ROOMS else module.rpartition(".")[0]


IN_ROOMS = sorted(name for name in MODULES if room(name) in ROOMS)


COMMANDS = {"why"}  # that are named there too
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def test_the_document_has_the_same_table_of_rooms() -> None:
    rows = re.findall(r"^\| `((?:flows|controller)/\w+)` \|[^|]*\|([^|]*)\|$", ARCHITECTURE, re.M)
    said = {}
    for folder, may_import in rows:
        package, room = folder.split("/")
        names = re.findall(r"\w+", may_import)
        found = {name for name in ROOMS for each in names if name.split(".")[1] == each}
        if "beside" in names:
            found |= BELOW
        if "…" in may_import:
            found |= next(ROOMS[name] for name in ROOMS if name.split(".")[1] == names[-1])
        said[f"{package}.{room}"] = found
    assert said == ROOMS


def test_the_document_names_each_module_beside_the_rooms() -> None:
    beside = {name.removeprefix("controller.") for name in MODULES if room(name) == "controller"}
    _, _, rest = ARCHITECTURE.partition("| about | modules |")
    table, _, _ = rest.partition("\n\n")
    assert {word for word in re.findall(r"`(\w+)`", table) if word not in COMMANDS} == beside


def test_every_folder_is_a_room() -> None:
    folders = {module_name(path.parent / "__init__.py") for path in MODULES.values()}
    assert folders == {*ROOMS, *PACKAGES}


@pytest.mark.parametrize("name", IN_ROOMS)
def test_a_room_imports_what_it_may(name: str) -> None:
    ours = {room(other) for other in IMPORTS[name] & MODULES.keys()}
    assert ours - ROOMS[room(name)] - {room(name)} == set()


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name.startswith("flows")))
def test_flows_never_imports_controller(name: str) -> None:
    assert {other for other in IMPORTS[name] if other.split(".")[0] == "controller"} == set()


@pytest.mark.parametrize("name", [name for name in IN_ROOMS if room(name) in PURE])
def test_the_pure_parts_import_nothing_that_touches_the_world(name: str) -> None:
    assert {other for other in IMPORTS[name] if other.split(".")[0] in IO} == set()


def test_how_much_of_each_pure_room_the_tests_run_is_measured() -> None:
    assert {*room_coverage.PURE} == {room.replace(".", "/") for room in PURE}


def test_os_ken_is_known_in_one_module_only() -> None:
    knowing = {
        name
        for name, imports in IMPORTS.items()
        if any(other.split(".")[0] == "os_ken" for other in imports)
    }
    assert knowing == {"controller.switch.os_ken_app"}


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


# Modules without a unit test file of their own, and why.
UNTESTED = {
    "controller.bridges.note": "values only",
    "controller.answers": "it tells what others know: tests/switch/test_control.py",
    "controller.commands.behind": "a real switch is asked: tests/switch/test_why.py",
    "controller.daemon": "it is the loop around all others: tests/switch, tests/ovn",
    "controller.leases.fields": "values only",
    "controller.manager_keeper": "a real switch and manager: tests/switch/test_service.py",
    "controller.http.metrics_keeper": "a real switch and Prometheus ask it: tests/switch",
    "controller.onlookers.history_keeper": "a real switch and journal tell it: tests/switch",
    "controller.onlookers.watch_keeper": "a real switch and journal tell it: tests/switch",
    "controller.ovsdb.idl": "a real ovsdb-server runs it: tests/database",
    "controller.ovsdb.open_vswitch": "a real ovsdb-server runs it: tests/database",
    "controller.ovsdb.writer": "a real ovsdb-server runs it: tests/database",
    "controller.ports.fault": "values only",
    "controller.ports.interface": "values only",
    "controller.ports.world": "protocols, and a view of what implements them",
    "controller.responders.exchange": "values only",
    "controller.responders.verdict": "values only",
    "controller.explainer": "it gathers what others know: tests/switch/test_why.py",
    "controller.inside": "values only",
    "controller.onlookers.row_states": "rows of a real database: tests/switch",
    "controller.commands.run_command": "it starts the daemon: tests/switch",
    "controller.sources.files": "files that change under a running daemon: tests/switch",
    "controller.sources.source": "a protocol only",
    "controller.sources.logical_switches": "rows of a real database: tests/database",
    "controller.switch.channel": "a real switch runs it: tests/switch",
    "controller.why.facts": "values only",
    "controller.wire.connection": "values only",
    "controller.wire.declined": "values only",
    "flows.pipeline.dhcpv4": "tests/unit/pipeline/test_build.py and the golden flows run it",
    "flows.pipeline.dhcpv6": "tests/unit/pipeline/test_build.py and the golden flows run it",
    "flows.pipeline.nd_ra": "tests/unit/pipeline/test_build.py and the golden flows run it",
    "flows.pipeline.neighbour": "tests/unit/pipeline/test_build.py and the golden flows run it",
    "flows.pipeline.service": "an abstract class only",
    "flows.bindings.rate_limit": "values only",
    "flows.bindings.well_known": "values only",
}


def unit_test_of(module: str) -> Path:
    """Where the module's unit tests are: in the folder of its room, if it is in one."""
    *_, room_name, name = module.split(".")
    folder = ROOT / "tests" / "unit"
    return (folder / room_name if room(module) in ROOMS else folder) / f"test_{name}.py"


def test_every_module_has_a_unit_test_file_or_a_reason() -> None:
    without = {
        name
        for name, path in MODULES.items()
        if path.name != "__init__.py" and not unit_test_of(name).exists()
    }
    assert without == UNTESTED.keys()
