# SPDX-License-Identifier: Apache-2.0
"""DHCPv6 messages: options and what is nested in them, read and written."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.wire import unread
from ovs_dhcpd.controller.wire.dhcpv6 import (
    IA_NA,
    IA_PD,
    IA_TA,
    NOT_ON_LINK,
    Ia,
    OptionsError,
    decode_duid,
    decode_ias,
    decode_options,
    encode_duid_ll,
    encode_ia,
    encode_lease,
    encode_lifetimes,
    encode_option,
    encode_status,
)

IAID = bytes.fromhex("00000001")
ADDRESS = bytes.fromhex("fd000000000000000000000000000005")
OTHER = bytes.fromhex("fd000000000000000000000000000006")
PREFIX = bytes.fromhex("38 fd010000000001000000000000000000")  # with its length, 56
TIMES = "00000000 00000000"
IN_ADDRESS = f"0005 0018 {ADDRESS.hex()} {TIMES}"
IN_PREFIX = f"001a 0019 {TIMES} {PREFIX.hex()}"


def body(octets: str) -> bytes:
    return bytes.fromhex(octets)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", []),
        ("0001 0000", [(1, b"")]),
        ("0006 0002 0017  ffff 0001 00", [(6, b"\0\x17"), (65535, b"\0")]),
        ("0003 0001 41  0003 0001 42", [(3, b"A"), (3, b"B")]),
    ],
)
def test_options(data: str, expected: list[tuple[int, bytes]]) -> None:
    assert decode_options(body(data)) == expected
    assert b"".join(encode_option(code, value) for code, value in expected) == body(data)


@pytest.mark.parametrize(
    "data", ["00", "0001", "000100", "0001 0001", "0001 0000 00", "0001ffff00"]
)
def test_options_past_the_end(data: str) -> None:
    with pytest.raises(OptionsError):
        decode_options(body(data))


@pytest.mark.parametrize("size", [3, 130])
def test_duid(size: int) -> None:
    assert decode_duid(bytes(size)) == bytes(size)


@pytest.mark.parametrize("size", [0, 2, 131])
def test_no_duid(size: int) -> None:
    with pytest.raises(OptionsError):
        decode_duid(bytes(size))


def test_duid_ll() -> None:
    assert encode_duid_ll(b"\x0a\0\0\0\0\1") == body("0003 0001 0a0000000001")


@pytest.mark.parametrize(
    ("code", "value", "leases"),
    [
        (IA_NA, f"{TIMES}", ()),
        (IA_NA, f"{TIMES} {IN_ADDRESS}", (ADDRESS,)),
        (IA_NA, f"{TIMES} {IN_ADDRESS} {IN_ADDRESS}", (ADDRESS,)),
        (IA_NA, f"{TIMES} {IN_PREFIX} 000d 0002 0000 {IN_ADDRESS}", (ADDRESS,)),
        (IA_NA, f"{TIMES} 0005 0018 {'00' * 16} {TIMES}", ()),
        (IA_NA, f"{TIMES} 0005 0019 {ADDRESS.hex()} {TIMES} ff", (ADDRESS,)),
        (IA_TA, "", ()),
        (IA_TA, IN_ADDRESS, (ADDRESS,)),
        (IA_PD, f"{TIMES} {IN_ADDRESS} {IN_PREFIX}", (PREFIX,)),
        (IA_PD, f"{TIMES} 001a 0019 {TIMES} 38 {'00' * 16}", ()),  # any /56
        (IA_PD, f"{TIMES} 001a 0019 {TIMES} {PREFIX.hex()[:-2]}ff", (PREFIX,)),
        (IA_PD, f"{TIMES} 001a 0019 {TIMES} 80 {ADDRESS.hex()}", (b"\x80" + ADDRESS,)),
    ],
)
def test_ia(code: int, value: str, leases: tuple[bytes, ...]) -> None:
    assert decode_ias([(1, b""), (code, IAID + body(value))]) == (Ia(code, IAID, leases),)


def test_ia_of_one_kind_and_iaid_twice() -> None:
    empty = IAID + body(TIMES)
    ias = decode_ias([(3, empty), (25, empty), (3, empty + body(IN_ADDRESS)), (4, IAID)])
    assert ias == (Ia(IA_NA, IAID, ()), Ia(IA_PD, IAID, ()), Ia(IA_TA, IAID, ()))


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (IA_NA, "00000001 00000000 000000"),
        (IA_PD, "00000001 00000000 000000"),
        (IA_TA, "000000"),
        (IA_NA, f"00000001 {TIMES} 00"),
        (IA_NA, f"00000001 {TIMES} 0005 0018 {ADDRESS.hex()} {TIMES[:-2]}"),
        (IA_NA, f"00000001 {TIMES} 0005 0017 {ADDRESS.hex()} {TIMES[:-2]}"),
        (IA_PD, f"00000001 {TIMES} 001a 0018 {TIMES} {PREFIX.hex()[:-2]}"),
        (IA_PD, f"00000001 {TIMES} 001a 0019 {TIMES} 81 {ADDRESS.hex()}"),
    ],
)
def test_malformed_ia(code: int, value: str) -> None:
    with pytest.raises(OptionsError):
        decode_ias([(code, body(value))])


def test_encode_lease() -> None:
    lifetimes = encode_lifetimes(600, 900)
    assert lifetimes == body("00000258 00000384")
    assert encode_lease(ADDRESS, lifetimes) == body("0005 0018") + ADDRESS + lifetimes
    assert encode_lease(PREFIX, lifetimes) == body("001a 0019") + lifetimes + PREFIX


def test_encode_status() -> None:
    assert encode_status(NOT_ON_LINK, b"no") == body("000d 0004 0004") + b"no"


def test_encode_ia() -> None:
    times = body("00000064 000000c8")
    status = encode_status(NOT_ON_LINK)
    assert encode_ia(Ia(IA_NA, IAID, (ADDRESS,)), times, status) == (
        body("0003 0012 00000001 00000064 000000c8 000d 0002 0004")
    )
    assert encode_ia(Ia(IA_PD, IAID, ()), times, b"") == (
        body("0019 000c 00000001 00000064 000000c8")
    )
    assert encode_ia(Ia(IA_TA, IAID, (OTHER,)), times, status) == (
        body("0004 000a 00000001 000d 0002 0004")
    )


MANY = "03e8 0000" * 300  # options of which nobody knows anything


def test_what_is_read_is_found_among_many_options() -> None:
    data = body(f"{MANY} 0001 0001 41 {MANY} 0003 0000 {MANY}")
    assert [option for option in decode_options(data) if option[0] != 1000] == [
        (1, b"A"),
        (3, b""),
    ]


@pytest.mark.parametrize("data", [f"{MANY} 03e8", f"{MANY} 03e8 0001", f"{MANY} 0001 0002 41"])
def test_past_the_end_behind_many_options(data: str) -> None:
    with pytest.raises(OptionsError):
        decode_options(body(data))


def test_far_too_many_options_are_refused() -> None:
    assert len(decode_options(body("000e 0000" * unread.MANY))) == unread.MANY
    with pytest.raises(OptionsError):
        decode_options(body("000e 0000" * (unread.MANY + 1)))
