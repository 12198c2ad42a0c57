# SPDX-License-Identifier: Apache-2.0
"""What pyproject.toml cannot say: the description on a package index, which is made of README.md.

README's links and pictures are relative, and lead nowhere on an index.  There they lead to the
repository, to the files of this version, if `[project.urls]` has its address as `Source` (its paths
are those of GitHub); without one they are no links, and pictures are left out.
"""

import re
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
_LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^]]*)\]\((?P<path>[^):]+)\)")  # a relative one


def description(readme: str, source: str, version: str) -> str:
    """README for a package index; `source` is the repository's address, empty if none is known."""

    def link(found: re.Match[str]) -> str:
        picture, text, path = found["picture"], found["text"], found["path"]
        if not source:
            return "" if picture else text
        return f"{picture}[{text}]({source}/{'raw' if picture else 'blob'}/v{version}/{path})"

    return _LINK.sub(link, readme)


def _found(pattern: str, file: str) -> str:
    found = re.search(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


if __name__ == "__main__":
    setup(
        long_description=description(
            (ROOT / "README.md").read_text(encoding="utf-8"),
            _found(r'^Source = "(.*?)/?"$', "pyproject.toml"),
            _found(r'^__version__ = "(.*)"$', "ovs_dhcpd/__init__.py"),
        ),
        long_description_content_type="text/markdown",
    )
