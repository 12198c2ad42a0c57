# SPDX-License-Identifier: Apache-2.0
"""How much may be parked, so that nobody takes a pool away from others."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from ovs_dhcpd.controller.ports.parked import MAX_OF_BRIDGE, Parked, may_park
from ovs_dhcpd.flows.bindings.network import Dhcpv4, Network
from ovs_dhcpd.flows.bindings.pool import AddressRange, Pool, PooledAddress

FIRST = IPv4Address("10.0.0.0")


def lab(size: int) -> Network:
    pool = Pool((AddressRange(FIRST, FIRST + (size - 1)),), {})
    return Network("lab", Dhcpv4(IPv4Network("10.0.0.0/16"), FIRST, b"", {}), (), False, pool=pool)


def parked(count: int, owner: str = "tap{}", network: str = "lab") -> dict[PooledAddress, Parked]:
    """So many addresses; each owner in turn."""
    return {(network, FIRST + n): Parked(1000, owner.format(n)) for n in range(count)}


@pytest.mark.parametrize(
    ("size", "there", "why"),
    [
        (100, {}, ""),
        (100, parked(3, "tap1"), ""),
        (100, parked(4, "tap1"), "4 of tap1 are parked"),
        (100, parked(4, "tap1", "office"), ""),
        (100, parked(24), ""),
        (100, parked(25), "25 addresses of the pool are parked"),
        (1, {}, ""),
        (2, parked(1, "tap2"), "1 addresses of the pool are parked"),
        (5000, parked(MAX_OF_BRIDGE, "", "office"), "256 addresses of the bridge are parked"),
    ],
)
def test_what_is_parked_is_limited_by_port_pool_and_bridge(
    size: int, there: dict[PooledAddress, Parked], why: str
) -> None:
    assert may_park(lab(size), "tap1", there) == why
