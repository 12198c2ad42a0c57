# SPDX-License-Identifier: Apache-2.0
"""Which flows of somebody else take a guest's request, and which are never accused."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.bridges.shadow import Ask, asks_of, shadow_of
from ovs_dhcpd.controller.wire.flow_entry import FlowEntry
from ovs_dhcpd.controller.wire.oxm import encode_match, encode_term
from ovs_dhcpd.flows.bindings.network import Parent
from ovs_dhcpd.flows.pipeline import build
from ovs_dhcpd.flows.pipeline import flow as f

from tests.unit.pipeline.networks import NETWORKS

MAC = 0xFA163E000001
PORT_4 = Ask("vm1", "DHCPv4", 100, 7, MAC)
PORT_6 = Ask("vm1", "DHCPv6", 100, 7, MAC)
ANYBODY = Ask("vm2", "DHCPv4", 100, 8, None)
SUB_PORT = Ask("vm2-10", "DHCPv4", 100, 8, None, 0x100A)
APPLY = bytes.fromhex("0004 0018 00000000")
OUTPUT = APPLY + bytes.fromhex("0000 0010 fffffffa 0000 000000000000")  # NORMAL


def term(field: f.Field, value: int, mask: int | None = None) -> bytes:
    return encode_term(field, value, mask)


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def flow(*terms: bytes, priority: int = 200, instructions: bytes = b"") -> FlowEntry:
    return FlowEntry(0, priority, 0, encode_match(b"".join(terms)), instructions)


def taken(entry: FlowEntry) -> list[Ask]:
    shadow = shadow_of(entry)
    return [ask for ask in (PORT_4, PORT_6, ANYBODY) if shadow and shadow.takes(ask)]


UDP = term(f.ETH_TYPE, 0x800) + term(f.IP_PROTO, 17)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([], [PORT_4, PORT_6, ANYBODY]),
        ([UDP, term(f.UDP_DST, 67)], [PORT_4, ANYBODY]),
        ([term(f.IN_PORT, 7)], [PORT_4, PORT_6]),
        ([term(f.ETH_SRC, MAC)], [PORT_4, PORT_6]),
        ([term(f.ETH_DST, 1 << 40, 1 << 40)], [PORT_4, PORT_6, ANYBODY]),
        ([term(f.ETH_TYPE, 0x86DD)], [PORT_6]),
        ([term(f.ETH_TYPE, 0x800), term(f.IP_SRC, 0)], [PORT_4, ANYBODY]),
        ([raw("80000c02 0000")], [PORT_4, PORT_6, ANYBODY]),  # untagged
        ([term(f.REG0, 0, 16), raw("80010108") + bytes(8)], [PORT_4, PORT_6, ANYBODY]),
    ],
    ids=["all", "udp", "port", "mac", "multicast", "ipv6", "no source", "untagged", "registers"],
)
def test_a_flow_that_matches_takes_it(terms: list[bytes], expected: list[Ask]) -> None:
    assert taken(flow(*terms)) == expected


@pytest.mark.parametrize(
    "terms",
    [
        [UDP, term(f.UDP_DST, 68)],
        [term(f.IN_PORT, 9)],
        [term(f.ETH_SRC, MAC + 1)],
        [term(f.ETH_TYPE, 0x806)],
        [term(f.IP_SRC, 0x0A000005)],
        [raw("80000c02 1064")],
        [term(f.METADATA, 1)],
        [raw("00014a04 00000001")],  # conj_id or whatever: nobody knows
        [raw("80001001 00")],  # dscp: the guest's own choice
        [raw("ffff2008 005ad650 0000 0000")],
        [term(f.IPV6_SRC, 0xFE80 << 112), term(f.ETH_TYPE, 0x86DD)],
    ],
    ids=[
        *("to the client", "port", "mac", "arp", "source", "tagged", "metadata"),
        *("unknown", "dscp", "experimenter", "link-local"),
    ],
)
def test_a_flow_that_does_not_match_or_may_not_is_not_accused(terms: list[bytes]) -> None:
    assert taken(flow(*terms)) == []


def test_a_flow_with_our_priority_or_less_does_not_come_first() -> None:
    assert taken(flow(priority=100)) == []
    assert taken(flow(priority=101)) == [PORT_4, PORT_6, ANYBODY]


@pytest.mark.parametrize(
    ("action", "is_accused"),
    [
        ("", True),
        ("ffff 0010 00002320 000e fff8 00 000000", False),  # resubmit(,0)
        ("ffff 0010 00002320 000e fff8 05 000000", True),
        ("ffff 0010 00002320 0001 0005 00 000000", False),  # resubmit:5
        ("ffff 0018 00002320 0023 0000 00000000 0000 00 000000 0000", False),  # ct(table=0)
        ("ffff 0018 00002320 0023 0000 00000000 0000 ff 000000 0000", True),  # ct
        ("ffff 0010 00002320 0022 01 02 00000001", False),  # conjunction
        ("ffff 00", False),
        ("ffff 0003 00", False),
    ],
)
def test_a_flow_that_may_hand_it_to_table_0_again_is_not_accused(
    action: str, is_accused: bool
) -> None:
    body = bytes.fromhex(action)
    apply = b"\0\4" + (8 + len(body)).to_bytes(2, "big") + bytes(4) + body
    assert bool(taken(flow(instructions=apply))) == is_accused
    assert bool(taken(flow(instructions=OUTPUT)))


def test_our_own_flows_say_who_waits_for_what() -> None:
    network = NETWORKS[0]
    port = network.ports[0]
    assert port.mac
    asks = list(asks_of("vm1", build.port_flows(network, port, 7)))
    mac = int.from_bytes(port.mac, "big")
    expected = [("DHCPv4", 100), ("DHCPv4", 99), ("DHCPv6", 100)]
    assert asks == [Ask("vm1", kind, priority, 7, mac) for kind, priority in expected]
    kinds = {
        ask.kind
        for each in NETWORKS
        for port in each.ports
        for ask in asks_of("", build.port_flows(each, port, 1))
    }
    assert kinds == {"DHCPv4", "DHCPv6"}


def test_a_sub_ports_requests_have_its_tag() -> None:
    untagged, tagged = flow(raw("80000c02 0000")), flow(raw("80000c02 100a"))
    any_tag = flow(raw("80000d04 1000 1000"))
    for entry, expected in ((untagged, False), (tagged, True), (any_tag, True), (flow(), True)):
        shadow = shadow_of(entry)
        assert shadow
        assert shadow.takes(SUB_PORT) == expected
    assert taken(tagged) == taken(any_tag) == []
    network, port = NETWORKS[0], replace(NETWORKS[0].ports[0], parent=Parent("vm1", 10))
    asks = asks_of("vm1-10", build.port_flows(network, port, 7))
    assert {ask.vlan_vid for ask in asks} == {0x100A}


@given(st.binary(max_size=60), st.binary(max_size=80))
def test_whatever_the_bytes_it_is_a_shadow_or_none(match: bytes, instructions: bytes) -> None:
    for entry in (FlowEntry(0, 200, 0, match, instructions), flow(instructions=instructions)):
        with contextlib.suppress(StopIteration):
            shadow = shadow_of(entry)
            assert shadow is None or isinstance(shadow.takes(PORT_4), bool)
