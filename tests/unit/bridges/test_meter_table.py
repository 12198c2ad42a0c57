# SPDX-License-Identifier: Apache-2.0
"""The meters of a bridge by themselves; with its flows: test_bridge.py."""

from __future__ import annotations

from ovs_dhcpd.controller.bridges.meter_table import MeterTable
from ovs_dhcpd.controller.wire import meters as wire
from ovs_dhcpd.controller.wire.events import MeterCounts, MeterDump, MeterFeatures
from ovs_dhcpd.controller.wire.meters import MeterCount
from ovs_dhcpd.controller.wire.openflow import OFP15, xid_of
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit
from ovs_dhcpd.flows.pipeline.meter import PortMeter

from tests.unit.steps import steps

LIMIT, OTHER = RateLimit(50, 100), RateLimit(1, 2)


def connected(table: MeterTable, *there: PortMeter | int) -> None:
    """The switch has these meters; a number is of one that is not such as ours are."""
    features, config = table.connected(OFP15)
    table.told(MeterFeatures(xid_of(features), 10))
    found = {each.number: each.limit for each in there if isinstance(each, PortMeter)}
    others = {each: None for each in there if isinstance(each, int)}
    table.dumped(MeterDump(xid_of(config), {**found, **others}, False))


def confirm(table: MeterTable, messages: list[bytes]) -> None:
    table.told(MeterFeatures(xid_of(messages[-1]), 10))


def test_what_is_there_as_wanted_is_left_alone() -> None:
    table = MeterTable()
    table.want("vm1", PortMeter(1, LIMIT))
    assert table.missing() == table.excess() == []
    connected(table, PortMeter(1, LIMIT))
    assert table.missing() == table.excess() == []
    assert table.synchronized


def test_a_meter_is_the_widest_that_one_of_its_ports_wants() -> None:
    table = MeterTable()
    for owner, limit in (("a", LIMIT), ("b", OTHER), ("c", OTHER), ("d", LIMIT)):
        table.want(owner, PortMeter(1, limit))
    for owner in "abd":
        assert table.of(owner) == (LIMIT, None)
        table.want(owner, None)
    assert table.of("c") == (OTHER, None)
    assert len(table) == 1
    table.want("c", PortMeter(2, LIMIT))
    assert table.of("c") == (LIMIT, None)
    table.want("c", None)
    assert len(table) == 0


def test_a_meter_of_many_ports_costs_each_the_same() -> None:
    def want(count: int) -> None:
        table = MeterTable()
        for number in range(count):
            table.want(f"vm{number}", PortMeter(1, LIMIT))

    assert steps(lambda: want(200)) < 2.2 * steps(lambda: want(100))


def test_what_differs_is_added_changed_and_deleted() -> None:
    table = MeterTable()
    for number in (1, 2, 3):
        table.want(f"vm{number}", PortMeter(number, LIMIT))
    connected(table, PortMeter(2, OTHER), 3, PortMeter(4, LIMIT))
    messages = table.missing()
    add, *changes, _ = messages
    assert add == wire.encode_add(OFP15, PortMeter(1, LIMIT), xid_of(add))
    assert changes == [
        wire.encode_modify(OFP15, PortMeter(number, LIMIT), xid_of(changes[0])) for number in (2, 3)
    ]
    confirm(table, messages)
    assert not table.synchronized
    messages = table.excess()
    assert messages[:-1] == [wire.encode_delete(OFP15, 4, xid_of(messages[0]))]
    assert not table.synchronized
    confirm(table, messages)
    assert table.synchronized
    assert [note.text for note in table.notes] == [
        "1 meters added",
        "2 meters changed",
        "1 meters deleted",
    ]


def test_a_number_that_another_port_has_taken_over_stays() -> None:
    table = MeterTable()
    connected(table)
    table.want("vm1", PortMeter(1, LIMIT))
    confirm(table, table.missing())
    table.want("vm2", PortMeter(1, LIMIT))
    table.want("vm1", None)
    assert table.missing() == table.excess() == []
    table.want("vm2", None)
    table.want("vm1", None)
    assert table.missing() == []
    assert len(table.excess()) == 2


def test_a_port_and_its_sub_ports_have_one_meter_the_widest_of_theirs() -> None:
    table = MeterTable()
    connected(table)
    table.want("vm1", PortMeter(1, LIMIT))
    table.want("vm1-10", PortMeter(1, OTHER))
    (add, _) = messages = table.missing()
    assert add == wire.encode_add(OFP15, PortMeter(1, LIMIT), xid_of(add))
    confirm(table, messages)
    table.want("vm1", None)
    (change, _) = messages = table.missing()
    assert change == wire.encode_modify(OFP15, PortMeter(1, OTHER), xid_of(change))
    confirm(table, messages)
    assert [line.split()[0] for line in table.lines()] == ["vm1-10"]
    table.want("vm1-10", None)
    assert table.missing() == []
    assert len(table.excess()) == 2


def test_the_parts_of_a_dump_are_taken_together() -> None:
    table = MeterTable()
    table.want("vm1", PortMeter(1, LIMIT))
    features, config = table.connected(OFP15)
    table.told(MeterFeatures(xid_of(features), 10))
    table.dumped(MeterDump(xid_of(config), {1: LIMIT}, True))
    assert not table.known
    table.dumped(MeterDump(xid_of(config) + 1, {}, False))
    assert not table.known
    table.dumped(MeterDump(xid_of(config), {}, False))
    assert table.synchronized


def test_what_a_meter_has_counted_is_shown() -> None:
    table = MeterTable()
    assert table.count() == []
    connected(table)
    table.want("vm1", PortMeter(5, LIMIT))
    confirm(table, table.missing())
    (question,) = table.count()
    assert question == wire.stats_request(OFP15, xid_of(question))
    for xid in (xid_of(question) - 1, xid_of(question)):
        seen = xid - xid_of(question) + 350
        table.counted(MeterCounts(xid, {5: MeterCount(seen, 250)}, False))
    (line,) = table.lines()
    assert line.split() == [
        "vm1",
        "5",
        "meter",
        "5",
        "50/s",
        "burst",
        "100:",
        "350",
        "seen,",
        "250",
        "dropped",
    ]
    assert table.refused(xid_of(question), "OFPET_BAD_REQUEST code 1") == []
    assert table.lacking == ""


def test_what_all_have_dropped_never_becomes_less() -> None:
    table = MeterTable()
    for number in (1, 2):
        table.want(f"vm{number}", PortMeter(number, LIMIT))
    steps: list[tuple[dict[int, int], int]] = [
        ({1: 10, 2: 5}, 15),
        ({1: 12, 2: 5}, 17),  # is counted once
        ({1: 12}, 17),  # the other's port has gone
        ({1: 12, 2: 3}, 20),  # and come again, with another meter
    ]
    for dropped, expected in steps:
        connected(table, PortMeter(1, LIMIT), PortMeter(2, LIMIT))
        (question,) = table.count()
        counts = {number: MeterCount(99, each) for number, each in dropped.items()}
        table.counted(MeterCounts(xid_of(question), counts, False))
        assert table.dropped == expected
        table.disconnected()


def test_how_many_there_are_is_known_once_they_are_read() -> None:
    table = MeterTable()
    assert table.installed is None
    connected(table, PortMeter(1, LIMIT), 2)
    assert table.installed == 2


def test_a_refusal_of_anything_else_is_not_of_meters() -> None:
    table = MeterTable()
    connected(table)
    for xid in (0, 1, 77):
        assert table.refused(xid, "OFPET_BAD_REQUEST code 1") is None
    assert table.lacking == ""
