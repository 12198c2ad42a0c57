# SPDX-License-Identifier: Apache-2.0
"""A bridge as a script: events in, OpenFlow bytes out, and what is said of it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from ovs_dhcpd.controller.bridges.bridge import COUNT_S, REREAD_S, Bridge
from ovs_dhcpd.controller.bridges.note import Note
from ovs_dhcpd.controller.bridges.ra_schedule import Advertisement
from ovs_dhcpd.controller.bridges.whose import Stranger, whose
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.controller.wire import flow_messages, meters, openflow
from ovs_dhcpd.controller.wire.connection import Connected, Disconnected
from ovs_dhcpd.controller.wire.events import (
    Committed,
    Event,
    FlowCount,
    FlowDump,
    FlowsChanged,
    MeterDump,
    MeterFeatures,
    PortAdded,
    Refused,
)
from ovs_dhcpd.controller.wire.flow_entry import FlowEntry, entry_of
from ovs_dhcpd.controller.wire.flow_monitor import FlowUpdate, What, encode_flow_monitor
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15, xid_of
from ovs_dhcpd.controller.wire.probe import Heard, encode_question
from ovs_dhcpd.flows.bindings.network import Network, Port
from ovs_dhcpd.flows.bindings.pool import AddressRange, Pool
from ovs_dhcpd.flows.bindings.probe import Probe
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit
from ovs_dhcpd.flows.pipeline import build
from ovs_dhcpd.flows.pipeline.flow import Flow
from ovs_dhcpd.flows.pipeline.meter import PROBES, PortMeter, meter_id
from ovs_dhcpd.flows.pipeline.probe import PASSES_OURS, daemon_flow, probe_flows

from tests.unit.wire.replies import entry

EXAMPLE = Path(__file__).parents[2] / "examples" / "finance-network1-ipv6.yaml"
(METERED,) = yaml_file.load(str(EXAMPLE)).networks
NETWORK = replace(METERED, rate_limit=None)
(PORT,) = NETWORK.ports
assert NETWORK.ra
ADVERTISED = replace(NETWORK, ra=replace(NETWORK.ra, interval=(200.0, 600.0)))
DATAPATH_ID = 0x0000_02AB_CDEF_0142
HELLO = Connected(OFP15, DATAPATH_ID)


def longest(_: float, longest_s: float) -> float:
    return longest_s


class Script:
    """A bridge, and a clock that the script sets.

    The switch can have ``max_meters`` meters and has those of ``meters``: that is answered by
    itself, and such questions are left out of what the bridge is said to send.
    """

    def __init__(self, max_meters: int = 1000, meters: Mapping[int, RateLimit] = {}) -> None:
        self.max_meters = max_meters
        self.meters = dict(meters)
        self.bridge = Bridge("br-int", longest)
        self.bridge.want(True)
        self.now_s = 1000.0

    def say(self, event: Event) -> list[bytes]:
        return self.answer(self.bridge.handle(event, self.now_s))

    def tick(self, *, all_known: bool = True) -> list[bytes]:
        return self.answer(self.bridge.tick(self.now_s, all_known=all_known))

    def unanswered_tick(self) -> list[bytes]:
        messages = self.bridge.tick(self.now_s, all_known=True)
        counting = (openflow.OFPT_MULTIPART_REQUEST, meters.OFPMP_METER)
        return [message for message in messages if (message[1], message[9]) != counting]

    def reread(self) -> list[bytes]:
        return self.answer(self.bridge.reread())

    def answer(self, messages: list[bytes]) -> list[bytes]:
        """Answer what is asked about meters; the other messages."""
        others = []
        for message in messages:
            kind = message[1] == openflow.OFPT_MULTIPART_REQUEST and message[9]
            if kind == meters.OFPMP_METER_FEATURES:
                self.bridge.handle(MeterFeatures(xid_of(message), self.max_meters), self.now_s)
            elif kind != meters.OFPMP_METER_CONFIG:
                others += [message] if kind != meters.OFPMP_METER else []
            else:
                self.bridge.handle(MeterDump(xid_of(message), self.meters, False), self.now_s)
        return others

    def serve(self, *served: tuple[Network, Port], name: str = "vm1", ofport: int = 5) -> None:
        self.bridge.serve(name, ofport, served, self.now_s)

    def notes(self) -> list[str]:
        return [f"{note.level}: {note.text}" for note in self.bridge.take_notes()]

    def read(self, installed: tuple[FlowEntry, ...], event: Event = HELLO) -> None:
        """Connect, and say which flows are there."""
        *_, request = self.say(event)
        assert self.say(FlowDump(xid_of(request), installed, False)) == []

    def in_step_but_for_questions(self) -> None:
        """Connect, with nothing there, and have all done that is done at once."""
        self.read(())
        bundle = self.tick()
        self.say(Committed(next(xid_of(each) for each in bundle if kinds([each]) == ["commit"])))
        self.notes()

    def in_step(self) -> None:
        """Connect, with nothing there, and have it all done."""
        self.read(())
        bundle = self.tick()
        self.say(Committed(xid_of(bundle[-1])))
        assert self.tick() == []
        self.notes()


def flows(*networks: Network, ofport: int = 5, metered: bool = True) -> dict[int, Flow]:
    """The flows of a bridge on which PORT is plugged in and served by these, by cookie."""
    found = list(build.bridge_flows())
    for network in networks:
        found += build.network_flows(network)
        found += build.port_flows(network, PORT, ofport, metered=metered)
    return {flow.cookie: flow for flow in found}


def cookies(*networks: Network, ofport: int = 5, metered: bool = True) -> set[int]:
    """Their cookies."""
    return {*flows(*networks, ofport=ofport, metered=metered)}


def there(*networks: Network, metered: bool = True) -> tuple[FlowEntry, ...]:
    """What the switch says of these."""
    found = flows(*networks, metered=metered).values()
    return tuple(entry_of(OFP15, flow) for flow in found)


def kinds(messages: list[bytes]) -> list[str]:
    """The messages by name.

    What a bundle adds and deletes is "+cookie" and "-cookie", a meter-mod "meter+number",
    "meter-number", or "meter=number" where it changes the meter.
    """
    names = []
    for message in messages:
        kind = message[1]
        if kind == openflow.OFPT_MULTIPART_REQUEST:
            names.append({1: "dump", 2: "count"}[int.from_bytes(message[8:10], "big")])
        elif kind == openflow.OFPT_BUNDLE_CONTROL:
            names.append({0: "open", 4: "commit"}[int.from_bytes(message[12:14], "big")])
        elif kind == meters.OFPT_METER_MOD:
            command, _, number = struct.unpack_from("!HHI", message, 8)
            names.append(f"meter{'+=-'[command]}{number:x}")
        elif kind == flow_messages.OFPT_BUNDLE_ADD_MESSAGE:
            cookie, _, _, command = struct.unpack_from("!QQBB", message, 16 + 8)
            sign = {0: "+", 3: "-"}[command]
            names.append(f"{sign}{cookie:x}")
        else:
            names.append({flow_messages.OFPT_PACKET_OUT: "packet-out"}[kind])
    return names


def flow_mods(sign: str, wanted: set[int]) -> set[str]:
    return {f"{sign}{cookie:x}" for cookie in wanted}


@pytest.mark.parametrize("version", [OFP13, OFP15], ids=["1.3", "1.5"])
def test_a_connection_asks_for_the_flows_and_what_becomes_of_them(version: int) -> None:
    script = Script()
    assert script.tick() == []
    assert not script.bridge.is_connected
    monitor, dump = script.say(Connected(version, DATAPATH_ID))
    assert monitor == encode_flow_monitor(
        version, xid_of(monitor), [(0, True), (201, False), (202, False), (203, False)]
    )
    assert dump == flow_messages.flow_dump_request(version, xid_of(dump))
    assert script.bridge.is_connected
    assert script.notes() == [f"info: connected, OpenFlow 1.{version - 1}"]


def test_what_is_missing_goes_out_once_the_flows_are_read_and_then_it_is_ready() -> None:
    script = Script()
    script.serve((NETWORK, PORT))
    *_, dump = script.say(HELLO)
    assert script.tick() == []
    first, *others = sorted(there(NETWORK), key=lambda flow: flow.cookie)
    assert script.say(FlowDump(xid_of(dump), (first,), True)) == []
    assert script.tick() == []
    assert script.say(FlowDump(xid_of(dump), (entry(0x6468 << 48),), False)) == []
    opened, *inside, commit = kinds(bundle := script.tick())
    assert (opened, commit) == ("open", "commit")
    assert set(inside) == flow_mods("+", {flow.cookie for flow in others}) | flow_mods(
        "-", {0x6468 << 48}
    )
    assert len({xid_of(message) for message in bundle}) == 1
    assert not script.bridge.in_step
    assert script.tick() == []
    assert script.say(Committed(xid_of(bundle[0]))) == []
    assert script.bridge.synchronized
    assert script.tick() == []
    assert script.bridge.in_step
    assert script.tick() == []
    assert script.notes() == [
        "info: connected, OpenFlow 1.5",
        "info: 2 flows of ours are there",
        f"info: {len(others)} flows added, 1 deleted",
        f"info: ready, {len(others) + 1} flows",
    ]


def test_nothing_is_deleted_before_all_is_known() -> None:
    script = Script()
    script.read(there(NETWORK))
    assert script.tick(all_known=False) == []
    assert not script.bridge.in_step
    _, *inside, _ = kinds(script.tick())
    assert set(inside) == flow_mods("-", cookies(NETWORK) - cookies())


def test_a_port_that_is_served_otherwise_or_no_longer_changes_what_is_its_own() -> None:
    script = Script()
    script.serve((NETWORK, PORT))
    script.in_step()
    script.serve((NETWORK, PORT), ofport=6)
    _, *inside, _ = kinds(bundle := script.tick())
    new, old = cookies(NETWORK, ofport=6), cookies(NETWORK)
    assert set(inside) == flow_mods("+", new - old) | flow_mods("-", old - new)
    script.say(Committed(xid_of(bundle[0])))
    script.serve()
    _, *inside, _ = kinds(script.tick())
    assert set(inside) == flow_mods("-", new - cookies())


def test_flows_that_ports_share_go_with_the_last_of_them() -> None:
    script = Script()
    script.serve((NETWORK, PORT))
    script.serve((NETWORK, PORT), name="vm2", ofport=6)
    script.in_step()
    script.serve()
    _, *inside, _ = kinds(script.tick())
    assert set(inside) == flow_mods("-", cookies(NETWORK) - cookies(NETWORK, ofport=6))


def test_a_network_that_changes_has_its_shared_flows_changed_once() -> None:
    script = Script()
    script.serve((NETWORK, PORT))
    script.in_step()
    assert NETWORK.dhcpv4
    changed = replace(NETWORK, dhcpv4=replace(NETWORK.dhcpv4, server_mac=bytes.fromhex("0a" * 6)))
    script.serve((changed, PORT))
    _, *inside, _ = kinds(script.tick())
    old, new = cookies(NETWORK), cookies(changed)
    assert set(inside) == flow_mods("+", new - old) | flow_mods("-", old - new)
    assert len(inside) == len(new - old) + len(old - new)


def test_a_refused_bundle_is_tried_again_after_five_seconds() -> None:
    script = Script()
    script.read(())
    bundle = script.tick()
    script.notes()
    assert script.say(Refused(xid_of(bundle[0]), "OFPET_BUNDLE_FAILED code 15")) == []
    assert script.notes() == [
        "err: OFPET_BUNDLE_FAILED code 15: not done: 1 flows added, 0 deleted"
    ]
    assert script.tick() == []
    assert script.bridge.next_s() == script.now_s + REREAD_S
    script.now_s += REREAD_S - 0.01
    assert script.tick() == []
    script.now_s += 0.01
    (dump,) = script.tick()
    assert kinds([dump]) == ["dump"]
    script.say(FlowDump(xid_of(dump), (), False))
    again = script.tick()
    assert kinds(again) == kinds(bundle)
    assert xid_of(again[0]) != xid_of(bundle[0])


def test_what_else_is_refused_is_said() -> None:
    script = Script()
    script.in_step()
    assert script.say(Refused(77, "OFPET_BAD_REQUEST code 1")) == []
    assert script.notes() == ["warn: the switch reports OFPET_BAD_REQUEST code 1 (xid 77)"]
    assert script.bridge.synchronized


def test_flows_are_counted_and_read_again_when_some_are_missing() -> None:
    script = Script()
    script.in_step()
    assert script.bridge.next_s() == 1000.0 + COUNT_S
    script.now_s += COUNT_S
    (count,) = script.tick()
    assert kinds([count]) == ["count"]
    assert script.say(FlowCount(xid_of(count), 1)) == []
    assert script.say(FlowCount(xid_of(count) + 1, 0)) == []
    script.now_s += COUNT_S
    (count,) = script.tick()
    (dump,) = script.say(FlowCount(xid_of(count), 0))
    assert kinds([dump]) == ["dump"]
    assert script.notes() == ["warn: 0 flows of ours are there, expected 1"]
    assert script.say(FlowCount(xid_of(count), 0)) == []  # until it is read nothing is known
    script.say(FlowDump(xid_of(dump), (), False))
    assert set(kinds(script.tick())[1:-1]) == flow_mods("+", cookies())


def test_what_is_left_of_an_earlier_connection_changes_nothing() -> None:
    script = Script()
    script.serve((NETWORK, PORT))
    *_, old_dump = script.say(HELLO)
    assert script.say(Disconnected()) == []
    assert script.notes() == ["info: connected, OpenFlow 1.5", "info: connection ended"]
    assert script.tick() == []
    *_, dump = script.say(HELLO)
    script.say(FlowDump(xid_of(old_dump), there(NETWORK), False))
    assert script.tick() == []  # not read yet
    assert not script.bridge.synchronized
    script.say(FlowDump(xid_of(dump), (), False))
    bundle = script.tick()
    *_, dump = script.say(HELLO)  # another connection, before the end of this one is heard
    script.say(Committed(xid_of(bundle[0])))
    script.say(Refused(xid_of(bundle[0]), "OFPET_BUNDLE_FAILED code 15"))
    assert script.tick() == []
    script.say(FlowDump(xid_of(dump), there(NETWORK), False))
    assert script.tick() == []
    assert script.bridge.in_step


def test_a_dump_that_breaks_off_is_forgotten() -> None:
    """As when a part of it is malformed, which ends the connection."""
    script = Script()
    script.serve((NETWORK, PORT))
    *_, dump = script.say(HELLO)
    script.say(FlowDump(xid_of(dump), there(NETWORK), True))
    script.say(Disconnected())
    script.read(())
    assert set(kinds(script.tick())[1:-1]) == flow_mods("+", cookies(NETWORK))


def test_a_new_connection_needs_no_second_reading_for_what_was_refused_on_the_last() -> None:
    script = Script()
    script.read(())
    bundle = script.tick()
    script.say(Refused(xid_of(bundle[0]), "OFPET_BUNDLE_FAILED code 15"))
    script.read(there())
    assert script.tick() == []
    script.now_s += REREAD_S
    assert kinds(script.tick()) == ["count"]


def test_ready_is_said_once_for_each_connection() -> None:
    script = Script()
    script.in_step()
    script.say(Disconnected())
    assert script.tick() == []
    script.read(there())
    assert script.tick() == []
    assert script.tick() == []
    assert script.notes().count("info: ready, 1 flows") == 1


def test_it_is_read_again_when_told_to_if_there_is_a_connection() -> None:
    script = Script()
    assert script.reread() == []
    script.in_step()
    assert kinds(script.reread()) == ["dump"]


def test_leaving_deletes_everything() -> None:
    script = Script()
    script.serve((NETWORK, PORT))
    script.in_step()
    script.bridge.leave()
    assert set(kinds(script.tick())[1:-1]) == flow_mods("-", cookies(NETWORK))


def test_a_bridge_that_is_served_no_longer_has_no_flows() -> None:
    script = Script()
    script.in_step()
    script.bridge.want(False)
    assert set(kinds(script.tick())[1:-1]) == flow_mods("-", cookies())


def test_advertisements_go_out_when_they_are_due() -> None:
    script = Script()
    script.in_step()
    script.serve((ADVERTISED, PORT))
    bundle = script.tick()
    script.say(Committed(xid_of(bundle[0])))
    script.tick()
    advertisement = Advertisement.of(ADVERTISED, 5)
    assert advertisement
    packet_out = flow_messages.encode_packet_out(OFP15, 5, advertisement.frame)
    sent = []
    while script.now_s < 1100:
        script.now_s = script.bridge.next_s()
        sent += [script.now_s for message in script.tick() if message == packet_out]
    assert sent == [1003.0, 1019.0, 1035.0]
    assert script.bridge.advertised == 3


def test_without_a_connection_an_advertisement_is_lost() -> None:
    script = Script()
    script.serve((ADVERTISED, PORT))
    script.now_s += 3
    assert script.tick() == []
    assert script.bridge.advertised == 0
    script.read(there(ADVERTISED))
    assert "packet-out" not in kinds(script.tick())


def test_a_new_port_is_for_others_to_look_at() -> None:
    script = Script()
    script.in_step()
    assert script.say(PortAdded("tap1", 7)) == []
    assert script.bridge.take_notes() == []


METER, METER6 = meter_id(5), meter_id(6)
ADD, DELETE = f"meter+{METER:x}", f"meter-{METER:x}"


def test_a_meter_is_there_before_the_flows_that_use_it() -> None:
    script = Script()
    script.serve((METERED, PORT))
    script.read(())
    added, opened, *inside, commit = kinds(bundle := script.tick())
    assert (added, opened, commit) == (ADD, "open", "commit")
    assert set(inside) == flow_mods("+", cookies(METERED))
    script.say(Committed(xid_of(bundle[-1])))
    assert script.tick() == []
    assert script.bridge.in_step


def test_a_meter_goes_once_its_flows_have_gone() -> None:
    script = Script()
    script.serve((METERED, PORT))
    script.in_step()
    script.serve()
    bundle = script.tick()
    assert not [name for name in kinds(bundle) if name.startswith("meter")]
    assert script.tick() == []
    script.say(Committed(xid_of(bundle[0])))
    assert kinds(script.tick()) == [DELETE]
    assert script.tick() == []
    assert script.bridge.in_step


def test_a_port_that_moves_has_its_new_meter_first_and_loses_the_old_one_last() -> None:
    script = Script()
    script.serve((METERED, PORT))
    script.in_step()
    script.serve((METERED, PORT), ofport=6)
    bundle = script.tick()
    assert kinds(bundle)[0] == f"meter+{METER6:x}"
    script.say(Committed(xid_of(bundle[-1])))
    assert kinds(script.tick()) == [DELETE]


def test_after_an_unchanged_restart_no_meter_is_sent() -> None:
    assert METERED.rate_limit
    script = Script(meters={METER: METERED.rate_limit})
    script.serve((METERED, PORT))
    script.read(there(METERED))
    assert script.tick() == []
    assert script.bridge.in_step


def test_flows_that_somebody_deletes_have_the_meters_looked_at() -> None:
    """A meter takes its flows with it."""
    script = Script()
    script.serve((METERED, PORT))
    script.in_step()
    removed = [entry_of(OFP15, flow) for flow in flows(METERED).values() if "meter" in str(flow)]
    updates = tuple(FlowUpdate(What.REMOVED, flow) for flow in removed)
    script.say(FlowsChanged(0, updates, False))
    added, opened, *inside, commit = kinds(script.tick())
    assert (added, opened, commit) == (ADD, "open", "commit")
    assert set(inside) == flow_mods("+", {flow.cookie for flow in removed})


def test_another_limit_changes_the_meter_and_no_flow() -> None:
    script = Script()
    script.serve((METERED, PORT))
    script.in_step()
    script.serve((replace(METERED, rate_limit=RateLimit(5, 10)), PORT))
    (change,) = script.tick()
    assert kinds([change]) == [f"meter={METER:x}"]
    assert change == meters.encode_modify(OFP15, PortMeter(METER, RateLimit(5, 10)), xid_of(change))


def test_a_meter_of_ours_that_nobody_wants_waits_until_all_is_known() -> None:
    script = Script(meters={METER: RateLimit(1, 1)})
    script.read(there())
    assert script.tick(all_known=False) == []
    assert not script.bridge.in_step
    assert kinds(script.tick()) == [DELETE]


LACKING = "warn: served without meters: "


@pytest.mark.parametrize(
    ("max_meters", "why"),
    [(0, "the switch can have 0, 1 are needed"), (1, "the switch can have 1, 2 are needed")],
)
def test_a_switch_with_too_few_meters_is_served_without(max_meters: int, why: str) -> None:
    script = Script(max_meters)
    for ofport in range(5, 6 + max_meters):
        script.serve((METERED, PORT), name=f"vm{ofport}", ofport=ofport)
    script.read(())
    bundle = script.tick()
    assert not [name for name in kinds(bundle) if name.startswith("meter")]
    assert flow_mods("+", cookies(METERED, metered=False)) <= set(kinds(bundle))
    script.say(Committed(xid_of(bundle[0])))
    assert script.tick() == []
    assert f"without meters: {why}" in script.bridge.status()
    assert [note for note in script.notes() if "meters" in note] == [LACKING + why]


def test_a_refused_meter_has_the_bridge_served_without_at_once() -> None:
    script = Script()
    script.serve((METERED, PORT))
    script.read(())
    meter, question, *bundle = script.unanswered_tick()
    (dump,) = script.say(Refused(xid_of(meter), "OFPET_METER_MOD_FAILED code 3"))
    assert kinds([dump]) == ["dump"]
    assert script.say(Refused(xid_of(meter), "OFPET_METER_MOD_FAILED code 3")) == []
    script.answer([question])
    script.say(Refused(xid_of(bundle[0]), "OFPET_BAD_ACTION code 8"))
    script.say(FlowDump(xid_of(dump), (), False))
    again = script.tick()
    assert set(kinds(again)[1:-1]) == flow_mods("+", cookies(METERED, metered=False))
    script.say(Committed(xid_of(again[0])))
    assert script.tick() == []
    assert script.bridge.in_step
    assert LACKING + "the switch reports OFPET_METER_MOD_FAILED code 3" in script.notes()


def test_a_switch_that_knows_no_meters_is_served_without() -> None:
    for refuses in (True, False):
        script = Script()
        script.serve((METERED, PORT))
        *questions, dump = script.bridge.handle(HELLO, script.now_s)
        for question in questions if refuses else ():
            script.say(Refused(xid_of(question), "OFPET_BAD_REQUEST code 2"))
        script.say(FlowDump(xid_of(dump), (), False))
        inside = kinds(script.tick())[1:-1]
        assert set(inside) == flow_mods("+", cookies(METERED, metered=False))
        assert [note for note in script.notes() if note.startswith(LACKING)]


def test_flows_that_went_with_their_meter_come_again_with_it() -> None:
    script = Script()
    script.serve((METERED, PORT))
    script.in_step()
    script.now_s += COUNT_S
    (count,) = script.tick()
    (dump,) = script.say(FlowCount(xid_of(count), 1))
    script.say(FlowDump(xid_of(dump), there(), False))
    assert kinds(script.tick())[:2] == [ADD, "open"]


def test_a_meter_that_is_gone_when_it_is_to_be_changed_is_added_again() -> None:
    script = Script()
    script.serve((METERED, PORT))
    script.in_step()
    script.serve((replace(METERED, rate_limit=RateLimit(5, 10)), PORT))
    change, _ = script.unanswered_tick()
    (dump,) = script.say(Refused(xid_of(change), "OFPET_METER_MOD_FAILED code 2"))
    script.say(FlowDump(xid_of(dump), there(), False))
    assert kinds(script.tick())[:2] == [ADD, "open"]
    assert not [note for note in script.notes() if note.startswith(LACKING)]


def test_leaving_deletes_the_meters_too() -> None:
    script = Script()
    script.serve((METERED, PORT))
    script.in_step()
    script.bridge.leave()
    bundle = script.tick()
    script.say(Committed(xid_of(bundle[0])))
    assert not script.bridge.synchronized
    assert kinds(script.tick()) == [DELETE]
    assert script.bridge.synchronized


def test_notes_are_levels_of_the_log() -> None:
    assert [Note.info("a"), Note.warn("b"), Note.err("c")] == [
        Note("info", "a"), Note("warn", "b"), Note("err", "c")]  # fmt: skip


def test_a_switch_is_the_bridge_with_its_datapath_id() -> None:
    bridges = {"br-int": 1, "br-ex": 2}
    assert whose(2, bridges, complete=True) == "br-ex"
    assert whose(2, bridges, complete=False) == "br-ex"


def test_a_switch_may_still_turn_out_to_be_one_of_the_bridges() -> None:
    assert whose(3, {"br-int": 1, "br-ex": None}, complete=True) is None
    assert whose(3, {"br-int": 1}, complete=False) is None
    assert whose(3, {}, complete=False) is None


def test_another_switch_is_a_stranger() -> None:
    expected = "datapath 0000000000000003, expected 0000000000000001 of br-int, 0{15}2 of br-ex"
    with pytest.raises(Stranger, match=expected):
        whose(3, {"br-int": 1, "br-ex": 2}, complete=True)
    with pytest.raises(Stranger, match="datapath 0000000000000003, expected none"):
        whose(3, {}, complete=True)


def test_a_network_whose_flows_cannot_be_made_leaves_what_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = Script()
    other = replace(NETWORK, name="other")
    script.serve((NETWORK, PORT))
    before = script.bridge.flows
    with monkeypatch.context() as broken:
        broken.setattr(build, "network_flows", lambda _: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            script.serve((other, PORT), name="vm2", ofport=6)
    script.serve(name="vm2")
    assert script.bridge.flows == before
    script.serve((other, PORT), name="vm2", ofport=6)
    served_again = script.bridge.flows
    fresh = Script()
    fresh.serve((NETWORK, PORT))
    fresh.serve((other, PORT), name="vm2", ofport=6)
    assert served_again == fresh.bridge.flows


PROBE = Probe("lab", ip_address("10.0.0.5"), 100, 100, bytes.fromhex("026468000001"), None)
QUESTION = encode_question(PROBE.source, PROBE.address, PROBE.tag)


def listening(*, metered: bool = True) -> set[int]:
    """The cookies of the flows by which answers are heard."""
    return {flow.cookie for flow in probe_flows(PROBE.address, metered=metered)}


def test_it_is_listened_before_it_is_asked() -> None:
    script = Script()
    script.bridge.serve("vm1", 5, (), script.now_s, (PROBE,))
    assert script.tick() == []
    script.read(())
    added, opened, *inside, commit, asked = kinds(messages := script.tick())
    assert (added, opened, commit) == (f"meter+{PROBES:x}", "open", "commit")
    assert set(inside) == flow_mods("+", listening() | cookies())
    assert asked == "packet-out"
    expected = flow_messages.encode_as_if_from(OFP15, 5, PASSES_OURS, QUESTION)
    assert messages[-1] == expected
    script.say(Committed(next(xid_of(each) for each in messages if kinds([each]) == ["commit"])))
    assert script.tick() == []
    assert (script.bridge.synchronized, script.bridge.in_step) == (True, False)


POOLED = replace(NETWORK, pool=Pool((AddressRange(PROBE.address, PROBE.address),), {}))
DAEMONS = daemon_flow(4).cookie


def test_who_is_not_answered_is_served_and_other_daemons_are_listened_to() -> None:
    script = Script()
    script.bridge.serve("vm1", 5, (), script.now_s, (PROBE,))
    script.in_step_but_for_questions()
    ended: list[tuple[str, Probe]] = []
    while not ended:
        script.now_s = script.bridge.next_s()
        ended = script.bridge.unanswered(script.now_s)
        assert {*kinds(script.tick())} <= {"packet-out", "count"}
    assert ended == [("vm1", PROBE)]
    assert 0.2 < script.now_s - 1000 < 0.5
    script.serve((POOLED, PORT))
    bundle = script.tick()
    assert set(kinds(bundle)[1:-1]) == flow_mods(
        "+", cookies(NETWORK) - cookies() | {DAEMONS}
    ) | flow_mods("-", listening())
    script.say(Committed(xid_of(bundle[0])))
    assert script.tick() == []
    script.serve()
    names = kinds(bundle := script.tick())
    assert set(names[1:-1]) == flow_mods("-", cookies(NETWORK) - cookies() | {DAEMONS})
    script.say(Committed(xid_of(bundle[0])))
    assert kinds(script.tick()) == [f"meter-{PROBES:x}"]


def test_where_nothing_is_probed_other_daemons_are_not_listened_to() -> None:
    script = Script()
    assert POOLED.pool
    script.serve((replace(POOLED, pool=replace(POOLED.pool, probe=False)), PORT))
    script.read(())
    assert set(kinds(script.tick())[1:-1]) == flow_mods("+", cookies(NETWORK))


def test_what_is_asked_is_asked_anew_on_another_connection() -> None:
    script = Script()
    script.bridge.serve("vm1", 5, (), script.now_s, (PROBE,))
    script.in_step_but_for_questions()
    script.say(Disconnected())
    script.now_s += 60
    assert script.bridge.unanswered(script.now_s) == []
    script.read(())
    assert "packet-out" in kinds(script.tick())


def test_without_meters_it_is_listened_without() -> None:
    script = Script(0)
    script.bridge.serve("vm1", 5, (), script.now_s, (PROBE,))
    script.read(())
    opened, *inside, commit, asked = kinds(script.tick())
    assert (opened, commit, asked) == ("open", "commit", "packet-out")
    assert set(inside) == flow_mods("+", listening(metered=False) | cookies())


def test_who_asks_for_an_address_of_ours_is_told_so_by_its_port() -> None:
    heard = Heard(7, 0, bytes.fromhex("026468000002"), PROBE.address.packed, asks=True)
    script = Script()
    assert script.bridge.answer(heard, PROBE.source) == []
    script.in_step()
    (message,) = script.bridge.answer(heard, PROBE.source)
    assert kinds([message]) == ["packet-out"]
    assert script.say(heard) == []
