# SPDX-License-Identifier: Apache-2.0
"""Neighbor Discovery messages as Ethernet frames, apart from the code under test."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address

from tests.lab.packets6 import mac_bytes

RS, RA, NS, NA = 133, 134, 135, 136
ALL_NODES, ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"
ALL_ROUTERS, ALL_ROUTERS_MAC = "ff02::2", "33:33:00:00:00:02"


def checksum(source: bytes, destination: bytes, message: bytes) -> int:
    """The checksum of an ICMPv6 message; 0 for one whose checksum field is right."""
    data = source + destination + struct.pack("!II", len(message), 58) + message
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def icmp6(
    message: bytes, *, eth_src: str, eth_dst: str, ip_src: str, ip_dst: str, hop_limit: int = 255
) -> bytes:
    """A frame with `message`, whose checksum is made."""
    source, destination = IPv6Address(ip_src).packed, IPv6Address(ip_dst).packed
    message = message[:2] + bytes(2) + message[4:]
    summed = struct.pack("!H", checksum(source, destination, message))
    header = struct.pack("!IHBB", 6 << 28, len(message), 58, hop_limit) + source + destination
    link = mac_bytes(eth_dst) + mac_bytes(eth_src) + b"\x86\xdd"
    return link + header + message[:2] + summed + message[4:]


def mac_option(kind: int, mac: str) -> bytes:
    """Source (1) or target (2) link-layer address."""
    return bytes((kind, 1)) + mac_bytes(mac)


def router_solicitation(
    mac: str, ip_src: str, *options: bytes, code: int = 0, hop_limit: int = 255
) -> bytes:
    """A router solicitation of the guest."""
    return icmp6(
        bytes((RS, code)) + bytes(6) + b"".join(options),
        eth_src=mac, eth_dst=ALL_ROUTERS_MAC, ip_src=ip_src, ip_dst=ALL_ROUTERS,
        hop_limit=hop_limit,
    )  # fmt: skip


def neighbour_solicitation(mac: str, ip_src: str, target: str, *options: bytes) -> bytes:
    """A neighbour solicitation of the guest, to the target's solicited-node address."""
    packed = IPv6Address(target).packed
    group = bytes.fromhex("ff0200000000000000000001ff") + packed[13:]
    return icmp6(
        bytes((NS, 0)) + bytes(6) + packed + b"".join(options),
        eth_src=mac, eth_dst="33:33:ff:" + packed[13:].hex(":"),
        ip_src=ip_src, ip_dst=str(IPv6Address(group)),
    )  # fmt: skip


def is_nd(frame: bytes, kind: int) -> bool:
    """Whether the untagged frame holds this type of ICMPv6 message."""
    return frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] == kind
