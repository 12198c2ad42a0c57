# SPDX-License-Identifier: Apache-2.0
"""Mistakes are collected, and told in the order of the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from ovs_dhcpd.flows.configuration.section import ConfigError, Mistakes, Reader, Section

from tests.unit.configuration.file import NETWORK, errors


def test_all_mistakes_are_reported_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = NETWORK % "mtu: 99999" + "    color: red\nbridge: br0\n"
    assert errors(tmp_path, text) == [
        "c.yaml:6: red: mtu: 99999 does not fit, expected 68 to 65535 (RFC 2132 §5.1)",
        "c.yaml:11: red: color: unknown, "
        "expected bridge or dhcpv4 or dhcpv6 or ra or arp_responder or guard or rate_limit or "
        "pool or exclude or reserve or decline_probation_period or probe or tag or ports",
        "c.yaml:12: bridge: is at c.yaml:1 too, expected it once",
    ]


def section(file: str, **lines: int) -> Section:
    made = Section(file, 1)
    for name, line in lines.items():
        made[name] = None
        made.lines[name] = line
    return made


def test_mistakes_come_file_by_file_in_the_order_of_the_lines() -> None:
    mistakes = Mistakes()
    mistakes.raise_if_any()
    mistakes.refuse(section("b.yaml", mtu=2), "red", "mtu", "is wrong")
    mistakes.refuse(section("a.yaml", mtu=9), "", "mtu", "is wrong")
    mistakes.refuse(section("a.yaml", mtu=9), "red", "lease_time", "is missing")
    with pytest.raises(ConfigError) as raised:
        mistakes.raise_if_any()
    assert raised.value.errors == [
        "a.yaml:1: red: lease_time: is missing",  # where it is not, the section's first line
        "a.yaml:9: mtu: is wrong",
        "b.yaml:2: red: mtu: is wrong",
    ]


def test_a_section_that_is_none_is_a_mistake_and_nothing() -> None:
    mistakes = Mistakes()
    outer = section("a.yaml", ra=3)
    reader = Reader(outer, "red", mistakes)
    assert reader.inside("ra") is None
    assert reader.inside("dhcpv4") is None
    with pytest.raises(ConfigError) as raised:
        mistakes.raise_if_any()
    assert raised.value.errors == [
        "a.yaml:1: red: dhcpv4: is missing",
        "a.yaml:3: red: ra: nothing, expected a mapping",
    ]


def test_of_many_mistakes_the_first_are_told_and_the_others_counted() -> None:
    mistakes = Mistakes()
    many = section("a.yaml", **{f"name{number}": number for number in range(1000)})
    Reader(many, "red", mistakes).refuse_unknown(("mtu",))
    with pytest.raises(ConfigError) as raised:
        mistakes.raise_if_any()
    *first, last = raised.value.errors
    assert first == [
        f"a.yaml:{number}: red: name{number}: unknown, expected mtu" for number in range(20)
    ]
    assert last == "and 980 more"


def test_names_and_values_of_others_are_cut_and_shown_escaped(tmp_path: Path) -> None:
    escaped = r"\x1b[2J\n\u202e"
    text = NETWORK % f'"{escaped}": 1\n      mtu: "{escaped}"\n      {"x" * 120}: 1'
    option = "unknown option, expected the name of a DHCPv4 option or option_NNN"
    assert errors(tmp_path, text) == [
        f"c.yaml:6: red: {escaped}: {option}",
        f"c.yaml:7: red: mtu: '{escaped}': column 1: invalid character '{escaped}'; "
        "expected 68 to 65535 (RFC 2132 §5.1)",
        f"c.yaml:8: red: {'x' * 80}…: {option}",
    ]
