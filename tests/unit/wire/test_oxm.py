# SPDX-License-Identifier: Apache-2.0
"""Matches as bytes, terms and text."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.wire import oxm
from ovs_dhcpd.controller.wire.nxt import OXM_PACKET_REG
from ovs_dhcpd.controller.wire.oxm import Term, encode_match, encode_term
from ovs_dhcpd.flows.pipeline import flow as f


def test_a_match_is_padded_and_its_length_is_not() -> None:
    match = encode_match(encode_term(f.ETH_TYPE, 0x800))
    assert match.hex() == "0001000a80000a02080000000000000000"[:32]
    assert oxm.match_size(match, 0, len(match)) == 16
    assert encode_match() == b"\0\1\0\4\0\0\0\0"


def test_terms_come_in_open_vswitchs_order() -> None:
    flow = f.Flow(0, 1, f.UDP, (f.Is(f.REG0, 0, 16), f.Is(f.IN_PORT, 5), f.Is(f.UDP_DST, 67)), ())
    for packet_registers, register in ((False, f.REG0.header), (True, OXM_PACKET_REG)):
        match = oxm.encode_match_of(flow, packet_registers)
        assert [term.about for term in oxm.decode_match(match)] == [
            header & oxm.ABOUT
            for header in (
                *(f.IN_PORT.header, f.ETH_TYPE.header, f.IP_PROTO.header, f.UDP_DST.header),
                register,
            )
        ]
        shown = ["in_port=5", "dl_type=0x800", "nw_proto=17", "tp_dst=67", "reg0=0/0x10"]
        assert oxm.show_match(match) == shown


@pytest.mark.parametrize(
    ("term", "shown"),
    [
        (encode_term(f.IP_DST, 0x0A000000, 0xFFFFFF00), "nw_dst=10.0.0.0/255.255.255.0"),
        (encode_term(f.ETH_DST, 1 << 40, 1 << 40), "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00"),
        (encode_term(f.METADATA, 5), "metadata=0x5"),
        (bytes.fromhex("80000c02 1064"), "dl_vlan=100"),
        (bytes.fromhex("80003a02 0064"), "0x80003a00=0x64"),
        (bytes.fromhex("ffff2008 005ad650 0000 0001"), "0x5ad650ffff2000=0x1"),
        (bytes.fromhex("00000410 0000"), "?"),
    ],
    ids=["prefix", "multicast", "metadata", "vlan", "unknown", "experimenter", "cut"],
)
def test_a_term_is_shown(term: bytes, shown: str) -> None:
    assert oxm.show_match(encode_match(term)) == [shown]


def test_a_term_has_its_mask_and_size() -> None:
    terms = encode_term(f.IP_DST, 1, 3) + encode_term(f.UDP_DST, 67)
    assert list(oxm.decode_match(encode_match(terms))) == [
        Term(f.IP_DST.header & oxm.ABOUT, 1, 3, 4),
        Term(f.UDP_DST.header & oxm.ABOUT, 67, 0xFFFF, 2),
    ]


@given(st.binary(max_size=60))
def test_whatever_the_bytes_there_are_terms_or_a_value_error(terms: bytes) -> None:
    with contextlib.suppress(ValueError):
        list(oxm.decode_match(encode_match(terms)))
    with contextlib.suppress(ValueError):
        list(oxm.decode_match(terms))
    assert all(isinstance(each, str) for each in oxm.show_match(encode_match(terms)))
