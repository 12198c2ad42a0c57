# SPDX-License-Identifier: Apache-2.0
"""The replica of a database that python-ovs keeps, and what has changed in it."""

from __future__ import annotations

import uuid
from typing import Any

import ovs.db.idl
import ovs.poller

from controller.sources import json_parser

json_parser.install()


class Idl(ovs.db.idl.Idl):
    """Collects the rows that change, and whether all of them may have been read anew."""

    def __init__(self, remotes: str, schema: dict[str, Any], *, leader_only: bool) -> None:
        self.changed: list[tuple[str, uuid.UUID]] = []
        self.reread = False
        helper = ovs.db.idl.SchemaHelper(schema_json=schema)
        helper.register_all()
        super().__init__(remotes, helper, leader_only=leader_only)

    @property
    def monitoring(self) -> bool:
        """Whether the rows are what the server has."""
        return bool(self.state == self.IDL_S_MONITORING)

    def take_changed(self) -> list[tuple[str, uuid.UUID]]:
        """Table and row of what has changed since the last call."""
        changed, self.changed = self.changed, []
        return changed

    def notify(self, event: str, row: ovs.db.idl.Row, updates: object = None) -> None:
        """Note the row; the base class calls this for each change."""
        self.changed.append((row._table.name, row.uuid))

    def restart_fsm(self) -> None:
        """After a reconnection nothing is said of the rows that have gone meanwhile."""
        self.reread = True
        super().restart_fsm()

    def wait(self, poller: ovs.poller.Poller) -> None:
        """As the base class, which would not wait at all while a condition cannot be sent."""
        if self.cond_changed and self._session.is_connected() and self._request_id is None:
            poller.immediate_wake()
        self._session.wait(poller)
        self._session.recv_wait(poller)
