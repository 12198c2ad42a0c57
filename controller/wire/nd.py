# SPDX-License-Identifier: Apache-2.0
"""Neighbor Discovery (RFC 4861 §4): solicitations in, advertisements out.

All are ICMPv6 messages, of routers and of neighbours.  This is a router solicitation:

    0   1  type, 133
    1   1  code, 0
    2   2  checksum, over a pseudo-header too (RFC 4443 §2.3)
    4   4  reserved
    8   -  options: type (1), length in units of 8 bytes (1), content

A neighbour solicitation has type 135, and before the options the address that is asked for:

    8   16 target
    24  -  options
"""

from __future__ import annotations

from typing import NamedTuple

from ovs_dhcpd.controller.wire.frames import decode_ipv6, encode_ipv6, ipv6_checksum
from ovs_dhcpd.flows.bindings.well_known import (
    ND_HOP_LIMIT,
    NEIGHBOUR_SOLICITATION,
    ROUTER_SOLICITATION,
    UNSPECIFIED,
)

ICMPV6 = 58
SOURCE_LINK_LAYER_ADDRESS = 1  # option

_UNSPECIFIED = UNSPECIFIED.packed
_OPTIONS = {ROUTER_SOLICITATION: 8, NEIGHBOUR_SOLICITATION: 24}  # offset of the first option
_TARGET = slice(8, 24)
SOLICITED_NODE = bytes.fromhex("ff0200000000000000000001ff")  # then 3 bytes (RFC 4291 §2.7.1)


class NdError(ValueError):
    """The packet is no valid solicitation (RFC 4861 §6.1.1, §7.1.1)."""


class NotSolicitation(NdError):
    """The packet is no solicitation of the type asked for."""


class Forwarded(NdError):
    """Its hop limit is not 255."""


class BadChecksum(NdError):
    """Its checksum is wrong."""


class BadOptions(NdError):
    """An option has length 0, leads out of the message, or must not be there."""


class Solicitation(NamedTuple):
    """What a reply needs.  `link` is the Ethernet header with its tags and EtherType.

    `target` is the address that is asked for; of a router solicitation it is empty.
    """

    link: bytes
    source: bytes
    destination: bytes
    target: bytes


def decode_solicitation(frame: bytes, kind: int = ROUTER_SOLICITATION) -> Solicitation:
    """The valid solicitation of type ``kind`` in a frame.

    Raises :exc:`NdError`, or :exc:`controller.wire.frames.FrameError` where it is no IPv6 packet.
    """
    packet = decode_ipv6(frame)
    message = packet.payload
    if packet.protocol != ICMPV6 or message[:2] != bytes((kind, 0)):
        raise NotSolicitation
    if packet.hop_limit != ND_HOP_LIMIT:
        raise Forwarded
    at = _OPTIONS[kind]
    if len(message) < at:
        raise BadOptions
    if ipv6_checksum(packet.source, packet.destination, ICMPV6, message) != 0xFFFF:
        raise BadChecksum
    target = message[_TARGET] if kind == NEIGHBOUR_SOLICITATION else b""
    if target and packet.source == _UNSPECIFIED and packet.destination[:13] != SOLICITED_NODE:
        raise NotSolicitation
    while at < len(message):
        size = 8 * message[at + 1] if at + 1 < len(message) else 0
        if not size or at + size > len(message):
            raise BadOptions
        if message[at] == SOURCE_LINK_LAYER_ADDRESS and packet.source == _UNSPECIFIED:
            raise BadOptions
        at += size
    return Solicitation(packet.link, packet.source, packet.destination, target)


def encode_nd(link: bytes, source: bytes, destination: bytes, message: bytes) -> bytes:
    """A frame: `link`, an IPv6 header and the ICMPv6 `message`, whose checksum field is zero."""
    # A sum of zero stands as it is: only UDP writes it as 0xffff.
    checksum = ipv6_checksum(source, destination, ICMPV6, message) % 0xFFFF
    summed = message[:2] + checksum.to_bytes(2, "big") + message[4:]
    return encode_ipv6(link, source, destination, ND_HOP_LIMIT, ICMPV6, summed)
