# SPDX-License-Identifier: Apache-2.0
"""Files of captured packets, as ``tcpdump -r`` and Wireshark read them (pcap-savefile(5)).

A header of 24 bytes: magic number 0xa1b2c3d4, version 2.4, two zero fields of 4 bytes, the most
bytes that a packet may have, and the type of link, 1 for Ethernet.  Then each packet: seconds and
microseconds since 1970, how many bytes of it there are, how many it had (4 bytes each), the bytes.
"""

from __future__ import annotations

import struct
from typing import Final

HEADER: Final = struct.Struct("!IHHiIII")
PACKET: Final = struct.Struct("!IIII")
MAGIC: Final = 0xA1B2C3D4
MAX_SIZE: Final = 262144
ETHERNET: Final = 1


def pcap_header() -> bytes:
    """What the file begins with."""
    return HEADER.pack(MAGIC, 2, 4, 0, 0, MAX_SIZE, ETHERNET)


def pcap_packet(frame: bytes, time_us: int) -> bytes:
    """An Ethernet frame of that time, in microseconds since 1970."""
    seconds, microseconds = divmod(time_us, 1_000_000)
    return PACKET.pack(seconds, microseconds, len(frame), len(frame)) + frame
