# SPDX-License-Identifier: Apache-2.0
"""The question whether somebody has an address, and what is heard of it: ARP, Neighbor Discovery.

IPv4 is asked by an ARP probe (RFC 5227 §2.1.1), IPv6 as for Duplicate Address Detection (RFC 4862
§5.4.2): neither has a source address, so nobody learns anything from it.  An ARP packet:

    0   2  hardware type, 1        8   6  sender's MAC
    2   2  protocol, 0x0800        14  4  sender's address; 0.0.0.0 in a probe
    4   1  size of a MAC, 6        18  6  target's MAC
    5   1  of an address, 4        24  4  target's address
    6   2  1 request, 2 reply
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ovs_dhcpd.controller.wire import nd
from ovs_dhcpd.controller.wire.frames import IPV6, VLAN, FrameError, decode_ipv6, with_tag
from ovs_dhcpd.flows.bindings.pool import Address
from ovs_dhcpd.flows.bindings.well_known import (
    ALL_NODES,
    ALL_NODES_MAC,
    ARP_REPLY,
    ARP_REQUEST,
    BROADCAST_MAC,
    NEIGHBOUR_ADVERTISEMENT,
    NEIGHBOUR_SOLICITATION,
    UNSPECIFIED,
)

_ARP = struct.Struct("!HHBBH6s4s6s4s")
_ETHERNET, _IPV4, _SIZES = 1, 0x0800, (6, 4)
_ARP_TYPE = b"\x08\x06"
_OVERRIDE = 0x20  # an advertisement's flag (RFC 4861 §4.4)
_TARGET_LINK_LAYER_ADDRESS = 2  # option


class Heard(NamedTuple):
    """Who is behind port `ofport`, with `mac`, has `address`; or `asks` for it, as a probe does.

    `tag` is that of the packet, 0 if it has none.  The address has 4 or 16 bytes.
    """

    ofport: int
    tag: int
    mac: bytes
    address: bytes
    asks: bool


def encode_question(mac: bytes, address: Address, tag: int = 0) -> bytes:
    """The frame by which ``mac`` asks whether somebody has ``address``."""
    target = address.packed
    if address.version == 4:
        link = BROADCAST_MAC + mac + _ARP_TYPE
        frame = link + _arp(ARP_REQUEST, mac, bytes(4), bytes(6), target)
    else:
        group = nd.SOLICITED_NODE + target[13:]
        link = b"\x33\x33" + group[12:] + mac + IPV6
        message = bytes((NEIGHBOUR_SOLICITATION,)) + bytes(7) + target
        frame = nd.encode_nd(link, UNSPECIFIED.packed, group, message)
    return with_tag(frame, tag) if tag else frame


def encode_answer(mac: bytes, heard: Heard) -> bytes:
    """The frame by which ``mac`` tells who asks that the address is somebody's."""
    if len(heard.address) == 4:
        link = heard.mac + mac + _ARP_TYPE
        frame = link + _arp(ARP_REPLY, mac, heard.address, heard.mac, bytes(4))
    else:
        flags = bytes((NEIGHBOUR_ADVERTISEMENT, 0, 0, 0, _OVERRIDE, 0, 0, 0))
        message = flags + heard.address + bytes((_TARGET_LINK_LAYER_ADDRESS, 1)) + mac
        link = ALL_NODES_MAC + mac + IPV6
        frame = nd.encode_nd(link, heard.address, ALL_NODES.packed, message)
    return with_tag(frame, heard.tag) if heard.tag else frame


def decode_heard(ofport: int, frame: bytes) -> Heard | None:
    """What a frame that has come by ``ofport`` says; None if it says nothing of an address."""
    tag, at = 0, 14
    if frame[12:14] == VLAN:
        tag, at = int.from_bytes(frame[14:16], "big") & 0xFFF, 18
    if frame[at - 2 : at] == _ARP_TYPE:
        return _decode_arp(ofport, tag, frame[at : at + _ARP.size])
    try:
        packet = decode_ipv6(frame)
    except FrameError:
        return None
    message, target = packet.payload, packet.payload[8:24]
    if packet.protocol != nd.ICMPV6 or len(target) != 16:
        return None
    asks = message[0] == NEIGHBOUR_SOLICITATION and packet.source == UNSPECIFIED.packed
    if asks or message[0] == NEIGHBOUR_ADVERTISEMENT:
        return Heard(ofport, tag, frame[6:12], target, asks)
    return None


def _arp(operation: int, mac: bytes, source: bytes, target_mac: bytes, target: bytes) -> bytes:
    return _ARP.pack(_ETHERNET, _IPV4, *_SIZES, operation, mac, source, target_mac, target)


def _decode_arp(ofport: int, tag: int, data: bytes) -> Heard | None:
    if len(data) < _ARP.size:
        return None
    hardware, protocol, *sizes, operation, mac, source, _, target = _ARP.unpack(data)
    if (hardware, protocol, *sizes) != (_ETHERNET, _IPV4, *_SIZES):
        return None
    if any(source):
        return Heard(ofport, tag, mac, source, asks=False)
    return Heard(ofport, tag, mac, target, asks=True) if operation == ARP_REQUEST else None
