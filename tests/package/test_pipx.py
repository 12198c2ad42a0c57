# SPDX-License-Identifier: Apache-2.0
"""The wheel as pipx installs it: a command in a folder of its own."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec
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


def wheels_of_pip() -> str:
    """The folders in which venv finds the pip that it installs, for pipx to find it there too."""
    ensurepip = find_spec("ensurepip")
    assert ensurepip
    assert ensurepip.origin
    bundled = Path(ensurepip.origin).parent / "_bundled"
    debian = Path("/usr/share/python-wheels")
    return " ".join(str(each) for each in (bundled, debian) if each.is_dir())


@pytest.mark.needs(*PrivateOvs.programs, "udhcpc", "pipx")
def test_it_serves(wheel: Path, tmp_path: Path) -> None:
    links, python = tmp_path / "dependencies", tmp_path / "python"
    link_dependencies(links)
    words = {"python": shlex.quote(sys.executable), "links": shlex.quote(str(links))}
    python.write_text(PYTHON.format(**words))
    python.chmod(0o755)
    env = {
        "HOME": str(tmp_path / "home"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_DEFAULT_PYTHON": sys.executable,
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIP_FIND_LINKS": wheels_of_pip(),
        "PIP_NO_INDEX": "1",
    }
    run(["pipx", "install", "--python", python, wheel], env=env, timeout_s=300)
    assert (tmp_path / "bin" / "ovs-dhcpd").resolve().is_relative_to(tmp_path / "pipx" / "venvs")
    serve_a_guest(tmp_path)
