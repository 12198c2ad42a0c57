# SPDX-License-Identifier: Apache-2.0
"""The state machine that keeps a bridge and the wanted flows the same, without a switch."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from ovs_dhcpd.controller.bridges.flow_table import FlowTable
from ovs_dhcpd.controller.wire.events import FlowCount, FlowDump, FlowsChanged, decode_flow_reply
from ovs_dhcpd.controller.wire.flow_entry import FlowEntry, entry_of
from ovs_dhcpd.controller.wire.flow_messages import flow_dump_request
from ovs_dhcpd.controller.wire.flow_monitor import FlowUpdate, What
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15, xid_of
from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.flow import Flow, Is, Resubmit

from tests.unit.wire.replies import dump_reply, entry, monitor_reply


def a_flow(port: int) -> Flow:
    return Flow(0, 100, f.UDP, (Is(f.IN_PORT, port),), (Resubmit(201),))


def bundle(messages: list[bytes], version: int = OFP15) -> list[tuple[str, int]]:
    """What a bundle does: ("add" or "delete", cookie) each."""
    assert [m[1] for m in messages] == [33, *[34] * (len(messages) - 2), 33][: len(messages)]
    done = []
    for message in messages[1:-1]:
        cookie, _, _, command = struct.unpack_from("!QQBB", message, 16 + 8)
        done.append(({0: "add", 3: "delete"}[command], cookie))
    return done


def there(*flows: Flow, version: int = OFP15) -> list[FlowEntry]:
    """The flows as the switch tells of them."""
    return [entry_of(version, flow) for flow in flows]


def connect(table: FlowTable, installed: list[Flow]) -> None:
    *_, request = table.connected(OFP15)
    dump(table, dump_reply(OFP15, xid_of(request), there(*installed)))


def dump(table: FlowTable, reply: bytes) -> None:
    event = decode_flow_reply(reply)
    assert isinstance(event, FlowDump)
    table.dumped(event)


def counted(table: FlowTable, reply: bytes) -> list[bytes]:
    event = decode_flow_reply(reply)
    assert isinstance(event, FlowCount)
    return table.counted(event)


def test_nothing_is_sent_before_the_switch_has_said_what_it_has() -> None:
    table = FlowTable()
    table.want("port a", [a_flow(1)])
    assert list(table.reconcile(0)) == []
    list(table.connected(OFP15))
    assert list(table.reconcile(0)) == []


@pytest.mark.parametrize("version", [OFP13, OFP15], ids=["1.3", "1.5"])
def test_a_dump_in_parts_is_taken_together(version: int) -> None:
    table = FlowTable()
    flows = [a_flow(port) for port in range(3)]
    table.want("ports", flows)
    *_, request = table.connected(version)
    first = dump_reply(version, xid_of(request), there(*flows[:2], version=version), more=True)
    dump(table, first)
    assert list(table.reconcile(0)) == []
    dump(table, dump_reply(version, xid_of(request), there(flows[2], version=version)))
    assert list(table.reconcile(0)) == []
    assert table.synchronized


def test_a_dump_that_nobody_asked_for_is_ignored() -> None:
    table = FlowTable()
    *_, request = table.connected(OFP15)
    dump(table, dump_reply(OFP15, xid_of(request) + 1, []))
    assert list(table.reconcile(0)) == []
    assert not table.synchronized


def test_the_difference_goes_out_in_one_bundle_and_once() -> None:
    table = FlowTable()
    table.want("a", [a_flow(1), a_flow(2)])
    connect(table, [a_flow(2), a_flow(3)])
    messages = list(table.reconcile(0))
    assert bundle(messages) == [("add", a_flow(1).cookie), ("delete", a_flow(3).cookie)]
    assert list(table.reconcile(0)) == []
    assert not table.synchronized
    table.committed(xid_of(messages[0]))
    assert table.synchronized


def test_a_change_of_one_owner_leaves_the_others_alone() -> None:
    table = FlowTable()
    table.want("a", [a_flow(1)])
    table.want("b", [a_flow(2)])
    connect(table, [a_flow(1), a_flow(2)])
    table.want("a", [a_flow(4)])
    assert bundle(list(table.reconcile(0))) == [
        ("add", a_flow(4).cookie),
        ("delete", a_flow(1).cookie),
    ]
    table.want("b", [])
    assert bundle(list(table.reconcile(0))) == [("delete", a_flow(2).cookie)]
    assert len(table) == 1


def test_a_flow_that_two_want_goes_with_the_last_of_them() -> None:
    table = FlowTable()
    table.want("a", [a_flow(1)])
    connect(table, [a_flow(1)])
    table.want("b", [a_flow(1)])
    table.want("a", [])
    assert list(table.reconcile(0)) == []
    table.want("b", [])
    assert bundle(list(table.reconcile(0))) == [("delete", a_flow(1).cookie)]


def test_a_refused_bundle_means_reading_again() -> None:
    table = FlowTable()
    table.want("a", [a_flow(1)])
    connect(table, [])
    messages = list(table.reconcile(0))
    assert table.refused(xid_of(messages[0]), "OFPET_BUNDLE_FAILED code 15")
    assert list(table.reconcile(0)) == []
    (request,) = table.reread()
    dump(table, dump_reply(OFP15, xid_of(request), []))
    assert bundle(list(table.reconcile(0))) == [("add", a_flow(1).cookie)]


def test_an_error_of_another_message_changes_nothing() -> None:
    table = FlowTable()
    connect(table, [])
    assert table.reconcile(0) == []
    assert not table.refused(12345, "OFPET_BAD_REQUEST code 1")
    assert table.synchronized


def test_after_a_disconnection_the_flows_are_reread() -> None:
    table = FlowTable()
    table.want("a", [a_flow(1)])
    connect(table, [a_flow(1)])
    table.disconnected()
    table.want("a", [a_flow(2)])
    assert list(table.reconcile(0)) == []
    assert not table.synchronized
    connect(table, [a_flow(1)])
    assert bundle(list(table.reconcile(0))) == [
        ("add", a_flow(2).cookie),
        ("delete", a_flow(1).cookie),
    ]


def test_wanting_nothing_deletes_what_is_there() -> None:
    table = FlowTable()
    table.want("a", [a_flow(1), a_flow(2)])
    connect(table, [a_flow(1), a_flow(2)])
    table.want_nothing()
    assert sorted(kind for kind, _ in bundle(list(table.reconcile(0)))) == ["delete", "delete"]


def count_reply(request: bytes, count: int) -> bytes:
    """The answer to a flow count request, in OpenFlow 1.5."""
    counted = struct.pack("!2xHHBBI", 12, 0x8002, 3 << 1, 4, count)
    return struct.pack("!BBHIH6x", OFP15, 19, 28, xid_of(request), 2) + counted


def test_another_number_of_flows_than_expected_means_reading_again() -> None:
    table = FlowTable()
    table.want("a", [a_flow(1), a_flow(2)])
    connect(table, [a_flow(1), a_flow(2)])
    assert table.reconcile(0) == []
    (request,) = table.count()
    assert list(counted(table, count_reply(request, 2))) == []
    (request,) = table.count()
    (again,) = counted(table, count_reply(request, 1))
    assert not table.synchronized
    dump(table, dump_reply(OFP15, xid_of(again), there(a_flow(2))))
    assert bundle(list(table.reconcile(0))) == [("add", a_flow(1).cookie)]


def test_a_count_from_before_a_change_says_nothing() -> None:
    table = FlowTable()
    assert list(table.count()) == []  # not connected
    connect(table, [])
    assert table.reconcile(0) == []
    (request,) = table.count()
    table.want("a", [a_flow(1)])
    messages = list(table.reconcile(0))
    assert list(table.count()) == []  # a bundle is under way
    assert list(counted(table, count_reply(request, 0))) == []
    table.committed(xid_of(messages[0]))
    assert table.synchronized


def test_state_says_how_far_the_switch_is() -> None:
    table = FlowTable()
    table.want("port a", [a_flow(1)])
    assert table.state == "not connected"
    *_, request = table.connected(OFP15)
    assert table.state == "being read from the bridge"
    dump(table, dump_reply(OFP15, xid_of(request), []))
    assert table.state == "to be changed"
    opened, *_ = table.reconcile(0)
    assert table.state == "not confirmed yet: 1 flows added, 0 deleted"
    table.committed(xid_of(opened))
    assert table.state == "in step"


def tell(table: FlowTable, what: What, *flows: FlowEntry) -> None:
    event = decode_flow_reply(monitor_reply(OFP15, [FlowUpdate(what, flow) for flow in flows]))
    assert isinstance(event, FlowsChanged)
    table.changed(event)


def in_step(*flows: Flow) -> FlowTable:
    """A table on whose bridge these flows are, and nothing else is wanted."""
    table = FlowTable()
    table.want("a", flows)
    connect(table, list(flows))
    assert table.reconcile(0) == []
    table.notes.clear()
    return table


def repaired(table: FlowTable) -> list[str]:
    prefix = "repaired what somebody else did to our flows: "
    texts = [note.text for note in table.notes if note.level == "warn"]
    table.notes.clear()
    assert all(text.startswith(prefix) for text in texts)
    return [text.removeprefix(prefix) for text in texts]


DROP = entry_of(OFP15, a_flow(1))._replace(instructions=b"")
NAME = "table=0, priority=100,udp,in_port=1"


def test_other_actions_are_seen_when_the_flows_are_read() -> None:
    """The cookie is ours after ``ovs-ofctl mod-flows``."""
    table = FlowTable()
    table.want("a", [a_flow(1), a_flow(2)])
    *_, request = table.connected(OFP15)
    dump(table, dump_reply(OFP15, xid_of(request), [DROP, *there(a_flow(2))]))
    assert bundle(table.reconcile(0)) == [("add", a_flow(1).cookie)]
    assert repaired(table) == [f"{NAME} (given other actions)"]


def test_what_is_read_is_compared_once_it_is_wanted() -> None:
    table = FlowTable()
    *_, request = table.connected(OFP15)
    dump(table, dump_reply(OFP15, xid_of(request), [DROP, *there(a_flow(2))]))
    assert table.reconcile(0, deleting=False) == []
    table.want("a", [a_flow(1), a_flow(2)])
    assert bundle(table.reconcile(0, deleting=False)) == [("add", a_flow(1).cookie)]


@pytest.mark.parametrize("cookie", [0, 0x6468 << 48], ids=["anybody's", "our prefix"])
def test_a_flow_in_the_place_of_ours_is_replaced(cookie: int) -> None:
    table = in_step(a_flow(1), a_flow(2))
    tell(table, What.ADDED, DROP._replace(cookie=cookie))
    assert ("add", a_flow(1).cookie) in bundle(table.reconcile(0))
    (text,) = repaired(table)
    assert f"{NAME} (replaced)" in text


def test_of_two_that_are_wanted_in_one_place_each_can_go() -> None:
    """As when rows of two interfaces say that they are one port."""
    one = a_flow(1)
    other = replace(one, actions=(Resubmit(202),))
    table = in_step(a_flow(2))
    tell(table, What.ADDED, *there(a_flow(3)))  # from now on it is known where each is
    table.want("b", [one])
    table.want("c", [other])
    table.want("c", [])
    table.want("b", [])
    assert len(table) == 1


def test_a_flow_that_somebody_has_deleted_comes_back() -> None:
    table = in_step(a_flow(1), a_flow(2))
    tell(table, What.REMOVED, *there(a_flow(1)))
    assert bundle(table.reconcile(0)) == [("add", a_flow(1).cookie)]
    assert repaired(table) == [f"{NAME} (deleted)"]


def test_a_flow_that_somebody_has_added_with_our_prefix_goes() -> None:
    table = in_step(a_flow(1))
    tell(table, What.ADDED, entry(0x6468 << 48))
    assert bundle(table.reconcile(0)) == [("delete", 0x6468 << 48)]
    assert repaired(table) == ["table=0, priority=100 (added)"]


def test_a_flow_that_somebody_has_added_with_the_cookie_of_ours_goes_alone() -> None:
    table = in_step(a_flow(1))
    stray = entry(a_flow(1).cookie)
    tell(table, What.ADDED, stray)
    _, strict, _ = table.reconcile(0)
    cookie, mask, number, command = struct.unpack_from("!QQBB", strict, 16 + 8)
    assert (cookie, mask, number, command) == (stray.cookie, (1 << 64) - 1, 0, 4)
    assert strict.endswith(stray.match)
    assert repaired(table) == ["table=0, priority=100 (added)"]
    tell(table, What.ADDED, stray)
    tell(table, What.REMOVED, stray)  # whoever it was has thought better of it
    assert table.reconcile(1) == []


def test_what_we_did_ourselves_is_nothing_to_repair() -> None:
    """While it is paused, a switch tells in full what we have done, and later."""
    table = in_step(a_flow(1))
    tell(table, What.ADDED, *there(a_flow(1)))
    tell(table, What.REMOVED, *there(a_flow(2)))
    tell(table, What.ADDED, entry(0))
    tell(table, What.MODIFIED, entry(0))
    tell(table, What.REMOVED, entry(0))
    assert table.reconcile(0) == []
    assert table.synchronized


def test_four_flows_are_one_line() -> None:
    flows = [a_flow(port) for port in range(1, 5)]
    table = in_step(*flows)
    tell(table, What.REMOVED, *there(*flows))
    assert len(bundle(table.reconcile(0))) == 4
    (line,) = repaired(table)
    assert line.count("table=0, ") == 3
    assert line.endswith(" and 1 more")


def test_a_fight_is_held_back_and_told() -> None:
    table = in_step(a_flow(1), a_flow(2))
    tell(table, What.MODIFIED, DROP)
    assert bundle(table.reconcile(0)) == [("add", a_flow(1).cookie)]
    tell(table, What.MODIFIED, DROP)
    assert table.reconcile(0.2) == []
    assert not table.synchronized
    tell(table, What.REMOVED, *there(a_flow(2)))  # which is nobody's fight
    assert bundle(table.reconcile(0.5)) == [("add", a_flow(2).cookie)]
    assert table.next_s() == 1
    assert bundle(table.reconcile(1)) == [("add", a_flow(1).cookie)]
    assert repaired(table)[-1] == (
        f"{NAME} (given other actions); this is time 2, the next one is in 2 s at best"
    )
    assert [*table.problems()] == [
        f"somebody else keeps changing {NAME} (given other actions), expected nobody to; "
        "put back 2 times, now every 2 s at the most"
    ]
    assert table.reconcile(5) == []
    assert [*table.problems()] == []


def test_a_fight_over_what_is_wanted_no_longer_ends() -> None:
    table = in_step(a_flow(1))
    for now_s in (0, 0.1):
        tell(table, What.MODIFIED, DROP)
        table.reconcile(now_s)
    table.want_nothing()
    assert table.reconcile(0.2) == []  # it is not ours by now: its cookie may be anything


def test_without_a_connection_a_fight_wakes_nobody() -> None:
    table = in_step(a_flow(1))
    for now_s in (0, 0.1):
        tell(table, What.MODIFIED, DROP)
        table.reconcile(now_s)
    assert table.next_s() == 1
    table.disconnected()
    assert table.reconcile(2) == []
    assert table.next_s() is None


def test_what_is_not_repaired_for_another_reason_wakes_nobody_in_the_past() -> None:
    """As a flow with our prefix, while it is not known who else may want it."""
    table = in_step(a_flow(1))
    for now_s in (0, 0.1):
        tell(table, What.ADDED, entry(0x6468 << 48))
        table.reconcile(now_s)
    assert table.reconcile(1.5, deleting=False) == []
    assert table.next_s() == 2
    assert table.reconcile(3, deleting=False) == []
    assert table.next_s() is None


def test_a_switch_that_does_not_tell_is_read_again_and_again() -> None:
    table = FlowTable()
    table.want("a", [a_flow(1)])
    monitor, request = table.connected(OFP15)
    assert not table.unmonitored(xid_of(request))
    assert table.unmonitored(xid_of(monitor))
    dump(table, dump_reply(OFP15, xid_of(request), there(a_flow(1))))
    assert table.reconcile(0) == []
    (request,) = table.count()
    assert request == flow_dump_request(OFP15, xid_of(request))
    dump(table, dump_reply(OFP15, xid_of(request), []))
    assert bundle(table.reconcile(0)) == [("add", a_flow(1).cookie)]
    assert f"{NAME} (deleted)" in repaired(table)[0]


def test_what_another_did_before_we_took_over_is_not_repaired() -> None:
    table = in_step(a_flow(1), a_flow(2))
    tell(table, What.REMOVED, *there(a_flow(1)))
    (request,) = table.take_over()
    dump(table, dump_reply(OFP15, xid_of(request), there(a_flow(2))))
    assert bundle(table.reconcile(0)) == [("add", a_flow(1).cookie)]
    assert repaired(table) == []
