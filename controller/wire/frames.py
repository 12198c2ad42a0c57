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

# EtherTypes
IPV4, IPV6 = b"\x08\x00", b"\x86\xdd"
VLAN = b"\x81\x00"  # IEEE 802.1Q
TAGS = (VLAN, b"\x88\xa8")  # and 802.1ad
UDP = 17
_TTL = 64
_IP_WORDS = 0x4500 + (_TTL << 8 | UDP)  # of an IP header, those that are always the same

# Version and header length, total length, flags and fragment offset, protocol
_IP_READ = struct.Struct("!BxHxxHxB")
# The same from the frame's beginning to UDP's length, where there are no tags and no IP options:
# total length, flags and fragment offset, protocol, source; destination port, length
_PLAIN_READ = struct.Struct("!16xHxxHxB2x4s4xxxHH")
_PLAIN = b"\x08\x00\x45"
_PLAIN_SIZE = 42
# Version and header length, TOS, total length, identification, flags, TTL, protocol, checksum,
# addresses; ports, length, checksum
_IP_AND_UDP_HEADER = struct.Struct("!BBHHHBBH4s4sHHHH")
_UDP_HEADER = struct.Struct("!HHHH")

# Version, traffic class and flow label; payload length, next header, hop limit, addresses
_IPV6_HEADER = struct.Struct("!IHBB16s16s")
_IPV6_AND_UDP_HEADER = struct.Struct(_IPV6_HEADER.format + "HHHH")
# From the frame's beginning to UDP's length, where there are no tags and no extension headers:
# version, traffic class and flow label; payload length, addresses; destination port, length
_PLAIN6_READ = struct.Struct("!14xIHxx16s16sxxHH")
_PLAIN6_SIZE = 62
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
    """The packet is not UDP over the IP version asked for."""


class NotIpv6(FrameError):
    """The packet is not IPv6."""


class Fragment(FrameError):
    """The packet is part of a fragmented IP datagram."""


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


def with_tag(frame: bytes, tag: int) -> bytes:
    """The frame with the 802.1Q header of a VLAN."""
    return frame[:12] + VLAN + tag.to_bytes(2, "big") + frame[12:]


def tag_of(frame: bytes) -> int:
    """The VLAN of the frame's outer tag; 0 if it has none."""
    return int.from_bytes(frame[14:16], "big") & 0x0FFF if frame[12:14] in TAGS else 0


def _link_size(frame: bytes) -> int:
    """The size of the Ethernet header with its tags."""
    size = 14
    while frame[size - 2 : size] in TAGS and size < 22:
        size += 4
    return size


def decode_udp(frame: bytes) -> Datagram:
    """The UDP datagram in an Ethernet frame.  Raises FrameError.

    Padding behind the IP datagram is ignored, and so are the checksums: Open vSwitch hands over
    packets whose checksums were left to the hardware.
    """
    if frame[12:15] == _PLAIN and len(frame) >= _PLAIN_SIZE:  # nearly all are
        total, fragment, protocol, source, destination_port, length = _PLAIN_READ.unpack_from(frame)
        if (
            protocol == UDP
            and not fragment & _MORE_FRAGMENTS_OR_OFFSET
            and 8 <= length <= total - 20 <= len(frame) - 34
        ):
            return Datagram(frame[:14], source, destination_port, frame[42 : 34 + length])
    ip = _link_size(frame)
    if frame[ip - 2 : ip] != IPV4:
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
    # Both sums are of 16-bit words, of which the addresses and the payload are many in one number;
    # the payload's is made small before it is added to others.
    addresses = int.from_bytes(source + destination, "big")
    ip_sum = _IP_WORDS + 20 + length + addresses
    udp_sum = addresses + UDP + 2 * length + source_port + port
    udp_sum += int.from_bytes(payload, "big") % 0xFFFF << (8 if length % 2 else 0)
    header = _IP_AND_UDP_HEADER.pack(
        0x45,
        0,
        20 + length,
        0,
        0,
        _TTL,
        UDP,
        (0xFFFF - ip_sum % 0xFFFF) % 0xFFFF,
        source,
        destination,
        source_port,
        port,
        length,
        0xFFFF - udp_sum % 0xFFFF,
    )
    return link + header + payload


def with_payload(frame: bytes, payload: bytes, destination: bytes = b"") -> bytes:
    """The frame, which :func:`decode_udp` takes, with another UDP payload of the same length.

    With `destination`, it is the IPv4 destination.  All other fields stay, and so does what is
    behind the datagram; the checksums are made anew, but for a UDP checksum that was left out.
    """
    ip = _link_size(frame)
    udp = ip + (frame[ip] & 15) * 4
    header = frame[ip:udp]
    if destination:
        summed = header[:10] + bytes(2) + header[12:16] + destination + header[20:]
        sum_ = checksum(summed) % 0xFFFF  # 0 stands as 0 here
        header = summed[:10] + sum_.to_bytes(2, "big") + summed[12:]
    length = 8 + len(payload)
    head, udp_sum = frame[udp : udp + 6], frame[udp + 6 : udp + 8]
    if any(udp_sum):
        pseudo_header = header[12:20] + struct.pack("!HH", UDP, length)
        udp_sum = checksum(pseudo_header + head + bytes(2) + payload).to_bytes(2, "big")
    return frame[:ip] + header + head + udp_sum + payload + frame[udp + length :]


def decode_ipv6(frame: bytes) -> Ipv6Packet:
    """The IPv6 packet in an Ethernet frame.  Raises FrameError.

    Padding behind the packet is ignored.  Hop-by-hop and destination options are skipped, and so is
    a fragment header in front of a whole packet (RFC 6946); any other extension header stands as
    the packet's protocol.
    """
    ip = 14 if frame[12:14] == IPV6 else _link_size(frame)
    if frame[ip - 2 : ip] != IPV6:
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
    if frame[12:14] == IPV6 and len(frame) >= _PLAIN6_SIZE and frame[20] == UDP:  # nearly all are
        first, size, source, destination, port, length = _PLAIN6_READ.unpack_from(frame)
        if first >> 28 == 6 and 8 <= length <= size <= len(frame) - 54:
            return Ipv6Datagram(frame[:14], source, destination, port, frame[62 : 54 + length])
    link, source, destination, _, protocol, payload = decode_ipv6(frame)
    if protocol != UDP:
        raise NotUdp
    if len(payload) < 8:
        raise Truncated
    _, port, length, _ = _UDP_HEADER.unpack_from(payload)
    if not 8 <= length <= len(payload):
        raise Truncated
    return Ipv6Datagram(link, source, destination, port, payload[8:length])


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
    # The sum of the pseudo-header, the UDP header and the payload, as in encode_udp.
    sum_ = int.from_bytes(source + destination, "big") + UDP + 2 * length + source_port + port
    sum_ += int.from_bytes(payload, "big") % 0xFFFF << (8 if length % 2 else 0)
    header = _IPV6_AND_UDP_HEADER.pack(
        _IPV6_VERSION,
        length,
        UDP,
        _TTL,
        source,
        destination,
        source_port,
        port,
        length,
        0xFFFF - sum_ % 0xFFFF,
    )
    return link + header + payload
