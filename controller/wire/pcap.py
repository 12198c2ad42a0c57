# SPDX-License-Identifier: Apache-2.0
"""Files of captured packets, as ``tcpdump -r`` and Wireshark read them (pcap-savefile(5)).

A header of 24 bytes: magic number 0xa1b2c3d4, version 2.4, two zero fields of 4 bytes, the most
bytes that a packet may have, and the type of link, 1 for Ethernet.  Then each packet: seconds and
microseconds since 1970, how many bytes of it there are, how many it had (4 bytes each), the bytes.
"""

from __future__ import annotations

import struct
from typing import Final

_HEADER: Final = struct.Struct("!IHHiIII")
_PACKET: Final = struct.Struct("!IIII")
MAGIC: Final = 0xA1B2C3D4
MAX_SIZE: Final = 262144
ETHERNET: Final = 1


def pcap_header() -> bytes:
    """What the file begins with."""
    return _HEADER.pack(MAGIC, 2, 4, 0, 0, MAX_SIZE, ETHERNET)


def pcap_packet(frame: bytes, time_us: int) -> bytes:
    """An Ethernet frame of that time, in microseconds since 1970."""
    seconds, microseconds = divmod(time_us, 1_000_000)
    return _PACKET.pack(seconds, microseconds, len(frame), len(frame)) + frame


def decode_pcap(file: bytes) -> list[tuple[int, bytes]]:
    """The time of each packet, in microseconds, and its frame.

    Raises :exc:`ValueError` where it is no file of this kind, or is cut off.
    """
    if len(file) < _HEADER.size or _HEADER.unpack_from(file)[::6] != (MAGIC, ETHERNET):
        raise ValueError("pcap: no such header")
    packets: list[tuple[int, bytes]] = []
    at = _HEADER.size
    while at < len(file):
        start = at + _PACKET.size
        if start > len(file):
            raise ValueError(f"pcap: {len(file) - at} bytes left at offset {at}")
        seconds, microseconds, size, _ = _PACKET.unpack_from(file, at)
        at = start + size
        if at > len(file):
            raise ValueError(f"pcap: a packet that ends at {at} of {len(file)}")
        packets.append((seconds * 1_000_000 + microseconds, file[start:at]))
    return packets
