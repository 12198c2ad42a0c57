# SPDX-License-Identifier: Apache-2.0
"""The conformance tables name all tests of the checklists, and none that is not there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECKLIST = re.compile(r"test_(line_|a|b)[0-9]{2}_")


def functions_in(file: str) -> list[str]:
    body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    names = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    return [name for name in names if name.startswith("test_")]


def of_checklist(names: list[str]) -> list[str]:
    """Those that stand for a line of a checklist or a shortfall of OVN's."""
    return sorted(filter(CHECKLIST.match, names))


def tables() -> dict[str, list[str]]:
    """By the file in each section's heading: the tests in its table, as often as they occur."""
    text = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    _, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    named = {}
    for section in sections:
        heading, table = section.split("\n", 1)
        (file,) = re.findall("`(.+)`", heading)
        named[file] = re.findall("`(test_[a-z0-9_]+)`", table)
    return named


TABLES = tables()


def test_every_file_with_a_checklist_has_a_table() -> None:
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "unit").rglob("test_*.py")}
    assert {file for file in files if of_checklist(functions_in(file))} - TABLES.keys() == set()


def test_every_test_of_a_checklist_is_in_its_table_once() -> None:
    for file, named in TABLES.items():
        assert of_checklist(named) == of_checklist(functions_in(file)), file


def test_every_test_in_a_table_is_there() -> None:
    for file, named in TABLES.items():
        assert named
        assert set(named) - set(functions_in(file)) == set(), file


def test_the_checklists_are_recognised() -> None:
    names = ["test_able", "test_b16_z", "test_line_01_x", "test_a05_y", "test_vlan_tags_stay"]
    assert of_checklist(names) == ["test_a05_y", "test_b16_z", "test_line_01_x"]
