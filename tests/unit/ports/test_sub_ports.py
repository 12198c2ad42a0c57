# SPDX-License-Identifier: Apache-2.0
"""Ports behind the interface of another one, known by their VLAN's tag."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import replace

import pytest
from ovs_dhcpd.controller.ports.vlans import Vlans, vlans_of
from ovs_dhcpd.flows.bindings.network import Binding, Parent

from tests.unit.ports.host import Host, Source
from tests.unit.steps import steps

MAC = "fa:16:3e:00:00:01"  # of the parent, and of its VLAN interfaces


def file(**sub_ports: tuple[str, int]) -> str:
    lines = ["networks:", "  red:", "    dhcpv4: {cidr: 10.0.0.0/24}", "    ports:",
             f'      vm1: {{addresses: "{MAC} 10.0.0.5"}}']  # fmt: skip
    for number, (name, (parent, tag)) in enumerate(sub_ports.items(), 1):
        lines += [f"  net-{name}:", f"    dhcpv4: {{cidr: 10.{number}.0.0/24}}", "    ports:",
                  f'      {name}: {{addresses: "{MAC} 10.{number}.0.7", parent: {parent},'
                  f" tag: {tag}}}"]  # fmt: skip
    return "\n".join(lines) + "\n"


def test_a_sub_port_is_served_where_its_parent_is_plugged_in() -> None:
    host = Host(file(a=("vm1", 10), b=("vm1", 20)))
    assert host.served == {}
    host.plug("tap1", iface_id="vm1")
    assert host.served == {"a": ["10.1.0.7"], "b": ["10.2.0.7"], "vm1": ["10.0.0.5"]}
    assert host.refused == []
    assert {host.ofport_of(name) for name in host.served} == {1}
    host.plug("tap1", ofport=9)
    assert {host.ofport_of(name) for name in host.served} == {9}
    host.unplug("tap1")
    assert (host.served, host.refused) == ({}, [])


def test_a_parent_need_not_be_named_itself_and_may_go_by_its_interface() -> None:
    host = Host(file(a=("tap7", 10)))
    host.plug("tap7")
    assert host.served == {"a": ["10.1.0.7"]}


def test_a_sub_port_may_come_and_go_in_the_file() -> None:
    host = Host(file())
    host.plug("tap1", iface_id="vm1")
    host.configure(file(a=("vm1", 10)))
    assert [*host.served] == ["a", "vm1"]
    host.configure(file())
    assert [*host.served] == ["vm1"]


def test_of_two_with_one_tag_it_is_the_first_by_name() -> None:
    """Of one file `check` refuses it; of two sources nobody else hears of it."""
    host = Host(file(b=("tap1", 10)), file(a=("vm1", 10)))
    host.plug("tap1", iface_id="vm1")
    assert [*host.served] == ["a", "vm1"]
    assert "port b: tag: 10 is that of a too, expected another" in host.refused


@pytest.mark.parametrize(
    ("vlans", "mode"),
    [
        (vlans_of("", 10, frozenset()), "access"),
        (vlans_of("", None, frozenset({20})), "trunk"),
        (vlans_of("native-untagged", 10, frozenset()), "native-untagged"),
        (vlans_of("dot1q-tunnel", 5, frozenset()), "dot1q-tunnel"),
    ],
)
def test_a_vlan_that_the_port_does_not_carry_is_refused(vlans: Vlans, mode: str) -> None:
    host = Host(file(a=("vm1", 10)))
    host.plug("tap1", iface_id="vm1", vlans=vlans)
    assert [*host.served] == ["vm1"]
    what = f"tag: 10 is not carried with its tag by {mode} port tap1, expected one that is"
    assert host.refused == [f"port a: {what}"]
    host.plug("tap1", vlans=vlans_of("", None, frozenset({10, 0})))
    assert ([*host.served], host.refused) == (["a", "vm1"], [])


def test_a_sub_port_that_is_plugged_in_itself_is_refused_by_name() -> None:
    host = Host(file(a=("vm1", 10)))
    host.plug("tap2", iface_id="a")
    assert host.served == {}
    assert host.refused == ["port a: is plugged in as tap2, expected behind its parent"]
    host.plug("tap1", iface_id="vm1")
    assert [*host.served] == ["a", "vm1"]
    what = "is plugged in as tap1 and as tap2, expected one of them; tap1 is served"
    assert host.refused == [f"port a: {what}"]


def test_a_sub_port_writes_nothing_into_its_parents_row() -> None:
    pool = "networks: {lab: {dhcpv4: {cidr: 10.9.0.0/24}, pool: 10.9.0.100}}"
    host = Host(pool)
    host.plug("tap1")
    before = host.memory("tap1")
    assert before.addresses
    port = "{addresses: '02:00:00:00:00:02 10.1.0.7', parent: tap1, tag: 10}"
    host.configure(f"{pool[:-1]}, red: {{dhcpv4: {{cidr: 10.1.0.0/24}}, ports: {{a: {port}}}}}}}")
    assert host.served == {"a": ["10.1.0.7"], "tap1": ["10.9.0.100"]}
    assert host.memory("tap1") == before


@pytest.mark.parametrize("tag", [10, 20])
def test_a_guest_with_no_tag_is_not_served_where_that_is_not_carried(tag: int) -> None:
    pool = "networks: {lab: {dhcpv4: {cidr: 10.9.0.0/24}, pool: 10.9.0.100}}"
    host = Host(pool)
    host.plug("tap1", vlans=vlans_of("trunk", None, frozenset({tag})))
    assert (host.served, host.refused) == ({}, [])
    host.plug("tap1", vlans=vlans_of("trunk", None, frozenset({tag, 0})))
    assert host.served == {"tap1": ["10.9.0.100"]}


# VLANs that nobody names, of networks with a pool and a tag

TRUNK = vlans_of("trunk", None, frozenset({0, 10}))
POOLS = """\
networks:
  lab: {dhcpv4: {cidr: 10.0.0.0/24}, pool: 10.0.0.100}
  ten: {dhcpv4: {cidr: 10.1.0.0/24}, pool: 10.1.0.100, tag: 10}
  twenty: {dhcpv4: {cidr: 10.1.0.0/24}, pool: 10.1.0.100-10.1.0.101, tag: 20}
"""


@pytest.mark.parametrize(
    ("vlans", "served"),
    [
        (TRUNK, ["tap1", "tap1.10"]),
        (vlans_of("", None, frozenset({10, 20})), ["tap1.10", "tap1.20"]),
        (vlans_of("trunk", None, frozenset()), ["tap1", "tap1.10", "tap1.20"]),
        (vlans_of("", None, frozenset()), ["tap1"]),  # a trunk only for want of a word
        (vlans_of("", 10, frozenset()), ["tap1"]),
        (vlans_of("native-untagged", 10, frozenset({20})), ["tap1", "tap1.20"]),
        (vlans_of("native-tagged", 10, frozenset({20})), ["tap1.10", "tap1.20"]),
        (vlans_of("dot1q-tunnel", 10, frozenset()), []),
    ],
)
def test_a_trunk_is_served_the_vlans_that_it_carries(vlans: Vlans, served: list[str]) -> None:
    host = Host(POOLS)
    host.plug("tap1", vlans=vlans)
    assert ([*host.served], host.refused) == (served, [])


def test_a_vlan_follows_its_port_its_row_and_its_network() -> None:
    host = Host(POOLS)
    host.plug("tap1", vlans=TRUNK)
    assert host.served == {"tap1": ["10.0.0.100"], "tap1.10": ["10.1.0.100"]}
    host.plug("tap1", vlans=vlans_of("trunk", None, frozenset({20})))
    assert [*host.served] == ["tap1.20"]
    host.plug("tap1", vlans=TRUNK, network="none")
    assert host.served == {}
    host.plug("tap1", network=None)
    host.configure(POOLS.replace("tag: 10", "tag: 11"))
    assert [*host.served] == ["tap1"]
    host.configure(POOLS)
    assert [*host.served] == ["tap1", "tap1.10"]
    host.unplug("tap1")
    assert (host.served, host.refused) == ({}, [])


def test_each_vlan_is_remembered_by_itself_over_a_restart() -> None:
    """Of the same subnet in two VLANs the addresses alone do not tell which is whose."""
    host = Host(POOLS.replace("pool: 10.1.0.100,", "pool: 10.1.0.100-10.1.0.101,"))
    host.plug("tap1", vlans=vlans_of("trunk", None, frozenset({10, 20})))
    host.plug("tap2", vlans=vlans_of("trunk", None, frozenset({10, 20})))
    before = host.served
    assert len({*host.served["tap1.10"], *host.served["tap2.10"]}) == 2
    host.restart()
    assert host.served == before
    host.unplug("tap1")
    host.restart()
    assert host.served == {name: had for name, had in before.items() if "tap2" in name}


def test_a_vlan_that_the_file_names_is_not_served_twice() -> None:
    port = f"{{addresses: '{MAC} 10.2.0.5', parent: tap1, tag: 10}}"
    host = Host(f"{POOLS}  named: {{dhcpv4: {{cidr: 10.2.0.0/24}}, ports: {{a: {port}}}}}")
    host.plug("tap1", vlans=TRUNK)
    assert host.served == {"a": ["10.2.0.5"], "tap1": ["10.0.0.100"]}
    assert host.refused == []


def test_a_named_sub_port_may_leave_its_address_to_the_pool() -> None:
    ports = f"ports: {{a: {{addresses: '{MAC} dynamic', parent: tap1, tag: 30}}}}"
    host = Host(POOLS.replace("pool: 10.0.0.100", f"pool: 10.0.0.100-10.0.0.101, {ports}"))
    host.plug("tap1")
    (own,), (behind,) = host.served["tap1"], host.served["a"]
    assert {own, behind} == {"10.0.0.100", "10.0.0.101"}
    host.restart()
    assert host.served == {"a": [behind], "tap1": [own]}


def test_an_interface_may_have_the_name_of_a_vlan() -> None:
    host = Host(POOLS)
    host.plug("tap1", vlans=TRUNK)
    host.plug("tap1.10", vlans=vlans_of("", 20, frozenset()))
    assert host.networks_of("tap1.10") == ["twenty"]
    assert host.refused == []


# Of a guarded port only the VLANs of its sub-ports may be sent


def guarded(**sub_ports: tuple[str, int]) -> str:
    return file(**sub_ports).replace("    ports:", "    guard: true\n    ports:", 1)


def vlans_behind(host: Host, name: str = "vm1") -> Set[int] | None:
    ((_, port),) = host._binder.served[name].bindings
    return port.vlans


def test_the_vlans_of_a_guarded_port_are_those_of_its_sub_ports() -> None:
    host = Host(guarded())
    host.plug("tap1", iface_id="vm1")
    assert vlans_behind(host) == set()
    host.configure(guarded(a=("vm1", 10), b=("tap1", 20)))
    assert vlans_behind(host) == {10, 20}
    assert vlans_behind(host, "a") is None
    host.configure(file())
    assert vlans_behind(host) is None


def test_a_guarded_port_follows_its_sub_ports_of_another_source() -> None:
    host = Host(guarded(), file().replace("vm1", "vm2"))
    host.plug("tap1", iface_id="vm1")
    for sub_ports in ({"a": ("vm1", 10)}, {"a": ("vm1", 11)}, {}):
        host.sources[1].configure(file(**sub_ports).replace("vm1:", "vm2:"))
        host.settle({"a"})
        assert vlans_behind(host) == {tag for _, tag in sub_ports.values()}


def test_where_the_row_says_that_it_is_a_trunk_a_guarded_port_may_send_any_vlan() -> None:
    host = Host(guarded())
    host.plug("tap1", iface_id="vm1", vlans=vlans_of("", None, frozenset({0, 10})))
    assert vlans_behind(host) is None
    host.plug("tap1", vlans=vlans_of("", 10, frozenset()))
    assert vlans_behind(host) == set()


def test_a_guarded_port_of_a_switch_that_passes_vlans_may_send_any() -> None:
    source = Source(guarded())
    ((network, port),) = source._bindings["vm1"].served
    source._bindings["vm1"] = Binding(((network, replace(port, trunk=True)),))
    host = Host(source)
    host.plug("tap1", iface_id="vm1")
    assert vlans_behind(host) is None


# External ports: many behind an uplink, in the same VLAN


def external(**ports: tuple[int, bool]) -> Source:
    """A source that has these behind eth1, each with its tag, and whether its VLAN is shared."""
    lines = ["networks:", "  red:", "    dhcpv4: {cidr: 10.0.0.0/24}", "    ports:"]
    for number, name in enumerate(ports, 5):
        lines.append(f'      {name}: {{addresses: "02:00:00:00:01:{number:02x} 10.0.0.{number}"}}')
    source = Source("\n".join(lines))
    for name, (tag, shared) in ports.items():
        ((network, port),) = source._bindings[name].served
        parent = source._parents[name] = Parent("eth1", tag, shared=shared)
        source._bindings[name] = Binding(((network, replace(port, parent=parent)),))
    return source


def test_any_number_of_external_ports_are_in_one_vlan() -> None:
    host = Host(external(a=(100, True), b=(100, True), c=(0, True), sub=(100, False)))
    host.plug("eth1", is_guest=False)
    assert [*host.served] == ["a", "b", "c", "sub"]
    assert host.refused == []
    assert {host.ofport_of(name) for name in host.served} == {1}
    host.unplug("eth1")
    assert host.served == {}


def test_what_the_uplink_does_not_carry_is_refused() -> None:
    host = Host(external(a=(100, True), b=(0, True)))
    host.plug("eth1", vlans=vlans_of("", None, frozenset({200})))
    assert host.served == {}
    trunk = "trunk port eth1"
    assert host.refused == [
        f"port a: tag: 100 is not carried with its tag by {trunk}, expected one that is",
        f"port b: tag: none, and {trunk} carries nothing without one, expected one that it does",
    ]


def test_a_change_of_one_external_port_concerns_no_other() -> None:
    host = Host(external(a=(100, True), b=(100, True)))
    host.plug("eth1")
    host.settle({"a"})
    assert {*host.decisions[-1].plugged} == {"a"}


def vlans(count: int) -> str:
    """A file with so many VLANs whose guests nobody names."""
    lines = [
        f"  v{tag}: {{dhcpv4: {{cidr: 10.{tag}.0.0/24}}, pool: 10.{tag}.0.100, tag: {tag}}}"
        for tag in range(1, count + 1)
    ]
    return "\n".join(["networks:", *lines])


@pytest.mark.parametrize(
    "text",
    [
        lambda count: file(**{f"s{tag}": ("vm1", tag) for tag in range(1, count + 1)}),
        vlans,
    ],
)
def test_many_sub_ports_are_not_looked_at_each_with_all_others(text: Callable[[int], str]) -> None:
    trunk = vlans_of("trunk", None, frozenset())
    counts = []
    for count in (20, 40):
        host = Host(text(count))
        counts.append(steps(lambda: host.plug("tap1", iface_id="vm1", vlans=trunk)))  # noqa: B023
        assert len(host.served) >= count
    assert counts[1] < 2.2 * counts[0]


# A change of one sub-port concerns its parent, and of the others those that it has to do with.


def looked_at(host: Host, *names: str) -> Set[str]:
    """The ports that are looked at as something about these may have changed."""
    host.settle(names)
    return {*host.decisions[-1].plugged}


def test_a_change_of_one_sub_port_concerns_no_other_in_another_vlan() -> None:
    host = Host(file(**{f"s{tag}": ("vm1", tag) for tag in range(1, 40)}))
    host.plug("tap1", iface_id="vm1")
    assert looked_at(host, "s7") == {"s7", "vm1", "tap1"}
    assert len(looked_at(host, "vm1")) == 41
    host.configure(file(**{f"s{tag}": ("vm1", tag) for tag in range(1, 40) if tag != 7}))
    assert looked_at(host, "s7") == {"s7"}


def test_who_is_refused_its_tag_gets_it_once_the_other_has_another_or_is_gone() -> None:
    """The first by name need not be served itself."""
    first, second = file(a=("vm1", 10)), file(b=("tap1", 10), c=("vm1", 20))
    host = Host(first, second)
    host.plug("tap1", iface_id="vm1", vlans=vlans_of("trunk", None, frozenset({0, 10, 20})))
    assert [*host.served] == ["a", "c", "vm1"]
    for tag, served in ((30, ["b", "c", "vm1"]), (20, ["a", "b", "vm1"]), (10, ["a", "c", "vm1"])):
        host.sources[0].configure(file(a=("vm1", tag)))
        host.settle({"a"})
        assert [*host.served] == served
    host.sources[0].configure(file())
    host.settle({"a"})
    assert [*host.served] == ["b", "c", "vm1"]


def test_a_guarded_port_follows_a_sub_port_that_goes_by_its_interface() -> None:
    host = Host(guarded(), file(a=("tap1", 10)).replace("vm1:", "vm2:"))
    host.plug("tap1", iface_id="vm1")
    assert vlans_behind(host) == {10}
    host.sources[1].configure(file().replace("vm1:", "vm2:"))
    host.settle({"a"})
    assert vlans_behind(host) == set()


def test_a_vlan_that_nobody_names_follows_one_that_is_named() -> None:
    named = f"red: {{dhcpv4: {{cidr: 10.2.0.0/24}}, ports: {{a: {{addresses: '{MAC} 10.2.0.5',"
    host = Host(POOLS, "networks: {}")
    host.plug("tap1", vlans=vlans_of("trunk", None, frozenset({10, 20})))
    for tag, served in ((20, ["a", "tap1.10"]), (10, ["a", "tap1.20"])):
        host.sources[0].configure(f"{POOLS}  {named} parent: tap1, tag: {tag}}}}}}}")
        host.settle({"a"})
        assert [*host.served] == served
    host.sources[0].configure(POOLS)
    host.settle({"a"})
    assert [*host.served] == ["tap1.10", "tap1.20"]
