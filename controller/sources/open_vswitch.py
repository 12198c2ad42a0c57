# SPDX-License-Identifier: Apache-2.0
"""Which interface is which OpenFlow port of which bridge: the local Open_vSwitch database.

Only the columns that say so are monitored.  While ovsdb-server is away, what was
last known stays in force.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
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
class Interface:
    """An interface of a bridge, with its port number once it has one."""

    bridge: str
    name: str
    iface_id: str | None
    ofport: int | None


class OpenVSwitch:
    """The interfaces of all bridges, as the database at ``remote`` (``unix:…``) has them.

    What a change costs depends on the change, not on the number of interfaces.
    """

    def __init__(self, remote: str) -> None:
        self._idl = Idl(remote, SCHEMA, leader_only=True)
        self._bridges: dict[uuid.UUID, str] = {}  # by port
        self._ports: dict[uuid.UUID, frozenset[uuid.UUID]] = {}  # their interfaces
        self._homes: dict[uuid.UUID, str] = {}  # bridges, by interface
        self._interfaces: dict[uuid.UUID, Interface] = {}
        self._by_iface_id: _Index = {}
        self._by_name: _Index = {}
        self._without_ofport: _Index = {}  # by name
        self._touched: set[str] = set()
        self.datapath_ids: dict[str, int] = {}  # by bridge
        self.ready = False  # whether the database has ever been read

    def run(self) -> set[str]:
        """Take in what the database has to say; returns the names whose port may have changed."""
        if not self._idl.run():
            return set()
        changed = self._idl.take_changed()
        if self._idl.reread and changed:
            self._idl.reread = False
            self._set_ports({})
        tables = {table for table, _ in changed}
        if "Bridge" in tables or not self.ready:
            self._read_bridges()
        for table, row in changed:
            if table == "Port" and row in self._ports:
                self._set_interfaces(row)
        for table, row in changed:
            if table == "Interface" and row in self._homes:
                self._read_interface(row)
        self.ready = True
        return self._take_touched()

    def hear_of(self, name: str, ofport: int) -> set[str]:
        """The switch itself says that interface ``name`` has become port ``ofport``.

        Returns the names whose port has changed by it.  What the database says, then
        or later, takes precedence.
        """
        for interface in list(self._without_ofport.get(name, ())):
            self._set_ofport(interface, ofport)
        return self._take_touched()

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when :meth:`run` has something to do."""
        self._idl.wait(poller)

    def close(self) -> None:
        """Close the connection."""
        self._idl.close()

    def plugged(self, name: str) -> Interface | None:
        """The interface whose iface-id, or else whose name, is ``name``, if it is plugged in."""
        for index in (self._by_iface_id, self._by_name):
            for interface in index.get(name, ()):
                return self._interfaces[interface]
        return None

    def _take_touched(self) -> set[str]:
        touched, self._touched = self._touched, set()
        return touched

    def _read_bridges(self) -> None:
        bridges = self._idl.tables["Bridge"].rows.values()
        self.datapath_ids = {
            bridge.name: int(bridge.datapath_id[0], 16) for bridge in bridges if bridge.datapath_id
        }
        self._set_ports({port.uuid: bridge.name for bridge in bridges for port in bridge.ports})

    def _set_ports(self, bridges: dict[uuid.UUID, str]) -> None:
        """These are the ports, and of each its bridge."""
        gone = self._bridges.items() - bridges.items()
        new = bridges.items() - self._bridges.items()
        for port, _ in gone:
            self._forget_interfaces(self._ports.pop(port))
        self._bridges = bridges
        for port, _ in new:
            self._ports[port] = frozenset()
            self._set_interfaces(port)

    def _set_interfaces(self, port: uuid.UUID) -> None:
        row = self._idl.tables["Port"].rows.get(port)
        now = frozenset(interface.uuid for interface in row.interfaces) if row else frozenset()
        before, self._ports[port] = self._ports[port], now
        self._forget_interfaces(before - now)
        for interface in now - before:
            self._homes[interface] = self._bridges[port]
            self._read_interface(interface)

    def _read_interface(self, interface: uuid.UUID) -> None:
        row = self._idl.tables["Interface"].rows.get(interface)
        ofport = row.ofport if row else []
        # An interface has none before it is there, and -1 where it cannot be.
        self._set_ofport(interface, ofport[0] if ofport and ofport[0] > 0 else None)

    def _set_ofport(self, interface: uuid.UUID, ofport: int | None) -> None:
        self._take_out(interface)
        row = self._idl.tables["Interface"].rows.get(interface)
        if row is None:
            return
        iface_id = row.external_ids.get("iface-id")
        known = Interface(self._homes[interface], row.name, iface_id, ofport)
        self._interfaces[interface] = known
        for index, name in self._entries(known):
            index.setdefault(name, set()).add(interface)
            self._touched.add(name)

    def _forget_interfaces(self, interfaces: Iterable[uuid.UUID]) -> None:
        for interface in interfaces:
            self._take_out(interface)
            del self._homes[interface]

    def _take_out(self, interface: uuid.UUID) -> None:
        known = self._interfaces.pop(interface, None)
        for index, name in self._entries(known) if known else ():
            index[name].discard(interface)
            if not index[name]:
                del index[name]
            self._touched.add(name)

    def _entries(self, interface: Interface) -> Iterator[tuple[_Index, str]]:
        """Where ``interface`` is found, and by which name."""
        if interface.ofport is None:
            yield self._without_ofport, interface.name
            return
        yield self._by_name, interface.name
        if interface.iface_id:
            yield self._by_iface_id, interface.iface_id
