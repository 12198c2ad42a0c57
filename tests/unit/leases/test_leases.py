# SPDX-License-Identifier: Apache-2.0
"""Whose lease an exchange is about, what is forgotten, and what is not known and says so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from ovs_dhcpd.controller.leases.leases import MAX_MACS, Leases, Row
from ovs_dhcpd.controller.responders.exchange import Exchange
from ovs_dhcpd.controller.wire.flow_stats import FlowCounts
from ovs_dhcpd.controller.wire.openflow import BODY
from ovs_dhcpd.flows.bindings.network import Port
from ovs_dhcpd.flows.pipeline.build import port_flows

from tests.lab import packets6 as p6
from tests.lab.packets import DISCOVER, INFORM, REQUEST, option
from tests.unit.leases.exchanges import ALL, BRIDGE, LAB, MAC, OFPORT, VM1, Switch
from tests.unit.steps import steps

ADDRESS = option(50, "10.0.0.5")
ANYBODY = replace(VM1, name="any", mac=None)


def leases(now_s: float | None = 0.0) -> Leases:
    """Those of a port with two addresses and a prefix, and of a VLAN behind it."""
    found = Leases()
    found.serve("vm1", BRIDGE, OFPORT, [(LAB, VM1)], now_s)
    found.serve("vm1-100", BRIDGE, OFPORT, [ALL["vm1-100"]], now_s)
    return found


def states(found: Leases, now_s: float = 50.0) -> dict[tuple[str, int], str | None]:
    rows = [*found.rows(now_s)]
    assert found.count(now_s) == Counter(
        (row.bridge, row.network.name, row.family, row.state) for row in rows
    )
    return {(row.port, row.family): row.state for row in rows}


def row(found: Leases, name: str = "vm1", family: int = 4, now_s: float = 50.0) -> Row:
    (only,) = [each for each in found.rows(now_s, [name]) if each.family == family]
    where = only.bridge, only.network.name, family, only.state
    assert where in found.count(now_s)
    return only


def test_each_port_and_family_has_a_row_before_it_asks() -> None:
    found = leases(7.0)
    assert states(found) == {
        ("vm1", 4): "assigned",
        ("vm1", 6): "assigned",
        ("vm1-100", 4): "assigned",
    }
    first = row(found, family=6)
    assert (first.mac, first.addresses, first.prefixes) == (MAC, ("fd00::5",), ("fd01:0:0:5::/64",))
    assert (first.requests, first.requests_since_s, first.last_s) == (0, 7.0, None)


def test_an_exchange_is_of_the_port_by_place_vlan_and_mac() -> None:
    found = leases()
    assert found.note(Switch().ask(REQUEST, ADDRESS), 10) == "vm1"
    assert states(found)["vm1", 4] == "bound"
    assert found.note(Switch(*ALL["vm1-100"]).ask(DISCOVER), 11) == "vm1-100"
    assert states(found) == {
        ("vm1", 4): "bound",
        ("vm1", 6): "assigned",
        ("vm1-100", 4): "offered",
    }
    assert found.note(Switch().ask6(p6.SOLICIT, p6.ia_na(1)), 12) == "vm1"
    assert states(found)["vm1", 6] == "offered"


def test_a_packet_in_that_has_its_packet_elsewhere_is_nobodys() -> None:
    found, exchange = leases(), Switch().ask(REQUEST, ADDRESS)
    message = exchange.message
    odd = exchange._replace(message=message[:BODY] + b"\0\4" + message[BODY + 2 :])
    assert found.ofport(odd.message) is None
    assert found.whose(odd) is None
    assert found.note(odd, 5) is None
    assert found.note(exchange, 6) == "vm1"


@pytest.mark.parametrize(
    "exchange",
    [
        Switch(bridge="br-ex").ask(DISCOVER),
        Switch(*ALL["vm2"]).ask(DISCOVER),  # another MAC
        Switch(LAB, replace(VM1, parent=ALL["vm1-100"][1].parent)).ask6(p6.SOLICIT, p6.ia_na(1)),
        Switch().send(bytes(60), 4),
    ],
)
def test_what_nobody_served_has_asked_is_nobodys(exchange: Exchange) -> None:
    found = leases()
    before = [*found.rows(5)]
    assert found.note(exchange, 5) is None
    assert [*found.rows(5)] == before


def test_only_what_changes_a_lease_is_said_to() -> None:
    found, switch = leases(), Switch()
    assert found.note(switch.ask(REQUEST, ADDRESS), 10) == "vm1"
    assert found.note(switch.ask(INFORM, ciaddr="10.0.0.5"), 11) is None
    assert found.note(switch.ask(REQUEST, ADDRESS), 12) == "vm1"  # it expires later
    assert row(found).requests == 3


def test_an_answer_given_again_is_noted_as_the_first_time() -> None:
    found, switch = leases(), Switch()
    asked = [switch.ask(kind, ADDRESS, xid=xid) for xid in range(4) for kind in (DISCOVER, REQUEST)]
    assert asked[-1].verdict is asked[-3].verdict  # or this test says nothing
    for second, exchange in enumerate(asked):
        found.note(exchange, second)
        state = "bound" if second % 2 else "offered"
        assert (row(found).state, row(found).last_s) == (state, second)
    assert row(found).requests == 8
    found.stop("vm1")
    assert found.note(asked[-1], 9) is None
    found.serve("vm1", BRIDGE, OFPORT, [(LAB, VM1)], 10)
    assert (row(found).state, row(found).requests) == ("assigned", 0)


def test_what_is_known_of_a_port_goes_with_it() -> None:
    found = leases()
    found.note(Switch().ask(REQUEST, ADDRESS), 10)
    found.stop("vm1")
    assert states(found) == {("vm1-100", 4): "assigned"}
    found.stop("vm1")
    found.serve("vm1", BRIDGE, OFPORT + 1, [(LAB, VM1)], 20)
    assert states(found)["vm1", 4] == "assigned"
    assert found.note(Switch().ask(REQUEST, ADDRESS), 21) is None  # it is elsewhere now


def test_a_port_that_is_plugged_in_elsewhere_begins_anew() -> None:
    found = leases()
    found.note(Switch().ask(REQUEST, ADDRESS), 10)
    found.serve("vm1", BRIDGE, OFPORT + 1, [(LAB, VM1)], 20)
    assert states(found)["vm1", 4] == "assigned"


def test_a_lease_stays_while_its_address_is_the_ports() -> None:
    found = leases()
    found.note(Switch().ask(REQUEST, ADDRESS), 10)
    found.note(Switch().ask6(p6.SOLICIT, p6.ia_na(1)), 11)
    more = replace(VM1, addresses=(*VM1.addresses, *ALL["vm2"][1].addresses))
    found.serve("vm1", BRIDGE, OFPORT, [(LAB, more)], 20)
    assert (row(found).state, row(found).addresses) == ("bound", ("10.0.0.5", "10.0.0.6"))
    found.serve("vm1", BRIDGE, OFPORT, [(LAB, replace(more, addresses=more.addresses[1:]))], 30)
    assert (row(found).state, row(found, family=6).state) == ("assigned", "offered")


def test_behind_a_port_of_anybody_are_as_many_clients_as_there_may_be() -> None:
    found = Leases()
    found.serve("any", BRIDGE, OFPORT, [(LAB, ANYBODY)], 0)
    assert (row(found, "any").mac, row(found, "any").state) == (None, "assigned")
    switch = Switch(LAB, ANYBODY)
    for number in range(MAX_MACS + 2):
        found.note(switch.ask(DISCOVER, mac=f"02:00:00:00:01:{number:02x}"), number)
        found.note(switch.ask(REQUEST, ADDRESS, mac="02:00:00:00:02:00"), number)
    macs = [each.mac for each in found.rows(99, ["any"]) if each.family == 4]
    assert len(macs) == MAX_MACS
    assert bytes.fromhex("020000000200") in macs  # it was heard all the time
    assert bytes.fromhex("020000000100") not in macs
    assert [each.mac for each in found.rows(99, ["any"]) if each.family == 6] == [None]
    assert sum(found.count(99).values()) == MAX_MACS + 1


def counted(packets: int, idle_s: float | None = 4.0, family: str = "udp") -> list[object]:
    """What a switch says of vm1's flows: as many packets of each of this family, the others 0."""
    return [
        (flow, FlowCounts(packets if flow.protocol and flow.protocol.name == family else 0,
                          100.0, idle_s))
        for flow in port_flows(LAB, VM1, OFPORT)
    ]  # fmt: skip


def recalled(found: Leases, *arguments: object, now_s: float = 1000.0) -> Leases:
    found.recall("vm1", counted(*arguments), now_s)  # type: ignore[arg-type]
    return found


def test_after_a_restart_the_switch_says_that_a_port_has_asked_and_when_last() -> None:
    found = recalled(leases(990.0), 5)
    asked, not_asked = row(found, now_s=1000), row(found, family=6, now_s=1000)
    assert (asked.state, asked.requests, asked.requests_since_s, asked.last_s) == (
        None, 15, 900.0, 996.0,
    )  # fmt: skip
    assert (not_asked.state, not_asked.requests, not_asked.last_s) == ("assigned", 0, None)
    found.note(Switch().ask(INFORM, ciaddr="10.0.0.5"), 1001)
    assert (row(found).state, row(found).requests, row(found).last_s) == (None, 16, 1001)
    found.note(Switch().ask(REQUEST, ADDRESS), 1002)
    assert (row(found).state, row(found).requests) == ("bound", 17)


def test_openflow_before_15_does_not_say_when() -> None:
    asked = row(recalled(leases(990.0), 5, None))
    assert (asked.state, asked.requests, asked.last_s) == (None, 15, None)


def test_what_was_noted_before_the_switch_has_answered_is_counted_once() -> None:
    found = leases(990.0)
    found.note(Switch().ask(REQUEST, ADDRESS), 995)
    assert row(recalled(found, 5)).requests == 15


def test_of_who_is_served_by_another_process_nothing_is_known() -> None:
    found = leases(None)
    assert set(states(found).values()) == {None}
    assert (row(found).requests, row(found).requests_since_s) == (None, None)
    found.note(Switch().ask(INFORM, ciaddr="10.0.0.5"), 5)
    assert row(found).state is None
    recalled(found, 5)
    assert (row(found).requests, states(found)["vm1", 6]) == (15, "assigned")


def test_who_hands_a_bridge_over_knows_nothing_of_it_any_more() -> None:
    found = leases()
    found.note(Switch().ask(REQUEST, ADDRESS), 10)
    found.serve("vm2", "br-ex", 9, [ALL["vm2"]], 0.0)
    found.hand_over(BRIDGE)
    assert states(found) == {
        ("vm1", 4): None,
        ("vm1", 6): None,
        ("vm1-100", 4): None,
        ("vm2", 4): "assigned",
    }
    recalled(found, 5)
    assert (row(found).state, row(found).requests) == (None, 15)


def test_who_has_expired_and_who_is_next_is_known() -> None:
    found = leases()
    assert found.expired(1e9) == (set(), float("inf"))
    assert found.expiry_s("vm1") == float("inf")
    found.note(Switch().ask(REQUEST, ADDRESS), 10)
    found.note(Switch(*ALL["vm1-100"]).ask(REQUEST, option(50, "10.0.0.7")), 20)
    assert found.expiry_s("vm1") == 3610
    assert found.expired(3609) == (set(), 3610)
    assert found.expired(3610) == ({"vm1"}, 3620)
    assert [row(found, now_s=now_s).state for now_s in (3609, 3610)] == ["bound", "expired"]


def behind(count: int) -> dict[str, Port]:
    """So many ports behind one: half of them VLANs of it, the others in one VLAN, by their MACs."""
    _, port = ALL["vm1-100"]
    assert port.parent
    half = count // 2
    vlans = {f"v{tag}": (tag, MAC) for tag in range(101, 101 + half)}
    macs = {f"m{number}": (100, MAC[:5] + bytes([number])) for number in range(1, 1 + half)}
    return {
        name: replace(port, name=name, mac=mac, parent=replace(port.parent, tag=tag))
        for name, (tag, mac) in (vlans | macs).items()
    }


@pytest.mark.parametrize("of", [1, 2])
def test_of_many_behind_one_port_only_who_may_have_asked_is_looked_at(of: int) -> None:
    costs = []
    for count in (10, 100):
        found, ports = Leases(), behind(count)
        for each, port in ports.items():
            found.serve(each, BRIDGE, OFPORT, [(LAB, port)], 0)
        name = [*ports][of * count // 2 - 1]  # the last VLAN, or the last MAC
        exchange = Switch(LAB, ports[name]).ask(REQUEST, option(50, "10.0.0.7"))
        costs.append(steps(lambda: found.whose(exchange)))  # noqa: B023
        costs.append(steps(lambda: found.note(exchange, 1)))  # noqa: B023
        assert found.whose(exchange) == (name, LAB)
        assert row(found, name).state == "bound"
    assert costs[:2] == costs[2:]


def test_of_two_that_may_have_asked_it_is_the_first() -> None:
    exchange = Switch().ask(REQUEST, ADDRESS)
    for names in (["any", "vm1"], ["vm1", "any"]):
        found = Leases()
        for name in names:
            found.serve(name, BRIDGE, OFPORT, [(LAB, {"any": ANYBODY, "vm1": VM1}[name])], 0)
        assert found.whose(exchange) == (names[0], LAB)


def test_who_has_another_mac_now_is_known_by_it() -> None:
    found = leases()
    found.serve("vm1", BRIDGE, OFPORT, [(LAB, replace(VM1, mac=ALL["vm2"][1].mac))], 1)
    assert found.whose(Switch().ask(REQUEST, ADDRESS)) is None
    found.serve("vm1", BRIDGE, OFPORT, [(LAB, VM1)], 2)
    assert found.whose(Switch().ask(REQUEST, ADDRESS)) == ("vm1", LAB)
