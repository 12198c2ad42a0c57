# SPDX-License-Identifier: Apache-2.0
"""Who is served what, and why not: the rules of the binder, one by one, in values."""

from __future__ import annotations

from typing import Any

import pytest
from ovs_dhcpd.controller.ports.vlans import vlans_of
from ovs_dhcpd.flows.bindings.network import Binding
from ovs_dhcpd.flows.bindings.placement import Placement

from tests.unit.ports.files import MAC, MAC2, file, other_bridge
from tests.unit.ports.host import Host, Source

PLAIN = f"""
    tag: 10
  plain:
    dhcpv4: {{cidr: 10.9.0.0/24}}
    ports: {{vm9: {{addresses: "{MAC2} 10.9.0.9"}}}}
"""


# The name of a port


def test_a_port_is_served_by_its_iface_id_or_else_by_its_name() -> None:
    host = Host(file("lab", vm1=f"{MAC} 10.0.0.7", tap2=f"{MAC2} 10.0.0.8"))
    host.plug("tap1", iface_id="vm1")
    host.plug("tap2", iface_id="nobody")
    host.plug("tap3", iface_id="unknown", is_guest=False)
    assert host.served == {"tap2": ["10.0.0.8"], "vm1": ["10.0.0.7"]}
    assert host.refused == []
    assert host.unserved["tap1"] == "is port vm1, by its iface-id"


def test_named_both_ways_it_is_served_by_its_iface_id() -> None:
    host = Host(file("lab", vm1=f"{MAC} 10.0.0.7", tap1=f"{MAC2} 10.0.0.8"))
    host.plug("tap1", iface_id="vm1")
    assert host.served == {"vm1": ["10.0.0.7"]}
    line = "port tap1: is port vm1 too, by its iface-id, expected one of the two names"
    assert host.refused == [line]


def test_a_new_iface_id_takes_the_port_from_its_old_one() -> None:
    host = Host(file("lab", vm1=f"{MAC} 10.0.0.7", vm2=f"{MAC2} 10.0.0.8"))
    host.plug("tap1", iface_id="vm1")
    host.plug("tap1", iface_id="vm2")
    assert host.served == {"vm2": ["10.0.0.8"]}
    assert host.decisions[-1].stop == {"vm1": "br-int"}


def test_all_names_of_an_interface_are_looked_at_with_one() -> None:
    host = Host(file("lab"))
    host.plug("tap1", iface_id="vm1")
    host.sources[0].configure(file("lab", vm1=f"{MAC} 10.0.0.7"))
    host.settle({"tap1"})
    assert host.served == {"vm1": ["10.0.0.7"]}


def test_an_iface_id_on_two_interfaces_is_said_and_served_on_one() -> None:
    host = Host(file("lab", vm1=f"{MAC} 10.0.0.7"))
    host.plug("tap1", iface_id="vm1")
    host.plug("tap2", iface_id="vm1")
    line = "port vm1: is plugged in as tap1 and as tap2, expected one of them; tap1 is served"
    assert host.refused == [line]
    host.unplug("tap1")
    assert host.refused == []
    assert host.served == {"vm1": ["10.0.0.7"]}


# Plugged in, and where


def test_what_is_not_plugged_in_is_not_served_and_not_refused() -> None:
    host = Host(file("lab", tap1=f"{MAC} 10.0.0.7"))
    host.plug("tap1", ofport=None)
    assert (host.served, host.refused) == ({}, [])
    host.plug("tap1", ofport=5)
    assert host.decisions[-1].serve["tap1"].ofport == 5
    host.plug("tap1", ofport=6)  # plugged in again
    decision = host.decisions[-1]
    assert (decision.serve["tap1"].ofport, decision.stop) == (6, {})
    host.unplug("tap1")
    assert host.decisions[-1].stop == {"tap1": "br-int"}


def test_on_another_bridge_than_its_networks_it_is_refused() -> None:
    host = Host(file("lab", tap1=f"{MAC} 10.0.0.7"))
    host.plug("tap1", bridge="br-other")
    assert host.refused == ["port tap1: is plugged into br-other, expected br-int"]
    assert host.served == {}
    host.plug("tap1", bridge="br-int")
    assert (host.served, host.refused) == ({"tap1": ["10.0.0.7"]}, [])


def test_from_bridge_to_bridge_it_stops_there_and_is_served_here() -> None:
    host = Host(file("lab"), other_bridge(file("there")))
    host.plug("tap1")
    host.plug("tap1", bridge="br-other")
    assert host.networks_of("tap1") == ["there"]
    stops = [decision.stop for decision in host.decisions if decision.stop]
    assert stops == [{"tap1": "br-int"}]


def test_the_sources_are_told_what_is_plugged_in() -> None:
    host = Host(file("lab"))
    host.plug("tap1", iface_id="vm1")
    assert host.decisions[-1].plugged == {"tap1": True, "vm1": True}
    host.unplug("tap1")
    assert host.decisions[-1].plugged == {"tap1": False, "vm1": False}


# Which source


def test_the_first_source_that_knows_a_port_is_followed() -> None:
    first = Source(file("lab", vm1=f"{MAC} 10.0.0.7"), title="a.yaml")
    second = Source(file("office", vm1=f"{MAC} 10.0.0.9", vm2=f"{MAC2} 10.0.0.8"), title="NB")
    host = Host(first, second)
    host.plug("tap1", iface_id="vm1")
    host.plug("tap2", iface_id="vm2")
    assert host.served == {"vm1": ["10.0.0.7"], "vm2": ["10.0.0.8"]}
    line = "port vm1: is in NB and in a.yaml, expected it in one of them; a.yaml is followed"
    assert host.refused == [line]


def test_what_a_source_refuses_is_said_of_the_port() -> None:
    refused = Binding(refused=("addresses: junk is no address, expected one",))
    host = Host(Source(file("lab"), {"vm1": refused}))
    host.plug("tap1", iface_id="vm1")
    assert host.refused == ["port vm1: addresses: junk is no address, expected one"]
    assert host.served == {}


def test_who_is_named_nowhere_may_yet_be_named_by_a_source_that_is_not_read() -> None:
    late = Source(file("lab"))
    late.ready = False
    host = Host(late)
    host.plug("tap1")
    assert (host.served, host.refused) == ({}, [])
    assert host.unserved == {"tap1": "file has not been read yet, and may name it"}
    late.ready = True
    host.settle(())
    assert [*host.served] == ["tap1"]


def test_who_is_named_is_served_while_another_source_is_not_read() -> None:
    late = Source(other_bridge(file("there")))
    late.ready = False
    host = Host(file("lab", vm1=f"{MAC} 10.0.0.7"), late)
    host.plug("tap1", iface_id="vm1")
    host.plug("tap2")
    assert host.served["vm1"] == ["10.0.0.7"]
    assert "tap2" in host.served  # nothing that is not read is about its bridge


# Ports that nobody names


@pytest.mark.parametrize(
    ("networks", "interface", "network", "line"),
    [
        (["lab"], {}, "lab", None),
        (["lab"], {"vlans": vlans_of("", 7, frozenset())}, "lab", None),
        (["lab"], {"is_guest": False}, None, None),
        (["lab"], {"is_guest": False, "network": "lab"}, "lab", None),
        (["lab"], {"network": "none"}, None, None),
        (["lab", "office"], {"network": "office"}, "office", None),
        (
            ["lab", "office"],
            {"network": "offices"},
            None,
            "dhcp-network: offices, expected lab or office (did you mean office?)",
        ),
        (
            ["lab", "office"],
            {},
            None,
            "is in no network, expected external_ids:dhcp-network=lab|office",
        ),
        (
            ["lab", "office"],
            {"vlans": vlans_of("", 30, frozenset())},
            None,
            "is in no network (tag 30), expected external_ids:dhcp-network=lab|office",
        ),
    ],
)
def test_an_unnamed_port_is_in(
    networks: list[str], interface: dict[str, Any], network: str | None, line: str | None
) -> None:
    host = Host(file(*networks))
    host.plug("tap1", **interface)
    assert host.refused == ([f"port tap1: {line}"] if line else [])
    assert [*host.served] == (["tap1"] if network else [])
    if network:
        assert host.networks_of("tap1") == [network]


@pytest.mark.parametrize(("tag", "network"), [(10, "office"), (20, "guests"), (None, "lab")])
def test_the_vlan_of_an_unnamed_port_says_its_network(tag: int | None, network: str) -> None:
    text = file("lab", "office", "guests")
    text = text.replace("  office:", "  office:\n    tag: 10")
    text = text.replace("  guests:", "  guests:\n    tag: 20")
    host = Host(text)
    host.plug("tap1", vlans=vlans_of("", tag, frozenset()))
    assert host.networks_of("tap1") == [network]


def test_without_a_pool_unnamed_ports_are_left_alone() -> None:
    host = Host("networks: {plain: {dhcpv4: {cidr: 10.0.9.0/24}, ports: {}}}")
    host.plug("tap1")
    assert (host.served, host.refused) == ({}, [])


def test_a_network_of_its_vlan_without_a_pool_leaves_it_alone() -> None:
    plain = "\n  plain: {dhcpv4: {cidr: 10.0.9.0/24}, ports: {}}"
    text = file("lab").replace("  lab:", "  lab:\n    tag: 10") + plain
    host = Host(text)
    host.plug("tap1")  # no tag: as far as the file says, it is in plain
    host.plug("tap2", vlans=vlans_of("", 10, frozenset()))
    assert ([*host.served], host.refused) == (["tap2"], [])


def test_beside_another_source_an_unnamed_port_must_say_its_network() -> None:
    beside = Source(file("lab"), title="NB")
    beside.networks = lambda bridge: {}  # type: ignore[method-assign]  # as OVN's Northbound
    host = Host(file("lab"), beside)
    host.plug("tap1")
    host.plug("tap2", network="lab")
    assert ([*host.served], host.refused) == (["tap2"], [])


@pytest.mark.parametrize(
    ("sources", "fields", "why"),
    [
        ([file("lab")], {"network": "none"}, "external_ids:dhcp-network=none keeps it out"),
        (
            [file("lab")],
            {"bridge": "br-ex"},
            "nobody names it, and no network of br-ex has a pool",
        ),
        (
            [file("lab")],
            {"is_guest": False},
            "is no guest by its looks, and has no external_ids:dhcp-network",
        ),
        (
            [file("lab"), file("office")],
            {},
            "nobody names it, and beside a second source it needs external_ids:dhcp-network",
        ),
        (
            [file("lab")],
            {"vlans": vlans_of("native-tagged", 10, frozenset())},
            "is a native-tagged port that takes nothing without a tag",
        ),
        (
            [file("lab") + PLAIN],
            {},
            "nobody names it, and plain has no pool",
        ),
        (
            [file("lab", tap1=f"{MAC} 10.0.0.7")],
            {"iface_id": "vm1"},
            "is port tap1, by its interface's name",
        ),
    ],
)
def test_why_an_unnamed_port_is_left_alone(
    sources: list[str], fields: dict[str, Any], why: str
) -> None:
    host = Host(*sources)
    host.plug("tap1", **fields)
    assert host.refused == []
    key = fields.get("iface_id", "tap1")
    assert host.unserved[key] == why
    host.unplug("tap1")
    assert host.unserved == {}


def test_a_port_that_gets_a_name_gets_what_is_written_there() -> None:
    host = Host(file("lab"))
    host.plug("tap1", iface_id="vm1")
    host.plug("tap2")
    taken = host.served["tap2"][0]
    host.configure(file("lab", vm1=f"{MAC} {taken}"))
    assert host.served["vm1"] == [taken]
    assert host.served["tap2"] != [taken]
    assert host.refused == []


def test_a_pool_comes_and_goes_with_the_configuration() -> None:
    plain = "networks: {lab: {dhcpv4: {cidr: 10.0.0.0/24}, ports: {}}}"
    host = Host(plain)
    host.plug("tap1")
    assert host.served == {}
    host.configure(file("lab"))
    assert [*host.served] == ["tap1"]
    host.configure(plain)
    assert host.served == {}


def test_looking_again_at_what_has_not_changed_changes_nothing() -> None:
    host = Host(file("lab", vm1=f"{MAC} 10.0.0.7"))
    host.plug("tap1", iface_id="vm1")
    host.plug("tap2")
    before = host.served
    host.settle({"tap1", "vm1", "tap2", "nobody"})
    decision = host.decisions[-1]
    assert host.served == before
    assert (decision.stop, decision.remember) == ({}, {})
    host.settle(())
    assert host.decisions[-1].serve == {}


class Faulty(Source):
    """A source with a fault about the port vm1."""

    broken = True

    def binding(self, name: str) -> Binding | None:
        if self.broken and name == "vm1":
            raise KeyError("a fault")
        return super().binding(name)


def test_a_fault_about_a_port_costs_this_port() -> None:
    source = Faulty(file("lab", vm1=f"{MAC} 10.0.0.7", vm2=f"{MAC2} 10.0.0.8"))
    source.broken = False
    host = Host(source)
    host.plug("tap1", iface_id="vm1")
    source.broken = True
    host.plug("tap2", iface_id="vm2")
    host.plug("tap3")
    host.settle({"vm1", "vm2"})
    assert [*host.served] == ["tap3", "vm2"]
    assert host.refused == ["port vm1: internal error (the log has more)"]
    decision = host.decisions[-1]
    assert decision.stop == {"vm1": "br-int"}
    (fault,) = decision.faults
    assert (fault.where, repr(fault.error)) == ("port vm1", "KeyError('a fault')")
    source.broken = False
    host.settle({"vm1"})
    assert host.served["vm1"] == ["10.0.0.7"]
    assert (host.refused, host.decisions[-1].faults) == ([], [])


# Another host


def test_a_port_of_another_host_is_served_once_it_is_this_hosts() -> None:
    ((network, port),) = Source(file("lab", vm1=f"{MAC} 10.0.0.7"))._bindings["vm1"].served
    binding = Binding(((network, port),), ("left out",), Placement(hosts=("hv2",)))
    named = {"vm1": binding}
    host = Host(Source(file("lab"), named))
    host.plug("tap1", iface_id="vm1")
    assert host.served == {}
    line = "port vm1: options: requested-chassis: hv2, expected this host, host1 or hv1"
    assert host.refused == [line]
    host.host = frozenset({"hv2"})
    host.settle({"vm1"})
    assert host.served == {"vm1": ["10.0.0.7"]}
    assert host.refused == ["port vm1: left out"]


def test_only_the_version_of_the_interface_that_is_meant_is_served() -> None:
    ((network, port),) = Source(file("lab", vm1=f"{MAC} 10.0.0.7"))._bindings["vm1"].served
    named = {"vm1": Binding(((network, port),), placement=Placement(version="8"))}
    host = Host(Source(file("lab"), named))
    host.plug("tap1", iface_id="vm1", version="7")
    assert host.served == {}
    host.plug("tap1", iface_id="vm1", version="8")
    assert host.served == {"vm1": ["10.0.0.7"]}
