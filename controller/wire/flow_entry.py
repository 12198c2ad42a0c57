# SPDX-License-Identifier: Apache-2.0
"""A flow as the switch tells of it, and what a flow of ours looks like when it does.

A match is on the wire ``type=1(2) length(2)``, OXM terms, padding to 8 bytes; the length counts no
padding.  Open vSwitch puts the terms of all matches in one order (``lib/nx-match.c``,
``nx_put_raw``), which is that in which :mod:`controller.wire.oxm` puts those of ours, so that equal
flows are equal bytes.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ovs_dhcpd.controller.wire.flow_messages import FLOW_MOD_SIZE, encode_add
from ovs_dhcpd.controller.wire.openflow import MULTIPART_SIZE, OFP15, VERSION, has_more
from ovs_dhcpd.controller.wire.oxm import match_size, show_match
from ovs_dhcpd.flows.pipeline.flow import Flow, is_our_cookie

Place = tuple[int, int, bytes]  # table, priority, match


class FlowEntry(NamedTuple):
    """A flow of a switch; `match` with its header and padding, and `instructions`, are bytes."""

    table: int
    priority: int
    cookie: int
    match: bytes
    instructions: bytes

    @property
    def place(self) -> Place:
        """What a switch has one flow of at the most."""
        return self.table, self.priority, self.match

    @property
    def is_ours(self) -> bool:
        """Whether the cookie has our prefix."""
        return is_our_cookie(self.cookie)

    def __str__(self) -> str:
        terms = ",".join([f"priority={self.priority}", *show_match(self.match)])
        return f"table={self.table}, {terms}"


def entry_of(version: int, flow: Flow) -> FlowEntry:
    """What a switch that speaks OpenFlow ``version`` tells of ``flow`` of ours."""
    content = encode_add(version, flow)[FLOW_MOD_SIZE:]
    size = match_size(content, 0, len(content))
    return FlowEntry(flow.table, flow.priority, flow.cookie, content[:size], content[size:])


# Of an entry of a flow dump: where its table is, its priority, its cookie and its match.
#
#     1.3  length 2, table 1, pad 1, duration 8, priority 2, timeouts 4, flags 2, pad 4, cookie 8,
#          packets 8, bytes 8, match, instructions
#     1.5  length 2, pad 2, table 1, pad 1, priority 2, timeouts 4, flags 2, importance 2, cookie 8,
#          match, statistics, instructions
#
# 1.4 has what 1.3 has.  Statistics are ``reserved(2) length(2)``, fields, padding to 8 bytes.
DUMP_13 = struct.Struct("!HBx8xH10xQ16x")
DUMP_15 = struct.Struct("!H2xBxH8xQ")


def decode_flow_dump(reply: bytes) -> tuple[list[FlowEntry], bool]:
    """One reply to a flow dump request: the flows in it, and whether more replies follow.

    Raises :exc:`ValueError` where a length leads out of what it is in.
    """
    end = len(reply)
    if end < MULTIPART_SIZE:
        raise ValueError(f"flow dump: {end} bytes, expected {MULTIPART_SIZE} of headers")
    has_statistics = reply[VERSION] >= OFP15
    fixed = DUMP_15 if has_statistics else DUMP_13
    entries: list[FlowEntry] = []
    at = MULTIPART_SIZE
    while at < end:
        if at + fixed.size > end:
            raise ValueError(f"flow dump: {end - at} bytes left at offset {at}")
        size, table, priority, cookie = fixed.unpack_from(reply, at)
        stop = at + size
        if size < fixed.size or stop > end:
            raise ValueError(f"flow dump: a flow of {size} bytes at offset {at} of {end}")
        match_at = at + fixed.size
        instructions_at = match_end = match_at + match_size(reply, match_at, stop)
        if has_statistics:
            instructions_at += statistics_size(reply, match_end, stop)
        entries.append(
            FlowEntry(
                table, priority, cookie, reply[match_at:match_end], reply[instructions_at:stop]
            )
        )
        at = stop
    return entries, has_more(reply)


def statistics_size(data: bytes, at: int, end: int) -> int:
    """How many bytes there the statistics of a flow in OpenFlow 1.5 take, padding included.

    Raises :exc:`ValueError` where that is more than there are.
    """
    size = int.from_bytes(data[at + 2 : at + 4], "big") if at + 4 <= end else 0
    size += -size % 8
    if size < 8 or at + size > end:
        raise ValueError(f"flow dump: statistics of {size} bytes in {max(end - at, 0)}")
    return size
