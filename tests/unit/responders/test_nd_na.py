# SPDX-License-Identifier: Apache-2.0
"""Neighbour solicitations for a server and their answers (RFC 4861 §7.1.1, §7.2.4)."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from hypothesis import given, settings
from ovs_dhcpd.controller.responders.nd_na import NdNaResponder
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence
from ovs_dhcpd.flows.userdata.codec import PutNdNa

from tests.lab import nd
from tests.lab.nd import mac_option, neighbour_solicitation, router_solicitation
from tests.lab.packets6 import mac_bytes
from tests.property.strategies import damaged

MAC, LLA = "02:00:00:00:00:01", "fe80::ff:fe00:1"
SERVER_MAC, SERVER_LLA = "ae:01:02:03:04:05", "fe80::ac01:2ff:fe03:405"
TARGET = IPv6Address(SERVER_LLA)
RESPONDER = NdNaResponder(PutNdNa.of(TARGET, mac_bytes(SERVER_MAC), is_router=True))
FOUND = TARGET.packed + mac_option(2, SERVER_MAC)

TO_ASKER = nd.icmp6(
    bytes.fromhex("88000000e0000000") + FOUND,
    eth_src=SERVER_MAC, eth_dst=MAC, ip_src=SERVER_LLA, ip_dst=LLA,
)  # fmt: skip
TO_ALL = nd.icmp6(
    bytes.fromhex("88000000a0000000") + FOUND,
    eth_src=SERVER_MAC, eth_dst=nd.ALL_NODES_MAC, ip_src=SERVER_LLA, ip_dst=nd.ALL_NODES,
)  # fmt: skip
NONCE = b"\x0e\1nonce!"  # Linux sends it with its probes (RFC 7527)
BY_UNICAST = nd.icmp6(
    bytes((nd.NS, 0)) + bytes(6) + TARGET.packed,
    eth_src=MAC, eth_dst=SERVER_MAC, ip_src=LLA, ip_dst=SERVER_LLA,
)  # fmt: skip
TAG = bytes.fromhex("81000064")
ASKED = {
    "resolution": (neighbour_solicitation(MAC, LLA, SERVER_LLA, mac_option(1, MAC)), TO_ASKER),
    "unicast": (BY_UNICAST, TO_ASKER),
    "probe": (neighbour_solicitation(MAC, "::", SERVER_LLA), TO_ALL),
    "probe-with-nonce": (neighbour_solicitation(MAC, "::", SERVER_LLA, NONCE), TO_ALL),
    "padded": (neighbour_solicitation(MAC, LLA, SERVER_LLA) + bytes(6), TO_ASKER),
    "tagged": (BY_UNICAST[:12] + TAG + BY_UNICAST[12:], TO_ASKER[:12] + TAG + TO_ASKER[12:]),
}


@pytest.mark.parametrize(("frame", "expected"), ASKED.values(), ids=ASKED)
def test_who_asks_is_told(frame: bytes, expected: bytes) -> None:
    assert RESPONDER.respond(frame) == Answer(expected, "ND_NA", mac_bytes(MAC), b"")


def test_a_server_that_is_no_router_does_not_say_so() -> None:
    responder = NdNaResponder(PutNdNa.of(TARGET, mac_bytes(SERVER_MAC), is_router=False))
    for asked, flags in (("resolution", 0x60), ("probe", 0x20)):
        verdict = responder.respond(ASKED[asked][0])
        assert isinstance(verdict, Answer)
        assert verdict.frame[58] == flags


def hop_limit(frame: bytes, value: int) -> bytes:
    return frame[:21] + bytes((value,)) + frame[22:]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (neighbour_solicitation(MAC, LLA, "fe80::1"), Reason.NOT_FOR_SERVER),
        (router_solicitation(MAC, LLA), Reason.NOT_FOR_SERVER),
        (TO_ASKER, Reason.NOT_FOR_SERVER),
        (hop_limit(BY_UNICAST, 64), Reason.FORWARDED),
        (BY_UNICAST[:56] + b"\1\2" + BY_UNICAST[58:], Reason.BAD_CHECKSUM),
        (neighbour_solicitation(MAC, LLA, SERVER_LLA, b"\1\0"), Reason.BAD_OPTIONS),
        # From :: neither an option with a MAC nor unicast (RFC 4861 §7.1.1).
        (neighbour_solicitation(MAC, "::", SERVER_LLA, mac_option(1, MAC)), Reason.BAD_OPTIONS),
        (
            nd.icmp6(BY_UNICAST[54:], eth_src=MAC, eth_dst=SERVER_MAC, ip_src="::",
                     ip_dst=SERVER_LLA),
            Reason.NOT_FOR_SERVER,
        ),
        (neighbour_solicitation(MAC, "ff02::1", SERVER_LLA), Reason.NO_REPLY_ADDRESS),
        (BY_UNICAST[:70], Reason.TRUNCATED),
    ],
    ids=["other", "rs", "na", "forwarded", "checksum", "option", "probe-slla", "probe-unicast",
         "multicast", "cut"],
)  # fmt: skip
def test_other_packets_are_let_go_on(frame: bytes, reason: Reason) -> None:
    verdict = RESPONDER.respond(frame)
    assert isinstance(verdict, Silence)
    assert verdict.reason is reason


@settings(max_examples=300)
@given(damaged([frame for frame, _ in ASKED.values()], 100))
def test_whatever_is_damaged_gets_a_verdict(frame: bytes) -> None:
    """With the checksum, most damage is found; what is answered is answered with a right one."""
    verdict = RESPONDER.respond(frame)
    if isinstance(verdict, Answer):
        at = 14 + 4 * (verdict.frame[12:14] != b"\x86\xdd")
        got = verdict.frame[at:]
        assert nd.checksum(got[8:24], got[24:40], got[40:]) == 0
        assert got[48:] == FOUND
    else:
        assert isinstance(verdict.reason, Reason)
