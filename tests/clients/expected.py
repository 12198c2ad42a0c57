# SPDX-License-Identifier: Apache-2.0
"""What a client of the reference network is told, and what the daemon logs of it."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Any

from tests.lab import reference, reference6
from tests.lab.clients import Lease
from tests.lab.clients6 import Lease6
from tests.lab.daemon import Dhcpd

Serve = Callable[..., Dhcpd]  # starts the daemon with these changes of its configuration
GiveAddress = Callable[[Dhcpd, IPv4Address], None]  # gives the guest's port another

OTHER_ADDRESS = IPv4Address("192.168.1.99")


def told(lease: Lease) -> dict[str, object]:
    """What the client was told, without how its script names it."""
    fields = ("address", "prefix_length", "server_id", "lease_time_s", "routers", "dns_servers",
              "mtu", "routes")  # fmt: skip
    return {name: getattr(lease, name) for name in fields}


# All of the reference network but the router: RFC 3442 leaves option 3 out where 121 is asked for.
REFERENCE_LEASE = {
    "address": reference.ADDRESS,
    "prefix_length": reference.CIDR.prefixlen,
    "server_id": reference.SERVER_ID,
    "lease_time_s": reference.LEASE_TIME_S,
    "routers": (),
    "dns_servers": (reference.DNS_SERVER,),
    "mtu": reference.MTU,
    "routes": reference.ROUTES,
}


# What keeps a lease short enough for a test to see it renewed at T1.
SHORT: dict[str, Any] = {"preferred_lifetime": 1800, "valid_lifetime": 3600, "t1": 2, "t2": 60}


def told6(lease: Lease6) -> dict[str, object]:
    """What the client was told, without how its script names it."""
    fields = ("address", "preferred_s", "valid_s", "dns_servers", "search")
    return {name: getattr(lease, name) for name in fields}


SHORT_LEASE = {
    "address": reference6.ADDRESS,
    "preferred_s": 1800,
    "valid_s": 3600,
    "dns_servers": (reference6.DNS_SERVER,),
    "search": (reference6.SEARCH,),
}


def says6(message: str, address: object = reference6.ADDRESS) -> str:
    """A line of the daemon's log about the guest."""
    return f"DHCPv6 {message} {reference.MAC} {address}"


def says(message: str, address: IPv4Address = reference.ADDRESS) -> str:
    """A line of the daemon's log about the guest."""
    return f"DHCP{message} {reference.MAC} {address}"
