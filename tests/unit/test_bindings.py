# SPDX-License-Identifier: Apache-2.0
"""What a port may have, as the action that its userdata carries."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest

from flows.bindings import Dhcpv4, Network, Place, Port, default_server_mac
from flows.userdata import PutDhcpOpts

PLACE = Place("c.yaml", 7)
SHARED = {"server_id": b"\x0a\0\0\1", "lease_time": b"\0\0\x0e\x10", "T1": b"\0\0\1\0"}
DHCPV4 = Dhcpv4(
    IPv4Network("10.0.0.0/24"), IPv4Address("10.0.0.1"), bytes.fromhex("0a0000000001"), SHARED
)


def port(addresses: str, **options: bytes) -> Port:
    found = tuple(IPv6Address(a) if ":" in a else IPv4Address(a) for a in addresses.split())
    return Port("vm1", bytes.fromhex("020000000001"), found, options, PLACE)


def network(dhcpv4: Dhcpv4 | None = DHCPV4) -> Network:
    return Network("red", dhcpv4, (), False, PLACE)


def test_a_place_is_written_as_compilers_do() -> None:
    assert str(PLACE) == "c.yaml:7"


def test_options_come_in_the_order_of_their_names() -> None:
    assert network().put_dhcp_opts(port("10.0.0.5")) == PutDhcpOpts(
        IPv4Address("10.0.0.5"),
        ((58, b"\0\0\1\0"), (51, b"\0\0\x0e\x10"), (54, b"\x0a\0\0\1")),
    )


def test_the_ports_own_options_replace_those_of_the_network() -> None:
    own = port("10.0.0.5", lease_time=b"\0\0\0\x3c", option_200=b"x")
    assert network().put_dhcp_opts(own) == PutDhcpOpts(
        IPv4Address("10.0.0.5"),
        ((58, b"\0\0\1\0"), (51, b"\0\0\0\x3c"), (200, b"x"), (54, b"\x0a\0\0\1")),
    )


def test_the_first_address_inside_the_cidr_is_offered() -> None:
    opts = network().put_dhcp_opts(port("fd00::5 10.9.0.5 10.0.0.6 10.0.0.7"))
    assert opts is not None
    assert opts.offerip == IPv4Address("10.0.0.6")


@pytest.mark.parametrize("addresses", ["", "fd00::5", "10.0.1.5"])
def test_a_port_without_an_address_inside_the_cidr_is_not_served(addresses: str) -> None:
    assert network().put_dhcp_opts(port(addresses)) is None


def test_a_network_without_dhcpv4_serves_no_port() -> None:
    assert network(None).put_dhcp_opts(port("10.0.0.5")) is None


def test_the_default_server_mac_is_stable_local_and_unicast() -> None:
    assert default_server_mac("finance-network1").hex(":") == "da:e4:b0:97:f0:c3"
    assert {default_server_mac(str(i))[0] & 3 for i in range(100)} == {2}
