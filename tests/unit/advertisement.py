# SPDX-License-Identifier: Apache-2.0
"""A guest that looks for routers, and the advertisement that it is to get."""

from __future__ import annotations

MAC, LLA = "02:00:00:00:00:01", "fe80::ff:fe00:1"
ROUTER_MAC, ROUTER_LLA = "ae:01:02:03:04:05", "fe80::ac01:2ff:fe03:405"
# slaac, mtu 1500, preference HIGH, prefix aef0::/64, slla: as OVN's tests/ovn.at has it.
MESSAGE = bytes.fromhex(
    "86000000ff08ffff0000000000000000"
    "05010000000005dc"
    "030440c0ffffffffffffffff00000000aef00000000000000000000000000000"
    "0101ae0102030405"
)
