# SPDX-License-Identifier: Apache-2.0
"""The source distribution: all of the repository, and it can be tested and installed from."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from ovs_dhcpd import __version__
from tests.lab.switch import PrivateOvs
from tests.package.building import ADDED, EGG_INFO, Environment, files_of_the_repository
from tests.package.serving import serve_a_guest


def test_it_holds_all_files_of_the_repository(sdist: Path) -> None:
    assert sdist.name == f"ovs_dhcpd-{__version__}.tar.gz"
    with tarfile.open(sdist) as archive:
        files = [member.name for member in archive if not member.isdir()]
    prefix = f"ovs_dhcpd-{__version__}/"
    assert [name for name in files if not name.startswith(prefix)] == []
    names = {name.removeprefix(prefix) for name in files}
    ours = {name for name in names if not name.startswith(f"{EGG_INFO}/")}
    assert ours == files_of_the_repository() | ADDED


def test_what_is_run_can_be_run(unpacked: Path) -> None:
    programs = [".ci/run", "tests/install-packages", "tests/compose/run"]
    assert [name for name in programs if not os.access(unpacked / name, os.X_OK)] == []


def test_it_can_be_installed(unpacked: Path, environment: Environment) -> None:
    environment.pip("install", unpacked)
    assert environment.run("ovs-dhcpd", "--version") == f"ovs-dhcpd {__version__}\n"


@pytest.mark.needs(*PrivateOvs.programs, "udhcpc")
def test_it_serves(sdist: Path, environment: Environment) -> None:
    environment.pip("install", sdist)
    serve_a_guest(environment.directory)


@pytest.mark.timeout(1800)  # all tests are compiled and imported
def test_its_tests_can_be_run(unpacked: Path, environment: Environment) -> None:
    """All are found, with what they read; some that need no more than that are run."""
    environment.pip("install", "--editable", unpacked)  # as `make venv`
    code = "import ovs_dhcpd.flows; print(ovs_dhcpd.flows.__file__)"
    assert environment.run("python", "-c", code).strip() == str(unpacked / "flows/__init__.py")
    for tests in (["--collect-only"], ["tests/unit/options", "tests/unit/pipeline"]):
        argv = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
        environment.run("python", *argv, cwd=unpacked, timeout_s=400)
