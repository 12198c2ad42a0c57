# SPDX-License-Identifier: Apache-2.0
"""What a packet asks, in a few words: for debugging, so anything may be in the packet."""

from __future__ import annotations

from ovs_dhcpd.controller.wire import dhcpv4, dhcpv6
from ovs_dhcpd.controller.wire.frames import FrameError, decode_ipv6, decode_ipv6_udp, decode_udp
from ovs_dhcpd.controller.wire.oxm import about, decode_match, encode_match
from ovs_dhcpd.flows.bindings.well_known import NEIGHBOUR_SOLICITATION, ROUTER_SOLICITATION
from ovs_dhcpd.flows.pipeline.flow import IN_PORT

DHCPV4_KINDS = ["DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"]
DHCPV6_KINDS = [
    *("SOLICIT", "ADVERTISE", "REQUEST", "CONFIRM", "RENEW", "REBIND", "REPLY", "RELEASE"),
    *("DECLINE", "RECONFIGURE", "INFORMATION-REQUEST", "RELAY-FORW", "RELAY-REPL"),
]
ND_KINDS = {ROUTER_SOLICITATION: "ND_RS", NEIGHBOUR_SOLICITATION: "ND_NS"}


def in_port(metadata: bytes) -> int | None:
    """The port that a packet-in's metadata (bare OXM fields) names, if it names one."""
    try:
        terms = {about(term.about): term.value for term in decode_match(encode_match(metadata))}
    except ValueError:
        return None
    return terms.get(about(IN_PORT.header))


def describe(frame: bytes) -> str:
    """The kind of message in an Ethernet frame, and its xid where it has one."""
    for decode in (_describe_dhcpv4, _describe_dhcpv6, _describe_nd):
        try:
            return decode(frame)
        except (FrameError, dhcpv4.OptionsError, LookupError):
            pass
    return f"a packet of {len(frame)} bytes"


def _describe_dhcpv4(frame: bytes) -> str:
    message = decode_udp(frame).payload
    kind = dhcpv4.decode_options(message)[dhcpv4.MESSAGE_TYPE][0]
    return f"DHCP{_name(DHCPV4_KINDS, kind)} xid {message[dhcpv4.XID].hex()}"


def _describe_dhcpv6(frame: bytes) -> str:
    message = decode_ipv6_udp(frame).payload
    return f"DHCPv6 {_name(DHCPV6_KINDS, message[0])} xid {message[dhcpv6.XID].hex()}"


def _describe_nd(frame: bytes) -> str:
    return ND_KINDS[decode_ipv6(frame).payload[0]]


def _name(kinds: list[str], number: int) -> str:
    return kinds[number - 1] if 0 < number <= len(kinds) else f"({number})"
