# SPDX-License-Identifier: Apache-2.0
"""What is installed is what stands in the repository."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ovs_dhcpd import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_folder_of_the_program_is_installed() -> None:
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for folder in ("controller", "flows")
        for path in (ROOT / folder).rglob("__init__.py")
    }
    expected = {"ovs_dhcpd", *(f"ovs_dhcpd.{folder}" for folder in folders)}
    assert {*SETTINGS["tool"]["setuptools"]["packages"]} == expected


def test_os_ken_runs_on_the_systems_threads_whatever_the_environment_says() -> None:
    code = "import ovs_dhcpd.controller.switch.os_ken_app, os_ken.lib.hub as h; print(h.HUB_TYPE)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OSKEN_HUB_TYPE": "eventlet"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "native\n"), done.stderr


def test_nothing_of_ours_has_eventlet_imported() -> None:
    code = "import ovs_dhcpd.controller, sys; print(sys.modules['eventlet'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


def test_the_image_has_the_version_of_the_program() -> None:
    text = (ROOT / "containers" / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^ARG VERSION=(\S+)", text, re.MULTILINE) == [__version__]


def test_each_tool_has_one_version_and_one_place() -> None:
    extras = SETTINGS["project"]["optional-dependencies"]
    tools = [tool for name, extra in extras.items() if name != "http" for tool in extra]
    tools = [tool for tool in tools if not tool.startswith("ovs-dhcpd[")]
    assert [tool for tool in tools if not re.fullmatch(r"[\w-]+==[\w.]+", tool)] == []
    names = [tool.partition("==")[0] for tool in tools]
    assert len(names) == len({*names})

    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    assert [name for name in tox.sections() if "deps" in tox[name]] == []
    asked = {extra for name in tox.sections() for extra in tox[name].get("extras", "").split(", ")}
    assert asked - {""} <= extras.keys()
