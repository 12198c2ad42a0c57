# SPDX-License-Identifier: Apache-2.0
"""The RFC checklist for router advertisements, from action text to the frame for the guest.

Then solicitations and their answers (RFC 4861 §6.1.1, §6.2.6), from a message to a frame.
"""

from __future__ import annotations

import struct
from ipaddress import IPv6Address

import pytest
from ovs_dhcpd.controller.responders.nd_ra import NdRaResponder, unsolicited
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence
from ovs_dhcpd.flows.userdata.action_text import parse_action
from ovs_dhcpd.flows.userdata.codec import PutNdRaOpts

from tests.lab import nd
from tests.lab.nd import mac_option, router_solicitation
from tests.lab.packets6 import mac_bytes
from tests.unit.advertisement import LLA, MAC, MESSAGE, ROUTER_LLA, ROUTER_MAC

FROM_LLA = router_solicitation(MAC, LLA)
FOREVER = b"\xff\xff\xff\xff"
PREFIX, MTU, ROUTE_INFO, RDNSS, DNSSL, CAPTIVE_PORTAL, PREF64 = 3, 5, 24, 25, 31, 37, 38


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
    far = router_solicitation(MAC, LLA, hop_limit=254)
    assert serve("").respond(far) == Silence(Reason.FORWARDED)


def test_line_32_no_link_layer_address_of_who_has_no_address() -> None:
    frame = router_solicitation(MAC, "::", mac_option(1, MAC))
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


def test_line_33_lifetimes_of_resolvers_and_routes() -> None:
    message = advertise(
        'rdnss = fd00::1, dnssl = "b.com", dns_lifetime = 1200, '
        'route_info = "HIGH-fd00:2::/48", route_lifetime = 600'
    )
    assert contents(message, RDNSS) == [struct.pack("!HI", 0, 1200) + IPv6Address("fd00::1").packed]
    assert contents(message, DNSSL) == [struct.pack("!HI", 0, 1200) + b"\1b\3com\0\0"]
    route = struct.pack("!BBI", 48, 0x08, 600) + IPv6Address("fd00:2::").packed[:8]
    assert contents(message, ROUTE_INFO) == [route]


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
    verdict = serve("").respond(router_solicitation(MAC, "::"))
    assert isinstance(verdict, Answer)
    # The response flow moves both sources to the destinations.
    assert verdict.frame[6:12].hex(":") == nd.ALL_NODES_MAC
    assert verdict.frame[22:38] == IPv6Address(nd.ALL_NODES).packed


RESPONDER = NdRaResponder(PutNdRaOpts(MESSAGE))


def answer(frame: bytes) -> Answer:
    verdict = RESPONDER.respond(frame)
    assert isinstance(verdict, Answer), verdict
    return verdict


def after_the_response_flow(frame: bytes) -> bytes:
    """What the guest gets; every field that is set has its part in the checksum."""
    return nd.icmp6(
        frame[54:], eth_src=ROUTER_MAC, eth_dst=frame[6:12].hex(":"),
        ip_src=ROUTER_LLA, ip_dst=str(IPv6Address(frame[22:38])),
    )  # fmt: skip


def test_the_advertisement_is_what_the_userdata_says() -> None:
    frame = router_solicitation(MAC, LLA, mac_option(1, MAC))
    # Source and destination as in the solicitation: the response flow turns the frame round.
    expected = nd.icmp6(
        MESSAGE, eth_src=MAC, eth_dst=nd.ALL_ROUTERS_MAC, ip_src=LLA, ip_dst=nd.ALL_ROUTERS
    )
    assert answer(frame) == Answer(expected, "ND_RA", mac_bytes(MAC), b"")
    assert after_the_response_flow(expected) == nd.icmp6(
        MESSAGE, eth_src=ROUTER_MAC, eth_dst=MAC, ip_src=ROUTER_LLA, ip_dst=LLA
    )


def test_golden_bytes() -> None:
    frame = router_solicitation(MAC, LLA)
    assert answer(frame).frame.hex() == (
        "333300000002020000000001" "86dd"
        "6000000000403aff" "fe80000000000000000000fffe000001" "ff020000000000000000000000000002"
        "8600cb58ff08ffff0000000000000000"
        "05010000000005dc"
        "030440c0ffffffffffffffff00000000aef00000000000000000000000000000"
        "0101ae0102030405"
    )  # fmt: skip


def test_who_has_no_address_is_answered_at_all_nodes() -> None:
    verdict = answer(router_solicitation(MAC, "::"))
    assert verdict.frame == nd.icmp6(
        MESSAGE, eth_src=nd.ALL_NODES_MAC, eth_dst=nd.ALL_ROUTERS_MAC,
        ip_src=nd.ALL_NODES, ip_dst=nd.ALL_ROUTERS,
    )  # fmt: skip
    assert verdict.mac == mac_bytes(MAC)
    assert after_the_response_flow(verdict.frame)[:6] == mac_bytes(nd.ALL_NODES_MAC)


def test_a_checksum_of_zero_stands_as_it_is() -> None:
    """Only UDP writes it as ffff."""
    assert answer(router_solicitation(MAC, "fe80::ca59")).frame[56:58] == bytes(2)


def test_a_global_source_is_answered_there() -> None:
    verdict = answer(router_solicitation(MAC, "fd00::5"))
    assert verdict.frame[22:38] == IPv6Address("fd00::5").packed


@pytest.mark.parametrize("tags", ["81000064", "88a8006481000007"])
def test_tags_are_kept(tags: str) -> None:
    plain = router_solicitation(MAC, LLA)
    tagged = plain[:12] + bytes.fromhex(tags) + plain[12:]
    expected = answer(plain).frame
    assert answer(tagged).frame == expected[:12] + bytes.fromhex(tags) + expected[12:]


@pytest.mark.parametrize("options", [b"\x0e\1nonce!", mac_option(2, MAC), b"\xfd\2" + bytes(14)])
def test_options_that_mean_nothing_here_are_ignored(options: bytes) -> None:
    assert answer(router_solicitation(MAC, LLA, options)).frame == (
        answer(router_solicitation(MAC, LLA)).frame
    )


def test_the_same_question_has_the_same_answer_after_a_restart() -> None:
    frame = router_solicitation(MAC, LLA)
    assert NdRaResponder(PutNdRaOpts(MESSAGE)).respond(frame) == RESPONDER.respond(frame)


def damaged(frame: bytes, at: int) -> bytes:
    return frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :]


GOOD = router_solicitation(MAC, LLA, mac_option(1, MAC))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (router_solicitation(MAC, LLA, code=1), Reason.NOT_SOLICITATION),
        (router_solicitation(MAC, LLA, b"\1\0" + bytes(6)), Reason.BAD_OPTIONS),
        (router_solicitation(MAC, LLA, b"\1\2" + bytes(6)), Reason.BAD_OPTIONS),
        (router_solicitation(MAC, LLA, b"\1"), Reason.BAD_OPTIONS),
        (router_solicitation(MAC, "ff02::1"), Reason.NO_REPLY_ADDRESS),
        (damaged(GOOD, 56), Reason.BAD_CHECKSUM),
        (damaged(GOOD, len(GOOD) - 1), Reason.BAD_CHECKSUM),
        (damaged(GOOD, 54), Reason.NOT_SOLICITATION),
        (damaged(GOOD, 20), Reason.NOT_SOLICITATION),
        (damaged(GOOD, 13), Reason.NOT_SOLICITATION),
        (GOOD[:-1], Reason.TRUNCATED),
        (b"", Reason.NOT_SOLICITATION),
    ],
)
def test_what_is_no_valid_solicitation_is_not_answered(frame: bytes, reason: Reason) -> None:
    verdict = RESPONDER.respond(frame)
    assert isinstance(verdict, Silence)
    assert verdict.reason is reason


def test_a_solicitation_that_is_too_short_is_not_answered() -> None:
    message = bytes((nd.RS, 0, 0, 0, 0, 0, 0))
    frame = nd.icmp6(
        message, eth_src=MAC, eth_dst=nd.ALL_ROUTERS_MAC, ip_src=LLA, ip_dst=nd.ALL_ROUTERS
    )
    assert RESPONDER.respond(frame) == Silence(Reason.BAD_OPTIONS)


def test_an_unsolicited_one_goes_from_the_router_to_all_nodes() -> None:
    frame = unsolicited(MESSAGE, mac_bytes(ROUTER_MAC), IPv6Address(ROUTER_LLA))
    assert frame == nd.icmp6(
        MESSAGE, eth_src=ROUTER_MAC, eth_dst=nd.ALL_NODES_MAC,
        ip_src=ROUTER_LLA, ip_dst=nd.ALL_NODES,
    )  # fmt: skip
