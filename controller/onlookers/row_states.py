# SPDX-License-Identifier: Apache-2.0
"""How leases are, written into the interfaces' rows: what ``ovs-vsctl wait-until`` waits for."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from ovs_dhcpd.controller.leases.document import Clock
from ovs_dhcpd.controller.leases.leases import Row
from ovs_dhcpd.controller.leases.state_keys import state_keys
from ovs_dhcpd.controller.ovsdb.open_vswitch import OpenVSwitch


class RowStates:
    """Has :mod:`~controller.leases.state_keys` stand in the rows of ports that have asked.

    What an earlier process has written stays until the port says something else.
    """

    def __init__(self, database: OpenVSwitch) -> None:
        self._database = database
        self._written: dict[str, tuple[uuid.UUID, frozenset[str]]] = {}  # row and keys, by port

    def publish(self, name: str, rows: Sequence[Row], clock: Clock) -> None:
        """Have this be said of the port; without rows it is served no more."""
        if rows and all(row.state is None for row in rows):  # it is another's now
            self._written.pop(name, None)
            return
        keys = state_keys(rows, clock)
        row, before = self._written.pop(name, (None, frozenset[str]()))
        place = rows[0].binding.parent.name if rows and rows[0].binding.parent else name
        interface = self._database.plugged(place) if keys else None
        if interface:
            row = interface.row
            self._written[name] = row, frozenset(keys)
        if row:
            self._database.set_state(row, {**dict.fromkeys(before), **keys})
