# SPDX-License-Identifier: Apache-2.0
"""UDP over IPv4 over Ethernet, with up to two VLAN tags.

Ethernet  destination 6, source 6, tags 4 each (TPID 2, TCI 2), EtherType 2
IPv4      RFC 791 §3.1; options are skipped when read and never written
UDP       RFC 768
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_VLAN = (b"\x81\x00", b"\x88\xa8")  # IEEE 802.1Q, 802.1ad
_IPV4 = b"\x08\x00"
_UDP = 17
_TTL = 64

# Version and header length, total length, flags and fragment offset, protocol
_IP_READ = struct.Struct("!BxHxxHxB")
_IP_WRITE = struct.Struct("!BBHHHBBH4s4s")
_UDP_HEADER = struct.Struct("!HHHH")
_PSEUDO_HEADER = struct.Struct("!4s4sHH")  # RFC 768

_MORE_FRAGMENTS_OR_OFFSET = 0x3FFF


class FrameError(ValueError):
    """The frame does not hold one whole UDP datagram."""


class NotUdp(FrameError):
    """It is not UDP over IPv4."""


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


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071) of `data`, with 0 written as 0xffff, as UDP wants it.

    The one's complement sum of 16-bit words is the whole, taken as one number, modulo 0xffff.
    """
    number = int.from_bytes(data, "big")
    if len(data) % 2:
        number <<= 8
    return 0xFFFF - number % 0xFFFF


def decode_udp(frame: bytes) -> Datagram:
    """The UDP datagram in an Ethernet frame.  Raises FrameError.

    Padding behind the IP datagram is ignored, and so are the checksums: Open vSwitch hands over
    packets whose checksums were left to the hardware.
    """
    ip = 14
    while frame[ip - 2 : ip] in _VLAN and ip < 22:
        ip += 4
    if frame[ip - 2 : ip] != _IPV4:
        raise NotUdp
    if len(frame) < ip + 20:
        raise Truncated
    version_and_length, total, fragment, protocol = _IP_READ.unpack_from(frame, ip)
    if version_and_length >> 4 != 4 or protocol != _UDP:
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
    ip = _IP_WRITE.pack(0x45, 0, 20 + length, 0, 0, _TTL, _UDP, 0, source, destination)
    ip = ip[:10] + (checksum(ip) % 0xFFFF).to_bytes(2, "big") + ip[12:]
    pseudo = _PSEUDO_HEADER.pack(source, destination, _UDP, length)
    udp = _UDP_HEADER.pack(source_port, port, length, 0)
    udp = _UDP_HEADER.pack(source_port, port, length, checksum(pseudo + udp + payload))
    return link + ip + udp + payload
