# SPDX-License-Identifier: Apache-2.0
"""Userdata: bytes to values and back."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from ovs_dhcpd.flows.userdata.action_text import format_action, parse_action
from ovs_dhcpd.flows.userdata.codec import (
    REG0_3,
    REG0_5,
    PutDhcpOpts,
    PutDhcpv6Opts,
    PutNdNa,
    PutNdRaOpts,
    ResultBit,
    UnknownOpcode,
    decode_userdata,
    encode_userdata,
)
from ovs_dhcpd.flows.userdata.cursor import UserdataError

from tests.unit.vectors import GOOD, GOOD6, GOOD_OVN, GOOD_RA, REFERENCE, Good

OFFERIP = IPv4Address("10.0.0.5")
HEADER = bytes.fromhex("00000002 00000000 0001de10 00000063 0a000005")

HEADER6 = bytes.fromhex("00000005 00000000 0001de10 00000063")
HEADER_RA = bytes.fromhex("00000008 00000000 0001de10 00000065 86000000 ff80ffff 0000000000000000")

good = pytest.mark.parametrize(
    "vector", [*GOOD, *GOOD6, *GOOD_RA, *GOOD_OVN], ids=lambda vector: vector.where
)


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


# Of each opcode, where the options start, and the size of one by its first four bytes.
OPTIONS: dict[int, tuple[int, Callable[[bytes], int]]] = {
    2: (20, lambda option: 2 + option[1]),
    5: (16, lambda option: 4 + int.from_bytes(option[2:], "big")),
    8: (32, lambda option: 8 * option[1]),
    6: (16, lambda option: 0),
    28: (24, lambda option: 0),
    29: (24, lambda option: 0),
}


@good
def test_userdata_cut_anywhere_is_an_error_or_ends_between_options(vector: Good) -> None:
    userdata = vector.userdata
    start, size_of = OPTIONS[userdata[3]]
    boundaries = {start}
    while max(boundaries) < len(userdata):
        at = max(boundaries)
        boundaries.add(at + size_of(userdata[at : at + 4]))
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
        (
            HEADER6.hex() + "0018",
            "offset 16: 2 bytes left, expected the 4 of the option's code and length",
        ),
        (
            HEADER6.hex() + "00180002 61",
            "offset 20: 1 bytes left, expected the 2 of the value of option 24",
        ),
        (
            HEADER6.hex() + "00020004 0a000000",
            "option 2 does not hold its type: "
            "server_id: 4 bytes, expected a MAC, xx:xx:xx:xx:xx:xx",
        ),
        (
            HEADER6.hex() + "00030000",
            "option 3 cannot be in userdata, it is made of the port's addresses",
        ),
        (HEADER6.hex() + "0020000100 0020000100", "option 32 is there twice"),
        (HEADER_RA.hex() + "0100", "option 1 has length 0, expected 1 or more"),
        (
            HEADER_RA.hex() + "01010a0000",
            "offset 18: 3 bytes left, expected the 6 of the value of option 1",
        ),
        (
            HEADER_RA.hex()[:32] + "88" + HEADER_RA.hex()[34:],
            "the message begins with 0x88000000, expected 0x86000000: type 134, code 0, checksum 0",
        ),
        ("00000006 00000000 0001de10 00000040 00", "1 bytes too many, expected the end"),
        (
            "0000001c 00000000 80010808 00000007 c0a80101 ac1001",
            "offset 20: 3 bytes left, expected the 4 of the server's address",
        ),
        (
            "0000001d 00000000 80010808 00000007 c0a80101 ac100101 00",
            "1 bytes too many, expected the end",
        ),
    ],
)
def test_bad_userdata(userdata: str, error: str) -> None:
    with pytest.raises(UserdataError) as raised:
        decode_userdata(bytes.fromhex(userdata))
    assert str(raised.value) == error


def test_other_opcode_is_told_apart() -> None:
    with pytest.raises(UnknownOpcode) as raised:
        decode_userdata(bytes.fromhex("00000007 00000000"))
    assert raised.value.opcode == 7
    assert str(raised.value) == (
        "opcode 7, expected one of 2 (put_dhcp_opts), 5 (put_dhcpv6_opts), 6 (dns_lookup), "
        "8 (put_nd_ra_opts), 28 (dhcp_relay_req_chk), 29 (dhcp_relay_resp_chk), "
        "1684537345 (put_nd_na)"
    )


def test_option_given_twice_is_refused() -> None:
    with pytest.raises(UserdataError, match=r"^option 43 is there twice$"):
        PutDhcpOpts(OFFERIP, ((43, b"a"), (43, b"b")))


def test_more_than_a_flow_can_carry_is_refused() -> None:
    assert len(encode_userdata(PutDhcpOpts(OFFERIP, ((43, bytes(64470)),)))) == 64996
    with pytest.raises(UserdataError, match=r"^the options take 65001 bytes, at most 65000 fit$"):
        encode_userdata(PutDhcpOpts(OFFERIP, ((43, bytes(64475)),)))


def test_options_of_dhcpv6_keep_their_order_and_their_bytes() -> None:
    action = PutDhcpv6Opts(((59, b"a"), (5, bytes(16)), (32, b""), (65534, bytes(300))))
    assert encode_userdata(action) == HEADER6 + bytes.fromhex(
        "003b0001 61 00050010" + "00" * 16 + "00200000 fffe012c" + "00" * 300
    )
    assert decode_userdata(encode_userdata(action)) == action


def test_a_router_advertisement_is_carried_as_it_is() -> None:
    action = PutNdRaOpts(HEADER_RA[16:])
    assert action.result == REG0_5 == ResultBit(0x0001DE10, 101)
    assert encode_userdata(action) == HEADER_RA
    assert decode_userdata(HEADER_RA) == action


NEIGHBOUR = (
    "64680001 00000000 0001de10 00000065"
    "88000000 a0000000 fe800000000000000800 00fffe000001 0201 0a0000000001"
)


def test_a_neighbour_advertisement_is_carried_as_it_is() -> None:
    address, mac = IPv6Address("fe80::800:ff:fe00:1"), bytes.fromhex("0a0000000001")
    action = PutNdNa.of(address, mac, is_router=True)
    assert encode_userdata(action) == bytes.fromhex(NEIGHBOUR)
    assert decode_userdata(bytes.fromhex(NEIGHBOUR)) == action
    assert PutNdNa.of(address, mac, is_router=False).message[4] == 0x20
    assert format_action(action) == f"reg0[5] = put_nd_na(message = 0x{action.message.hex()});"
    assert parse_action(format_action(action)) == action


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("0201", "0101", "the option begins with 0x0101, expected 0x0201: its MAC"),
        ("a0000000 ", "e0000000 ", "the message has the solicited flag, expected it without"),
        ("0a0000000001", "0a00", "the message has 28 bytes, expected 32"),
        ("88000000", "86000000",
         "the message begins with 0x86000000, expected 0x88000000: type 136, code 0, checksum 0"),
    ],
)  # fmt: skip
def test_another_message_is_no_neighbour_advertisement(old: str, new: str, error: str) -> None:
    with pytest.raises(UserdataError) as raised:
        decode_userdata(bytes.fromhex(NEIGHBOUR.replace(old, new)))
    assert str(raised.value) == error


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
