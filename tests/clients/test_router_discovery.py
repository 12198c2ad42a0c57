# SPDX-License-Identifier: Apache-2.0
"""Router advertisements as the Linux kernel and rdisc6 take them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv6Interface

import pytest

from tests.clients.expected import Serve
from tests.lab import reference, reference6
from tests.lab.clients6 import global_addresses, wait_for_link_local
from tests.lab.guest import Guest
from tests.lab.process import wait_until

ROUTER = {"slla": reference.SERVER_MAC, "prefix": [str(reference6.CIDR)]}
OWN = IPv6Interface("fd00:1::f816:3eff:fe8b:eafd/64")  # of the prefix and reference.MAC


def set_up(guest: Guest, name: str, value: int) -> None:
    """Set one of the kernel's parameters of IPv6 on eth0."""
    file = f"/proc/sys/net/ipv6/conf/eth0/{name}"
    guest.namespace.run("sh", "-c", f"echo {value} > {file}")


@pytest.fixture
def solicit(guest: Guest) -> Iterator[Callable[[], None]]:
    """Make the guest's kernel look for routers."""

    def look() -> None:
        for name, value in (("accept_ra", 1), ("autoconf", 1), ("forwarding", 0)):
            set_up(guest, name, value)
        guest.namespace.ip("link", "set", "eth0", "down")
        guest.namespace.ip("link", "set", "eth0", "up")

    yield look
    guest.namespace.ip("-6", "address", "flush", "dev", "eth0", "scope", "global")


def test_the_kernel_forms_its_address_and_routes(
    serve6: Serve, guest: Guest, solicit: Callable[[], None]
) -> None:
    serve6(ra={"addr_mode": "slaac", "router_preference": "HIGH", **ROUTER})
    solicit()
    wait_until(lambda: global_addresses(guest) == [OWN], "an address")
    routes = guest.namespace.ip("-6", "route", "show", "default", "dev", "eth0")
    assert f"default via {reference6.SERVER_LLA} proto ra" in routes
    assert f"mtu {reference.MTU}" in routes
    assert "pref high" in routes


def test_the_kernel_forms_no_address_where_dhcpv6_gives_them(
    serve6: Serve, guest: Guest, solicit: Callable[[], None]
) -> None:
    serve6(ra={"addr_mode": "dhcpv6_stateful", **ROUTER})
    solicit()
    wait_until(
        lambda: "default via" in guest.namespace.ip("-6", "route", "show", "dev", "eth0"),
        "the router",
    )
    assert global_addresses(guest) == []


def test_a_server_that_is_no_router_is_no_default_route(
    serve6: Serve, guest: Guest, solicit: Callable[[], None]
) -> None:
    serve6(ra={"addr_mode": "slaac"})
    solicit()
    wait_until(lambda: global_addresses(guest) == [OWN], "an address")
    assert "default" not in guest.namespace.ip("-6", "route", "show", "dev", "eth0")


def test_unsolicited_advertisements_are_enough(
    serve6: Serve, guest: Guest, solicit: Callable[[], None]
) -> None:
    set_up(guest, "router_solicitations", 0)
    guest.namespace.ip("link", "set", "eth0", "down")  # nor one more for the test before
    dhcpd = serve6(ra={"addr_mode": "slaac", "interval": [3, 4], **ROUTER})
    solicit()
    wait_until(lambda: global_addresses(guest) == [OWN], "an address")
    set_up(guest, "router_solicitations", -1)
    assert dhcpd.messages() == []


@pytest.mark.needs("rdisc6")
def test_rdisc6_reads_all_that_is_advertised(serve6: Serve, guest: Guest) -> None:
    serve6(
        ra={
            "addr_mode": "dhcpv6_stateless",
            "router_preference": "HIGH",
            "rdnss": [str(reference6.DNS_SERVER)],
            "dnssl": "ovn.org,example.com",
            "dns_lifetime": 1200,
            "route_info": f"HIGH-{reference6.PREFIX}",
            "route_lifetime": 600,
            **ROUTER,
        }
    )
    wait_for_link_local(guest)
    shown = guest.namespace.run("rdisc6", "-1", "-w", "3000", "eth0")
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines[2:] == [
        "Hop limit : 255 ( 0xff)",
        "Stateful address conf. : No",
        "Stateful other conf. : Yes",
        "Mobile home agent : No",
        "Router preference : high",
        "Neighbor discovery proxy : No",
        "Router lifetime : 65535 (0x0000ffff) seconds",
        "Reachable time : unspecified (0x00000000)",
        "Retransmit time : unspecified (0x00000000)",
        f"Source link-layer address: {reference.SERVER_MAC.upper()}",
        f"MTU : {reference.MTU} bytes (valid)",
        f"Recursive DNS server : {reference6.DNS_SERVER}",
        "DNS server lifetime : 1200 (0x000004b0) seconds",
        "DNS search list : ovn.org example.com",
        "DNS search list lifetime: 1200 (0x000004b0) seconds",
        f"Route : {reference6.PREFIX}",
        "Route preference : high",
        "Route lifetime : 600 (0x00000258) seconds",
        f"Prefix : {reference6.CIDR}",
        "On-link : Yes",
        "Autonomous address conf.: Yes",
        "Valid time : infinite (0xffffffff)",
        "Pref. time : infinite (0xffffffff)",
        f"from {reference6.SERVER_LLA}",
    ]
