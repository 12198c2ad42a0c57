# SPDX-License-Identifier: Apache-2.0
"""What a switch says that our flows have counted."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.wire.events import FlowStats, decode_flow_reply
from ovs_dhcpd.controller.wire.flow_messages import flow_dump_request
from ovs_dhcpd.controller.wire.flow_stats import (
    FIRST_XID,
    FlowCounts,
    decode_flow_stats,
    flow_stats_request,
)
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15

from tests.unit.ofp_print import ofp_print

VERSIONS = pytest.mark.parametrize("version", [OFP13, OFP15], ids=["1.3", "1.5"])
COOKIE = 0x6468000000000007

# What Open vSwitch 3.1 answered of one flow of ours.
REPLIES = {
    OFP13: "04 13 00 50 c0 00 00 05 00 01 00 00 00 00 00 00"
    "00 40 00 00 00 00 00 02 2c 49 47 c0 00 05 00 00 00 00 00 00 00 00 00 00"
    "64 68 00 00 00 00 00 07 00 00 00 00 00 00 00 07 00 00 00 00 00 00 02 22"
    "00 01 00 0c 80 00 00 04 00 00 00 01 00 00 00 00",
    OFP15: "06 13 00 70 c0 00 00 05 00 01 00 00 00 00 00 00"
    "00 60 00 00 00 00 00 05 00 00 00 00 00 00 00 00 64 68 00 00 00 00 00 07"
    "00 01 00 0c 80 00 00 04 00 00 00 01 00 00 00 00"
    "00 00 00 34 80 02 00 08 00 00 00 04 2c 77 0e 80 80 02 02 08 00 00 00 02 00 00 00 00"
    "80 02 08 08 00 00 00 00 00 00 00 07 80 02 0a 08 00 00 00 00 00 00 02 22 00 00 00 00",
}


def test_each_version_says_what_it_has_a_place_for() -> None:
    counts = {
        OFP13: FlowCounts(packets=7, age_s=2.743, idle_s=None),
        OFP15: FlowCounts(packets=7, age_s=4.746, idle_s=2.0),
    }
    for version, reply in REPLIES.items():
        event = decode_flow_reply(bytes.fromhex(reply))
        assert event == FlowStats(FIRST_XID + 5, {COOKIE: counts[version]}, False)


@VERSIONS
def test_more_may_follow(version: int) -> None:
    reply = bytes.fromhex(REPLIES[version])
    assert decode_flow_reply(reply[:10] + b"\0\1" + reply[12:]).more  # type: ignore[union-attr]


@VERSIONS
def test_what_leads_out_of_the_message_is_refused(version: int) -> None:
    reply = bytes.fromhex(REPLIES[version])
    for size in range(17, len(reply)):
        with pytest.raises(ValueError, match=r"flow statistics: a flow of \d+ bytes at offset 16"):
            decode_flow_stats(reply[:size])
    for size in range({OFP13: 48, OFP15: len(reply) - 16}[version]):
        short = reply[:16] + size.to_bytes(2, "big") + reply[18 : 16 + size]
        with pytest.raises(ValueError, match=r"^(flow statistics|match|flow dump): "):
            decode_flow_stats(short)


@pytest.mark.needs_programs("ovs-ofctl")
@VERSIONS
def test_it_is_asked_of_one_port_or_of_all(version: int) -> None:
    assert flow_stats_request(version, 7) == flow_dump_request(version, 7)
    request = flow_stats_request(version, FIRST_XID, 5)
    assert ofp_print(request).rstrip().endswith("(xid=0xc0000000): in_port=5")
    assert bytes.fromhex("6468000000000000 ffff000000000000") in request
