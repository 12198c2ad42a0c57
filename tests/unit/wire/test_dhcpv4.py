# SPDX-License-Identifier: Apache-2.0
"""DHCPv4 messages: reading options wherever they are, writing them wherever they fit."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.wire import unread
from ovs_dhcpd.controller.wire.dhcpv4 import (
    Fields,
    OptionsError,
    decode_options,
    encode_option,
    encode_reply,
    overload,
)


def message(options: str, file: str = "", sname: str = "") -> bytes:
    """A request with these options, as hex."""
    return (
        bytes(44)
        + bytes.fromhex(sname).ljust(64, b"\0")
        + bytes.fromhex(file).ljust(128, b"\0")
        + bytes.fromhex("63825363" + options)
    )


@pytest.mark.parametrize(
    ("options", "file", "sname", "expected"),
    [
        ("350101 ff", "", "", {53: b"\1"}),
        ("0000 350101 00 3d00 00 ff", "", "", {53: b"\1", 61: b""}),
        ("350101", "", "", {53: b"\1"}),
        ("", "", "", {}),
        ("ff 350101", "", "", {}),
        ("3d0141 350101 3d024243 ff", "", "", {61: b"ABC", 53: b"\1"}),
        ("340101 ff", "350101ff", "3d0141ff", {52: b"\1", 53: b"\1"}),
        ("340102 ff", "350101ff", "3d0141ff", {52: b"\2", 61: b"A"}),
        ("340103 3d0141 ff", "3d0142ff", "3d0143ff", {52: b"\3", 61: b"ABC"}),
        ("340100 ff", "350101ff", "3d0141ff", {52: b"\0"}),
        ("3400 ff", "350101ff", "", {52: b""}),
        ("340101 ff", "340102ff", "3d0141ff", {52: b"\1\2"}),
        ("340101", "3d7e" + 126 * "41", "", {52: b"\1", 61: 126 * b"A"}),
    ],
)
def test_decode_options(options: str, file: str, sname: str, expected: dict[int, bytes]) -> None:
    assert decode_options(message(options, file, sname)) == expected


@pytest.mark.parametrize(
    ("options", "file", "sname"),
    [
        ("35", "", ""),
        ("3502", "", ""),
        ("350201", "", ""),
        ("340101 ff", "3d7f" + 126 * "41", ""),
        ("340102 ff", "", "3d3f" + 62 * "41"),
    ],
)
def test_decode_options_past_the_end(options: str, file: str, sname: str) -> None:
    with pytest.raises(OptionsError):
        decode_options(message(options, file, sname))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", b"\x79\0"),
        (b"A", b"\x79\1A"),
        (b"A" * 255, b"\x79\xff" + b"A" * 255),
        (b"A" * 256, b"\x79\xff" + b"A" * 255 + b"\x79\1A"),
        (b"A" * 510, (b"\x79\xff" + b"A" * 255) * 2),
    ],
)
def test_encode_option(value: bytes, expected: bytes) -> None:
    assert encode_option(121, value) == expected


HEAD, TAIL = b"\x35\1\2", b"\x52\1T"
NONE = bytes(128)


def test_overload_not_needed() -> None:
    assert overload(HEAD, [(6, b"A")], TAIL, 13) == Fields(
        b"\x35\1\2\6\1A\x52\1T\xff", NONE, bytes(64), ()
    )


def test_overload_first_field_that_takes_it_whole() -> None:
    options = [(6, b"A" * 20), (7, b"B" * 100), (8, b"C" * 50), (9, b"D" * 20), (10, b"E" * 4)]
    assert overload(HEAD, options, TAIL, 38) == Fields(
        b"\x35\1\2\x34\1\3\6\x14" + b"A" * 20 + b"\x0a\4EEEE\x52\1T\xff",
        (b"\7\x64" + b"B" * 100 + b"\x09\x14" + b"D" * 20 + b"\xff").ljust(128, b"\0"),
        (b"\x08\x32" + b"C" * 50 + b"\xff").ljust(64, b"\0"),
        (),
    )


def test_overload_drops_what_comes_last() -> None:
    options = [(6, b"A" * 126), (7, b"B" * 125), (8, b"C" * 62), (9, b"D" * 61), (10, b"")]
    assert overload(HEAD, options, TAIL, 12) == Fields(
        b"\x35\1\2\x34\1\3\x0a\0\x52\1T\xff",
        b"\7\x7d" + b"B" * 125 + b"\xff",
        b"\x09\x3d" + b"D" * 61 + b"\xff",
        (6, 8),
    )


def test_overload_splits_only_what_must_be_split() -> None:
    value = bytes(range(256)) + b"more"
    fields = overload(HEAD, [(6, value)], TAIL, 110)
    assert fields == Fields(
        b"\x35\1\2\x34\1\3\6\x62" + value[:98] + b"\x52\1T\xff",
        b"\6\x7d" + value[98:223] + b"\xff",
        (b"\6\x25" + value[223:] + b"\xff").ljust(64, b"\0"),
        (),
    )
    assert overload(HEAD, [(6, value[:200])], TAIL, 110).dropped == (6,)


def test_overload_without_room_for_its_own_option() -> None:
    assert overload(HEAD, [(6, b"")], TAIL, 8) == Fields(
        HEAD + TAIL + b"\xff", NONE, bytes(64), (6,)
    )


def test_encode_reply() -> None:
    reply = encode_reply(
        xid=b"xxxx",
        flags=b"\x80\0",
        ciaddr=b"cccc",
        yiaddr=b"yyyy",
        siaddr=b"ssss",
        giaddr=b"gggg",
        chaddr=b"h" * 16,
        sname=b"S" * 64,
        file=b"F" * 128,
        options=b"\x35\1\2\xff",
    )
    assert reply == (
        b"\2\1\6\0xxxx\0\0\x80\0ccccyyyyssssgggg"
        + b"h" * 16
        + b"S" * 64
        + b"F" * 128
        + b"\x63\x82\x53\x63\x35\1\2\xff"
        + bytes(56)
    )


MANY = "c800" * 300  # options of which nobody knows anything


@pytest.mark.parametrize("between", ["", "00"])
def test_what_is_read_is_found_among_many_options(between: str) -> None:
    options = f"{MANY}{between} 350101 {between}{MANY} 37020306 {between} ff{MANY}"
    found = decode_options(message(options, "", ""))
    assert (found[53], found[55]) == (b"\1", b"\3\6")


@pytest.mark.parametrize("options", [f"{MANY} c8", f"{MANY} c801", f"{MANY} 3502 01"])
def test_past_the_end_behind_many_options(options: str) -> None:
    with pytest.raises(OptionsError):
        decode_options(message(options, "", ""))


def test_far_too_many_pieces_are_refused() -> None:
    assert decode_options(message("370106" * unread.MANY, "", "")) == {55: unread.MANY * b"\6"}
    with pytest.raises(OptionsError):
        decode_options(message("370106" * (unread.MANY + 1), "", ""))
