# SPDX-License-Identifier: Apache-2.0
"""What docs/dependencies.md says of what is imported."""

from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path

import pytest

from tests.lab.process import run
from tests.lab.switch import PrivateOvs
from tests.package.building import ROOT, Environment
from tests.package.serving import serve_a_guest

PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
ROWS = PAGE.partition("|---|---|---|\n")[2].partition("\n\n")[0].splitlines()
TABLE = {row.split("|")[1].strip() for row in ROWS}
WHERE_FOUND = {"idna"}  # rfc3986 imports it where it is there

pytestmark = pytest.mark.needs(*PrivateOvs.programs, "udhcpc")

# Run by each Python of the environment before all of ours: says at its end what it has imported.
WHAT_IS_IMPORTED = """
import atexit, sys

def say():
    import importlib.metadata, json
    tops = {name.partition(".")[0] for name, module in [*sys.modules.items()] if module}
    with open(FILE, "w") as file:
        json.dump(sorted(tops), file)

if "run" in sys.orig_argv:
    atexit.register(say)
"""


def distributions(modules: list[str]) -> set[str]:
    """Who has installed these top-level modules."""
    of = importlib.metadata.packages_distributions()
    return {name for module in modules for name in of.get(module, ())}


def test_the_table_has_all_that_is_imported_and_nothing_else(
    wheel: Path, environment: Environment, tmp_path: Path
) -> None:
    environment.pip("install", wheel)
    said = tmp_path / "imported.json"
    # Not as sitecustomize, of which Debian has one of its own.
    (environment.site_packages / "say_imported.py").write_text(
        f"FILE = {str(said)!r}\n{WHAT_IS_IMPORTED}"
    )
    (environment.site_packages / "say_imported.pth").write_text("import say_imported\n")
    serve_a_guest(environment.directory)
    assert distributions(json.loads(said.read_text())) - WHERE_FOUND == TABLE | {"ovs-dhcpd"}


@pytest.mark.timeout(1800)  # it downloads what is not in pip's cache
def test_what_is_installed_with_less_serves(wheel: Path, tmp_path: Path) -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    directory = tmp_path / "venv"
    commands = block.replace("/opt/ovs-dhcpd", str(directory)).replace(wheel.name, str(wheel))
    assert str(wheel) in commands
    run(["sh", "-ec", commands], timeout_s=500)
    installed = run([directory / "bin" / "pip", "list", "--format=freeze"]).split()
    names = {line.partition("==")[0] for line in installed} - {"pip", "setuptools"}
    assert names == TABLE | {"ovs-dhcpd"}
    serve_a_guest(directory)
