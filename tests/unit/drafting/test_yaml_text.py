# SPDX-License-Identifier: Apache-2.0
"""YAML that reads back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from ovs_dhcpd.controller.drafting.yaml_text import END, Settings, comment, flow, lines, scalar
from ovs_dhcpd.controller.sources.yaml_file import _Builder
from ovs_dhcpd.flows.configuration.section import Mistakes


def read(text: str) -> object:
    return _Builder("a.yaml", Mistakes()).build(text.encode())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (600, "600"),
        ("192.168.1.0/24", "192.168.1.0/24"),
        ("10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9"),
        ("fd00:1::/64", "fd00:1::/64"),
        ("fd00:1::", '"fd00:1::"'),
        ("br-int", "br-int"),
        ("no", '"no"'),
        ("NULL", '"NULL"'),
        ("1e3", '"1e3"'),
        ("10:20:30", '"10:20:30"'),
        ("600", '"600"'),
        ("1.5", '"1.5"'),
        ("a: b", '"a: b"'),
        ('say "x" \\', '"say \\"x\\" \\\\"'),
        ("a\nb", '"a\\u000ab"'),
        ("\ud800", '"\\ufffd"'),
        ("grün", '"grün"'),
        ("\U000e0001", '"\\U000e0001"'),
    ],
)
def test_a_value(value: object, expected: str) -> None:
    assert scalar(value) == expected


def test_a_name_with_a_colon_is_in_quotes() -> None:
    assert scalar("x:y") == "x:y"
    assert scalar("x:y", is_inside=True) == '"x:y"'


def test_a_comment_is_one_line_whatever_it_says() -> None:
    assert comment("a\nb: c\x1b[1m") == "# a\\nb: c\\x1b[1m"
    assert comment("") == "#"


def test_a_long_list_has_a_line_for_each_value() -> None:
    settings = Settings()
    settings["pool"] = [f"10.0.{number}.1-10.0.{number}.9" for number in range(9)]
    found = [*lines(settings)]
    assert found[:2] == ["pool:", "  - 10.0.0.1-10.0.0.9"]
    assert len(found) == 10


def test_comments_stand_above_their_names_and_at_the_end() -> None:
    settings, inside = Settings(), Settings()
    settings["a"] = inside
    settings.note("a", "above")
    inside.note(END, "the end")
    assert [*lines(settings)] == ["# above", "a: {}", "  # the end"]


def test_flow() -> None:
    assert flow([("cidr", "10.0.0.0/24"), ("a:b", "c:d")]) == '{cidr: 10.0.0.0/24, "a:b": "c:d"}'


def test_the_file_is_whole(tmp_path: Path) -> None:
    """What is printed ends with a line end and is UTF-8."""
    settings = Settings()
    settings["a"] = "\ud800"
    path = tmp_path / "x"
    path.write_text("\n".join(lines(settings)), encoding="utf-8")
    assert read(path.read_text(encoding="utf-8")) == {"a": "�"}
