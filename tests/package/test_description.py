# SPDX-License-Identifier: Apache-2.0
"""The description on a package index: it can be rendered there, and its links lead somewhere."""

from __future__ import annotations

import re
import runpy
import tarfile
from collections.abc import Callable
from email import message_from_string
from pathlib import Path

import pytest
from readme_renderer import markdown

from ovs_dhcpd import __version__
from tests.package.building import ROOT, files_of_the_repository

SOURCE = "https://example.org/dhcp"
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def description() -> Callable[[str, str, str], str]:
    """What setup.py makes of README."""
    made: Callable[[str, str, str], str] = runpy.run_path(str(ROOT / "setup.py"))["description"]
    return made


def rendered(text: str) -> str:
    """As the index shows it."""
    html = markdown.render(text)
    assert html
    return str(html)


def links(html: str) -> list[str]:
    return re.findall(r'(?:href|src)="([^"]*)"', html)


def test_it_is_in_the_source_distribution(
    sdist: Path, description: Callable[[str, str, str], str]
) -> None:
    with tarfile.open(sdist) as archive:
        file = archive.extractfile(f"ovs_dhcpd-{__version__}/PKG-INFO")
        assert file
        metadata = message_from_string(file.read().decode())
    source = next(
        (url for url in metadata.get_all("Project-URL", ()) if url.startswith("Source, ")), ""
    ).removeprefix("Source, ")
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == description(README, source, __version__)


def test_without_an_address_no_link_is_broken(
    description: Callable[[str, str, str], str],
) -> None:
    html = rendered(description(README, "", "1.2.3"))
    assert [link for link in links(html) if not link.startswith(("https://", "#"))] == []
    assert "<table>" in html


def test_with_an_address_each_leads_to_a_file_of_the_version(
    description: Callable[[str, str, str], str],
) -> None:
    found = links(rendered(description(README, SOURCE, "1.2.3")))
    files = files_of_the_repository()
    here = [link for link in found if link.startswith(SOURCE)]
    assert [link for link in found if not link.startswith(("https://", "#"))] == []
    paths = {re.sub(rf"{SOURCE}/(?:blob|raw)/v1\.2\.3/|#.*", "", link) for link in here}
    assert paths - files == set()
    assert f"{SOURCE}/raw/v1.2.3/docs/packet.svg" in here
    assert len(here) >= len(re.findall(r"\]\([^):]+\)", README))
