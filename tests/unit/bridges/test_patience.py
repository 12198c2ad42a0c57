# SPDX-License-Identifier: Apache-2.0
"""How long a switch may take to answer, and how much it may say."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.bridges import patience as p
from ovs_dhcpd.controller.bridges.patience import ANSWER_S, Patience
from ovs_dhcpd.controller.wire import flow_messages, meters, openflow
from ovs_dhcpd.controller.wire.events import (
    Committed,
    Event,
    FlowCount,
    FlowDump,
    FlowsChanged,
    FlowStats,
    MeterFeatures,
    Refused,
)
from ovs_dhcpd.controller.wire.flow_entry import FlowEntry
from ovs_dhcpd.controller.wire.flow_monitor import FlowUpdate, What
from ovs_dhcpd.controller.wire.flow_stats import FlowCounts, flow_stats_request
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15
from ovs_dhcpd.flows.bindings.rate_limit import DEFAULT_RATE_LIMIT
from ovs_dhcpd.flows.pipeline import build
from ovs_dhcpd.flows.pipeline.flow import COOKIE_PREFIX, COOKIE_SHIFT
from ovs_dhcpd.flows.pipeline.meter import PortMeter, meter_id
from ovs_dhcpd.flows.pipeline.reconcile import Changes

VERSIONS = pytest.mark.parametrize("version", [OFP13, OFP15], ids=["1.3", "1.5"])
OURS = COOKIE_PREFIX << COOKIE_SHIFT


def bundle(version: int, xid: int, count: int) -> list[bytes]:
    flows = tuple(build.bridge_flows())[:1] * count
    return list(flow_messages.encode_bundle(version, Changes(flows, ()), xid))


def change_of_meters(version: int, xid: int) -> list[bytes]:
    meter = PortMeter(meter_id(5), DEFAULT_RATE_LIMIT)
    return [meters.encode_add(version, meter, xid - 1), meters.features_request(version, xid)]


def asked(version: int) -> list[tuple[list[bytes], Event, str]]:
    """What is sent, what answers it, and what it is called; the transaction id is 7."""
    return [
        ([flow_messages.flow_dump_request(version, 7)], FlowDump(7, (), False), "a flow dump"),
        ([flow_messages.flow_count_request(version, 7)], FlowCount(7, 3), "a flow count"),
        ([flow_stats_request(version, 7)], FlowStats(7, {}, False), "a flow dump"),
        (bundle(version, 7, 1), Committed(7), "a bundle"),
        (bundle(version, 7, 1), Refused(7, "what"), "a bundle"),
        (change_of_meters(version, 7), MeterFeatures(7, 100), "a change of meters"),
        (change_of_meters(version, 7), Refused(7, "what"), "a change of meters"),
    ]


@VERSIONS
@pytest.mark.parametrize("index", range(7))
def test_a_question_has_ten_seconds(version: int, index: int) -> None:
    messages, answer, name = asked(version)[index]
    patience = Patience()
    assert patience.next_s() is None
    patience.sent(messages, 100.0)
    deadline_s = patience.next_s()
    assert deadline_s is not None
    assert 100.0 + ANSWER_S <= deadline_s < 100.1 + ANSWER_S
    patience.wait(deadline_s - 0.001)
    assert not patience.exhausted
    patience.wait(deadline_s)
    assert patience.exhausted == f"no answer to {name} within 10 s"

    patience = Patience()
    patience.sent(messages, 100.0)
    patience.heard(answer, 105.0)
    patience.wait(1000.0)
    assert not patience.exhausted


@VERSIONS
def test_a_great_bundle_has_longer(version: int) -> None:
    patience = Patience()
    patience.sent(bundle(version, 7, 20_000), 0.0)
    deadline_s = patience.next_s()
    assert deadline_s is not None
    assert ANSWER_S + 10 <= deadline_s < ANSWER_S + 11
    patience.wait(deadline_s)
    assert patience.exhausted == "no answer to a bundle within 20 s"


def test_what_is_not_a_question_needs_no_answer() -> None:
    patience = Patience()
    patience.sent([openflow.ask_for_packet_ins(OFP15)], 0.0)
    patience.sent([flow_messages.encode_packet_out(OFP15, 7, b"frame")], 0.0)
    assert patience.next_s() is None


def test_whether_a_switch_has_meters_it_need_not_say() -> None:
    patience = Patience()
    patience.sent([meters.features_request(OFP15, 7), meters.config_request(OFP15, 8)], 0.0)
    assert patience.next_s() is None


def test_another_answer_is_none() -> None:
    patience = Patience()
    patience.sent([flow_messages.flow_dump_request(OFP15, 7)], 0.0)
    patience.heard(FlowDump(8, (), False), 1.0)
    patience.wait(ANSWER_S)
    assert patience.exhausted


def test_a_dump_without_an_end_has_one() -> None:
    patience = Patience()
    patience.sent([flow_messages.flow_dump_request(OFP15, 7)], 0.0)
    part = FlowDump(7, (FlowEntry(0, 1, 5, b"\0\1\0\4\0\0\0\0", bytes(60_000)),) * 10, True)
    parts = 0
    while not patience.exhausted:
        patience.heard(part, 1.0)
        parts += 1
    assert patience.exhausted == "a flow dump of more than 64 MB"
    assert parts == p.MAX_SIZE // (10 * 60_208) + 1
    patience.wait(100.0)
    assert patience.exhausted == "a flow dump of more than 64 MB"


def test_statistics_without_an_end_have_one() -> None:
    patience = Patience()
    patience.sent([flow_stats_request(OFP15, 7)], 0.0)
    part = FlowStats(7, dict.fromkeys(range(10_000), FlowCounts(1, 1.0, None)), True)
    parts = 0
    while not patience.exhausted:
        patience.heard(part, 1.0)
        parts += 1
    assert patience.exhausted == "flow statistics of more than 64 MB"
    assert parts == p.MAX_SIZE // (10_000 * p.FLOW_SIZE) + 1


def test_parts_that_keep_coming_are_no_end_either() -> None:
    patience = Patience()
    patience.sent([flow_messages.flow_dump_request(OFP15, 7)], 0.0)
    for second in range(10):
        patience.heard(FlowDump(7, (), True), float(second))
    patience.wait(10.0)
    assert patience.exhausted == "no answer to a flow dump within 10 s"


def test_a_dump_after_the_other_begins_anew() -> None:
    patience = Patience()
    flows = (FlowEntry(0, 1, 5, b"", bytes(60_000)),) * 1000
    for xid in range(9):
        patience.sent([flow_messages.flow_dump_request(OFP15, xid)], 0.0)
        patience.heard(FlowDump(xid, flows, False), 0.0)
    assert not patience.exhausted


@pytest.mark.parametrize(("cookie", "exhausted"), [(OURS, True), (5, False)])
def test_changes_of_our_flows_have_a_limit(cookie: int, exhausted: bool) -> None:
    patience = Patience()
    update = FlowUpdate(What.ADDED, FlowEntry(0, 1, cookie, b"", bytes(60_000)))
    changed = FlowsChanged(0, (update,) * 100, False)
    for _ in range(12):
        patience.heard(changed, 1.0)
    assert bool(patience.exhausted) == exhausted
    slow = Patience()
    for second in range(0, 1000, 10):
        slow.heard(changed, float(second))
    assert not slow.exhausted
