# SPDX-License-Identifier: Apache-2.0
"""The wheel as pipx installs it: a command in a folder of its own."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from tests.lab.process import run
from tests.lab.switch import PrivateOvs
from tests.package.building import link_dependencies
from tests.package.serving import serve_a_guest

# What pipx makes its environments with: they get a path file that names the links to what is there.
PYTHON = """#!/bin/sh
{python} "$@" || exit
[ "$1 $2" = "-m venv" ] || exit 0
for made; do :; done
for packages in "$made"/lib/python3*/site-packages; do
    echo {links} >"$packages/dependencies.pth"
done
"""


@pytest.mark.needs(*PrivateOvs.programs, "udhcpc", "pipx")
def test_it_serves(wheel: Path, tmp_path: Path) -> None:
    links, python = tmp_path / "dependencies", tmp_path / "python"
    link_dependencies(links)
    words = {"python": shlex.quote(sys.executable), "links": shlex.quote(str(links))}
    python.write_text(PYTHON.format(**words))
    python.chmod(0o755)
    # What pipx shares among its environments, which it would download: the pip that Python brings.
    run([sys.executable, "-m", "venv", tmp_path / "shared"], timeout_s=120)
    env = {
        "HOME": str(tmp_path / "home"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_SHARED_LIBS": str(tmp_path / "shared"),
        "PIP_NO_INDEX": "1",
    }
    run(["pipx", "install", "--python", python, wheel], env=env, timeout_s=300)
    assert (tmp_path / "bin" / "ovs-dhcpd").resolve().is_relative_to(tmp_path / "pipx" / "venvs")
    serve_a_guest(tmp_path)
