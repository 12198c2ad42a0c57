# SPDX-License-Identifier: Apache-2.0
"""Another version of the daemon, from this repository."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from tests.lab.daemon import ROOT

PACKAGE = Path("ovs_dhcpd")
ROOMS = ("controller", "flows")  # in the package once it is installed


def unpack(commit: str, directory: Path) -> Path:
    """Put the daemon of `commit` into a folder of `directory`, as it is installed; returns it."""
    tree = directory / commit.replace("/", "-")
    command = ["git", "-C", str(ROOT), "archive", commit, str(PACKAGE), *ROOMS]
    archive = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        members.extractall(tree, filter="data")
    for room in ROOMS:
        (tree / room).rename(tree / PACKAGE / room)
    return tree
