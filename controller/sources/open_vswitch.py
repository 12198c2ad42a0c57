# SPDX-License-Identifier: Apache-2.0
"""Which interface is which OpenFlow port of which bridge: the local Open_vSwitch database.

Only the columns that say so are monitored.  While ovsdb-server is away, what was
last known stays in force.  One thing is written: the addresses that were chosen for an
interface, in its ``external_ids:dhcp-ip``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import TypeVar

import ovs.poller

from controller.sources.idl import Idl
from controller.sources.writer import Memory, Writer
from flows.flow import LOCAL
from flows.pool import Address

_UUIDS = {"key": {"type": "uuid"}, "min": 0, "max": "unlimited"}
_MAP = {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}
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
                "interfaces": {
                    "type": {**_UUIDS, "key": {"type": "uuid", "refTable": "Interface"}}
                },
                "tag": {"type": {"key": "integer", "min": 0, "max": 1}},
            }
        },
        "Interface": {
            "columns": {
                "name": {"type": "string"},
                "type": {"type": "string"},
                "ofport": {"type": {"key": "integer", "min": 0, "max": 1}},
                "status": _MAP,
                "external_ids": _MAP,
            }
        },
    },
}


# Keys of external_ids; libvirt, OpenStack and others set the first two.
IFACE_ID, ATTACHED_MAC, NETWORK = "iface-id", "attached-mac", "dhcp-network"

# What a guest is plugged into, by type or, of the host's own interfaces, by driver.
_GUEST_TYPES = ("internal", "tap", "dpdkvhostuser", "dpdkvhostuserclient")
_GUEST_DRIVERS = ("tun", "veth")

_LOCAL = 65534  # the ofport of the bridge's own interface

_Index = dict[str, set[uuid.UUID]]  # interfaces by name


@dataclass(frozen=True)
class Interface:
    """An interface of a bridge, with its port number once it has one.

    `tag` is the VLAN of its port.  `attached_mac` and `network` are what external_ids say; `memory`
    stands there too, or will when it is `written`.  `is_guest`: by its looks it is no uplink.
    """

    uuid: uuid.UUID
    bridge: str
    tag: int | None
    name: str
    iface_id: str | None
    ofport: int | None
    attached_mac: str | None
    network: str | None
    memory: Memory
    written: bool
    is_guest: bool

    @property
    def key(self) -> str:
        """What its port is called."""
        return self.iface_id or self.name


@dataclass(frozen=True)
class _Home:
    """The port of an interface, its bridge and its VLAN."""

    port: uuid.UUID
    bridge: str
    tag: int | None


class OpenVSwitch:
    """The interfaces of all bridges, as the database at ``remote`` (``unix:…``) has them.

    What a change costs depends on the change, not on the number of interfaces.  ``bridges`` are
    those whose interfaces come first.
    """

    def __init__(self, remote: str) -> None:
        self.bridges: Set[str] = frozenset()
        self._idl = Idl(remote, SCHEMA, leader_only=True)
        self._bridges: dict[uuid.UUID, str] = {}  # by port
        self._ports: dict[uuid.UUID, frozenset[uuid.UUID]] = {}  # their interfaces
        self._homes: dict[uuid.UUID, _Home] = {}  # by interface
        self._interfaces: dict[uuid.UUID, Interface] = {}
        self._by_iface_id: _Index = {}
        self._by_name: _Index = {}
        self._without_ofport: _Index = {}  # by name
        self._heard: dict[uuid.UUID, int] = {}  # ofports that the database does not have yet
        self._by_address: dict[Address, set[uuid.UUID]] = {}
        self._writer = Writer(self._idl)
        self._touched: set[str] = set()
        self.datapath_ids: dict[str, int] = {}  # by bridge
        self.ready = False  # whether the database has ever been read

    def run(self) -> set[str]:
        """Take in what the database has to say; returns the names whose port may have changed."""
        if self._idl.run():
            self._take_changes()
        for interface in self._writer.run():
            if interface in self._homes:
                self._read_interface(interface)
        return self._take_touched()

    def _take_changes(self) -> None:
        changed = self._idl.take_changed()
        reread = self._idl.reread and bool(changed)
        if reread:
            self._idl.reread = False
            self._set_ports({})
        tables = {table for table, _ in changed}
        if "Bridge" in tables or reread or not self.ready:
            self._read_bridges()
        for table, row in changed:
            if table == "Port" and row in self._ports:
                self._set_interfaces(row)
        for table, row in changed:
            if table == "Interface" and row in self._homes:
                self._read_interface(row)
        self.ready = True

    def hear_of(self, name: str, ofport: int) -> set[str]:
        """The switch itself says that interface ``name`` has become port ``ofport``.

        Returns the names whose port has changed by it.  What the database says, then
        or later, takes precedence.
        """
        for interface in list(self._without_ofport.get(name, ())):
            self._heard[interface] = ofport
            self._read_interface(interface)
        return self._take_touched()

    def holders(self, bridge: str, address: Address) -> list[Interface]:
        """The interfaces on ``bridge`` for which ``address`` is remembered."""
        found = [self._interfaces[each] for each in self._by_address.get(address, ())]
        return [interface for interface in found if interface.bridge == bridge]

    def remember(self, interface: Interface, memory: Memory) -> None:
        """Have this written down; the interface's name is touched when that has been done."""
        self._writer.write(interface.uuid, memory)
        self._read_interface(interface.uuid)

    def flush(self) -> None:
        """Send what is to be written."""
        self._writer.flush()

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when :meth:`run` has something to do."""
        self._idl.wait(poller)

    def close(self) -> None:
        """Close the connection."""
        self._idl.close()

    def plugged(self, name: str) -> Interface | None:
        """The interface whose iface-id, or else whose name, is ``name``, if it is plugged in.

        Of several with the same iface-id it is one on our ``bridges``, the first by name.
        """
        for index in (self._by_iface_id, self._by_name):
            found = [self._interfaces[interface] for interface in index.get(name, ())]
            if found:
                return min(found, key=lambda each: (each.bridge not in self.bridges, each.name))
        return None

    def twins(self, interface: Interface) -> list[str]:
        """The names of the other interfaces on our ``bridges`` with its iface-id."""
        same = self._by_iface_id.get(interface.iface_id or "", set()) - {interface.uuid}
        found = [self._interfaces[each] for each in same]
        return sorted(each.name for each in found if each.bridge in self.bridges)

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
            self._forget_interfaces(port, self._ports.pop(port))
        self._bridges = bridges
        for port, _ in new:
            self._ports[port] = frozenset()
            self._set_interfaces(port)

    def _set_interfaces(self, port: uuid.UUID) -> None:
        row = self._idl.tables["Port"].rows.get(port)
        now = frozenset(interface.uuid for interface in row.interfaces) if row else frozenset()
        before, self._ports[port] = self._ports[port], now
        self._forget_interfaces(port, before - now)
        home = _Home(port, self._bridges[port], (row.tag[0] if row and row.tag else 0) or None)
        for interface in now:
            if self._homes.get(interface) != home:
                self._homes[interface] = home
                self._read_interface(interface)

    def _read_interface(self, interface: uuid.UUID) -> None:
        row = self._idl.tables["Interface"].rows.get(interface)
        if row is None:
            self._take_out(interface)
            return
        home, name = self._homes[interface], row.name
        unwritten = self._writer.pending(interface)
        ids = row.external_ids
        # An interface has none before it is there, and -1 where it cannot be.
        if row.ofport:
            self._heard.pop(interface, None)
        ofport = row.ofport[0] if row.ofport else self._heard.get(interface, -1)
        known = Interface(
            interface,
            home.bridge,
            home.tag,
            name,
            ids.get(IFACE_ID),
            LOCAL if ofport == _LOCAL else ofport if ofport > 0 else None,
            ids.get(ATTACHED_MAC),
            ids.get(NETWORK),
            unwritten or Memory.of(ids),
            unwritten is None,
            name != home.bridge
            and (
                row.type in _GUEST_TYPES
                or row.status.get("driver_name") in _GUEST_DRIVERS
                or IFACE_ID in ids
                or ATTACHED_MAC in ids
            ),
        )
        if known != self._interfaces.get(interface):
            self._put(known)

    def _put(self, known: Interface) -> None:
        self._take_out(known.uuid)
        self._interfaces[known.uuid] = known
        for index, name in self._entries(known):
            index.setdefault(name, set()).add(known.uuid)
            self._touched.add(name)
        for address in known.memory.addresses:
            self._by_address.setdefault(address, set()).add(known.uuid)

    def _forget_interfaces(self, port: uuid.UUID, interfaces: Iterable[uuid.UUID]) -> None:
        """These are no longer the port's; they may be another's by now."""
        for interface in interfaces:
            if self._homes[interface].port != port:
                continue
            self._take_out(interface)
            self._writer.forget(interface)
            self._heard.pop(interface, None)
            del self._homes[interface]

    def _take_out(self, interface: uuid.UUID) -> None:
        known = self._interfaces.pop(interface, None)
        if known is None:
            return
        for index, name in self._entries(known):
            _discard(index, name, interface)
            self._touched.add(name)
        for address in known.memory.addresses:
            _discard(self._by_address, address, interface)

    def _entries(self, interface: Interface) -> Iterator[tuple[_Index, str]]:
        """Where ``interface`` is found, and by which name."""
        if interface.ofport is None:
            yield self._without_ofport, interface.name
            return
        yield self._by_name, interface.name
        if interface.iface_id:
            yield self._by_iface_id, interface.iface_id


_Key = TypeVar("_Key")


def _discard(index: dict[_Key, set[uuid.UUID]], key: _Key, interface: uuid.UUID) -> None:
    index[key].discard(interface)
    if not index[key]:
        del index[key]
