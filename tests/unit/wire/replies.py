# SPDX-License-Identifier: Apache-2.0
"""What a switch says, of its flows and ports."""

from __future__ import annotations

import struct

from ovs_dhcpd.controller.wire.flow_entry import FlowEntry
from ovs_dhcpd.controller.wire.flow_monitor import FlowUpdate, What
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15, message

NO_STATISTICS = b"\x80\2\0\4\0\0\0\0"

# What Open vSwitch 3.1 answered on a bridge with seven flows of ours.
COUNT_REPLIES = {
    OFP13: "04 13 00 28 00 00 00 4d 00 02 00 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 07 00 00 00 00",
    OFP15: "06 13 00 38 00 00 00 4d 00 02 00 00 00 00 00 00 00 00 00 24"
    "80 02 08 08 00 00 00 00 00 00 00 00 80 02 0a 08 00 00 00 00 00 00 00 00"
    "80 02 06 04 00 00 00 07 00 00 00 00",
}


def entry(cookie: int) -> FlowEntry:
    """A flow with this cookie that matches everything and does nothing."""
    return FlowEntry(0, 100, cookie, b"\0\1\0\4\0\0\0\0", b"")


def dump_reply(version: int, xid: int, flows: list[FlowEntry], more: bool = False) -> bytes:
    """A flow dump reply as the specification lays it out."""
    body = struct.pack("!HH4x", 1, int(more))
    for table, priority, cookie, match, instructions in flows:
        rest = match + (NO_STATISTICS if version == OFP15 else b"") + instructions
        if version == OFP15:
            body += struct.pack("!H2xBxHHHHHQ", 24 + len(rest), table, priority, 0, 0, 0, 0, cookie)
        else:
            body += struct.pack("!HBxII", 48 + len(rest), table, 0, 0)
            body += struct.pack("!HHHH4xQQQ", priority, 0, 0, 0, cookie, 0, 0)
        body += rest
    return struct.pack("!BBHI", version, 19, 8 + len(body), xid) + body


def monitor_reply(
    version: int, updates: list[FlowUpdate], xid: int = 0, more: bool = False
) -> bytes:
    """What a switch sends to whom it tells of changed flows."""
    body = struct.pack("!HH4x", 16 if version == OFP15 else 0xFFFF, int(more))
    if version != OFP15:
        body += struct.pack("!II", 0x4F4E4600, 1870)
    for what, (table, priority, cookie, match, instructions) in updates:
        event = [What.ADDED, What.REMOVED, What.MODIFIED].index(what)
        rest = match + instructions
        if version == OFP15:
            body += struct.pack("!HHB5xH4xQ", 24 + len(rest), event + 1, table, priority, cookie)
        else:
            body += struct.pack("!HH2xH4xHB", 24 + len(rest), event, priority, len(match), table)
            body += struct.pack("!xQ", cookie)
        body += rest
    return struct.pack("!BBHI", version, 19, 8 + len(body), xid) + body


def port_status(version: int, reason: int, name: bytes, ofport: int) -> bytes:
    """A port status as the specification lays it out, with one property in 1.5."""
    if version == OFP15:
        port = struct.pack("!IH2x6s2x16sII", ofport, 48, bytes(6), name, 0, 0) + bytes(8)
    else:
        port = struct.pack("!I4x6s2x16s8I", ofport, bytes(6), name, *range(8))
    return message(version, 12, struct.pack("!B7x", reason) + port)
