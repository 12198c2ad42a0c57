# SPDX-License-Identifier: Apache-2.0
"""The networks of the soak, and who is in them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import yaml

from tests.lab.flood import Client as Flooder

SERVER, SERVER_MAC = "10.1.0.1", "0a:00:00:00:01:01"
POOL_SERVER, POOL = "10.2.0.1", "10.2.0.100-10.2.0.199"
STEADY, FLAPPING, POOLED = 5, 3, 4
NOISY = "noisy"


@dataclass(frozen=True)
class Member:
    """One guest: `address` and `address6` are None where the daemon chooses."""

    name: str
    number: int
    address: str | None
    address6: str | None

    @property
    def mac(self) -> str:
        return f"02:00:00:00:01:{self.number:02x}"

    @property
    def link_local(self) -> str:
        return f"fe80::ff:fe00:1{self.number:02x}"

    @property
    def server(self) -> str:
        return SERVER if self.address else POOL_SERVER

    @property
    def flooder(self) -> Flooder:
        return Flooder(self.mac, self.address or "", self.server, self.link_local)


def _fixed(name: str, number: int) -> Member:
    return Member(
        name,
        number,
        str(IPv4Address("10.1.0.0") + number),
        str(IPv6Address("fd00:1::") + number),
    )


STEADY_ONES = [_fixed(f"steady{number}", 10 + number) for number in range(STEADY)]
FLAPPING_ONES = [_fixed(f"flapping{number}", 30 + number) for number in range(FLAPPING)]
POOLED_ONES = [Member(f"pooled{number}", 50 + number, None, None) for number in range(POOLED)]
NOISY_ONE = _fixed(NOISY, 70)
MEMBERS = [*STEADY_ONES, *FLAPPING_ONES, *POOLED_ONES, NOISY_ONE]


def configuration(mtu: int = 1400, others: int = 0) -> str:
    """The file: `mtu` is in every flow; `others` are that many ports that are nowhere."""
    fixed = [*STEADY_ONES, *FLAPPING_ONES, NOISY_ONE]
    ports = {
        each.name: {"addresses": f"{each.mac} {each.address} {each.address6}"} for each in fixed
    }
    for number in range(others):
        ports[f"nowhere{number}"] = {"addresses": f"02:00:00:00:02:{number:02x} 10.1.1.{number}"}
    networks = {
        "fixed": {
            "dhcpv4": {
                "cidr": "10.1.0.0/16",
                "server_id": SERVER,
                "server_mac": SERVER_MAC,
                "router": SERVER,
                "mtu": mtu,
            },
            "dhcpv6": {"cidr": "fd00:1::/64", "server_id": SERVER_MAC},
            "ra": {"addr_mode": "dhcpv6_stateful", "prefix": ["fd00:1::/64"], "mtu": mtu},
            "ports": ports,
        },
        "pooled": {
            "dhcpv4": {"cidr": "10.2.0.0/24", "server_id": POOL_SERVER, "mtu": mtu},
            "pool": POOL,
        },
    }
    return yaml.safe_dump({"networks": networks}, sort_keys=False)
