# SPDX-License-Identifier: Apache-2.0
"""The constants of OVN's text: what each reads as, and where one cannot be read."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from ovs_dhcpd.flows.options.lexer import (
    Constant,
    Hex,
    Lexer,
    TextError,
    format_constants,
    parse_constants,
)


@pytest.mark.parametrize(
    ("text", "constants"),
    [
        ("0", [0]),
        ("1442", [1442]),
        ("0x0004", [Hex("0004")]),
        ('"a\\"b"', ['a"b']),
        ("fa:16:3e:8b:ea:fd", [bytes.fromhex("fa163e8beafd")]),
        ("10.0.0.1", [IPv4Address("10.0.0.1")]),
        ("10.0.0.1/8", [IPv4Network("10.0.0.0/8")]),
        ("10.0.0.1/255.0.0.0", [IPv4Network("10.0.0.0/8")]),
        ("fd00::1", [IPv6Address("fd00::1")]),
        ("::", [IPv6Address("::")]),
        ("fd00::1/64", [IPv6Network("fd00::/64")]),
        ("true, false", [True, False]),
        ("{1, 2 3}", [1, 2, 3]),
        ("{1}, 2 /* and */ , // nothing\n3", [1, 2, 3]),
    ],
)
def test_constants(text: str, constants: list[Constant]) -> None:
    assert parse_constants(text) == constants


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "column 1: end of text, expected a constant (text goes in double quotes)"),
        ("1 2", "column 3: `2', expected end of text"),
        ("{1", "column 3: end of text, expected a constant (text goes in double quotes)"),
        ("vm1", "column 1: `vm1', expected a constant (text goes in double quotes)"),
        ('"a', "column 1: unterminated string '\"a'"),
        ("1 $", "column 3: invalid character '$'"),
        ('"\\x"', "column 1: `\"\\x\"', expected a string with JSON's escapes"),
        *(
            (text, f"column 1: `{text}', expected a number, a MAC, an IP address or address/length")
            for text in ("007", "0xg", "10.0.0", "10.0.0.0/33", "10.0.0.0/255.0.255.0", "fd00::/x")
        ),
    ],
)
def test_text_that_cannot_be_read_is_placed(text: str, error: str) -> None:
    with pytest.raises(TextError) as raised:
        parse_constants(text)
    assert str(raised.value) == error


def test_tokens_are_taken_in_their_order() -> None:
    lexer = Lexer("reg0[3] = 1;")
    assert lexer.take("id", "a register") == "reg0"
    assert not lexer.match("=")
    lexer.force("[")
    assert lexer.constant() == 3
    with pytest.raises(TextError, match=r"^column 7: `\]', expected `;'$"):
        lexer.force(";")


@pytest.mark.parametrize(
    ("constants", "text"),
    [
        ([1], "1"),
        (["a"], '"a"'),
        ([Hex("0a"), bytes(6)], "{0x0a, 00:00:00:00:00:00}"),
        ([], "{}"),
    ],
)
def test_constants_as_ovn_prints_them(constants: list[Constant], text: str) -> None:
    assert format_constants(constants) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("\x1b[2J\n\0", r'"\u001b[2J\n\u0000"'),
        ("\x7f\x9b\u202e\u2028\ud800", r'"\u007f\u009b\u202e\u2028\ud800"'),
        ("büro 😀 \U000e0001", r'"büro 😀 \udb40\udc01"'),
    ],
)
def test_text_is_printable_and_reads_as_the_same(text: str, printed: str) -> None:
    assert format_constants([text]) == printed
    assert parse_constants(printed) == [text]
