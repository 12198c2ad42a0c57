# SPDX-License-Identifier: Apache-2.0
"""UDP over IPv4 or IPv6 over Ethernet, with up to two VLAN tags.

Ethernet  destination 6, source 6, tags 4 each (TPID 2, TCI 2), EtherType 2
IPv4      RFC 791 §3.1; options are skipped when read and never written
IPv6      RFC 8200 §3; extension headers likewise
UDP       RFC 768, and RFC 8200 §8.1
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_VLAN = (b"\x81\x00", b"\x88\xa8")  # IEEE 802.1Q, 802.1ad
_IPV4 = b"\x08\x00"
_IPV6 = b"\x86\xdd"
UDP = 17
_TTL = 64

# Version and header length, total length, flags and fragment offset, protocol
_IP_READ = struct.Struct("!BxHxxHxB")
_IP_WRITE = struct.Struct("!BBHHHBBH4s4s")
_UDP_HEADER = struct.Struct("!HHHH")
_PSEUDO_HEADER = struct.Struct("!4s4sHH")  # RFC 768

# Version, traffic class and flow label; payload length, next header, hop limit, addresses
_IPV6_HEADER = struct.Struct("!IHBB16s16s")
_IPV6_PSEUDO_HEADER = struct.Struct("!16s16sII")  # RFC 8200 §8.1
_IPV6_VERSION = 6 << 28

_MORE_FRAGMENTS_OR_OFFSET = 0x3FFF

# IPv6 extension headers (RFC 8200 §4).  A client has no use for the others: a packet with a routing
# header, for instance, came from elsewhere.
_HOP_BY_HOP, _FRAGMENT, _DESTINATION_OPTIONS = 0, 44, 60
_MORE_FRAGMENTS_OR_IPV6_OFFSET = 0xFFF9


class FrameError(ValueError):
    """The frame does not hold one whole packet of the protocol asked for."""


class NotUdp(FrameError):
    """It is not UDP over the IP version asked for."""


class NotIpv6(FrameError):
    """It is not IPv6."""


class Fragment(FrameError):
    """It is part of a fragmented IP datagram."""


class Truncated(FrameError):
    """A length in it reaches beyond its end."""


class Datagram(NamedTuple):
    """A UDP datagram out of a frame.  `link` is the Ethernet header with its tags and EtherType."""

    link: bytes
    ip_source: bytes
    destination_port: int
    payload: bytes


class Ipv6Packet(NamedTuple):
    """An IPv6 packet out of a frame, without extension headers.  `link` is as in Datagram."""

    link: bytes
    source: bytes
    destination: bytes
    hop_limit: int
    protocol: int
    payload: bytes


class Ipv6Datagram(NamedTuple):
    """A UDP datagram over IPv6 out of a frame.  `link` is as in Datagram."""

    link: bytes
    source: bytes
    destination: bytes
    destination_port: int
    payload: bytes


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071) of `data`, with 0 written as 0xffff, as UDP wants it.

    The one's complement sum of 16-bit words is the whole, taken as one number, modulo 0xffff.
    """
    number = int.from_bytes(data, "big")
    if len(data) % 2:
        number <<= 8
    return 0xFFFF - number % 0xFFFF


def _link_size(frame: bytes) -> int:
    """The size of the Ethernet header with its tags."""
    size = 14
    while frame[size - 2 : size] in _VLAN and size < 22:
        size += 4
    return size


def decode_udp(frame: bytes) -> Datagram:
    """The UDP datagram in an Ethernet frame.  Raises FrameError.

    Padding behind the IP datagram is ignored, and so are the checksums: Open vSwitch hands over
    packets whose checksums were left to the hardware.
    """
    ip = _link_size(frame)
    if frame[ip - 2 : ip] != _IPV4:
        raise NotUdp
    if len(frame) < ip + 20:
        raise Truncated
    version_and_length, total, fragment, protocol = _IP_READ.unpack_from(frame, ip)
    if version_and_length >> 4 != 4 or protocol != UDP:
        raise NotUdp
    if fragment & _MORE_FRAGMENTS_OR_OFFSET:
        raise Fragment
    header = (version_and_length & 15) * 4
    if header < 20 or total < header + 8 or ip + total > len(frame):
        raise Truncated
    udp = ip + header
    _, destination_port, length, _ = _UDP_HEADER.unpack_from(frame, udp)
    if not 8 <= length <= total - header:
        raise Truncated
    return Datagram(
        frame[:ip], frame[ip + 12 : ip + 16], destination_port, frame[udp + 8 : udp + length]
    )


def encode_udp(
    link: bytes, source: bytes, destination: bytes, source_port: int, port: int, payload: bytes
) -> bytes:
    """A frame: `link`, a fresh IP header, a UDP header and `payload`, with both checksums."""
    length = 8 + len(payload)
    ip = _IP_WRITE.pack(0x45, 0, 20 + length, 0, 0, _TTL, UDP, 0, source, destination)
    ip = ip[:10] + (checksum(ip) % 0xFFFF).to_bytes(2, "big") + ip[12:]
    pseudo = _PSEUDO_HEADER.pack(source, destination, UDP, length)
    udp = _UDP_HEADER.pack(source_port, port, length, 0)
    udp = _UDP_HEADER.pack(source_port, port, length, checksum(pseudo + udp + payload))
    return link + ip + udp + payload


def decode_ipv6(frame: bytes) -> Ipv6Packet:
    """The IPv6 packet in an Ethernet frame.  Raises FrameError.

    Padding behind the packet is ignored.  Hop-by-hop and destination options are skipped, and so is
    a fragment header in front of a whole packet (RFC 6946); any other extension header stands as
    the packet's protocol.
    """
    ip = _link_size(frame)
    if frame[ip - 2 : ip] != _IPV6:
        raise NotIpv6
    if len(frame) < ip + 40:
        raise Truncated
    first, length, protocol, hop_limit, source, destination = _IPV6_HEADER.unpack_from(frame, ip)
    if first >> 28 != 6:
        raise NotIpv6
    at, end = ip + 40, ip + 40 + length
    if end > len(frame):
        raise Truncated
    while protocol in (_HOP_BY_HOP, _FRAGMENT, _DESTINATION_OPTIONS):
        size = 8
        if at + size > end:
            raise Truncated
        if protocol == _FRAGMENT:
            if int.from_bytes(frame[at + 2 : at + 4], "big") & _MORE_FRAGMENTS_OR_IPV6_OFFSET:
                raise Fragment
        else:
            size += frame[at + 1] * 8
        protocol = frame[at]
        at += size
    if at > end:
        raise Truncated
    return Ipv6Packet(frame[:ip], source, destination, hop_limit, protocol, frame[at:end])


def decode_ipv6_udp(frame: bytes) -> Ipv6Datagram:
    """The UDP datagram over IPv6 in an Ethernet frame.  Raises FrameError.

    Checksums are not looked at, as in decode_udp.
    """
    packet = decode_ipv6(frame)
    if packet.protocol != UDP:
        raise NotUdp
    if len(packet.payload) < 8:
        raise Truncated
    _, port, length, _ = _UDP_HEADER.unpack_from(packet.payload)
    if not 8 <= length <= len(packet.payload):
        raise Truncated
    return Ipv6Datagram(
        packet.link, packet.source, packet.destination, port, packet.payload[8:length]
    )


def ipv6_checksum(source: bytes, destination: bytes, protocol: int, data: bytes) -> int:
    """The checksum of what `protocol` carries over IPv6, computed with its own field zero."""
    return checksum(_IPV6_PSEUDO_HEADER.pack(source, destination, len(data), protocol) + data)


def encode_ipv6(
    link: bytes, source: bytes, destination: bytes, hop_limit: int, protocol: int, payload: bytes
) -> bytes:
    """A frame: `link`, a fresh IPv6 header and `payload`."""
    header = _IPV6_HEADER.pack(
        _IPV6_VERSION, len(payload), protocol, hop_limit, source, destination
    )
    return link + header + payload


def encode_ipv6_udp(
    link: bytes, source: bytes, destination: bytes, source_port: int, port: int, payload: bytes
) -> bytes:
    """A frame: `link`, a fresh IPv6 header, a UDP header and `payload`, with its checksum."""
    length = 8 + len(payload)
    udp = _UDP_HEADER.pack(source_port, port, length, 0) + payload
    sum_ = ipv6_checksum(source, destination, UDP, udp)
    udp = _UDP_HEADER.pack(source_port, port, length, sum_) + payload
    return encode_ipv6(link, source, destination, _TTL, UDP, udp)
