# SPDX-License-Identifier: Apache-2.0
"""Router solicitations in, router advertisements out: Neighbor Discovery (RFC 4861 §4).

Both are ICMPv6 messages, and this is a solicitation:

    0   1  type, 133
    1   1  code, 0
    2   2  checksum, over a pseudo-header too (RFC 4443 §2.3)
    4   4  reserved
    8   -  options: type (1), length in units of 8 bytes (1), content
"""

from __future__ import annotations

from typing import NamedTuple

from controller.wire.frames import decode_ipv6, encode_ipv6, ipv6_checksum

ICMPV6 = 58
ROUTER_SOLICITATION = 133
HOP_LIMIT = 255  # a packet that has it was not forwarded: it is from this link
SOURCE_LINK_LAYER_ADDRESS = 1  # option

UNSPECIFIED = bytes(16)
ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")
ALL_NODES_MAC = bytes.fromhex("333300000001")  # RFC 2464 §7

_OPTIONS = 8  # offset of the first option


class NdError(ValueError):
    """The packet is no valid router solicitation (RFC 4861 §6.1.1)."""


class NotSolicitation(NdError):
    """It is another packet."""


class Forwarded(NdError):
    """Its hop limit is not 255."""


class BadChecksum(NdError):
    """Its checksum is wrong."""


class BadOptions(NdError):
    """An option has length 0, leads out of the message, or must not be there."""


class RouterSolicitation(NamedTuple):
    """What a reply needs.  `link` is the Ethernet header with its tags and EtherType."""

    link: bytes
    source: bytes
    destination: bytes


def decode_solicitation(frame: bytes) -> RouterSolicitation:
    """The valid router solicitation in a frame.

    Raises :exc:`NdError`, or :exc:`controller.wire.frames.FrameError` where it is no IPv6 packet.
    """
    packet = decode_ipv6(frame)
    message = packet.payload
    if packet.protocol != ICMPV6 or message[:2] != bytes((ROUTER_SOLICITATION, 0)):
        raise NotSolicitation
    if packet.hop_limit != HOP_LIMIT:
        raise Forwarded
    if len(message) < _OPTIONS:
        raise BadOptions
    if ipv6_checksum(packet.source, packet.destination, ICMPV6, message) != 0xFFFF:
        raise BadChecksum
    at = _OPTIONS
    while at < len(message):
        size = 8 * message[at + 1] if at + 1 < len(message) else 0
        if not size or at + size > len(message):
            raise BadOptions
        if message[at] == SOURCE_LINK_LAYER_ADDRESS and packet.source == UNSPECIFIED:
            raise BadOptions
        at += size
    return RouterSolicitation(packet.link, packet.source, packet.destination)


def encode_nd(link: bytes, source: bytes, destination: bytes, message: bytes) -> bytes:
    """A frame: `link`, an IPv6 header and the ICMPv6 `message`, whose checksum field is zero."""
    # A sum of zero stands as it is: only UDP writes it as 0xffff.
    checksum = ipv6_checksum(source, destination, ICMPV6, message) % 0xFFFF
    summed = message[:2] + checksum.to_bytes(2, "big") + message[4:]
    return encode_ipv6(link, source, destination, HOP_LIMIT, ICMPV6, summed)
