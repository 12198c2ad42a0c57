# SPDX-License-Identifier: Apache-2.0
"""What is distributed is built from the repository's files, without the package index."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.lab import process
from tests.lab.process import run

ROOT = Path(__file__).parents[2]

# What tools leave in an unpacked source distribution: .gitignore's names.
LEFT_BEHIND = {
    ".coverage", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".venv",
    "__pycache__", "build",
}  # fmt: skip

# What setuptools adds to the repository's files.
ADDED = {"PKG-INFO", "setup.cfg"}
EGG_INFO = "ovs_dhcpd.egg-info"


def files_of_the_repository() -> set[str]:
    """The names of its files; without git, all but what was made by building and testing."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        # The checkout may be another user's.
        listed = run(["git", "-c", f"safe.directory={ROOT}", "-C", ROOT, "ls-files", "-z"])
        return {name for name in listed.split("\0") if name and (ROOT / name).exists()}
    names = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return {
        str(name)
        for name in names
        if not {*name.parts} & {*LEFT_BEHIND, ".git", EGG_INFO} and str(name) not in ADDED
    }


def build(what: str, source: Path, directory: Path) -> Path:
    """Build an "sdist" or a "wheel" of ``source`` into ``directory``."""
    code = f"import sys; from setuptools import build_meta as b; b.build_{what}(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, directory], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = directory.iterdir()
    return built


def link_dependencies(directory: Path) -> None:
    """Make ``directory``, of links to what the tests' environment has, but not to ours.

    A path file that names it has all of that in another environment too, where nothing that ours
    depends on needs to be downloaded then; of ours pip would find that it is installed already.
    """
    directory.mkdir()
    for theirs in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for path in Path(theirs).iterdir():
            if "ovs_dhcpd" not in path.name:
                (directory / path.name).symlink_to(path)


class Environment:
    """A new virtual environment in ``directory``, with all that ours depends on."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        run([sys.executable, "-m", "venv", "--without-pip", directory])
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.site_packages = directory / "lib" / name / "site-packages"
        links = directory / "dependencies"
        link_dependencies(links)
        (self.site_packages / "dependencies.pth").write_text(f"{links}\n")

    def run(
        self, program: str, *arguments: object, cwd: Path | None = None, timeout_s: float = 120
    ) -> str:
        """Run one of its programs, where no file of ours is; returns its standard output."""
        argv = [str(self.directory / "bin" / program), *map(str, arguments)]
        env = process.environment()
        env.pop("PYTHONPATH", None)
        done = subprocess.run(
            argv,
            cwd=cwd or self.directory,
            env=env,
            capture_output=True,
            text=True,
            timeout=timeout_s * process.PATIENCE,
        )
        assert done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def pip(self, command: str, *arguments: object) -> None:
        """Run the pip of the tests' environment on this one, with nothing to be downloaded."""
        offline = ["--no-index", "--no-deps", "--no-build-isolation"]
        options = offline if command == "install" else ["--yes"]
        run([sys.executable, "-m", "pip", "--python", self.directory / "bin" / "python",
             command, "-q", *options, *arguments], timeout_s=240)  # fmt: skip
