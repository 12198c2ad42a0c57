# SPDX-License-Identifier: Apache-2.0
"""Writing what is remembered into rows, without waiting for the database.

``external_ids:dhcp-ip`` has the addresses, ``external_ids:dhcp-owner`` to whom they were given;
those of the VLAN 100 behind it are in ``dhcp-ip-100`` and ``dhcp-owner-100``.  A bridge's
``external_ids:dhcp-parked:…`` have what is given to nobody for now.  ``dhcp-state`` and its like
(:mod:`controller.leases.state_keys`) say how leases are.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

import ovs.db.idl
from ovs.vlog import Vlog
from ovs_dhcpd.controller.ovsdb.idl import Idl
from ovs_dhcpd.controller.ovsdb.rows import keys_of
from ovs_dhcpd.controller.ports.interface import ADDRESSES, Memory

vlog = Vlog("writer")

AGAIN_S = 5.0  # after the database refused it
STATES_S = 1.0  # between two transactions that have nothing but states

_Mark = tuple[uuid.UUID, str]  # a row, and a key of its external_ids

Transaction = ovs.db.idl.Transaction


class Writer:
    """Writes into rows of Interface and Bridge, all that there is in one transaction.

    ovs-vswitchd looks at all of its configuration after each: what nobody is served by, the states
    of leases, waits until there is more to write, or for STATES_S.
    """

    def __init__(self, idl: Idl) -> None:
        self._idl = idl
        # By interface, then by the VLAN behind it, 0 for its own.
        self._pending: dict[uuid.UUID, dict[int, Memory]] = {}
        self._sent: dict[uuid.UUID, dict[int, Memory]] = {}
        self._marks: dict[_Mark, str | None] = {}  # of bridges
        self._sent_marks: dict[_Mark, str | None] = {}
        self._states: dict[_Mark, str | None] = {}  # of interfaces
        self._sent_states: dict[_Mark, str | None] = {}
        self._states_not_before_s = 0.0
        self._transaction: Any = None
        self._not_before_s = 0.0

    def pending(self, interface: uuid.UUID) -> Mapping[int, Memory]:
        """What is to be written and is not yet, by the VLAN behind the interface, 0 for its own."""
        return self._pending.get(interface, {})

    def write(self, interface: uuid.UUID, tag: int, memory: Memory) -> None:
        """Have this written with the next :meth:`flush`."""
        self._pending.setdefault(interface, {})[tag] = memory

    def mark(self, bridge: uuid.UUID, key: str, value: str | None) -> None:
        """Have this written under a key of the bridge's external_ids; None takes it out."""
        self._marks[bridge, key] = value

    def marks(self, bridge: uuid.UUID) -> dict[str, str | None]:
        """What is to be written for the bridge and is not yet."""
        return {key: value for (row, key), value in self._marks.items() if row == bridge}

    def state(self, interface: uuid.UUID, key: str, value: str | None) -> None:
        """Have this stand under a key of the interface's external_ids; None takes it out."""
        self._states[interface, key] = value

    def wait_s(self) -> float | None:
        """How long states wait that are to be written; None: there are none, or it is no matter."""
        if not self._states or self._transaction or not self._idl.monitoring:
            return None
        return max(0.0, max(self._states_not_before_s, self._not_before_s) - time.monotonic())

    def forget(self, interface: uuid.UUID) -> None:
        """The interface has gone."""
        self._pending.pop(interface, None)

    def run(self) -> list[uuid.UUID]:
        """The interfaces and bridges for which something has now been written."""
        if self._transaction is None:
            return []
        status = self._transaction.commit()
        if status == Transaction.INCOMPLETE:
            return []
        if status == Transaction.ERROR:
            vlog.err(f"{ADDRESSES} was not written: {self._transaction.get_error()}")
            self._not_before_s = time.monotonic() + AGAIN_S
        self._transaction = None
        sent, self._sent = self._sent, {}
        marks, self._sent_marks = self._sent_marks, {}
        states, self._sent_states = self._sent_states, {}
        if status not in (Transaction.SUCCESS, Transaction.UNCHANGED):
            return []
        for interface, memories in sent.items():
            pending = self._pending.pop(interface, {})
            left = {tag: memory for tag, memory in pending.items() if memories.get(tag) != memory}
            if left:
                self._pending[interface] = left
        for mark, value in marks.items():
            if mark in self._marks and self._marks[mark] == value:
                del self._marks[mark]
        for mark, value in states.items():
            if mark in self._states and self._states[mark] == value:
                del self._states[mark]
        return [*sent, *{bridge for bridge, _ in marks}]

    def flush(self) -> None:
        """Send what is to be written; while the database is away or at work, it waits."""
        if self._transaction or not self._idl.monitoring:
            return
        now_s = time.monotonic()
        states_are_due = self._states and now_s >= self._states_not_before_s
        if not (self._pending or self._marks or states_are_due) or now_s < self._not_before_s:
            return
        self._transaction = Transaction(self._idl)
        rows = self._idl.tables["Interface"].rows
        for interface, memories in self._pending.items():
            if interface not in rows:
                continue
            self._sent[interface] = dict(memories)
            for tag, memory in memories.items():
                addresses, owner = keys_of(tag)
                self._set(rows[interface], addresses, " ".join(map(str, memory.addresses)))
                self._set(rows[interface], owner, memory.owner)
        bridges = self._idl.tables["Bridge"].rows
        for (bridge, key), value in list(self._marks.items()):
            if bridge in bridges:
                self._sent_marks[bridge, key] = value
                self._set(bridges[bridge], key, value)
            else:
                del self._marks[bridge, key]
        if self._states:
            self._states_not_before_s = now_s + STATES_S
            self._set_states(rows)
        self._transaction.commit()

    def _set_states(self, rows: Mapping[uuid.UUID, ovs.db.idl.Row]) -> None:
        for (interface, key), value in list(self._states.items()):
            row = rows.get(interface)
            if row is None or row.external_ids.get(key) == value:
                del self._states[interface, key]
            else:
                self._sent_states[interface, key] = value
                self._set(row, key, value)

    @staticmethod
    def _set(row: ovs.db.idl.Row, key: str, value: str | None) -> None:
        if value:
            row.setkey("external_ids", key, value)
        else:
            row.delkey("external_ids", key)
