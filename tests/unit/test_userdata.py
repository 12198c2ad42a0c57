# SPDX-License-Identifier: Apache-2.0
"""Userdata: bytes to values and back."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from flows.userdata import (
    REG0_3,
    PutDhcpOpts,
    ResultBit,
    UnknownOpcode,
    UserdataError,
    decode_userdata,
    encode_userdata,
)
from tests.unit.vectors import GOOD, REFERENCE, Good

OFFERIP = IPv4Address("10.0.0.5")
HEADER = bytes.fromhex("00000002 00000000 0001de10 00000063 0a000005")

good = pytest.mark.parametrize("vector", GOOD, ids=lambda vector: f"line{vector.line}")


def test_reference_port_decodes() -> None:
    assert decode_userdata(REFERENCE.userdata) == PutDhcpOpts(
        offerip=IPv4Address("192.168.1.7"),
        options=(
            (121, bytes.fromhex("20a9fea9fec0a80102 00c0a80101")),
            (6, bytes.fromhex("ac19fafe")),
            (51, bytes.fromhex("0000a8c0")),
            (26, bytes.fromhex("05a2")),
            (1, bytes.fromhex("ffffff00")),
            (3, bytes.fromhex("c0a80101")),
            (54, bytes.fromhex("c0a80101")),
        ),
        result=ResultBit(header=0x0001DE10, offset=99),
    )


@good
def test_decoded_userdata_encodes_to_the_same_bytes(vector: Good) -> None:
    assert encode_userdata(decode_userdata(vector.userdata)) == vector.userdata


@good
def test_userdata_cut_anywhere_is_an_error_or_ends_between_options(vector: Good) -> None:
    userdata = vector.userdata
    boundaries = {20}
    while max(boundaries) < len(userdata):
        at = max(boundaries)
        boundaries.add(at + 2 + userdata[at + 1])
    decoded = set()
    for end in range(len(userdata) + 1):
        try:
            decode_userdata(userdata[:end])
        except UserdataError:
            continue
        decoded.add(end)
    assert decoded == boundaries


def test_boot_options_come_first() -> None:
    given = ((1, b"\xff\0\0\0"), (253, b"\n\0\0\1"), (254, b"b"), (26, b"\5\0"), (67, b"a"))
    assert encode_userdata(PutDhcpOpts(OFFERIP, given)) == HEADER + bytes.fromhex(
        "430161 fe0162 fd040a000001 0104ff000000 1a020500"
    )


@pytest.mark.parametrize(
    ("size", "pieces"),
    [(0, [0]), (1, [1]), (254, [254]), (255, [255]), (256, [255, 1]), (510, [255, 255])],
)
def test_long_value_is_split_and_joined(size: int, pieces: list[int]) -> None:
    value = bytes(i % 251 for i in range(size))
    action = PutDhcpOpts(OFFERIP, ((43, value), (26, b"\5\0")))
    expected, rest = HEADER, value
    for piece in pieces:
        expected += bytes((43, piece)) + rest[:piece]
        rest = rest[piece:]
    expected += bytes.fromhex("1a020500")
    assert encode_userdata(action) == expected
    assert decode_userdata(expected) == action


def test_split_value_is_joined_wherever_its_parts_are() -> None:
    userdata = HEADER + bytes.fromhex("2b0101 1a020500 2b020203")
    options = ((43, b"\1\2\3"), (26, b"\5\0"))
    assert decode_userdata(userdata) == PutDhcpOpts(OFFERIP, options)


@pytest.mark.parametrize(
    ("userdata", "error"),
    [
        ("", "offset 0: 0 bytes left, expected the 4 of the opcode"),
        ("000000", "offset 0: 3 bytes left, expected the 4 of the opcode"),
        ("00000002 0000", "offset 4: 2 bytes left, expected the 4 of the padding"),
        ("00000002 00000001", "offset 4: 0x00000001, expected padding of 4 zero bytes"),
        (
            HEADER.hex() + "1a",
            "offset 20: 1 bytes left, expected the 2 of the option's code and length",
        ),
        (
            HEADER.hex() + "1a0205",
            "offset 22: 1 bytes left, expected the 2 of the value of option 26",
        ),
        (HEADER.hex() + "350105", "option 53 cannot be in userdata, the server sets it"),
        (
            HEADER.hex() + "330105",
            "option 51 does not hold its type: "
            "lease_time: 1 bytes, expected a number from 0 to 4294967295",
        ),
        (
            "00000002 00000000 ffff0004 00000000 0a000005",
            "result field 0xffff0004, expected a field's 4-byte header, without mask",
        ),
        (
            "00000002 00000000 0001df20 00000000 0a000005",
            "result field 0x0001df20, expected a field's 4-byte header, without mask",
        ),
        (
            "00000002 00000000 0001de10 00000080 0a000005",
            "bit 128 of result field 0x0001de10, expected 0 to 127",
        ),
    ],
)
def test_bad_userdata(userdata: str, error: str) -> None:
    with pytest.raises(UserdataError) as raised:
        decode_userdata(bytes.fromhex(userdata))
    assert str(raised.value) == error


def test_other_opcode_is_told_apart() -> None:
    with pytest.raises(UnknownOpcode, match=r"^opcode 5, expected 2 \(put_dhcp_opts\)$") as raised:
        decode_userdata(bytes.fromhex("00000005 00000000"))
    assert raised.value.opcode == 5


def test_option_given_twice_is_refused() -> None:
    with pytest.raises(UserdataError, match=r"^option 43 is there twice$"):
        PutDhcpOpts(OFFERIP, ((43, b"a"), (43, b"b")))


def test_more_than_a_flow_can_carry_is_refused() -> None:
    assert len(encode_userdata(PutDhcpOpts(OFFERIP, ((43, bytes(64470)),)))) == 64996
    with pytest.raises(UserdataError, match=r"^the options take 65001 bytes, at most 65000 fit$"):
        encode_userdata(PutDhcpOpts(OFFERIP, ((43, bytes(64475)),)))


@pytest.mark.parametrize(
    ("number", "bit", "header", "offset"),
    [
        (0, 3, 0x0001DE10, 99),
        (3, 0, 0x0001DE10, 0),
        (4, 31, 0x0001E010, 127),
        (7, 5, 0x0001E010, 5),
        (8, 0, 0x80010808, 32),
        (9, 7, 0x80010808, 7),  # as OVN's tests have it
        (10, 1, 0x00011404, 1),
        (15, 31, 0x00011E04, 31),
    ],
)
def test_result_bit_of_a_register(number: int, bit: int, header: int, offset: int) -> None:
    assert ResultBit.reg(number, bit) == ResultBit(header, offset)
    assert ResultBit(header, offset).register == (number, bit)


@pytest.mark.parametrize(
    ("result", "register"),
    [
        (REG0_3, (0, 3)),
        (ResultBit(0x00010004, 3), (0, 3)),  # reg0
        (ResultBit(0x80010008, 35), (0, 3)),  # xreg0
        (ResultBit(0x0001E410, 0), (15, 0)),  # xxreg3
        (ResultBit(0x80000408, 0), None),  # metadata
        (ResultBit(0x0001E610, 0), None),  # one after xxreg3
        (ResultBit(0x00010005, 0), None),  # reg0 has 4 bytes, not 5
    ],
)
def test_register_of_a_result_bit(result: ResultBit, register: tuple[int, int] | None) -> None:
    assert result.register == register
