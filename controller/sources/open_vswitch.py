# SPDX-License-Identifier: Apache-2.0
"""Which interface is which OpenFlow port: the local Open_vSwitch database.

Only the columns that say so are monitored.  While ovsdb-server is away, what was
last known stays in force.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Set
from dataclasses import dataclass

import ovs.poller

from controller.sources.idl import Idl

_UUIDS = {"key": {"type": "uuid"}, "min": 0, "max": "unlimited"}
# The part of vswitch.ovsschema that is read here, so that no schema file is needed.
SCHEMA = {
    "name": "Open_vSwitch",
    "version": "7.16.1",
    "tables": {
        "Bridge": {
            "columns": {
                "name": {"type": "string"},
                "datapath_id": {"type": {"key": "string", "min": 0, "max": 1}},
                "ports": {"type": {**_UUIDS, "key": {"type": "uuid", "refTable": "Port"}}},
            }
        },
        "Port": {
            "columns": {
                "interfaces": {"type": {**_UUIDS, "key": {"type": "uuid", "refTable": "Interface"}}}
            }
        },
        "Interface": {
            "columns": {
                "name": {"type": "string"},
                "ofport": {"type": {"key": "integer", "min": 0, "max": 1}},
                "external_ids": {
                    "type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}
                },
            }
        },
    },
}


_Index = dict[str, set[uuid.UUID]]  # interfaces by name


@dataclass(frozen=True)
class _Interface:
    """An interface of the bridge, with its port number once it has one."""

    name: str
    iface_id: str | None
    ofport: int | None


class OpenVSwitch:
    """The interfaces of one bridge, as the database at ``remote`` (``unix:…``) has them.

    What a change costs depends on the change, not on the number of interfaces.
    """

    def __init__(self, remote: str, bridge: str) -> None:
        self._idl = Idl(remote, SCHEMA, leader_only=True)
        self._bridge = bridge
        self._ports: dict[uuid.UUID, frozenset[uuid.UUID]] = {}  # interfaces by port
        self._interfaces: dict[uuid.UUID, _Interface | None] = {}
        self._by_iface_id: _Index = {}
        self._by_name: _Index = {}
        self._without_ofport: _Index = {}  # by name
        self._touched: set[str] = set()
        self.datapath_id: int | None = None
        self.ready = False  # whether the database has ever been read

    def run(self) -> set[str]:
        """Take in what the database has to say; returns the names whose ofport may have changed."""
        if not self._idl.run():
            return set()
        changed = self._idl.take_changed()
        if self._idl.reread and changed:
            self._idl.reread = False
            self._set_ports(set())
        tables = {table for table, _ in changed}
        if "Bridge" in tables or not self.ready:
            self._read_bridge()
        for table, row in changed:
            if table == "Port" and row in self._ports:
                self._set_interfaces(row)
        for table, row in changed:
            if table == "Interface" and row in self._interfaces:
                self._read_interface(row)
        self.ready = True
        touched, self._touched = self._touched, set()
        return touched

    def hear_of(self, name: str, ofport: int) -> set[str]:
        """The switch itself says that interface ``name`` has become port ``ofport``.

        Returns the names whose ofport has changed by it.  What the database says, then
        or later, takes precedence.
        """
        for interface in list(self._without_ofport.get(name, ())):
            self._set_ofport(interface, ofport)
        touched, self._touched = self._touched, set()
        return touched

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when :meth:`run` has something to do."""
        self._idl.wait(poller)

    def close(self) -> None:
        """Close the connection."""
        self._idl.close()

    def ofport(self, name: str) -> int | None:
        """The port number of the interface whose iface-id, or else whose name, is ``name``."""
        for index in (self._by_iface_id, self._by_name):
            for interface in index.get(name, ()):
                known = self._interfaces[interface]
                return known.ofport if known else None
        return None

    def _read_bridge(self) -> None:
        for bridge in self._idl.tables["Bridge"].rows.values():
            if bridge.name == self._bridge:
                self.datapath_id = int(bridge.datapath_id[0], 16) if bridge.datapath_id else None
                self._set_ports({port.uuid for port in bridge.ports})
                return
        self.datapath_id = None
        self._set_ports(set())

    def _set_ports(self, ports: Set[uuid.UUID]) -> None:
        for port in self._ports.keys() - ports:
            for interface in self._ports.pop(port):
                self._forget_interface(interface)
        for port in ports - self._ports.keys():
            self._ports[port] = frozenset()
            self._set_interfaces(port)

    def _set_interfaces(self, port: uuid.UUID) -> None:
        row = self._idl.tables["Port"].rows.get(port)
        now = frozenset(interface.uuid for interface in row.interfaces) if row else frozenset()
        before, self._ports[port] = self._ports[port], now
        for interface in before - now:
            self._forget_interface(interface)
        for interface in now - before:
            self._interfaces[interface] = None
            self._read_interface(interface)

    def _read_interface(self, interface: uuid.UUID) -> None:
        row = self._idl.tables["Interface"].rows.get(interface)
        ofport = row.ofport if row else []
        # An interface has none before it is there, and -1 where it cannot be.
        self._set_ofport(interface, ofport[0] if ofport and ofport[0] > 0 else None)

    def _set_ofport(self, interface: uuid.UUID, ofport: int | None) -> None:
        self._forget_interface(interface)
        row = self._idl.tables["Interface"].rows.get(interface)
        known = _Interface(row.name, row.external_ids.get("iface-id"), ofport) if row else None
        self._interfaces[interface] = known
        for index, name in self._entries(known):
            index.setdefault(name, set()).add(interface)
            self._touched.add(name)

    def _forget_interface(self, interface: uuid.UUID) -> None:
        for index, name in self._entries(self._interfaces.pop(interface, None)):
            index[name].discard(interface)
            if not index[name]:
                del index[name]
            self._touched.add(name)

    def _entries(self, interface: _Interface | None) -> Iterator[tuple[_Index, str]]:
        """Where ``interface`` is found, and by which name."""
        if interface is None:
            return
        if interface.ofport is None:
            yield self._without_ofport, interface.name
            return
        yield self._by_name, interface.name
        if interface.iface_id:
            yield self._by_iface_id, interface.iface_id
