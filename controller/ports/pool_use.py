# SPDX-License-Identifier: Apache-2.0
"""How full a pool is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from ovs_dhcpd.flows.bindings.network import Network
from ovs_dhcpd.flows.bindings.pool import Address, AddressRange, Pool


class PoolUse(NamedTuple):
    """The addresses of a family that the pool of a network has.

    `size` is without those that are excluded.  Of these `used` are given out, `parked` are somebody
    else's, and `free` can be given to anybody, as those cannot that are reserved.
    """

    bridge: str
    network: str
    family: int
    size: int
    used: int
    parked: int
    free: int


def pool_uses(
    network: Network, given: Collection[Address], parked: Collection[Address]
) -> Iterator[PoolUse]:
    """How full the pool of ``network`` is, of which these addresses are given out and parked."""
    pool = network.pool
    assert pool
    reserved = [each for each in pool.reserved if not isinstance(each, bytes)]
    for family in (4, 6):
        if not pool.has(family):
            continue
        used, others, kept = (_of(pool, family, each) for each in (given, parked, reserved))
        size = _size(pool.ranges, family) - _size(pool.excluded, family)
        free = size - len(used | others | kept)
        yield PoolUse(network.bridge, network.name, family, size, len(used), len(others), free)


def _of(pool: Pool, family: int, addresses: Iterable[Address]) -> set[Address]:
    """Those of the addresses that the pool has, and does not exclude."""
    return {
        each
        for each in addresses
        if each.version == family
        and any(each in part for part in pool.ranges)
        and not pool.excluding(each)
    }


def _size(ranges: Iterable[AddressRange], family: int) -> int:
    return sum(part.size for part in ranges if part.first.version == family)
