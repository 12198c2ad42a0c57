# SPDX-License-Identifier: Apache-2.0
"""What a port may have, as the action that its userdata carries."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from ovs_dhcpd.flows.bindings.network import (
    Dhcpv4,
    Dhcpv6,
    Network,
    Port,
    Ra,
    default_server_mac,
    link_local_address,
)
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts, PutDhcpv6Opts, PutNdRaOpts
from ovs_dhcpd.flows.userdata.extension import Dhcpv4Extension, Dhcpv6Extension

SHARED = {"server_id": b"\x0a\0\0\1", "lease_time": b"\0\0\x0e\x10", "T1": b"\0\0\1\0"}
DHCPV4 = Dhcpv4(
    IPv4Network("10.0.0.0/24"), IPv4Address("10.0.0.1"), bytes.fromhex("0a0000000001"), SHARED
)

OPTIONS6 = ((23, b"\1" * 16), (2, b"\x0a\0\0\0\0\1"))  # dns_server, server_id


def port(addresses: str, **options: bytes) -> Port:
    found = tuple(IPv6Address(a) if ":" in a else IPv4Address(a) for a in addresses.split())
    return Port("vm1", bytes.fromhex("020000000001"), found, options)


def network(dhcpv4: Dhcpv4 | None = DHCPV4) -> Network:
    return Network("red", dhcpv4, (), False)


def network6(stateless: bool = False, extension: Dhcpv6Extension | None = None) -> Network:
    shared = {"server_id": OPTIONS6[1][1], "dns_server": OPTIONS6[0][1]}
    dhcpv6 = Dhcpv6(IPv6Network("fd00::/64"), OPTIONS6[1][1], shared, stateless)
    dhcpv6 = replace(dhcpv6, extension=extension or Dhcpv6Extension())
    return Network("red", None, (), False, dhcpv6)


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


def test_the_ports_other_addresses_inside_the_cidr_are_in_the_extension() -> None:
    opts = network().put_dhcp_opts(port("10.0.0.5 10.9.0.5 10.0.0.6 fd00::5 10.0.0.7"))
    assert opts is not None
    others = (IPv4Address("10.0.0.6"), IPv4Address("10.0.0.7"))
    assert opts.extension == Dhcpv4Extension(addresses=others)


def test_the_networks_extension_is_that_of_its_ports() -> None:
    extension = Dhcpv4Extension(rapid_commit=True)
    opts = network(replace(DHCPV4, extension=extension)).put_dhcp_opts(port("10.0.0.5 10.0.0.6"))
    assert opts is not None
    assert opts.extension == replace(extension, addresses=(IPv4Address("10.0.0.6"),))


def test_ia_addr_comes_before_the_options_of_dhcpv6() -> None:
    assert network6().put_dhcpv6_opts(port("10.0.0.5 fd00:2::5 fd00::5")) == PutDhcpv6Opts(
        ((5, IPv6Address("fd00::5").packed), *OPTIONS6)
    )


def test_the_ports_own_options_of_dhcpv6_replace_those_of_the_network() -> None:
    own = replace(port("fd00::5"), options6={"dns_server": b"\2" * 16, "option_32": b"x"})
    assert network6().put_dhcpv6_opts(own) == PutDhcpv6Opts(
        ((5, IPv6Address("fd00::5").packed), (23, b"\2" * 16), (32, b"x"), OPTIONS6[1])
    )


def test_other_addresses_and_prefixes_are_in_the_extension_of_dhcpv6() -> None:
    extension = Dhcpv6Extension(valid_lifetime_s=60, preferred_lifetime_s=60)
    prefixes = (IPv6Network("fd00:5::/56"),)
    own = replace(port("fd00::5 fd00::6"), delegated_prefixes=prefixes)
    opts = network6(extension=extension).put_dhcpv6_opts(own)
    assert opts is not None
    assert opts.extension == replace(
        extension, addresses=(IPv6Address("fd00::6"),), delegated_prefixes=prefixes
    )


@pytest.mark.parametrize(
    ("stateless", "addresses"), [(True, "fd00::5 fd00::6"), (False, "10.0.0.5"), (False, "")]
)
def test_options_alone_for_who_gets_no_ipv6_address(stateless: bool, addresses: str) -> None:
    opts = network6(stateless=stateless).put_dhcpv6_opts(port(addresses))
    assert opts == PutDhcpv6Opts(OPTIONS6)


def test_a_network_without_dhcpv6_or_ra_serves_none() -> None:
    assert network().put_dhcpv6_opts(port("fd00::5")) is None
    assert network().put_nd_ra_opts() is None


def test_the_router_advertisement_is_that_of_the_network() -> None:
    message = b"\x86" + bytes(15)
    red = replace(network(), ra=Ra(message, bytes(6)))
    assert red.put_nd_ra_opts() == PutNdRaOpts(message)


def test_the_link_local_address_of_a_mac() -> None:
    assert str(link_local_address(bytes.fromhex("fa163e9f1ab5"))) == "fe80::f816:3eff:fe9f:1ab5"
    assert str(link_local_address(bytes.fromhex("000000001002"))) == "fe80::200:ff:fe00:1002"


def test_a_network_without_dhcpv4_serves_no_port() -> None:
    assert network(None).put_dhcp_opts(port("10.0.0.5")) is None


def test_the_default_server_mac_is_stable_local_and_unicast() -> None:
    assert default_server_mac("finance-network1").hex(":") == "da:e4:b0:97:f0:c3"
    assert {default_server_mac(str(i))[0] & 3 for i in range(100)} == {2}
