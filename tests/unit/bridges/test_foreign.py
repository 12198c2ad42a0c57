# SPDX-License-Identifier: Apache-2.0
"""What is said of the flows of somebody else, and when it is over."""

from __future__ import annotations

import re
import time

import pytest
from ovs_dhcpd.controller.bridges import foreign
from ovs_dhcpd.controller.bridges.foreign import SETTLED_S, SHADOWS, Foreign
from ovs_dhcpd.controller.bridges.patience import flow_size
from ovs_dhcpd.controller.bridges.shadow import Ask
from ovs_dhcpd.controller.wire.events import FlowsChanged
from ovs_dhcpd.controller.wire.flow_entry import FlowEntry
from ovs_dhcpd.controller.wire.flow_monitor import FlowUpdate, What
from ovs_dhcpd.controller.wire.oxm import encode_match, encode_term
from ovs_dhcpd.flows.pipeline import flow as f

NORMAL = bytes.fromhex("0004 0018 00000000 0000 0010 fffffffa 0000 000000000000")
ASKS = [Ask(f"vm{number}", "DHCPv4", 100, number, None) for number in range(1, 6)]
NOTHING_BEHIND = (
    "no flow in table 0 but ours, expected one that forwards: guests get leases and nothing else; "
    "type: ovs-ofctl add-flow br-int priority=0,actions=NORMAL"
)


class Script:
    def __init__(self, *there: FlowEntry) -> None:
        self.foreign = Foreign("br-int")
        self.now_s = 100.0
        self.foreign.connected()
        self.tell(What.ADDED, *there, xid=7)

    def tell(self, what: What, *flows: FlowEntry, xid: int = 0) -> None:
        updates = tuple(FlowUpdate(what, flow) for flow in flows)
        self.foreign.changed(FlowsChanged(xid, updates, False), self.now_s)

    def look(self) -> tuple[list[str], list[str]]:
        self.now_s += SETTLED_S
        return self.foreign.look(self.now_s, lambda: ASKS)


def flow(priority: int, *terms: bytes, cookie: int = 0, do: bytes = NORMAL) -> FlowEntry:
    return FlowEntry(0, priority, cookie, encode_match(b"".join(terms)), do)


def test_with_something_that_forwards_and_nothing_in_the_way_all_is_well() -> None:
    script = Script(flow(0))
    assert script.look() == ([], [])
    assert script.foreign.next_s() is None


def test_with_nothing_that_forwards_behind_it_is_said_until_there_is() -> None:
    script = Script(flow(1, do=b""), flow(100, cookie=0x6468 << 48))
    assert script.look() == ([NOTHING_BEHIND], [])
    assert (script.foreign.known, script.foreign.lacks_forwarding) == (True, NOTHING_BEHIND)
    script.tell(What.ADDED, flow(0))
    assert script.look() == ([], [NOTHING_BEHIND])
    assert script.foreign.problems == ()
    script.tell(What.REMOVED, flow(0))
    assert script.look() == ([NOTHING_BEHIND], [])


def test_before_all_is_known_nothing_is_said() -> None:
    script = Script()
    script.foreign.connected()
    assert script.look() == ([], [])
    assert (script.foreign.known, script.foreign.lacks_forwarding) == (False, "")


def test_a_flow_in_the_way_is_named_with_three_ports() -> None:
    script = Script(flow(0), flow(200))
    expected = (
        "a flow of somebody else, table=0, priority=200, takes DHCPv4 of vm1, vm2, vm3 and 2 more "
        "before ours, expected a priority below 100"
    )
    assert script.look() == ([expected], [])
    script.tell(What.MODIFIED, flow(200, do=b""))
    assert script.look() == ([], [])
    script.tell(What.REMOVED, flow(200))
    assert script.look() == ([], [expected])


def test_a_flow_in_the_way_of_one_port_names_it() -> None:
    script = Script(flow(0))
    script.tell(What.ADDED, flow(300, encode_term(f.IN_PORT, 4), do=b""))
    ((problem,), _) = script.look()
    assert "table=0, priority=300,in_port=4, takes DHCPv4 of vm4 before" in problem


def test_what_takes_the_requests_of_one_port_is_told_with_its_flow() -> None:
    in_the_way = flow(200, encode_term(f.IN_PORT, 1))
    script = Script(in_the_way)
    ((line, found),) = script.foreign.taking(ASKS[:1])
    assert found == in_the_way
    assert line.startswith(f"a flow of somebody else, {found}, takes DHCPv4 of vm1 before ours")
    assert [*script.foreign.taking(ASKS[1:])] == []


def test_it_is_looked_at_once_it_has_settled() -> None:
    script = Script(flow(0))
    script.look()
    for _ in range(10):
        script.tell(What.ADDED, flow(200))
        script.tell(What.REMOVED, flow(200))
        script.now_s += SETTLED_S / 10
    assert script.look() == ([], [])


def test_a_hundred_thousand_flows_and_two_thousand_ports_are_bounded() -> None:
    start_s = time.process_time()
    script = Script(flow(0))
    updates = [
        flow(200 + number // 1000, encode_term(f.METADATA, 0, number)) for number in range(100_000)
    ]
    script.tell(What.ADDED, *updates)
    told_s = time.process_time() - start_s
    script.now_s += SETTLED_S
    asks = [Ask(f"vm{number}", "DHCPv4", 100, number, None) for number in range(2000)]
    new, _ = script.foreign.look(script.now_s, lambda: asks)
    took_s = time.process_time() - start_s
    print(f"{1000 * told_s:.0f} ms to take in, {1000 * (took_s - told_s):.0f} ms to look")
    assert len(new) == 11
    assert took_s < 20
    assert SHADOWS * len(asks) <= 200_000


def test_what_is_remembered_of_such_flows_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    def named() -> list[str]:
        script.look()
        return re.findall(r"priority=(\d+), takes", " ".join(script.foreign.problems))

    monkeypatch.setattr(foreign, "MAX_SIZE", 3 * flow_size(flow(200)))
    script = Script(flow(0), *(flow(200 + number) for number in range(1000)))
    assert named() == ["202", "201", "200"]
    script.tell(What.ADDED, flow(201, do=NORMAL + NORMAL))
    assert named() == ["202", "200"]
    script.tell(What.ADDED, flow(201))
    script.tell(What.REMOVED, flow(200), flow(999))
    script.tell(What.ADDED, flow(300), flow(301))
    assert named() == ["300", "202", "201"]
