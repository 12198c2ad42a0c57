# SPDX-License-Identifier: Apache-2.0
"""What a user is told of a mistake: the value as written, and the name that was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.flows.options.wording import (
    CHOICES,
    LINES,
    SHOWN,
    either,
    escape,
    first_lines,
    hint,
    meant,
    printable,
    show,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dns-server", " (did you mean dns_server?)"),
        ("lease", ""),
        ("mtu", ""),  # it is known
    ],
)
def test_a_name_that_is_nearly_a_known_one(name: str, expected: str) -> None:
    assert hint(name, ["dns_server", "mtu"]) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gateway", "router"),
        ("dns", "dns_server"),
        ("domain-name-servers", "dns_server"),
        ("DHCPv4", "dhcpv4"),
        ("DHCP", "dhcpv4"),
        ("t1", "T1"),
        ("vlan", ""),  # tag is not known here
    ],
)
def test_a_name_that_other_programs_have_for_it(name: str, expected: str) -> None:
    known = ["dhcpv6", "dhcpv4", "T1", "router", "dns_server", "domain_name"]
    assert meant(name, known) == expected


def test_whatever_is_known_is_never_another_name() -> None:
    assert [meant(name, [name, "cidr", "router"]) for name in ("prefix", "gateway")] == ["", ""]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "nothing"),
        ({}, "a mapping"),
        ([1], "a list"),
        (True, "True"),
        ("text", "'text'"),
        ("x" * 90, "'" + "x" * 80 + "…'"),
        ("büro-東京", "'büro-東京'"),
        ("it's", '"it\'s"'),
        ("""'it"s""", """"'it\\"s\""""),
        ("a\\b", "'a\\\\b'"),
        ("\x1b[2J\n\0\x9b\u202e\u2028\xa0\ud800", r"'\x1b[2J\n\x00\x9b\u202e\u2028\xa0\ud800'"),
        ("\n" * 90, "'" + r"\n" * 40 + "…'"),
    ],
)
def test_a_value_in_a_few_words(value: object, expected: str) -> None:
    assert show(value) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vm1", "vm1"),
        ("büro", "büro"),
        ("a\nb\x1b[2J", r"a\nb\x1b[2J"),
        ("x" * 1000, "x" * 80 + "…"),
    ],
)
def test_a_name_in_a_sentence(name: str, expected: str) -> None:
    assert escape(name) == expected


def test_a_choice_of_many_is_cut() -> None:
    assert either(["red", "gre\nen"]) == r"red or gre\nen"
    names = [f"net{number}" for number in range(1000)]
    assert either(names) == " or ".join(names[:CHOICES]) + " or others"


def test_of_many_lines_the_first_are_shown() -> None:
    lines = [f"line {number}" for number in range(1000)]
    assert first_lines(lines[:LINES]) == lines[:LINES]
    assert first_lines(lines) == [*lines[:LINES], "and 980 more"]
    assert first_lines(lines[:LINES], 30) == [*lines[:LINES], "and 10 more"]


ANY_TEXT = st.text(st.characters(), max_size=200)  # lone surrogates too


@given(ANY_TEXT)
def test_whatever_it_is_what_is_shown_is_printable_and_short(text: str) -> None:
    for shown in (show(text), escape(text)):
        assert shown.isprintable()
        assert len(shown) <= SHOWN + 3
        shown.encode()
    assert printable(text).isprintable()


@given(ANY_TEXT, ANY_TEXT)
def test_what_is_shown_whole_is_of_one_text_only(one: str, other: str) -> None:
    assert show(one) != show(other) or one == other or "…" in show(one)


@given(ANY_TEXT)
def test_what_is_printable_stays_as_it_is(text: str) -> None:
    clean = printable(text)
    assert printable(clean) == clean
    if len(clean) <= SHOWN:
        assert escape(clean) == clean
