# SPDX-License-Identifier: Apache-2.0
"""Tables are aligned, whatever stands in them, and coloured only where that is wanted."""

from __future__ import annotations

import io

import pytest
from ovs_dhcpd.controller.texts.table import GREEN, table, wants_colour

HEADER = ("PORT", "STATE", "NAME")


def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    rows = [("a-long-name", "bound", ""), ("b", "", "日本"), ("日本", "x", "n")]
    assert [*table(HEADER, rows)] == [
        "PORT         STATE  NAME",
        "a-long-name  bound  -",
        "b            -      日本",
        "日本         x      n",
    ]


def test_a_table_of_nothing_is_its_header() -> None:
    assert [*table(HEADER, [])] == ["PORT  STATE  NAME"]


def test_what_others_wrote_moves_no_cursor() -> None:
    *_, row = table(HEADER, [("a\n\x1b[2J", "bound", "\u202en")])
    assert row == "a\\n\\x1b[2J  bound  \\u202en"


def test_words_are_coloured_and_stay_aligned() -> None:
    plain = [*table(HEADER, [("p", "bound", "n"), ("q", "offered", "m")])]
    coloured = [*table(HEADER, [("p", "bound", "n"), ("q", "offered", "m")], {"bound": GREEN})]
    assert coloured[1] == "p     \x1b[32mbound\x1b[0m    n"
    assert coloured[2] == plain[2]
    assert coloured[0].startswith("\x1b[1mPORT\x1b[0m  ")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals_and_for_who_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_colour(Terminal())
    assert not wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_colour(Terminal())
