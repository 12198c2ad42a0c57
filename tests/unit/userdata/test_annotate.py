# SPDX-License-Identifier: Apache-2.0
"""Userdata explained."""

from __future__ import annotations

import pytest
from ovs_dhcpd.flows.userdata.annotate import USERDATA, HexError, explain, explain_hex, parse_hex

from tests.unit.vectors import GOOD6, GOOD_OVN, GOOD_RA, REFERENCE, Good


@pytest.mark.parametrize(
    "vector", [GOOD6[0], GOOD_RA[2], *GOOD_OVN], ids=lambda vector: vector.where
)
def test_each_of_our_actions_is_explained(vector: Good) -> None:
    assert explain(vector.userdata) == vector.normal


def test_a_flows_userdata_is_found_and_explained() -> None:
    text = f"controller(userdata={REFERENCE.userdata.hex('.')},pause),controller(userdata=0.00)"
    assert [explain_hex(found[1]) for found in USERDATA.finditer(text)] == [
        REFERENCE.normal,
        "not userdata of ovs-dhcpd: 3 hexadecimal digits, expected two for each byte",
    ]


@pytest.mark.parametrize(
    ("opcode", "text"),
    [
        (7, "opcode 7 (log)"),
        (15, "opcode 15 (event)"),
        (25, "opcode 25 (put_fdb)"),
        (27, "opcode 27 (split_buf_action)"),
        (30, "opcode 30 (put_icmp4_inner_ip4_src)"),
        (31, "opcode 31"),
        (0x64680002, "what is heard while an address is probed"),
        (0xFFFFFFFF, "opcode 4294967295"),
    ],
)
def test_opcodes_of_ovn(opcode: int, text: str) -> None:
    assert explain(opcode.to_bytes(4, "big") + bytes(4)) == text


@pytest.mark.parametrize(
    "text",
    [
        "00.00.00.02",
        "00000002",
        "00 00 00 02",
        " 0000\n0002 ",
        "userdata=00.00.00.02",
        "0000 00.02",
    ],
)
def test_hex_in_every_form(text: str) -> None:
    assert parse_hex(text) == bytes((0, 0, 0, 2))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "0 hexadecimal digits, expected two for each byte"),
        ("userdata=", "0 hexadecimal digits, expected two for each byte"),
        ("00.0", "3 hexadecimal digits, expected two for each byte"),
        ("00.0g", "'g' in '00.0g', expected hexadecimal digits"),
        ("0x00", "'x' in '0x00', expected hexadecimal digits"),
    ],
)
def test_what_is_not_hex(text: str, error: str) -> None:
    with pytest.raises(HexError) as raised:
        parse_hex(text)
    assert str(raised.value) == error
