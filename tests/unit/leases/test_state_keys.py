# SPDX-License-Identifier: Apache-2.0
"""What stands of leases in an interface's row."""

from __future__ import annotations

from dataclasses import replace

from ovs_dhcpd.controller.leases.document import Clock
from ovs_dhcpd.controller.leases.leases import Leases
from ovs_dhcpd.controller.leases.state_keys import state_keys

from tests.lab import packets6 as p6
from tests.lab.packets import DISCOVER, RELEASE, REQUEST, option
from tests.unit.leases.exchanges import ALL, BRIDGE, LAB, OFPORT, VM1, Switch

CLOCK = Clock(1_800_000_000)  # our clock began at 2027-01-15T08:00:00Z


def keys(found: Leases, name: str = "vm1", now_s: float = 60.0) -> dict[str, str | None]:
    return state_keys(found.rows(now_s, [name]), CLOCK)


def served(*names: str) -> Leases:
    found = Leases()
    for name in names:
        found.serve(name, BRIDGE, OFPORT, [ALL[name]], 0.0)
    return found


def test_who_has_not_asked_has_none() -> None:
    found = served("vm1")
    assert keys(found) == {}
    assert keys(found, "vm2") == {}
    found.hand_over(BRIDGE)
    assert keys(found) == {}


def test_each_family_has_its_own() -> None:
    found = served("vm1")
    found.note(Switch().ask(REQUEST, option(50, "10.0.0.5")), 10)
    found.note(Switch().ask6(p6.SOLICIT, p6.ia_na(1)), 20)
    four = {
        "dhcp-state": "bound",
        "dhcp-since": "2027-01-15T08:00:10Z",
        "dhcp-expires": "2027-01-15T09:00:10Z",
    }
    six = {
        "dhcp6-state": "offered",
        "dhcp6-since": "2027-01-15T08:00:20Z",
        "dhcp6-expires": None,
    }
    assert keys(found) == {**four, **six}
    assert keys(found, now_s=3610) == {**four, "dhcp-state": "expired", **six}
    found.note(Switch().ask(RELEASE, ciaddr="10.0.0.5"), 30)
    released = {"dhcp-state": "released", "dhcp-since": "2027-01-15T08:00:30Z"}
    assert keys(found) == {**released, "dhcp-expires": None, **six}


def test_a_lease_for_ever_never_expires_and_a_vlan_has_its_tag() -> None:
    found = served("vm3", "vm1-100")
    found.note(Switch(*ALL["vm3"]).ask(REQUEST, option(50, "10.1.0.5")), 10)
    found.note(Switch(*ALL["vm1-100"]).ask(DISCOVER), 10)
    assert keys(found, "vm3")["dhcp-expires"] == "never"
    of_vlan = {"dhcp-state-100": "offered", "dhcp-since-100": "2027-01-15T08:00:10Z"}
    assert keys(found, "vm1-100") == {**of_vlan, "dhcp-expires-100": None}


def test_of_several_clients_who_was_heard_last_counts() -> None:
    found = Leases()
    anybody = replace(VM1, mac=None)
    found.serve("vm1", BRIDGE, OFPORT, [(LAB, anybody)], 0.0)
    switch = Switch(LAB, anybody)
    bound = switch.ask(REQUEST, option(50, "10.0.0.5"), mac="02:00:00:00:00:09")
    found.note(bound, 10)
    found.note(switch.ask(DISCOVER, mac="02:00:00:00:00:08"), 20)
    offered = {"dhcp-state": "offered", "dhcp-since": "2027-01-15T08:00:20Z"}
    assert keys(found) == {**offered, "dhcp-expires": None}
    found.note(bound, 30)
    assert keys(found)["dhcp-state"] == "bound"
