# SPDX-License-Identifier: Apache-2.0
"""What the switch has counted of our flows: asked for when somebody wants to know.

It is the flow dump request of :mod:`~controller.wire.flow_messages` again, whose answer has both;
a transaction id of FIRST_XID and more has the answer read for its numbers alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ovs_dhcpd.controller.wire.flow_entry import DUMP_13, DUMP_15, statistics_size
from ovs_dhcpd.controller.wire.flow_messages import encode_flow_request
from ovs_dhcpd.controller.wire.openflow import (
    MULTIPART_SIZE,
    OFP15,
    OFPMP_FLOW,
    VERSION,
    has_more,
    xid_of,
)
from ovs_dhcpd.controller.wire.oxm import encode_term, match_size
from ovs_dhcpd.flows.pipeline.flow import IN_PORT

FIRST_XID = 3 << 30  # the flow table counts from 1, the meter table from 1 << 31

OXS_DURATION, OXS_IDLE_TIME, OXS_PACKET_COUNT = 0, 1, 4
_OXS_CLASS = b"\x80\x02"
_TIME = struct.Struct("!II")  # seconds, nanoseconds
_DURATION_13 = struct.Struct("!4xII")  # of an entry of 1.3, from its beginning
_PACKETS_13 = struct.Struct("!32xQ")


@dataclass(frozen=True, slots=True)
class FlowCounts:
    """What a flow has counted: `packets`; `age_s`, for how long it is there, in seconds.

    `idle_s` is how long ago the last packet came, or without any the flow; None: the switch does
    not say, as OpenFlow before 1.5 has no place for it.
    """

    packets: int
    age_s: float
    idle_s: float | None


def flow_stats_request(version: int, xid: int, ofport: int | None = None) -> bytes:
    """Ask what the flows of ours have counted that are about this port, or all of them."""
    terms = b"" if ofport is None else encode_term(IN_PORT, ofport)
    return encode_flow_request(version, OFPMP_FLOW, xid, terms)


def is_flow_stats_reply(reply: bytes) -> bool:
    """Whether a flow dump reply is (a part of) the answer to :func:`flow_stats_request`."""
    return xid_of(reply) >= FIRST_XID


def decode_flow_stats(reply: bytes) -> tuple[dict[int, FlowCounts], bool]:
    """What each flow has counted, by its cookie, and whether more replies follow.

    Raises :exc:`ValueError` where a length leads out of what it is in.
    """
    found: dict[int, FlowCounts] = {}
    at = MULTIPART_SIZE
    decode = _decode_15 if reply[VERSION] >= OFP15 else _decode_13
    while at < len(reply):
        size = int.from_bytes(reply[at : at + 2], "big")
        if size < DUMP_15.size or at + size > len(reply):
            raise ValueError(f"flow statistics: a flow of {size} bytes at offset {at}")
        cookie, counts = decode(reply[at : at + size])
        found[cookie] = counts
        at += size
    return found, has_more(reply)


def _decode_13(entry: bytes) -> tuple[int, FlowCounts]:
    if len(entry) < DUMP_13.size:
        raise ValueError(f"flow statistics: a flow of {len(entry)} bytes")
    *_, cookie = DUMP_13.unpack_from(entry)
    age_s = _seconds(*_DURATION_13.unpack_from(entry))
    (packets,) = _PACKETS_13.unpack_from(entry)
    return cookie, FlowCounts(packets, age_s, None)


def _decode_15(entry: bytes) -> tuple[int, FlowCounts]:
    *_, cookie = DUMP_15.unpack_from(entry)
    at = DUMP_15.size + match_size(entry, DUMP_15.size, len(entry))
    fields = dict(_fields(entry[at + 4 : at + statistics_size(entry, at, len(entry))]))
    return cookie, FlowCounts(
        int.from_bytes(fields.get(OXS_PACKET_COUNT, b""), "big"),
        _time(fields.get(OXS_DURATION)) or 0.0,
        _time(fields.get(OXS_IDLE_TIME)),
    )


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each ``class(2) field<<1(1) size(1)`` and its value; padding is of class 0."""
    at = 0
    while data[at : at + 2] == _OXS_CLASS and at + 4 <= len(data):
        size = data[at + 3]
        yield data[at + 2] >> 1, data[at + 4 : at + 4 + size]
        at += 4 + size


def _time(value: bytes | None) -> float | None:
    return _seconds(*_TIME.unpack(value)) if value and len(value) == _TIME.size else None


def _seconds(seconds: int, nanoseconds: int) -> float:
    return seconds + nanoseconds / 1e9
