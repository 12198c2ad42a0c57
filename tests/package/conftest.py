# SPDX-License-Identifier: Apache-2.0
"""What is distributed: built once from the repository's files, without the package index.

The source distribution is built from a copy of the files that git has (all files of an
unpacked source distribution), the wheel from the unpacked source distribution, as
``python -m build`` does it. setuptools is that of the tests' environment.
"""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest

from tests.package.building import ROOT, Environment, build, files_of_the_repository


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, a tar file."""
    source = tmp_path_factory.mktemp("repository")
    for name in files_of_the_repository():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, source / name)
    return build("sdist", source, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in the unpacked source distribution."""
    directory = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(directory, filter="data")
    (only,) = directory.iterdir()
    return only


@pytest.fixture(scope="session")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    return build("wheel", unpacked, tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """A virtual environment in which ours is not installed."""
    return Environment(tmp_path / "environment")
