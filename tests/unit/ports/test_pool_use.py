# SPDX-License-Identifier: Apache-2.0
"""How full a pool is."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from ovs_dhcpd.controller.ports.pool_use import pool_uses
from ovs_dhcpd.flows.bindings.network import Network
from ovs_dhcpd.flows.bindings.pool import Address, AddressRange, Pool


def addresses(text: str) -> list[Address]:
    return [ip_address(word) for word in text.split()]


def ranges(text: str) -> tuple[AddressRange, ...]:
    return tuple(AddressRange(*addresses(word.replace("-", " "))) for word in text.split())


TEN = "10.0.0.11-10.0.0.20"
MANY = "fd00::-fd00::ffff"


@pytest.mark.parametrize(
    ("pool", "excluded", "given", "parked", "reserved", "size_used_parked_free"),
    [
        (TEN, "", "", "", "", {4: (10, 0, 0, 10)}),
        (TEN, "", "10.0.0.11 10.0.0.12", "10.0.0.13", "", {4: (10, 2, 1, 7)}),
        (TEN, "", "10.0.0.11", "", "10.0.0.11 10.0.0.12", {4: (10, 1, 0, 8)}),
        (TEN, "", "10.0.0.1 fd00::1", "10.0.0.2", "10.0.0.3", {4: (10, 0, 0, 10)}),
        (TEN, "10.0.0.11-10.0.0.15", "10.0.0.11 10.0.0.16", "", "", {4: (5, 1, 0, 4)}),
        (TEN, "10.0.0.12-10.0.0.20", "10.0.0.11", "", "", {4: (1, 1, 0, 0)}),
        (f"{TEN} {MANY}", "", "fd00::1", "", "", {4: (10, 0, 0, 10), 6: (65536, 1, 0, 65535)}),
        (MANY, "", "", "fd00::2", "", {6: (65536, 0, 1, 65535)}),
    ],
)
def test_each_address_of_a_pool_is_used_parked_reserved_or_free(
    pool: str,
    excluded: str,
    given: str,
    parked: str,
    reserved: str,
    size_used_parked_free: dict[int, tuple[int, int, int, int]],
) -> None:
    whose: dict[Address | bytes, str] = dict.fromkeys(addresses(reserved), "vm1")
    whose[bytes(6)] = "vm1"
    network = Network(
        "lab", None, (), False, bridge="br0", pool=Pool(ranges(pool), whose, ranges(excluded))
    )
    found = [*pool_uses(network, addresses(given), addresses(parked))]
    assert {use[:2] for use in found} == {("br0", "lab")}
    assert {use.family: use[3:] for use in found} == size_used_parked_free
