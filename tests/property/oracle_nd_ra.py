# SPDX-License-Identifier: Apache-2.0
"""What is right to answer to a router solicitation, and solicitations to begin with."""

from __future__ import annotations

from ipaddress import IPv6Address

from ovs_dhcpd.controller.responders.nd_ra import NdRaResponder
from ovs_dhcpd.controller.responders.verdict import Reason, Silence
from ovs_dhcpd.flows.userdata.codec import PutNdRaOpts

from tests.lab import nd
from tests.lab.nd import mac_option, router_solicitation
from tests.unit.advertisement import LLA, MAC, MESSAGE

RESPONDER = NdRaResponder(PutNdRaOpts(MESSAGE))
GOLDEN = {
    "plain": router_solicitation(MAC, LLA),
    "with MAC": router_solicitation(MAC, LLA, mac_option(1, MAC), b"\x0e\1nonce!"),
    "unspecified": router_solicitation(MAC, "::"),
    "padded": router_solicitation(MAC, LLA) + bytes(6),
}
GOLDEN |= {
    f"{name} in {tags}": frame[:12] + bytes.fromhex(tags) + frame[12:]
    for name, frame in GOLDEN.items()
    for tags in ("81000064", "88a8006481000007")
}


def untag(frame: bytes) -> bytes:
    while frame[12:14] in (b"\x81\0", b"\x88\xa8"):
        frame = frame[:12] + frame[16:]
    return frame


def check(frame: bytes) -> None:
    """`frame` gets a verdict, and an answer keeps all its promises."""
    verdict = RESPONDER.respond(frame)
    if isinstance(verdict, Silence):
        assert isinstance(verdict.reason, Reason)
        assert verdict.message == ""
        return
    asked, got = untag(frame), untag(verdict.frame)
    assert len(verdict.frame) - len(got) == len(frame) - len(asked)
    assert verdict.mac == frame[6:12]
    # What is asked was asked rightly (RFC 4861 §6.1.1) …
    source = asked[22:38]
    assert asked[21] == 255
    # … and the answer is the message, to who asked or to all.
    to_all = source == bytes(16)
    assert got == nd.icmp6(
        MESSAGE,
        eth_src=nd.ALL_NODES_MAC if to_all else asked[6:12].hex(":"),
        eth_dst=asked[:6].hex(":"),
        ip_src=nd.ALL_NODES if to_all else str(IPv6Address(source)),
        ip_dst=str(IPv6Address(asked[38:54])),
    )
