# SPDX-License-Identifier: Apache-2.0
"""Reads files of captured packets, as :mod:`controller.wire.pcap` lays them out."""

from __future__ import annotations

from ovs_dhcpd.controller.wire.pcap import ETHERNET, HEADER, MAGIC, PACKET


def decode_pcap(file: bytes) -> list[tuple[int, bytes]]:
    """The time of each packet, in microseconds, and its frame.

    Raises :exc:`ValueError` where it is no file of this kind, or is cut off.
    """
    if len(file) < HEADER.size or HEADER.unpack_from(file)[::6] != (MAGIC, ETHERNET):
        raise ValueError("pcap: no such header")
    packets: list[tuple[int, bytes]] = []
    at = HEADER.size
    while at < len(file):
        start = at + PACKET.size
        if start > len(file):
            raise ValueError(f"pcap: {len(file) - at} bytes left at offset {at}")
        seconds, microseconds, size, _ = PACKET.unpack_from(file, at)
        at = start + size
        if at > len(file):
            raise ValueError(f"pcap: a packet that ends at {at} of {len(file)}")
        packets.append((seconds * 1_000_000 + microseconds, file[start:at]))
    return packets
