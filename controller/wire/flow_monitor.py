# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch's flow monitor: being told of each flow that somebody else changes.

In OpenFlow 1.4 and later it is OFPMP_FLOW_MONITOR, in 1.3 the same as an experimenter's multipart
message (ONF EXT-187); Open vSwitch has both since 2.16 (``lib/ofp-monitor.c``).  What we change
ourselves it abbreviates to the transaction id, which is no news.  When more than 128 kB of
updates wait it pauses, and then tells of all flows that are others than before.

A request, for one table, is

    1.3   id 4, flags 2, length of the match 2, port 4, table 1, pad 3, match
    1.4   id 4, port 4, group 4, flags 2, table 1, command 1, match

and an update

    1.3   length 2, event 2, reason 2, priority 2, timeouts 4, length of the match 2, table 1,
          pad 1, cookie 8, match, instructions
    1.4   length 2, event 2, table 1, reason 1, timeouts 4, priority 2, pad 4, cookie 8, match,
          instructions
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable
from typing import NamedTuple

from ovs_dhcpd.controller.wire.flow_entry import FlowEntry
from ovs_dhcpd.controller.wire.openflow import (
    KIND,
    MULTIPART_SIZE,
    OFP14,
    OFPG_ANY,
    OFPP_ANY,
    OFPT_MULTIPART_REPLY,
    OFPT_MULTIPART_REQUEST,
    ONF,
    VERSION,
    has_more,
    message,
)
from ovs_dhcpd.controller.wire.oxm import encode_match, match_size

OFPMP_FLOW_MONITOR, OFPMP_EXPERIMENTER = 16, 0xFFFF
ONF_FLOW_MONITOR = 1870

INITIAL, ADD, REMOVED, MODIFY, INSTRUCTIONS = (1 << bit for bit in range(5))  # flags

_MONITOR_13 = struct.Struct("!IHHIB3x")
_MONITOR_14 = struct.Struct("!IIIHBB")
_UPDATE_13 = struct.Struct("!HH2xH6xBxQ")  # length, event, priority, table, cookie
_UPDATE_14 = struct.Struct("!HHB5xH4xQ")  # length, event, table, priority, cookie


class What(enum.Enum):
    """What has become of a flow; a flow that replaces another one is ADDED or MODIFIED."""

    ADDED = "added"
    REMOVED = "deleted"
    MODIFIED = "modified"


class FlowUpdate(NamedTuple):
    """Somebody else has changed `flow`, and this is how it is now; REMOVED: how it was."""

    what: What
    flow: FlowEntry


# By event; what is not here is none of anybody else's, or has no flow (abbreviated, paused, …).
_WHAT_13 = {0: What.ADDED, 1: What.REMOVED, 2: What.MODIFIED}
_WHAT_14 = {0: What.ADDED, 1: What.ADDED, 2: What.REMOVED, 3: What.MODIFIED}  # 0: was there


def encode_flow_monitor(version: int, xid: int, tables: Iterable[tuple[int, bool]]) -> bytes:
    """Ask to be told of changes in ``tables``; True: also, at once, of the flows that are there.

    These come in replies with this transaction id, changes in such with the id 0.
    """
    body = _multipart_head(version)
    for number, (table, initial) in enumerate(tables, 1):
        flags = ADD | REMOVED | MODIFY | INSTRUCTIONS | (INITIAL if initial else 0)
        if version >= OFP14:
            body += _MONITOR_14.pack(number, OFPP_ANY, OFPG_ANY, flags, table, 0)
        else:
            body += _MONITOR_13.pack(number, flags, 4, OFPP_ANY, table)
        body += encode_match()
    return message(version, OFPT_MULTIPART_REQUEST, body, xid)


def _multipart_head(version: int) -> bytes:
    if version >= OFP14:
        return struct.pack("!HH4x", OFPMP_FLOW_MONITOR, 0)
    return struct.pack("!HH4xII", OFPMP_EXPERIMENTER, 0, ONF, ONF_FLOW_MONITOR)


def is_flow_monitor_reply(reply: bytes) -> bool:
    """Whether ``reply`` tells of flows that are monitored."""
    if reply[KIND] != OFPT_MULTIPART_REPLY:
        return False
    head = _multipart_head(reply[VERSION])
    return reply[8:10] == head[:2] and reply[16 : 8 + len(head)] == head[8:]


def decode_flow_monitor(reply: bytes) -> tuple[list[FlowUpdate], bool]:
    """The updates in a reply, and whether others follow that belong to it.

    Raises :exc:`ValueError` where a length leads out of what it is in.
    """
    is_13 = reply[VERSION] < OFP14
    fixed, whats = (_UPDATE_13, _WHAT_13) if is_13 else (_UPDATE_14, _WHAT_14)
    updates: list[FlowUpdate] = []
    at, end = MULTIPART_SIZE + (8 if is_13 else 0), len(reply)
    while at < end:
        if at + 8 > end:
            raise ValueError(f"flow monitor: {end - at} bytes left at offset {at}")
        size, event = struct.unpack_from("!HH", reply, at)
        stop = at + size
        what = whats.get(event)
        if size < (fixed.size if what else 8) or stop > end:
            raise ValueError(f"flow monitor: an update of {size} bytes at offset {at} of {end}")
        if what:
            if is_13:
                _, _, priority, table, cookie = fixed.unpack_from(reply, at)
            else:
                _, _, table, priority, cookie = fixed.unpack_from(reply, at)
            match_at = at + fixed.size
            match_end = match_at + match_size(reply, match_at, stop)
            match, instructions = reply[match_at:match_end], reply[match_end:stop]
            updates.append(
                FlowUpdate(what, FlowEntry(table, priority, cookie, match, instructions))
            )
        at = stop
    return updates, has_more(reply)
