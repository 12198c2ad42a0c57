# SPDX-License-Identifier: Apache-2.0
"""What is drafted for a switch: which networks, and what is left to fill in."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import Any

import pytest
from ovs_dhcpd.controller.drafting.seen import Bridge, Link, Plugged
from ovs_dhcpd.controller.drafting.switch import SHOWN, draft_switch
from ovs_dhcpd.controller.ports.vlans import vlans_of
from ovs_dhcpd.flows.bindings.network import Configuration

from tests.unit.drafting.reading import accepted_text

MAC = "02:00:00:00:00:01"
LOCAL = Plugged(name="br0", kind="internal", mac=MAC)
GATEWAY = Link("br0", MAC, (ip_interface("192.168.1.1/24"),))


def tap(name: str, tag: int | None = None, **more: Any) -> Plugged:
    vlans = vlans_of("", tag, frozenset())
    return Plugged(name=name, driver="tun", **{"vlans": vlans, "ofport": 7, **more})


def drafted(*bridges: Bridge, links: list[Link] | None = None, **more: Any) -> str:
    found = draft_switch(bridges, [GATEWAY] if links is None else links, more.pop("learned", {}),
                         **more).text(["t"])  # fmt: skip
    configuration = accepted_text(found)
    assert configuration.warnings == () or not configuration.networks  # which is a warning itself
    return found


def shown(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def read(text: str) -> Configuration:
    return accepted_text(text)


def test_the_address_of_the_bridge_is_the_router_of_its_network() -> None:
    text = drafted(Bridge("br0", (LOCAL, tap("tap0"))))
    (network,) = read(text).networks
    assert (network.name, network.bridge, network.tag) == ("br0", "br0", None)
    assert str(network.pool) == "192.168.1.128-192.168.1.254"
    assert network.dhcpv4
    assert network.dhcpv4.options["router"] == bytes((192, 168, 1, 1))
    assert str(network.dhcpv4.server_id) == "192.168.1.1"
    assert "# br0: this host has 192.168.1.1/24 at br0" in shown(text)


@pytest.mark.parametrize(
    ("address", "pool"),
    [
        ("10.0.0.1/29", "10.0.0.1-10.0.0.6"),
        ("10.0.0.14/28", "10.0.0.1-10.0.0.14"),
        ("10.0.0.1/16", "10.0.128.0-10.0.255.254"),
    ],
)
def test_a_pool_for_each_size(address: str, pool: str) -> None:
    link = Link("br0", MAC, (ip_interface(address),))
    (network,) = read(drafted(Bridge("br0", (LOCAL,)), links=[link])).networks
    assert str(network.pool) == pool
    assert network.pool
    assert network.pool.reserved[ip_interface(address).ip] in ("router", "server_id")


def test_what_this_host_has_besides_is_not_given_out() -> None:
    link = Link("br0", MAC, (ip_interface("10.0.0.1/24"), ip_interface("10.0.0.200/24"),
                             ip_interface("10.9.0.1/24")))  # fmt: skip
    text = drafted(Bridge("br0", (LOCAL,)), links=[link])
    (network,) = read(text).networks
    assert network.pool
    assert [*map(str, network.pool.excluded)] == ["10.0.0.200"]
    assert any("10.9.0.1/24: a network has one subnet" in line for line in shown(text))


@pytest.mark.parametrize("address", ["127.0.0.1/8", "169.254.1.1/16", "10.0.0.1/32", "fe80::1/64"])
def test_addresses_that_are_no_routers(address: str) -> None:
    link = Link("br0", MAC, (ip_interface(address),))
    assert read(drafted(Bridge("br0", (LOCAL,)), links=[link])).networks == ()


def test_each_vlan_is_a_network() -> None:
    vlan = Plugged(name="vlan42", kind="internal", vlans=vlans_of("", 42, frozenset()))
    links = [GATEWAY, Link("vlan42", MAC, (ip_interface("10.42.0.1/24"),)),
             Link("br0.43", MAC, (ip_interface("10.43.0.1/24"),), ("br0", 43))]  # fmt: skip
    text = drafted(Bridge("br0", (LOCAL, vlan, tap("a"), tap("b", 42), tap("c", 44))), links=links)
    found = {network.name: network.tag for network in read(text).networks}
    assert found == {"br0": None, "br0-vlan42": 42, "br0-vlan43": 43}
    lines = shown(text)
    assert "#   ovs-vsctl set interface vlan42 external_ids:dhcp-network=none" in lines
    assert any("VLAN 44 of br0: this host has no address there" in line for line in lines)
    at = lines.index("# br0-vlan44:")
    assert lines[at + 1 : at + 4] == [
        "#   tag: 44",
        "#   dhcpv4: {cidr: 192.0.2.0/24, router: 192.0.2.1}",
        "#   pool: 192.0.2.100-192.0.2.199",
    ]


def test_trunks_are_in_the_vlans_that_they_name() -> None:
    trunk = tap("t", vlans=vlans_of("", None, frozenset({0, 42})))
    plain = tap("p")
    text = drafted(Bridge("br0", (LOCAL, trunk, plain)))
    assert "# br0-vlan42:" in shown(text)
    assert text.count("vlan") == 1  # not each of 4094
    assert text.count("t: any MAC") == 2
    every = tap("t", vlans=vlans_of("trunk", None, frozenset()))
    assert "vlan" not in drafted(Bridge("br0", (LOCAL, every)))
    tagged = tap("t", vlans=vlans_of("native-tagged", 5, frozenset({5, 42})))
    assert {"# br0-vlan5:", "# br0-vlan42:"} <= {*shown(drafted(Bridge("br0", (LOCAL, tagged))))}


def test_what_is_written_in_a_comment_can_be_used() -> None:
    """A bridge without a router: without the # it is a configuration."""
    text = drafted(Bridge("br0", (LOCAL,)), Bridge("br1", (tap("a"),)))
    lines = text.splitlines()
    at = lines.index("  # br1:")
    filled = [line.replace("  # ", "  ", 1) for line in lines[at : at + 6]]
    (_, other) = read("\n".join([*lines[:at], *filled])).networks
    assert (other.name, other.bridge) == ("br1", "br1")


def test_without_any_address_all_is_a_comment() -> None:
    text = drafted(Bridge("br1", (tap("a"),)), links=[])
    assert read(text).networks == ()
    assert "bridge: br1" in shown(text)
    assert any("take the # away, and the {} above:" in line for line in shown(text))


def test_ipv6_is_advertised_with_the_router() -> None:
    link = Link("br0", MAC, (ip_interface("192.168.1.1/24"), ip_interface("fd00:1::1/64"),
                             ip_interface("fe80::ff:fe00:1/64")))  # fmt: skip
    (network,) = read(drafted(Bridge("br0", (LOCAL,)), links=[link])).networks
    assert network.ra
    assert (network.ra.slla.hex(":"), network.ra.message[5]) == (MAC, 0)
    assert network.dhcpv6 is None
    assert network.ra.interval


def test_a_router_whose_link_local_address_is_another_advertises_itself() -> None:
    link = Link("br0", MAC, (ip_interface("192.168.1.1/24"), ip_interface("fd00:1::1/64"),
                             ip_interface("fe80::1234/64")))  # fmt: skip
    text = drafted(Bridge("br0", (LOCAL,)), links=[link])
    (network,) = read(text).networks
    assert network.ra
    assert network.ra.slla.hex(":") != MAC
    assert "let it advertise itself" in text


@pytest.mark.parametrize(
    ("addresses", "pool"),
    [
        (["fd00:1::1/64"], "fd00:1::1000-fd00:1::1fff"),
        (["192.168.1.1/24", "fd00:1::1/120"],
         "192.168.1.128-192.168.1.254, fd00:1::80-fd00:1::ff"),
    ],
)  # fmt: skip
def test_addresses_of_ipv6_where_hosts_can_make_none(addresses: list[str], pool: str) -> None:
    link = Link("br0", "x", tuple(map(ip_interface, addresses)))
    (network,) = read(drafted(Bridge("br0", (LOCAL,)), links=[link])).networks
    assert str(network.pool) == pool
    assert network.dhcpv6
    assert network.ra
    assert network.ra.message[5] == 0x80


def test_what_is_known_of_the_guests() -> None:
    ids = {"iface-id": "vm1", "attached-mac": "02:00:00:00:00:07"}
    plugged = (
        LOCAL,
        tap("a", external_ids=ids, ofport=1),
        tap("b", ofport=2),
        tap("c", ofport=3),
        Plugged(name="d", kind="internal", mac="02:00:00:00:00:0d"),
        Plugged(name="eth0", driver="e1000e"),
    )
    learned = {("br0", 2): ["02:00:00:00:00:0b"], ("br0", 3): ["02:00:00:00:00:0c", "x"]}
    text = drafted(Bridge("br0", plugged), learned=learned)
    lines = shown(text)
    at = lines.index("# plugged in:")
    assert lines[at + 1 :] == [
        "#   vm1 (a): MAC 02:00:00:00:00:07",
        "#   b: any MAC is served behind it; 02:00:00:00:00:0b has been heard",
        "#   c: any MAC is served behind it; whose it is the switch does not know",
        "#   d: MAC 02:00:00:00:00:0d",
        "# an address of its own for a guest, by its attached-mac:",
        '#   reserve: {"02:00:00:00:00:07": 192.168.1.2}',
    ]


def test_so_many_guests_are_listed_at_most() -> None:
    guests = [tap(f"tap{number}") for number in range(3 * SHOWN)]
    text = drafted(Bridge("br0", (LOCAL, *guests)))
    assert f"#   and {2 * SHOWN} more" in shown(text)
    assert text.count("any MAC") == SHOWN


HOSTILE = "a\nnetworks: {x: 1}\n\x1b[1m: '\"\\ #"


def test_names_that_are_meant_to_do_harm() -> None:
    """They stand in comments, in one line each; a bridge with one is left out."""
    ids = {"iface-id": HOSTILE, "attached-mac": HOSTILE}
    own = Plugged(name=HOSTILE, kind="internal", vlans=vlans_of("", 42, frozenset()))
    text = drafted(
        Bridge("br0", (LOCAL, tap(HOSTILE, external_ids=ids), own)),
        Bridge(HOSTILE, (tap("x"),)),
        links=[GATEWAY, Link(HOSTILE, HOSTILE, (ip_interface("10.42.0.1/24"),))],
        learned={("br0", 7): [HOSTILE]},
    )
    assert all(line.isprintable() for line in text.splitlines())
    assert [network.name for network in read(text).networks] == ["br0", "br0-vlan42"]
    assert "ovs-vsctl set interface NAME" in text


def test_a_name_that_yaml_takes_for_something_else() -> None:
    for name in ("yes", "123", "1e3", "br:0", "null", "[x]", "{x}", "#x", "- x"[:1], "ü"):
        link = Link(name, MAC, (ip_interface("10.0.0.1/24"),))
        bridge = Bridge(name, (Plugged(name=name, kind="internal"),))
        (network,) = read(drafted(bridge, links=[link])).networks
        assert (network.name, network.bridge) == (name, name)


def test_several_bridges_and_one_of_them() -> None:
    other = Plugged(name="br1", kind="internal")
    links = [GATEWAY, Link("br1", MAC, (ip_interface("10.1.0.1/24"),))]
    bridges = Bridge("br0", (LOCAL,)), Bridge("br1", (other,))
    text = drafted(*bridges, links=links)
    assert {each.name: each.bridge for each in read(text).networks} == {"br0": "br0", "br1": "br1"}
    (network,) = read(drafted(*bridges, links=links, only="br1")).networks
    assert network.bridge == "br1"


def test_ovns_bridge_is_left_to_ovn() -> None:
    text = drafted(Bridge("br0", (LOCAL,), is_ovns=True))
    assert read(text).networks == ()
    assert "br0 is OVN's" in text
