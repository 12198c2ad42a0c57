# SPDX-License-Identifier: Apache-2.0
"""What OpenFlow messages have in common, and the two that make a switch send packet-ins.

The numbers are the OpenFlow Switch Specification's; Nicira's (vendor 0x2320) are in Open vSwitch's
``lib/ofp-msgs.h``.
"""

from __future__ import annotations

import struct

OFP13, OFP14, OFP15 = 4, 5, 6  # wire versions

# The header of every message, and where its first two fields and its transaction id are.
HEADER = struct.Struct("!BBHI")  # version, type, length of the whole, xid
MULTIPART_SIZE = 16  # of that and of what each multipart request and reply has after it
VERSION, KIND, XID = 0, 1, slice(4, 8)

OFPT_EXPERIMENTER = 4
OFPT_SET_CONFIG = 9
OFPT_MULTIPART_REQUEST = 18
OFPT_MULTIPART_REPLY = 19
OFPT_BUNDLE_CONTROL = 33

OFPMP_FLOW = 1  # called OFPMP_FLOW_DESC in 1.5, with another layout of each flow
OFPMP_AGGREGATE = 2
OFPMPF_MORE = 1

OFPP_ANY = OFPG_ANY = 0xFFFFFFFF

BUNDLE_COMMIT, BUNDLE_COMMIT_REPLY = 4, 5
ONF = 0x4F4E4600
ONF_BUNDLE_CONTROL = 2300

NICIRA = 0x2320
NXT_SET_PACKET_IN_FORMAT = 16
NXPIF_NXT_PACKET_IN2 = 2


def message(version: int, kind: int, body: bytes, xid: int = 0) -> bytes:
    """An OpenFlow message: the 8-byte header, then ``body``."""
    return HEADER.pack(version, kind, HEADER.size + len(body), xid) + body


def split(data: bytes) -> tuple[list[bytes], int]:
    """The whole messages at the start of ``data``, and how many bytes they are together.

    Raises :exc:`ValueError` on a message that is shorter than its own header: where the next one
    begins is then not known.
    """
    messages = []
    at, end = 0, len(data)
    while end - at >= 8:
        size = data[at + 2] << 8 | data[at + 3]
        if size < 8:
            raise ValueError(f"message of {size} bytes from the switch")
        if end - at < size:
            break
        messages.append(data[at : at + size])
        at += size
    return messages, at


def xid_of(message: bytes) -> int:
    """The transaction id in the header of ``message``."""
    return int.from_bytes(message[XID], "big")


def ask_for_packet_ins(version: int) -> bytes:
    """What makes a switch send NXT_PACKET_IN2, whole, on a connection that it would not by itself.

    A connection to ``<bridge>.mgmt`` is a service connection: it gets packet-ins
    only once its miss_send_len is not zero.
    """
    packet_in2 = struct.pack("!III", NICIRA, NXT_SET_PACKET_IN_FORMAT, NXPIF_NXT_PACKET_IN2)
    whole = struct.pack("!HH", 0, 0xFFFF)
    return message(version, OFPT_EXPERIMENTER, packet_in2) + message(
        version, OFPT_SET_CONFIG, whole
    )
