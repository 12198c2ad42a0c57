# SPDX-License-Identifier: Apache-2.0
"""docs/licences.md names all that an installation brings along, and its licence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
ROWS = {
    name: (licence, whose)
    for name, licence, whose in re.findall(r"^\| ([\w.-]+) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    if name != "package"
}
BY_HTTP = 'extra == "http"'
# What older and newer metadata call the same.
ALIKE = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(of: Distribution) -> Iterator[str]:
    """What it needs, but for its extras; of ours also that of `run --http`."""
    for requirement in of.requires or ():
        name, _, marker = requirement.partition(";")
        if "extra" not in marker or (of.name == "ovs-dhcpd" and BY_HTTP in marker):
            yield normal(re.split(r"[^\w.-]", name.strip())[0])


@cache
def installed() -> dict[str, Distribution]:
    """What ovs-dhcpd brings along, as far as this environment has it."""
    found: dict[str, Distribution] = {}
    waiting = [*needed(distribution("ovs-dhcpd"))]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # on another system, or another Python
            continue
        waiting += needed(found[name])
    return found


def licence(of: Distribution) -> str:
    """As SPDX has it."""
    metadata = of.metadata
    said = next((metadata[key] for key in ("License-Expression", "License") if key in metadata), "")
    if not said or "\n" in said:
        said = next((
            each.rpartition(" :: ")[2]
            for each in metadata.get_all("Classifier") or ()
            if each.startswith("License ::")
        ), "")  # fmt: skip
    return ALIKE.get(said, said)


@pytest.mark.parametrize("name", installed())
def test_what_comes_along_is_named_with_its_licence(name: str) -> None:
    assert name in ROWS, f"| {name} | {licence(installed()[name])} | … |"
    assert licence(installed()[name]) in ROWS[name][0].split(", or ")


def test_what_is_needed_directly_is_named_so() -> None:
    direct = {name for name, (_, whose) in ROWS.items() if whose == "ovs-dhcpd"}
    assert {*needed(distribution("ovs-dhcpd"))} == direct
