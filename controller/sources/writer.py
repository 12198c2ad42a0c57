# SPDX-License-Identifier: Apache-2.0
"""Writing down which addresses an interface has been given, without waiting for the database.

They stand beside whom they were given to, as a row may be used again: after a reboot libvirt's
first guest is vnet0, whoever was it before.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import ovs.db.idl
from ovs.vlog import Vlog

from controller.sources.idl import Idl
from flows.pool import Address

vlog = Vlog("writer")

ADDRESSES, OWNER = "dhcp-ip", "dhcp-owner"  # in external_ids of the interface

AGAIN_S = 5.0  # after the database refused it

Transaction = ovs.db.idl.Transaction


@dataclass(frozen=True)
class Memory:
    """What is remembered in an interface's row: its addresses, and who had it then."""

    addresses: tuple[Address, ...] = ()
    owner: str | None = None

    @classmethod
    def of(cls, external_ids: Mapping[str, str]) -> Memory:
        """What the row says; words that are no addresses were written by somebody else."""
        addresses: list[Address] = []
        for word in external_ids.get(ADDRESSES, "").split():
            with suppress(ValueError):
                addresses.append(ip_address(word))
        return cls(tuple(addresses), external_ids.get(OWNER))


class Writer:
    """Writes addresses into rows of Interface, many in one transaction.

    ovs-vswitchd looks at all of its configuration after each.
    """

    def __init__(self, idl: Idl) -> None:
        self._idl = idl
        self._pending: dict[uuid.UUID, Memory] = {}
        self._sent: dict[uuid.UUID, Memory] = {}
        self._transaction: Any = None
        self._not_before_s = 0.0

    def pending(self, interface: uuid.UUID) -> Memory | None:
        """What is to be written and is not yet; None if there is nothing."""
        return self._pending.get(interface)

    def write(self, interface: uuid.UUID, memory: Memory) -> None:
        """Have this written with the next :meth:`flush`."""
        self._pending[interface] = memory

    def forget(self, interface: uuid.UUID) -> None:
        """The interface has gone."""
        self._pending.pop(interface, None)

    def run(self) -> list[uuid.UUID]:
        """The interfaces for which something has now been written."""
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
        if status not in (Transaction.SUCCESS, Transaction.UNCHANGED):
            return []
        for interface, memory in sent.items():
            if self._pending.get(interface) == memory:
                del self._pending[interface]
        return list(sent)

    def flush(self) -> None:
        """Send what is to be written; while the database is away or at work, it waits."""
        if not self._pending or self._transaction or not self._idl.monitoring:
            return
        if time.monotonic() < self._not_before_s:
            return
        self._transaction = Transaction(self._idl)
        rows = self._idl.tables["Interface"].rows
        for interface, memory in self._pending.items():
            if interface in rows:
                self._sent[interface] = memory
                self._set(rows[interface], ADDRESSES, " ".join(map(str, memory.addresses)))
                self._set(rows[interface], OWNER, memory.owner)
        self._transaction.commit()

    @staticmethod
    def _set(row: ovs.db.idl.Row, key: str, value: str | None) -> None:
        if value:
            row.setkey("external_ids", key, value)
        else:
            row.delkey("external_ids", key)
