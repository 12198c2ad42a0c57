# SPDX-License-Identifier: Apache-2.0
"""Which port somebody means."""

from __future__ import annotations

from ovs_dhcpd.controller.ports.world import World
from ovs_dhcpd.controller.why.find import find, having

from tests.unit.ports.files import MAC, MAC2, file
from tests.unit.ports.host import Host


def found(host: Host, text: str) -> list[str]:
    return find(text, World(host, host.sources), host.bindings, host.interfaces)


def test_a_name_is_the_ports_or_its_interfaces() -> None:
    host = Host(file("lab", vm1=f"{MAC} 10.0.0.7", vm2=f"{MAC2} 10.0.0.8"))
    host.plug("tap1", iface_id="vm1")
    host.plug("tap3", iface_id="vm3", bridge="br-ex")
    host.plug("tap4", ofport=None)
    assert found(host, "vm1") == found(host, "tap1") == ["vm1"]
    assert found(host, "vm2") == ["vm2"]
    assert found(host, "tap3") == ["vm3"]
    assert found(host, "tap4") == ["tap4"]
    assert found(host, "tap5") == []


def test_an_interface_that_is_named_by_its_name_is_that_port() -> None:
    host = Host(file("lab", tap1=f"{MAC} 10.0.0.7"))
    host.plug("tap1", iface_id="vm1")
    assert found(host, "vm1") == found(host, "tap1") == ["tap1"]


def test_of_two_names_of_an_interface_it_is_the_one_that_is_served() -> None:
    host = Host(file("lab", vm1=f"{MAC} 10.0.0.7", tap1=f"{MAC2} 10.0.0.8"))
    host.plug("tap1", iface_id="vm1")
    assert found(host, "tap1") == ["vm1"]


def test_a_mac_or_an_address_is_that_of_who_is_served_it_first() -> None:
    host = Host(file("lab", vm1=f"{MAC} 10.0.0.7", vm2=f"{MAC2} 10.0.0.8"))
    host.plug("tap1", iface_id="vm1")
    host.plug("tap9", attached_mac=MAC, bridge="br-ex")
    assert found(host, MAC.upper()) == found(host, MAC.replace(":", "-")) == ["vm1", "tap9"]
    assert found(host, "10.0.0.7") == ["vm1"]
    assert found(host, MAC2) == found(host, "10.0.0.8") == ["vm2"]
    assert found(host, "02:00:00:00:00:77") == found(host, "10.0.0.77") == []


def test_where_any_mac_is_served_it_is_that_of_who_has_asked() -> None:
    host = Host(file("lab", vm1=f"{MAC} 10.0.0.7"))
    host.plug("tap9", attached_mac=MAC2)
    world = World(host, host.sources)
    asked = {bytes.fromhex("020000000002"): ["tap1"]}
    found = find(MAC2, world, host.bindings, host.interfaces, lambda mac: asked.get(mac, []))
    assert found == ["tap9", "tap1"]  # who is served it comes first


def test_an_address_of_the_pool_is_found_by_who_remembers_it() -> None:
    host = Host(file("lab"))
    host.plug("tap1")
    (address,) = host.served["tap1"]
    assert found(host, address) == ["tap1"]


def test_in_networks_alone_it_is_the_ports_that_have_it() -> None:
    host = Host(file("lab", vm1=f"{MAC} 10.0.0.7"))
    networks = World(host, host.sources).networks("br-int").values()
    for text, names in ((MAC, ["vm1"]), ("10.0.0.7", ["vm1"]), (MAC2, []), ("vm1", [])):
        assert [port.name for _, port in having(text, networks)] == names
