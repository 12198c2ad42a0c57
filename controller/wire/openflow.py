# SPDX-License-Identifier: Apache-2.0
"""What OpenFlow messages have in common, and the two that make a switch send packet-ins.

The numbers are the OpenFlow Switch Specification's; Nicira's (vendor 0x2320) are in Open vSwitch's
``lib/ofp-msgs.h``.
"""

from __future__ import annotations

import struct

from ovs_dhcpd.controller.wire.frames import TAGS

OFP13, OFP14, OFP15 = 4, 5, 6  # wire versions

# The header of every message, and where its first two fields and its transaction id are.
HEADER = struct.Struct("!BBHI")  # version, type, length of the whole, xid
MULTIPART_SIZE = 16  # of that and of what each multipart request and reply has after it
VERSION, KIND, XID = 0, 1, slice(4, 8)

OFPT_EXPERIMENTER = 4
OFPT_SET_CONFIG = 9
OFPT_PACKET_IN = 10
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
VENDOR_AND_PACKET_IN2 = struct.pack("!II", NICIRA, 30)
BODY = 16  # offset of the first property: OpenFlow header, vendor, subtype
FRAME = BODY + 4  # and of the packet that a packet-in begins with

MAX_SIZE = 0xFFFF  # of a message, as far as its header can say
_PACKET = VENDOR_AND_PACKET_IN2 + bytes(2)  # and the kind of a packet-in's first property
_MIN_FRAME, _MIN_TAGGED = 14, 18
_MIN_END = FRAME + _MIN_TAGGED  # of a packet-in's packet that nothing is to be asked about


def message(version: int, kind: int, body: bytes, xid: int = 0) -> bytes:
    """An OpenFlow message: the 8-byte header, then ``body``."""
    return HEADER.pack(version, kind, HEADER.size + len(body), xid) + body


def split(data: bytes) -> tuple[list[bytes], int]:
    """The whole messages at the start of ``data``, and how many bytes they are together.

    Of these a packet-in may be longer than MAX_SIZE.  Raises :exc:`ValueError` on a message that is
    shorter than its own header: where the next one begins is then not known.
    """
    messages = []
    at, end = 0, len(data)
    while end - at >= 8:
        size = data[at + 2] << 8 | data[at + 3]
        if not (
            data[at + 1] == OFPT_EXPERIMENTER
            and _MIN_END <= size <= end - at
            and _MIN_END <= BODY + (data[at + 18] << 8 | data[at + 19]) <= size
        ):
            size = _size(data, at, size)
            if size < 8:
                raise ValueError(f"message of {size} bytes from the switch")
            if end - at < size:
                break
        messages.append(data[at : at + size])
        at += size
    return messages, at


def _size(data: bytes, at: int, size: int) -> int:
    """How long the message is that begins at ``at``, and says that it is ``size`` long.

    While that is not to be told, it is more than there is of it.

    If a guest sends so long a frame, Open vSwitch sends the packet-in whole, and says the lower 16
    bits of its length and of its packet's.  Who believed it would read what the guest has written
    as messages of the switch.  That is so of an NXT_PACKET_IN2, and of the OFPT_PACKET_IN (7.4.1)
    that comes before we have asked for those.
    """

    def number(offset: int) -> int:
        return int.from_bytes(data[at + offset : at + offset + 2], "big")

    if data[at + KIND] == OFPT_PACKET_IN:
        frame, said = 24 + (number(26) + 7 & ~7) + 2, number(12)
    elif data[at + KIND] == OFPT_EXPERIMENTER and _PACKET.startswith(data[at + 8 : at + 18]):
        frame, said = FRAME, number(18) - 4 & 0xFFFF
    else:
        return size
    if len(data) < at + frame + _MIN_FRAME:
        return frame + _MIN_FRAME
    is_tagged = data[at + frame + 12 : at + frame + 14] in TAGS
    # The longest that there is has 65,535 bytes behind its header.
    is_longer = said < (_MIN_TAGGED if is_tagged else _MIN_FRAME)
    end = frame + said + (MAX_SIZE + 1 if is_longer else 0)
    return size + MAX_SIZE + 1 if end > size else size


def reply_kind(message: bytes) -> int | None:
    """Which multipart request ``message`` answers, or a part of it does; None: none."""
    is_reply = message[KIND] == OFPT_MULTIPART_REPLY
    return int.from_bytes(message[8:10], "big") if is_reply else None


def has_more(reply: bytes) -> bool:
    """Whether other multipart replies follow that belong to ``reply``."""
    return bool(int.from_bytes(reply[10:12], "big") & OFPMPF_MORE)


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
