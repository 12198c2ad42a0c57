# SPDX-License-Identifier: Apache-2.0
"""Rows of OVSDB and of `ip` as values, whatever is in them."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import Any

import pytest
from ovs_dhcpd.controller.drafting.seen import Bridge, Link, Plugged, read_bridges, read_links
from ovs_dhcpd.controller.ports.vlans import vlans_of

EMPTY = ["set", []]


def interface(number: int, **columns: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"_uuid": ["uuid", f"i{number}"], "name": f"tap{number}", "type": "",
           "mac_in_use": "fe:00:00:00:00:01", "ofport": number, "status": ["map", []],
           "external_ids": ["map", []]}  # fmt: skip
    return row | columns


def port(number: int, **columns: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"_uuid": ["uuid", f"p{number}"], "name": f"tap{number}",
           "interfaces": ["uuid", f"i{number}"], "tag": EMPTY, "trunks": EMPTY,
           "vlan_mode": EMPTY}  # fmt: skip
    return row | columns


def bridge(name: str, *ports: int) -> dict[str, Any]:
    return {"name": name, "ports": ["set", [["uuid", f"p{number}"] for number in ports]]}


def test_bridges_with_who_is_plugged_in() -> None:
    ids = ["map", [["iface-id", "vm1"], ["attached-mac", "02:00:00:00:00:01"]]]
    (found,) = read_bridges(
        {
            "Bridge": [bridge("br0", 1, 2)],
            "Port": [port(1, tag=42), port(2, trunks=["set", [1, 2]], vlan_mode="trunk")],
            "Interface": [
                interface(1, external_ids=ids, status=["map", [["driver_name", "tun"]]]),
                interface(2, type="internal", ofport=-1),
            ],
        }
    )
    one, two = found.plugged
    assert (found.name, found.is_ovns) == ("br0", False)
    assert (one.name, one.key, one.driver, one.ofport) == ("tap1", "vm1", "tun", 1)
    assert (one.vlans, two.vlans) == (
        vlans_of("", 42, frozenset()),
        vlans_of("trunk", None, frozenset({1, 2})),
    )
    assert (two.ofport, two.kind) == (None, "internal")


def test_whose_mac_is_the_guests() -> None:
    assert Plugged(name="a", mac="fe:00:00:00:00:01", driver="tun").guests_mac == ""
    assert Plugged(name="a", mac="02:00:00:00:00:01", kind="internal").guests_mac[-2:] == "01"
    ids = {"attached-mac": "02:00:00:00:00:07"}
    assert Plugged(name="a", mac="x", kind="internal", external_ids=ids).guests_mac[-2:] == "07"


def test_who_is_a_guest() -> None:
    assert Plugged(name="a", driver="veth").is_guest
    assert Plugged(name="a", external_ids={"iface-id": "x"}).is_guest
    assert not Plugged(name="a", driver="ixgbe").is_guest
    assert not Plugged(name="a", driver="veth", external_ids={"dhcp-network": "none"}).is_guest


def test_ovns_bridge() -> None:
    def ovns(*pairs: tuple[str, str]) -> list[Bridge]:
        ids = ["map", [list(pair) for pair in pairs]]
        rows = {
            "Bridge": [bridge("br-int"), bridge("br9")],
            "Open_vSwitch": [{"external_ids": ids}],
        }
        return [each for each in read_bridges(rows) if each.is_ovns]

    assert [each.name for each in ovns(("ovn-remote", "x"))] == ["br-int"]
    assert [each.name for each in ovns(("ovn-remote", "x"), ("ovn-bridge", "br9"))] == ["br9"]
    assert ovns(("ovn-bridge", "br9")) == []


ODD = [None, 7, "x", [], ["set"], ["set", 7], ["map", [7, ["a"]]], {"a": 1}, [["uuid"]]]


@pytest.mark.parametrize("odd", ODD)
def test_columns_that_cannot_be_read_are_as_if_they_were_not_there(odd: Any) -> None:
    for name in interface(1):
        rows = {"Bridge": [bridge("b", 1)], "Port": [port(1)], "Interface": [interface(1)]}
        rows["Interface"][0][name] = odd
        assert [each.name for each in read_bridges(rows)] == ["b"]
    for name in port(1):
        rows = {"Bridge": [bridge("b", 1)], "Port": [port(1)], "Interface": [interface(1)]}
        rows["Port"][0][name] = odd
        assert [each.name for each in read_bridges(rows)] == ["b"]
    assert len(read_bridges({"Bridge": [{"name": odd, "ports": odd}]})) == 1


def address(local: str, length: int, **more: Any) -> dict[str, Any]:
    return {"local": local, "prefixlen": length} | more


def test_the_hosts_interfaces() -> None:
    document = [
        {"ifname": "br0", "address": "02:00:00:00:00:01", "addr_info": [
            address("10.0.0.1", 24), address("fd00::1", 64),
            address("fd00::2", 64, temporary=True), address("fd00::3", 64, deprecated=True),
            address("x", 64), 7]},
        {"ifname": "br0.42", "link": "br0", "linkinfo": {"info_kind": "vlan",
         "info_data": {"protocol": "802.1Q", "id": 42}}},
        {"ifname": "v", "linkinfo": {"info_kind": "veth"}}, {"ifname": 7}, 7,
    ]  # fmt: skip
    own = (ip_interface("10.0.0.1/24"), ip_interface("fd00::1/64"))
    assert read_links(document) == [
        Link("br0", "02:00:00:00:00:01", own),
        Link("br0.42", over=("br0", 42)),
        Link("v"),
    ]


@pytest.mark.parametrize("odd", [None, 7, "x", {}, [None], [{}]])
def test_what_is_no_interface(odd: Any) -> None:
    assert read_links(odd) == []


@pytest.mark.parametrize("key", ["linkinfo", "addr_info"])
def test_what_ip_does_not_say(key: str) -> None:
    assert read_links([{"ifname": "a", key: 7}]) == [Link("a")]
