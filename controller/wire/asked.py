# SPDX-License-Identifier: Apache-2.0
"""What a packet asks: for who looks on, so anything may be in the packet."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ovs_dhcpd.controller.wire import dhcpv4, dhcpv6
from ovs_dhcpd.controller.wire.frames import (
    FrameError,
    decode_ipv6,
    decode_ipv6_udp,
    decode_udp,
    tag_of,
)
from ovs_dhcpd.controller.wire.oxm import about, decode_match, encode_match
from ovs_dhcpd.flows.bindings.well_known import NEIGHBOUR_SOLICITATION, ROUTER_SOLICITATION
from ovs_dhcpd.flows.pipeline.flow import IN_PORT

DHCPV4_KINDS = ["DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"]
DHCPV6_KINDS = [
    *("SOLICIT", "ADVERTISE", "REQUEST", "CONFIRM", "RENEW", "REBIND", "REPLY", "RELEASE"),
    *("DECLINE", "RECONFIGURE", "INFORMATION-REQUEST", "RELAY-FORW", "RELAY-REPL"),
]
ND_KINDS = {ROUTER_SOLICITATION: "RS", NEIGHBOUR_SOLICITATION: "NS"}


DHCPV4, DHCPV6, ND = "DHCP", "DHCPv6 ", "ND_"  # how the names of their messages begin


class Asked(NamedTuple):
    """What a packet asks.

    `kind` is the message's name in its `protocol`, as in DHCPV4_KINDS; `xid` is b"" where it has
    none.  `mac` is the client's, or else the sender's, `tag` the VLAN in the packet's own tag, 0
    without one.  `host_name` and `vendor_class` are as the client said them, b"" if it did not: of
    DHCPv4 the options 12 and 60, or 81's name (RFC 4702), of DHCPv6 the client's FQDN as it is
    written and the first data of its vendor class (RFC 8415 §21.16).
    """

    protocol: str
    kind: str
    xid: bytes
    mac: bytes
    tag: int
    host_name: bytes = b""
    vendor_class: bytes = b""

    @property
    def name(self) -> str:
        """The message's whole name, "DHCPDISCOVER" or "DHCPv6 SOLICIT" or "ND_RS"."""
        return self.protocol + self.kind


@lru_cache(maxsize=4096)  # it is the same for all packets of a flow
def in_port(metadata: bytes) -> int | None:
    """The port that a packet-in's metadata (bare OXM fields) names, if it names one."""
    try:
        terms = {about(term.about): term.value for term in decode_match(encode_match(metadata))}
    except ValueError:
        return None
    return terms.get(about(IN_PORT.header))


def describe(frame: bytes) -> str:
    """The kind of message in an Ethernet frame, and its xid where it has one."""
    asked = decode_asked(frame)
    if asked is None:
        return f"a packet of {len(frame)} bytes"
    return f"{asked.name} xid {asked.xid.hex()}" if asked.xid else asked.name


def decode_asked(frame: bytes) -> Asked | None:
    """What an Ethernet frame asks; None if that is nothing we know."""
    for decode in (_asked_dhcpv4, _asked_dhcpv6, _asked_nd):
        try:
            return decode(frame)
        except (FrameError, dhcpv4.OptionsError, dhcpv6.OptionsError, LookupError):
            pass
    return None


def _asked_dhcpv4(frame: bytes) -> Asked:
    message = decode_udp(frame).payload
    options = dhcpv4.decode_options(message)
    kind = _name(DHCPV4_KINDS, options[dhcpv4.MESSAGE_TYPE][0])
    # Some end text with a NUL, which is to be deleted (RFC 2132 §2).
    name = options.get(dhcpv4.HOST_NAME, b"").rstrip(b"\0")
    name = name or _fqdn(options.get(dhcpv4.FQDN, b"")).rstrip(b"\0")
    vendor = options.get(dhcpv4.VENDOR_CLASS, b"").rstrip(b"\0")
    mac, tag = message[dhcpv4.CLIENT_MAC], tag_of(frame)
    return Asked(DHCPV4, kind, message[dhcpv4.XID], mac, tag, name, vendor)


def _asked_dhcpv6(frame: bytes) -> Asked:
    message = decode_ipv6_udp(frame).payload
    kind, xid = _name(DHCPV6_KINDS, message[0]), message[dhcpv6.XID]
    try:
        options = dict(dhcpv6.decode_options(message[dhcpv6.HEADER_SIZE :]))
    except dhcpv6.OptionsError:
        options = {}
    name = _labels(options.get(dhcpv6.FQDN, b"")[1:])  # after the flags (RFC 4704 §4)
    vendor = options.get(dhcpv6.VENDOR_CLASS, b"")
    size = int.from_bytes(vendor[4:6], "big")  # after the enterprise number
    return Asked(DHCPV6, kind, xid, frame[6:12], tag_of(frame), name, vendor[6 : 6 + size])


def _asked_nd(frame: bytes) -> Asked:
    return Asked(ND, ND_KINDS[decode_ipv6(frame).payload[0]], b"", frame[6:12], tag_of(frame))


def _fqdn(option: bytes) -> bytes:
    """The name in a client FQDN option, after flags and two codes (RFC 4702 §2)."""
    return _labels(option[3:]) if option[:1] and option[0] & 4 else option[3:]


def _labels(name: bytes) -> bytes:
    """A name of labels (RFC 1035 §3.1) with dots in between; what is not whole is left out."""
    labels = []
    while name and 0 < name[0] < len(name):
        labels.append(name[1 : 1 + name[0]])
        name = name[1 + name[0] :]
    return b".".join(labels)


def _name(kinds: list[str], number: int) -> str:
    return kinds[number - 1] if 0 < number <= len(kinds) else f"({number})"
