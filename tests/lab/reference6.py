# SPDX-License-Identifier: Apache-2.0
"""The reference network in IPv6: the same port, DHCPv6 and router advertisements."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network

import yaml

from tests.lab.reference import MAC, MTU, PORT, SERVER_MAC

ADDRESS = IPv6Address("fd00:1::7")
CIDR = IPv6Network("fd00:1::/64")
LLA = "fe80::f816:3eff:fe8b:eafd"  # of MAC
SERVER_LLA = "fe80::f816:3eff:fe9f:1ab5"  # of SERVER_MAC
DNS_SERVER = IPv6Address("fd00:1::53")
SEARCH = "example.org"
PREFIX = IPv6Network("fd00:2::/56")


def configuration(
    address: IPv6Address = ADDRESS,
    *,
    ra: dict[str, object] | None = None,
    port: dict[str, object] | None = None,
    rate_limit: object = None,
    **options: object,
) -> str:
    """The configuration file, with another `address`, and with further options of each section.

    `rate_limit` is as in `reference.configuration`.
    """
    dhcpv6 = {
        "cidr": str(CIDR),
        "server_id": SERVER_MAC,
        "dns_server": [str(DNS_SERVER)],
        "domain_search": SEARCH,
        **options,
    }
    advertised = {
        "addr_mode": "dhcpv6_stateful",
        "prefix": [str(CIDR)],
        "mtu": MTU,
        **(ra or {}),
    }
    network = {
        **({"rate_limit": rate_limit} if rate_limit else {}),
        "dhcpv6": dhcpv6,
        "ra": advertised,
        "ports": {PORT: {"addresses": f"{MAC} {address}", **(port or {})}},
    }
    return yaml.safe_dump({"networks": {"finance-network1": network}}, sort_keys=False)
