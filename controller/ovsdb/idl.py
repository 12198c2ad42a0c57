# SPDX-License-Identifier: Apache-2.0
"""The replica of a database that python-ovs keeps, and what has changed in it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from typing import Any

import ovs.db.data
import ovs.db.idl
import ovs.db.types
import ovs.poller
import ovs.timeval
from ovs.reconnect import Reconnect
from ovs_dhcpd.controller.ovsdb import json_parser
from ovs_dhcpd.controller.ovsdb.spread import SpreadReconnect

json_parser.install()

# The type of a column with strings by strings.
MAP = {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}

LOOK_MS = 100  # between two looks whether a server is back
HURRY_MS = 1000  # a server needs a moment from its socket to listening on it


class Idl(ovs.db.idl.Idl):
    """Collects the rows that change, and whether all of them may have been read anew."""

    def __init__(self, remotes: str, schema: dict[str, Any], *, leader_only: bool) -> None:
        self.changed: list[tuple[str, uuid.UUID]] = []
        self.reread = False
        helper = ovs.db.idl.SchemaHelper(schema_json=schema)
        helper.register_all()
        super().__init__(remotes, helper, leader_only=leader_only)
        self._spread()
        words = (remote.partition(":") for remote in remotes.split(","))
        self._paths = [path for kind, _, path in words if kind == "unix"]
        self._sockets = sockets(self._paths)
        self._hurry_until_ms = 0

    def _spread(self) -> None:
        """Connect again at times of this host's own."""
        now_ms = ovs.timeval.msec()
        theirs, ours = self._session.reconnect, SpreadReconnect(now_ms)
        ours.set_name(theirs.get_name())
        ours.set_probe_interval(theirs.get_probe_interval())
        ours.set_backoff_free_tries(self._session.get_num_of_remotes())
        ours.enable(now_ms)
        self._session.reconnect = ours

    @property
    def monitoring(self) -> bool:
        """Whether the rows are what the server has."""
        return bool(self.state == self.IDL_S_MONITORING)

    def take_changed(self) -> list[tuple[str, uuid.UUID]]:
        """Table and row of what has changed since the last call."""
        changed, self.changed = self.changed, []
        return changed

    @staticmethod
    def members(
        row: ovs.db.idl.Row, column: str, candidates: Iterable[uuid.UUID]
    ) -> set[uuid.UUID]:
        """Those of ``candidates`` that are in the row's set of UUIDs.

        To get at the set itself takes 4 us for each UUID in it.
        """
        values = row._data[column].values
        uuid_type = ovs.db.types.UuidType
        return {each for each in candidates if ovs.db.data.Atom(uuid_type, each) in values}

    def notify(self, event: str, row: ovs.db.idl.Row, updates: object = None) -> None:
        """Note the row; the base class calls this for each change."""
        self.changed.append((row._table.name, row.uuid))

    def restart_fsm(self) -> None:
        """After a reconnection nothing is said of the rows that have gone meanwhile."""
        self.reread = True
        super().restart_fsm()

    def run(self) -> bool:
        """As the base class, but a server on a Unix socket is connected to once it is back."""
        before, self._sockets = self._sockets, sockets(self._paths)
        now_ms = ovs.timeval.msec()
        if self._sockets - before:
            self._hurry_until_ms = now_ms + HURRY_MS
        if now_ms < self._hurry_until_ms and self._is_backing_off:
            # To begin anew is to connect at once; python-ovs would wait for up to 8 s.
            self._session.reconnect.disable(now_ms)
            self._session.reconnect.enable(now_ms)
        return bool(super().run())

    @property
    def _is_backing_off(self) -> bool:
        return bool(self._session.reconnect.state is Reconnect.Backoff)

    def wait(self, poller: ovs.poller.Poller) -> None:
        """As the base class, which would not wait at all while a condition cannot be sent."""
        if self._paths and self._is_backing_off:
            poller.timer_wait(LOOK_MS)
        if self.cond_changed and self._session.is_connected() and self._request_id is None:
            poller.immediate_wake()
        self._session.wait(poller)
        self._session.recv_wait(poller)


def sockets(paths: Iterable[str]) -> set[tuple[int, int, int]]:
    """What tells the sockets that are there now from any others."""
    found = set()
    for path in paths:
        try:
            there = os.stat(path)
        except OSError:
            continue
        found.add((there.st_dev, there.st_ino, there.st_ctime_ns))
    return found
