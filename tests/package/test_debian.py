# SPDX-License-Identifier: Apache-2.0
"""The Debian package, so far as that can be told without building it: `make test-deb` does."""

from __future__ import annotations

import re
from email.parser import Parser

import pytest
from ovs_dhcpd.controller.sources import yaml_file

from ovs_dhcpd import __version__
from tests.lab.process import run
from tests.package.building import ROOT

DEBIAN = ROOT / "debian"
EXPOSURE = 19  # in tenths: below 2.0


def test_the_version_is_the_programs() -> None:
    first = (DEBIAN / "changelog").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"ovs-dhcpd ({__version__}) ")


def test_it_depends_on_what_the_program_does() -> None:
    *_, package = (DEBIAN / "control").read_text(encoding="utf-8").strip().split("\n\n")
    depends = Parser().parsestr(package)["Depends"]
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'"os-ken>=([\d.]+)"', settings)
    assert found
    assert f"python3-os-ken (>= {found[1]})" in depends  # what else is there is new enough


@pytest.mark.needs_programs("systemd-analyze")
def test_the_unit_is_exposed_to_little() -> None:
    run(["systemd-analyze", "security", "--no-pager", "--offline=yes", f"--threshold={EXPOSURE}",
         DEBIAN / "ovs-dhcpd.service"])  # fmt: skip


def test_the_example_is_valid() -> None:
    assert yaml_file.load(DEBIAN / "example.yaml").warnings == ()
