# SPDX-License-Identifier: Apache-2.0
"""What a client declines is given to nobody for a time, and what it cannot decline is said."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from ovs_dhcpd.controller.ports.interface import Interface, Memory
from ovs_dhcpd.controller.ports.vlans import vlans_of

from tests.unit.ports.host import Host
from tests.unit.ports.pooled import MACS, lab, remembers, reserved

TEN = "10.0.0.100-10.0.0.109"
FIXED = "is declined, as if somebody used it, and offered all the same: "


def test_who_declines_its_address_gets_another_and_nobody_gets_that_one() -> None:
    host = Host(lab())
    host.plug("tap1")
    (declined,) = host.served["tap1"]
    host.decline("tap1")
    assert host.served["tap1"] != [declined]
    assert host.memory("tap1") == remembers(*host.served["tap1"], owner="tap1")
    for number in range(2, 6):
        host.plug(f"tap{number}")
    assert declined not in host.given_out
    assert len(host.given_out) == 3
    waiting = [name for name, addresses in host.served.items() if not addresses]
    host.restart()
    assert declined not in host.given_out
    host.free("lab", declined)
    assert host.served[waiting[0]] == [declined]


def test_it_is_parked_as_long_as_the_network_says() -> None:
    host = Host(lab(beside="decline_probation_period: 60"))
    host.plug("tap1", attached_mac=MACS[0])
    host.decline("tap1", now_s=1000.5)
    ((place, parked),) = host.parked("br-int").items()
    assert (place[0], parked.until_s, parked.owner) == ("lab", 1060, MACS[0])


def test_what_the_port_does_not_have_cannot_be_declined() -> None:
    host = Host(lab())
    host.plug("tap1")
    host.plug("tap2")
    before = host.served
    host.decline("tap1", before["tap2"][0])
    assert (host.served, host.parked("br-int")) == (before, {})


@pytest.mark.parametrize("kind", ["named", "reserved"])
def test_a_fixed_address_is_offered_all_the_same_and_that_is_said(kind: str) -> None:
    named = {"vm1": f"{MACS[0]} 10.0.0.7"} if kind == "named" else {}
    host = Host(lab(beside="" if named else reserved(_0="10.0.0.7"), **named))
    host.plug("tap1", iface_id="vm1", attached_mac=MACS[0])
    for _ in range(2):
        host.decline("vm1")
        assert host.served == {"vm1": ["10.0.0.7"]}
        assert host.refused == [f"port vm1: 10.0.0.7 {FIXED}it is this port's own"]
    host.configure(lab(vm1=f"{MACS[0]} 10.0.0.8"))
    assert host.refused == []


def test_who_declines_one_address_after_the_other_takes_no_pool_away() -> None:
    host = Host(lab("10.0.0.100-10.0.0.139"))
    host.plug("tap1")
    for _ in range(6):
        host.decline("tap1")
    assert len(host.parked("br-int")) == 4
    (address,) = host.served["tap1"]
    why = "4 of tap1 are parked"
    assert host.refused == [f"port tap1: {address} {FIXED}{why}"]
    host.unplug("tap1")
    assert host.refused == []
    host.plug("tap1")
    assert host.refused == []


def test_neither_do_many_who_do_so() -> None:
    host = Host(lab(TEN))
    for number in range(4):
        host.plug(f"tap{number}")
        host.decline(f"tap{number}")
    assert len(host.parked("br-int")) == 2
    assert all(host.served.values())


def test_a_parked_address_cannot_be_chosen_by_hand() -> None:
    host = Host(lab())
    host.plug("tap1")
    (declined,) = host.served["tap1"]
    host.decline("tap1")
    host.plug("tap2", memory=remembers(declined))
    what = f"{declined} is parked, expected another (ovs-appctl pools/show)"
    assert host.refused == [f"port tap2: dhcp-ip: {what}"]
    host.free("lab", declined)
    assert host.served["tap2"] == [declined]


def test_what_is_declined_in_one_family_stays_in_the_other() -> None:
    text = lab().replace("'10.0.0.100-10.0.0.103'", "[10.0.0.100-10.0.0.103, 'fd00::/64']")
    host = Host(text.replace("    pool", "    dhcpv6: {cidr: 'fd00::/64'}\n    pool"))
    host.plug("tap1")
    four, six = host.served["tap1"]
    host.decline("tap1", six)
    assert host.served["tap1"][0] == four
    assert host.served["tap1"][1] != six


def test_the_same_address_in_two_vlans_of_a_port_is_declined_in_its_own() -> None:
    vlan = "{{dhcpv4: {{cidr: 10.0.0.0/24}}, pool: 10.0.0.100-10.0.0.109, tag: {}}}"
    host = Host(f"networks: {{a: {vlan.format(10)}, b: {vlan.format(20)}}}")
    address = ip_address("10.0.0.100")
    remembered = {tag: Memory((address,), f"tap1.{tag}") for tag in (10, 20)}
    host.plug("tap1", vlans=vlans_of("", None, frozenset(remembered)), of_vlans=remembered)
    assert host.served == {"tap1.10": [str(address)], "tap1.20": [str(address)]}
    host.decline("tap1.20")
    assert {*host.parked("br-int")} == {("b", address)}
    assert host.served["tap1.10"] == [str(address)] != host.served["tap1.20"]


def test_nobody_is_looked_at_but_who_declines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guest may decline fifty times a second."""
    host = Host(lab())
    for name in ("tap1", "tap2", "tap3"):
        host.plug(name)
    looked_at = []
    plugged = host.plugged

    def look_at(name: str) -> Interface | None:
        looked_at.append(name)
        return plugged(name)

    monkeypatch.setattr(host, "plugged", look_at)
    host.decline("tap2", "10.0.0.200")
    assert looked_at == []
