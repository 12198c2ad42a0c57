# SPDX-License-Identifier: Apache-2.0
"""What a packet asks, in a few words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.wire.asked import (
    DHCPV4_KINDS,
    DHCPV6_KINDS,
    Asked,
    decode_asked,
    describe,
    in_port,
)
from ovs_dhcpd.controller.wire.frames import with_tag
from ovs_dhcpd.controller.wire.nxt import decode_packet_in2

from tests.lab.packets import option
from tests.lab.packets6 import option as option6
from tests.unit import requests, requests6
from tests.unit.packet_ins import PACKET_INS
from tests.unit.requests6 import DHCP


@pytest.mark.parametrize("number", range(1, 9))
def test_a_dhcpv4_message_is_named_with_its_xid(number: int) -> None:
    frame = requests.ask(number, xid=0x1234)
    assert describe(frame) == f"DHCP{DHCPV4_KINDS[number - 1]} xid 00001234"


@pytest.mark.parametrize("number", range(1, 14))
def test_a_dhcpv6_message_is_named_with_its_xid(number: int) -> None:
    assert describe(requests6.ask(number)) == f"DHCPv6 {DHCPV6_KINDS[number - 1]} xid abcdef"


def test_a_message_without_a_name_has_its_number() -> None:
    assert describe(requests.ask(99, xid=1)) == "DHCP(99) xid 00000001"
    assert describe(requests6.ask(99)) == "DHCPv6 (99) xid abcdef"


@pytest.mark.parametrize(("kind", "name"), [(133, "ND_RS"), (135, "ND_NS")])
def test_a_solicitation_is_named(kind: int, name: str) -> None:
    frame = bytearray(requests6.ask(1))
    frame[20] = 58  # the next header is ICMPv6
    frame[DHCP - 8] = kind
    assert describe(bytes(frame)) == name


MAC4, MAC6 = (bytes.fromhex(mac.replace(":", "")) for mac in (requests.MAC, requests6.MAC))


@pytest.mark.parametrize(
    ("options", "name", "vendor"),
    [
        ((option(12, b"vm7"), option(60, b"udhcp 1.36")), b"vm7", b"udhcp 1.36"),
        ((option(81, b"\0\0\0vm7.example"),), b"vm7.example", b""),
        ((option(81, b"\4\0\0\3vm7\7example\0"),), b"vm7.example", b""),
        ((option(81, b"\4\0\0\3vm7\x40example"),), b"vm7", b""),
        ((option(12, b"vm7"), option(81, b"\0\0\0other")), b"vm7", b""),
        ((option(12, b""), option(81, b"")), b"", b""),
        ((option(12, b"vm7\0"), option(60, b"udhcp 1.36\0\0")), b"vm7", b"udhcp 1.36"),
        ((option(12, b"\0"), option(81, b"\0\0\0vm7\0")), b"vm7", b""),
    ],
)
def test_a_dhcpv4_client_says_who_it_is(
    options: tuple[bytes, ...], name: bytes, vendor: bytes
) -> None:
    expected = Asked("DHCP", "DISCOVER", bytes((0, 0, 0, 7)), MAC4, 0, name, vendor)
    frame = requests.ask(1, *options, xid=7)
    assert decode_asked(frame) == expected
    assert decode_asked(with_tag(frame, 100)) == expected._replace(tag=100)


def test_a_dhcpv6_client_says_who_it_is() -> None:
    fqdn = option6(39, b"\1\3vm7\7example\0")
    vendor = option6(16, bytes(4) + b"\0\4udhc\0\1x")
    frame = requests6.ask(1, fqdn, vendor)
    asked = decode_asked(frame)
    assert asked == Asked("DHCPv6 ", "SOLICIT", b"\xab\xcd\xef", MAC6, 0, b"vm7.example", b"udhc")
    assert asked.name == "DHCPv6 SOLICIT"


@given(st.binary(max_size=400))
def test_anything_else_is_a_packet(frame: bytes) -> None:
    assert describe(frame)
    in_port(frame)


@given(st.integers(0, 1), st.data())
def test_whatever_the_options_are_there_is_an_answer(family: int, data: st.DataObject) -> None:
    options = data.draw(st.binary(max_size=100))
    frame = requests6.ask(1, options) if family else requests.ask(1, options)
    assert describe(frame)


@pytest.mark.parametrize("message", PACKET_INS.values())
def test_a_packet_in_says_its_port(message: str) -> None:
    metadata = decode_packet_in2(bytes.fromhex(message)).metadata
    assert in_port(metadata) in (1, None)


def test_the_port_is_read_from_the_metadata() -> None:
    assert in_port(bytes.fromhex("80000004000000078000040800000000abcdef01")) == 7
    assert in_port(b"") is None
    assert in_port(b"\x80") is None
