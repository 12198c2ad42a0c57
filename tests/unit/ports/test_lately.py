# SPDX-License-Identifier: Apache-2.0
"""What ports were served last: whose it is, and when it is nobody's."""

from __future__ import annotations

import uuid
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from ovs_dhcpd.controller.ports.interface import Interface, Memory
from ovs_dhcpd.controller.ports.lately import Lately
from ovs_dhcpd.flows.bindings.network import Dhcpv4, Network, Port
from ovs_dhcpd.flows.bindings.pool import Pool

ADDRESS, OTHER = IPv4Address("10.0.0.5"), IPv4Address("10.0.0.6")
MAC, MAC2 = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
PLAIN = Network("lab", Dhcpv4(IPv4Network("10.0.0.0/24"), OTHER, MAC2, {}), (), False)
LAB = Network("lab", PLAIN.dhcpv4, (), False, pool=Pool((), {}))
TAP = Interface(row=uuid.UUID(int=1), bridge="br-int", name="tap1", iface_id="vm1", ofport=1)


def served(*addresses: IPv4Address, network: Network = LAB) -> Lately:
    lately = Lately()
    lately.note(TAP, [(network, Port("vm1", MAC, addresses, {}))])
    return lately


def test_it_is_the_same_guests_alone() -> None:
    lately = served(ADDRESS)
    assert [*lately.had(LAB, TAP, MAC)] == [*lately.had(LAB, TAP, None)] == [ADDRESS]
    assert [*lately.had(LAB, TAP, MAC2)] == []
    again = Interface(row=uuid.UUID(int=2), bridge="br-int", name="tap1", iface_id="vm1")
    assert [*lately.had(LAB, again, MAC)] == []
    another = Interface(row=TAP.row, bridge="br-int", name="tap1", iface_id="vm2")
    assert [*lately.had(LAB, another, MAC)] == []


def test_it_is_anothers_for_all_others_of_the_network() -> None:
    lately = served(ADDRESS)
    assert lately.is_anothers(LAB, ADDRESS, "vm2")
    assert not lately.is_anothers(LAB, ADDRESS, "vm1")
    assert not lately.is_anothers(LAB, OTHER, "vm2")


def test_it_ends_with_the_port_and_with_what_is_served_next() -> None:
    lately = served(ADDRESS)
    lately.note(TAP, [(LAB, Port("vm1", MAC, (OTHER,), {}))])
    assert [*lately.had(LAB, TAP, MAC)] == [OTHER]
    assert not lately.is_anothers(LAB, ADDRESS, "vm2")
    lately.forget("vm1")
    assert "vm1" not in lately
    assert not lately.is_anothers(LAB, OTHER, "vm2")


def test_what_stands_in_the_row_is_forgotten_with_it() -> None:
    chosen = replace(TAP, memory=Memory((ADDRESS,), "02:00:00:00:00:01"))
    lately = Lately()
    lately.note(chosen, [(LAB, Port("vm1", MAC, (ADDRESS,), {}, dynamic=True))])
    assert [*lately.had(LAB, chosen, None)] == [ADDRESS]
    assert [*lately.had(LAB, TAP, None)] == []
    assert not lately.is_anothers(LAB, ADDRESS, "vm2")  # the row says it


def test_networks_without_a_pool_cost_nothing() -> None:
    assert "vm1" not in served(ADDRESS, network=PLAIN)
