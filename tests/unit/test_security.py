# SPDX-License-Identifier: Apache-2.0
"""The limits in SECURITY.md are those of the code."""

from __future__ import annotations

import dataclasses
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
HEADS = {"| at most | of | is |", "|---|---|---|"}
ROWS = [line for line in TEXT.splitlines() if line.startswith("|") and line not in HEADS]
ROW = re.compile(r"\| (.+) \| .+ \| `(\w+)` in `([\w/]+)\.py`, `(tests/[\w/]+\.py)` \|")
UNITS = {"KB": 1 << 10, "MB": 1 << 20}


def numbers_in(words: str) -> tuple[int, ...]:
    """Each number in the words, of bytes where it has such a unit."""
    found = re.findall(r"([0-9][0-9,]*)(?: ([A-Z]+))?", words)
    return tuple(int(digits.replace(",", "")) * UNITS.get(unit, 1) for digits, unit in found)


@pytest.mark.parametrize("row", ROWS)
def test_a_limit_is_that_of_the_code(row: str) -> None:
    found = ROW.fullmatch(row)
    assert found
    words, name, module, test = found.groups()
    value = getattr(importlib.import_module(f"ovs_dhcpd.{module.replace('/', '.')}"), name)
    if dataclasses.is_dataclass(value):
        value = tuple(vars(value).values())
    assert numbers_in(words) == (value if isinstance(value, tuple) else (value,))
    assert (ROOT / test).exists()


def test_all_who_can_send_something_have_a_chapter() -> None:
    assert re.findall("^## (.+)$", TEXT, re.MULTILINE) == [
        "Reporting",
        "What it is trusted with",
        "A guest",
        "Another guest",
        "A peer on a socket",
        "Who writes the databases",
        "Who writes the files",
        "Who reads the log",
    ]


def test_an_address_is_given_to_nobody() -> None:
    """Reports go where the repository is: no mailbox that nobody reads."""
    assert "@" not in TEXT
    assert "Report a vulnerability" in TEXT


def test_numbers_are_read_with_their_units() -> None:
    assert numbers_in("50 a second, 100 at once") == (50, 100)
    assert numbers_in("2,000,000") == (2_000_000,)
    assert (numbers_in("64 KB"), numbers_in("64 MB")) == ((65536,), (67108864,))
