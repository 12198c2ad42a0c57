# SPDX-License-Identifier: Apache-2.0
"""The RFC checklist for router advertisements, from action text to the frame for the guest."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address

import pytest

from controller.responders.nd_ra import NdRaResponder
from controller.responders.verdict import Answer, Reason, Silence
from flows.action_text import parse_action
from flows.userdata import PutNdRaOpts
from tests.lab import nd

MAC, LLA = "02:00:00:00:00:01", "fe80::ff:fe00:1"
FROM_LLA = nd.router_solicitation(MAC, LLA)
FOREVER = b"\xff\xff\xff\xff"
PREFIX, MTU, RDNSS, DNSSL, CAPTIVE_PORTAL, PREF64 = 3, 5, 25, 31, 37, 38


def serve(options: str) -> NdRaResponder:
    action = parse_action(f"reg0[5] = put_nd_ra_opts({options});")
    assert isinstance(action, PutNdRaOpts)
    return NdRaResponder(action)


def advertise(options: str, frame: bytes = FROM_LLA) -> bytes:
    """The ICMPv6 message that answers `frame`."""
    verdict = serve(options).respond(frame)
    assert isinstance(verdict, Answer), verdict
    return verdict.frame[54:]


def contents(message: bytes, wanted: int) -> list[bytes]:
    """What is in the options of one type, behind their type and length."""
    found = []
    at = 16
    while at < len(message):
        kind, length = message[at : at + 2]
        if kind == wanted:
            found.append(message[at + 2 : at + 8 * length])
        at += 8 * length
    assert at == len(message)
    return found


def test_line_32_only_from_this_link() -> None:
    far = nd.router_solicitation(MAC, LLA, hop_limit=254)
    assert serve("").respond(far) == Silence(Reason.FORWARDED)


def test_line_32_no_link_layer_address_of_who_has_no_address() -> None:
    frame = nd.router_solicitation(MAC, "::", nd.mac_option(1, MAC))
    assert serve("").respond(frame) == Silence(Reason.BAD_OPTIONS)


@pytest.mark.parametrize(
    ("mode", "managed_other", "on_link_autonomous"),
    [("slaac", 0, 0xC0), ("dhcpv6_stateless", 0x40, 0xC0), ("dhcpv6_stateful", 0x80, 0x80)],
)
def test_line_32_flags_follow_the_mode(
    mode: str, managed_other: int, on_link_autonomous: int
) -> None:
    message = advertise(f'addr_mode = "{mode}", prefix = fd00::/64')
    (prefix,) = contents(message, PREFIX)
    assert (message[5], prefix[:2]) == (managed_other, bytes((64, on_link_autonomous)))


def test_line_32_router_lifetime_of_who_is_no_router() -> None:
    message = advertise('router_lifetime = 0, router_preference = "HIGH"')
    assert message[5:8] == b"\0\0\0"


def test_line_33_several_resolvers_and_domains() -> None:
    message = advertise('rdnss = {fd00::1, fd00::2}, dnssl = "ovn.org, b.com"')
    addresses = IPv6Address("fd00::1").packed + IPv6Address("fd00::2").packed
    names = b"\3ovn\3org\0\1b\3com\0".ljust(16, b"\0")
    assert contents(message, RDNSS) == [b"\0\0" + FOREVER + addresses]
    assert contents(message, DNSSL) == [b"\0\0" + FOREVER + names]


def test_line_33_pref64_and_captive_portal() -> None:
    message = advertise('pref64 = 64:ff9b::/96, captive_portal = "https://portal.example/"')
    (pref64,) = contents(message, PREF64)
    assert pref64 == struct.pack("!H12s", 65528, IPv6Address("64:ff9b::").packed[:12])
    (portal,) = contents(message, CAPTIVE_PORTAL)
    assert portal.rstrip(b"\0") == b"https://portal.example/"


def test_b15_everything_in_an_advertisement_can_be_set() -> None:
    message = advertise(
        "hop_limit = 64, router_lifetime = 1800, mtu = 1442, "
        "valid_lifetime = 1200, preferred_lifetime = 600, prefix = {fd00:1::/64, fd00:2::/64}"
    )
    assert (message[:2], message[4:8]) == (b"\x86\0", struct.pack("!BBH", 64, 0, 1800))
    assert contents(message, MTU) == [struct.pack("!HI", 0, 1442)]
    assert contents(message, PREFIX) == [
        struct.pack("!BBIII", 64, 0xC0, 1200, 600, 0) + IPv6Address(prefix).packed
        for prefix in ("fd00:1::", "fd00:2::")
    ]


def test_b16_who_has_no_address_is_answered_at_all_nodes() -> None:
    verdict = serve("").respond(nd.router_solicitation(MAC, "::"))
    assert isinstance(verdict, Answer)
    # The response flow moves both sources to the destinations.
    assert verdict.frame[6:12].hex(":") == nd.ALL_NODES_MAC
    assert verdict.frame[22:38] == IPv6Address(nd.ALL_NODES).packed
