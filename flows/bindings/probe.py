# SPDX-License-Identifier: Apache-2.0
"""The question whether somebody has an address, before a port is given it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ovs_dhcpd.flows.bindings.pool import Address

_PREFIX = bytes.fromhex("026468")  # locally administered, then "dh"
PROBING_MACS = 0x026468000000, 0xFFFFFF000000  # those from which daemons ask, and their mask


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether `address`, of the pool of `network`, is somebody's in the VLAN `vlan` (0: in none).

    `source` is the MAC that asks. `mac` is that of the guest which is to have the address, None if
    it is not known, and `tag` that of its packets, 0 if they have none.
    """

    network: str
    address: Address
    vlan: int
    tag: int
    source: bytes
    mac: bytes | None


def probing_mac(bridge: str, salt: bytes) -> bytes:
    """The MAC from which a daemon that has ``salt`` asks on ``bridge``: nobody else's.

    It is not the server's, which may be a router's, and is that of all hosts with the same file.
    """
    return _PREFIX + hashlib.blake2b(bridge.encode(), key=salt, digest_size=3).digest()


def is_probing_mac(mac: bytes) -> bool:
    """Whether it is a daemon, this one or another, that asks from this MAC."""
    return mac.startswith(_PREFIX)
