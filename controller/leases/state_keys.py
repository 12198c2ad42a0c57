# SPDX-License-Identifier: Apache-2.0
"""What stands of a port's leases in its interface's row: keys of external_ids, and their values.

``dhcp-state``, ``dhcp-since`` and ``dhcp-expires`` are of DHCPv4, ``dhcp6-state`` and so on of
DHCPv6, ``dhcp-state-100`` and so on of the VLAN 100 behind the interface.  Who has never asked has
none, and of several clients it is who was heard last.
"""

from __future__ import annotations

from collections.abc import Iterable

from ovs_dhcpd.controller.leases.document import Clock
from ovs_dhcpd.controller.leases.lease import ASSIGNED
from ovs_dhcpd.controller.leases.leases import Row

KEYS = ("state", "since", "expires")


def state_keys(rows: Iterable[Row], clock: Clock) -> dict[str, str | None]:
    """The keys that there are to be for these clients, who are all of one port; None: not to be."""
    keys: dict[str, str | None] = {}
    for row in sorted(rows, key=lambda row: row.last_s or 0.0):
        if row.state in (None, ASSIGNED):
            continue
        lease = row.lease
        values = (row.state, clock.text(lease.since_s), clock.text(lease.expires_s))
        for key, value in zip(KEYS, values, strict=True):
            keys[_name(row, key)] = value
    return keys


def _name(row: Row, key: str) -> str:
    suffix = f"-{row.binding.tag}" if row.binding.tag else ""
    return f"dhcp{'6' if row.family == 6 else ''}-{key}{suffix}"
