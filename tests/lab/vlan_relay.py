# SPDX-License-Identifier: Apache-2.0
"""A VLAN interface where the kernel has none (CONFIG_VLAN_8021Q): frames with a tag, and without.

    python -m tests.lab.vlan_relay TRUNK ACCESS TAG

What comes in by ACCESS goes out of TRUNK with the tag of the VLAN TAG, and what comes in by TRUNK
with this tag goes out of ACCESS without.
"""

from __future__ import annotations

import select
import socket
import struct
import sys

ETH_P_ALL = 3
SOL_PACKET, PACKET_AUXDATA = 263, 8  # linux/if_packet.h
VLAN_VALID, TPID_VALID = 1 << 4, 1 << 6
# Status, length, snapped length, offsets of MAC and network header, TCI, TPID.
AUXDATA = struct.Struct("=IIIHHHH")


def open_raw(interface: str) -> socket.socket:
    """A socket for the whole frames of an interface; the kernel tells tags beside them."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    raw.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    raw.bind((interface, 0))
    return raw


def receive(raw: socket.socket) -> tuple[bytes, int | None] | None:
    """A frame that has come in, and the VLAN of the 802.1Q tag that it had; None: it goes out."""
    frame, ancillary, _, address = raw.recvmsg(65535, 256)
    if address[2] == socket.PACKET_OUTGOING:
        return None
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, *_, tci, tpid = AUXDATA.unpack(data[: AUXDATA.size])
            if status & VLAN_VALID and not (status & TPID_VALID and tpid != 0x8100):
                return frame, tci & 0xFFF
    return frame, None


def main(trunk_name: str, access_name: str, tag: int) -> None:
    """Relay until killed."""
    trunk, access = open_raw(trunk_name), open_raw(access_name)
    header = struct.pack("!HH", 0x8100, tag)
    while True:
        for raw in select.select([trunk, access], [], [])[0]:
            received = receive(raw)
            if received is None:
                continue
            frame, vlan = received
            if raw is access:
                trunk.send(frame[:12] + header + frame[12:])
            elif vlan == tag:
                access.send(frame)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
