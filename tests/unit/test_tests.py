# SPDX-License-Identifier: Apache-2.0
"""The order of the tests themselves, read from their source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for folder in ("tests", "bench") for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The full names of all that a file imports, wherever in it: modules and what is in them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def only_pytest_reads(name: str) -> bool:
    """Whether the name leads into a test module or a conftest."""
    return any(part == "conftest" or part.startswith("test_") for part in name.split("."))


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_nothing_is_imported_from_a_test_or_a_conftest(path: Path) -> None:
    """What two of them need stands in a module of its own, or in tests/lab."""
    assert {name for name in imported(path) if only_pytest_reads(name)} == set()
