# SPDX-License-Identifier: Apache-2.0
"""That `python -m tests` runs again what failed, where it is asked to, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.__main__ import RECHECK

# Each notes that it ran; `late` fails the first time, `wrong` always.
TESTS = """
from pathlib import Path

def ran(name):
    with open("ran", "a") as file:
        print(name, file=file)

def test_late():
    ran("late")
    assert Path("ran").read_text().split().count("late") == 2

def test_right():
    ran("right")
"""
WRONG = """
def test_wrong():
    ran("wrong")
    assert False
"""

ROOT = Path(__file__).parents[2]


def status(directory: Path, tests: str, recheck: str) -> tuple[int, list[str]]:
    """Of `python -m tests` with these tests, and which of them ran, in order."""
    (directory / "pytest.ini").write_text("[pytest]\n")
    (directory / "test_some.py").write_text(tests)
    done = subprocess.run(
        [sys.executable, "-m", "tests", "-q"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), RECHECK: recheck},
        stdout=subprocess.DEVNULL,
        timeout=300,
        check=False,
    )
    return done.returncode, (directory / "ran").read_text().split()


@pytest.mark.parametrize(
    ("tests", "recheck", "expected"),
    [
        (TESTS, "1", (0, ["late", "right", "late"])),
        (TESTS, "", (1, ["late", "right"])),
        (TESTS + WRONG, "1", (1, ["late", "right", "wrong", "late", "wrong"])),
    ],
    ids=["failed once", "not asked for", "failed twice"],
)
def test_what_failed_runs_once_more_if_asked_for(
    tmp_path: Path, tests: str, recheck: str, expected: tuple[int, list[str]]
) -> None:
    assert status(tmp_path, tests, recheck) == expected
