# SPDX-License-Identifier: Apache-2.0
"""`make release`: what it makes of a commit, and what it wants to be written first."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.package.building import ROOT, files_of_the_repository

VERSION = "7.8.9"
SECTION = f"""## {VERSION}, 2026-12-01

### Mended

* All of it.

"""


class Clone:
    """A repository with these files, of one commit."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name in files_of_the_repository():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, directory / name)
        (directory / ".gitignore").write_text("/build/\n")  # a copy of a checkout may have none
        self.git("init", "-q")

    def git(self, *arguments: str) -> str:
        name = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
        done = subprocess.run(["git", *name, *arguments], cwd=self.directory, text=True,
                              capture_output=True, check=True)  # fmt: skip
        return done.stdout

    def edit(self, file: str, was: str, now: str) -> None:
        path = self.directory / file
        text = path.read_text(encoding="utf-8")
        assert text.count(was) >= 1, f"{file}: {was}"
        path.write_text(text.replace(was, now, 1), encoding="utf-8")

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "Change something")

    def release(self, *arguments: str) -> tuple[int, str]:
        environment = {
            **os.environ, "PYTHON": sys.executable, "DEB": "no", "GIT_COMMITTER_NAME": "Somebody",
            "GIT_COMMITTER_EMAIL": "somebody@example.org", "GIT_CONFIG_GLOBAL": os.devnull,
        }  # fmt: skip
        done = subprocess.run([".ci/release", *arguments], cwd=self.directory, env=environment,
                              text=True, capture_output=True, check=False)  # fmt: skip
        return done.returncode, done.stdout + done.stderr


pytestmark = pytest.mark.needs_programs("git")


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A repository in which all is written that a release needs."""
    clone = Clone(tmp_path / "clone")
    init = (ROOT / "ovs_dhcpd" / "__init__.py").read_text(encoding="utf-8")
    (written,) = re.findall(r'__version__ = "(.*)"', init)
    clone.edit("ovs_dhcpd/__init__.py", f'"{written}"', f'"{VERSION}"')
    clone.edit("debian/changelog", f"({written})", f"({VERSION})")
    clone.edit("CHANGELOG.md", "\n## ", f"\n{SECTION}## ")
    if "\n[project.urls]" not in (clone.directory / "pyproject.toml").read_text(encoding="utf-8"):
        urls = '[project.urls]\nSource = "https://example.org/dhcp"\n\n[project.scripts]'
        clone.edit("pyproject.toml", "[project.scripts]", urls)
    clone.commit()
    return clone


def test_a_release_is_built_and_tagged(clone: Clone) -> None:
    status, said = clone.release(VERSION)
    assert status == 0, said
    built = clone.directory / "build" / "release" / VERSION
    wheel, sdist = f"ovs_dhcpd-{VERSION}-py3-none-any.whl", f"ovs_dhcpd-{VERSION}.tar.gz"
    assert {path.name for path in built.iterdir()} >= {wheel, sdist, "notes.md", "SHA256SUMS"}
    assert (built / "notes.md").read_text() == SECTION.split("\n", 1)[1]
    for line in (built / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((built / name).read_bytes()).hexdigest() == digest
    with zipfile.ZipFile(built / wheel) as archive:
        metadata = archive.read(f"ovs_dhcpd-{VERSION}.dist-info/METADATA").decode()
    assert f"\nVersion: {VERSION}\n" in metadata
    assert f"https://example.org/dhcp/blob/v{VERSION}/docs/configuration.md" in metadata

    assert clone.git("cat-file", "-t", f"v{VERSION}") == "tag\n"
    assert clone.git("rev-parse", f"v{VERSION}^{{commit}}") == clone.git("rev-parse", "HEAD")
    message = clone.git("tag", "-l", "--format=%(contents)", f"v{VERSION}")
    assert message.strip() == f"ovs-dhcpd {VERSION}\n\n### Mended\n\n* All of it."
    assert clone.git("status", "--porcelain") == ""

    assert clone.release(VERSION) == (1, f"release: v{VERSION}: is a tag already\n")


def test_what_has_to_be_written_first(clone: Clone) -> None:
    assert clone.release() == (2, "usage: .ci/release VERSION\n")
    assert clone.release("7.8") == (1, "release: 7.8: expected MAJOR.MINOR.PATCH\n")
    said = f"release: ovs_dhcpd/__init__.py: version {VERSION}, expected 7.9.0\n"
    assert clone.release("7.9.0") == (1, said)

    clone.edit("ovs_dhcpd/__init__.py", VERSION, "7.9.0")
    said = "release: the checkout has changes, expected all committed\n"
    assert clone.release("7.9.0") == (1, said)
    clone.commit()
    said = f"release: debian/changelog: version {VERSION}, expected 7.9.0\n"
    assert clone.release("7.9.0") == (1, said)

    clone.edit("debian/changelog", VERSION, "7.9.0")
    clone.commit()
    status, said = clone.release("7.9.0")
    assert (status, said[:55]) == (1, 'release: CHANGELOG.md: no section, expected "## 7.9.0, ')

    clone.edit("CHANGELOG.md", f"## {VERSION},", "## 7.9.0,")
    clone.edit("pyproject.toml", "[project.urls]\nSource", "[project.urls]\nHome")
    clone.commit()
    status, said = clone.release("7.9.0")
    assert (status, said) == (
        1,
        'release: pyproject.toml: no address, expected Source = "https://…" under [project.urls]\n',
    )
    assert clone.git("tag") == ""
