# SPDX-License-Identifier: Apache-2.0
"""What is looked at in the daemon by those who tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ovs_dhcpd.controller.keeper import Keeper
from ovs_dhcpd.controller.onlookers.lease_keeper import LeaseKeeper
from ovs_dhcpd.controller.ovsdb.open_vswitch import OpenVSwitch
from ovs_dhcpd.controller.ports.binder import Binder
from ovs_dhcpd.controller.ports.world import World
from ovs_dhcpd.controller.sources.combined import Combined
from ovs_dhcpd.controller.why.find import find


@dataclass(frozen=True, kw_only=True)
class Inside:
    """The daemon's parts.

    `remote` is that of the `database`.  `keepers` are by bridge, `refused` has lines by the names
    of ports.  `unreachable` says why a bridge cannot be served, so far as the database has it, and
    `trouble` why it has no connection, if it has none; `dial_error` is the number of the error
    of the operating system, if it is that.  `listens_on`: switches connect to us there.
    """

    remote: str
    database: OpenVSwitch
    source: Combined
    world: World
    binder: Binder
    keepers: Mapping[str, Keeper]
    refused: Mapping[str, tuple[str, ...]]
    unreachable: Callable[[str], str]
    trouble: Callable[[str], str]
    dial_error: Callable[[str], int]
    listens_on: str
    leases: LeaseKeeper

    def find(self, text: str) -> list[str]:
        """The names of the ports that a name, MAC or address means (:func:`find`)."""
        return find(
            text,
            self.world,
            self.binder.served,
            self.database.interfaces,
            self.leases.ports_of,
        )
