# SPDX-License-Identifier: Apache-2.0
"""Which interface is which OpenFlow port of which bridge: the local Open_vSwitch database.

Only the columns that say so are monitored.  While ovsdb-server is away, what was
last known stays in force.  Two things are written: the addresses that were chosen for an
interface, in its ``external_ids:dhcp-ip``, and what is parked, in the bridge's.
"""

from __future__ import annotations

import math
import socket
import uuid
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

import ovs.db.idl
import ovs.poller
from ovs_dhcpd.controller.ovsdb.idl import MAP, Idl
from ovs_dhcpd.controller.ovsdb.mistakes import Mistakes
from ovs_dhcpd.controller.ovsdb.rows import (
    format_parked,
    is_ofport,
    parked_key,
    read_datapath_id,
    read_memory,
    read_ofport,
    read_parked,
    vlans_remembered,
)
from ovs_dhcpd.controller.ovsdb.writer import Writer
from ovs_dhcpd.controller.ports.fault import INTERNAL_ERROR, Fault
from ovs_dhcpd.controller.ports.index import Index
from ovs_dhcpd.controller.ports.interface import (
    ATTACHED_MAC,
    IFACE_ID,
    IFACE_ID_VER,
    NETWORK,
    UNTOLD,
    Interface,
    Memory,
    is_guests,
)
from ovs_dhcpd.controller.ports.parked import Parked
from ovs_dhcpd.controller.ports.vlans import Vlans, vlan_name, vlans_of
from ovs_dhcpd.flows.bindings.pool import Address, PooledAddress

_UUIDS = {"key": {"type": "uuid"}, "min": 0, "max": "unlimited"}
# The part of vswitch.ovsschema that is read here, so that no schema file is needed.
SCHEMA = {
    "name": "Open_vSwitch",
    "version": "7.16.1",
    "tables": {
        "Open_vSwitch": {
            "columns": {
                "cur_cfg": {"type": "integer"},
                "next_cfg": {"type": "integer"},
                "external_ids": MAP,
            }
        },
        "Bridge": {
            "columns": {
                "name": {"type": "string"},
                "datapath_id": {"type": {"key": "string", "min": 0, "max": 1}},
                "ports": {"type": {**_UUIDS, "key": {"type": "uuid", "refTable": "Port"}}},
                "protocols": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
                "external_ids": MAP,
            }
        },
        "Port": {
            "columns": {
                "interfaces": {
                    "type": {**_UUIDS, "key": {"type": "uuid", "refTable": "Interface"}}
                },
                "tag": {"type": {"key": "integer", "min": 0, "max": 1}},
                "trunks": {"type": {"key": "integer", "min": 0, "max": 4096}},
                "vlan_mode": {"type": {"key": "string", "min": 0, "max": 1}},
            }
        },
        "Interface": {
            "columns": {
                "name": {"type": "string"},
                "type": {"type": "string"},
                "ofport": {"type": {"key": "integer", "min": 0, "max": 1}},
                "status": MAP,
                "external_ids": MAP,
            }
        },
    },
}


def read_vlans(row: ovs.db.idl.Row) -> Vlans:
    """The VLANs that a row of Port says."""
    (mode,) = row.vlan_mode or [""]
    (tag,) = row.tag or [None]
    return vlans_of(mode, tag, frozenset(row.trunks))


_Index = Index[str, uuid.UUID]  # interfaces by name


@dataclass(frozen=True)
class _Home:
    """The port of an interface, its bridge and its VLANs."""

    port: uuid.UUID
    bridge: str
    vlans: Vlans


class OpenVSwitch:
    """The interfaces of all bridges, as the database at ``remote`` (``unix:…``) has them.

    What a change costs depends on the change, not on the number of interfaces.  ``bridges`` are
    those whose interfaces come first.
    """

    def __init__(self, remote: str) -> None:
        self.bridges: Set[str] = frozenset()
        self.host: Set[str] = frozenset()  # its names, for other hosts
        self._idl = Idl(remote, SCHEMA, leader_only=True)
        self._bridges: dict[uuid.UUID, str] = {}  # by port
        self._ports: dict[uuid.UUID, frozenset[uuid.UUID]] = {}  # their interfaces
        self._holders: Index[uuid.UUID, uuid.UUID] = Index()  # the ports that have an interface
        self._homes: dict[uuid.UUID, _Home] = {}  # by interface: one of these
        self._interfaces: dict[uuid.UUID, Interface] = {}
        self._by_iface_id: _Index = Index()
        self._by_name: _Index = Index()
        self._without_ofport: _Index = Index()  # by name
        self._heard: dict[uuid.UUID, int] = {}  # ofports that the database does not have yet
        self._by_address: Index[Address, uuid.UUID] = Index()
        self._writer = Writer(self._idl)
        self._touched: set[str] = set()
        self.mistakes = Mistakes()
        self.faults: list[Fault] = []  # for others to take away
        self.datapath_ids: dict[str, int] = {}  # by bridge
        self.protocols: dict[str, frozenset[str]] = {}  # by bridge, of all that there are
        self._parked: dict[str, dict[PooledAddress, Parked]] = {}  # by bridge
        self.unparked: list[PooledAddress] = []  # since somebody has taken them away
        self.ready = False  # whether the database has ever been read

    def run(self) -> set[str]:
        """Take in what the database has to say; returns the names whose port may have changed."""
        if self._idl.run():
            self._take_changes()
        bridges = self._idl.tables["Bridge"].rows
        for row in self._writer.run():
            if row in self._homes:
                self._read_interface(row)
            elif row in bridges:
                self._read_parked(bridges[row])
        return self._take_touched()

    def _take_changes(self) -> None:
        changed = self._idl.take_changed()
        reread = self._idl.reread and bool(changed)
        if reread:
            self._idl.reread = False
            self._set_ports({})
        tables = {table for table, _ in changed}
        if "Open_vSwitch" in tables or not self.ready:
            self._read_host()
        if "Bridge" in tables or reread or not self.ready:
            self._read_bridges()
        for table, row in changed:
            if table == "Port" and row in self._ports:
                self._set_interfaces(row)
        for table, row in changed:
            if table == "Interface" and row in self._homes:
                self._read_interface(row)
        bridges = self._idl.tables["Bridge"].rows
        self.mistakes.keep(lambda row: row in self._homes or row in bridges)
        self.ready = True

    def hear_of(self, bridge: str, name: str, ofport: int) -> set[str]:
        """The switch itself says that interface ``name`` has become port ``ofport`` of ``bridge``.

        Returns the names whose port has changed by it.  What the database says, then
        or later, takes precedence.
        """
        if not is_ofport(ofport):
            return set()
        for interface in list(self._without_ofport[name]):
            if self._homes[interface].bridge == bridge:
                self._heard[interface] = ofport
                self._read_interface(interface)
        return self._take_touched()

    def holders(self, bridge: str, address: Address) -> list[Interface]:
        """The interfaces on ``bridge`` for which ``address`` is remembered."""
        found = [self._interfaces[each] for each in self._by_address[address]]
        there = [interface for interface in found if interface.bridge == bridge]
        return [seen for interface in there for seen in _with_address(interface, address)]

    def bridge_of(self, row: uuid.UUID) -> str:
        """The bridge of an interface, by its row."""
        return self._homes[row].bridge

    def names(self, bridge: str) -> set[str]:
        """All names of the interfaces on ``bridge`` that are plugged in."""
        there = [each for each in self._interfaces.values() if each.bridge == bridge]
        return {name for each in there if each.ofport for name in (each.name, each.key)}

    def remember(self, row: uuid.UUID, memory: Memory, tag: int = 0) -> None:
        """Have this written into the interface's row; its names are touched when it has been.

        With a ``tag`` it is for that VLAN behind the interface.
        """
        self._writer.write(row, tag, memory)
        self._read_interface(row)

    def parked(self, bridge: str) -> Mapping[PooledAddress, Parked]:
        """What is given to nobody for now."""
        return self._parked.get(bridge, {})

    def park(self, bridge: str, pooled: PooledAddress, parked: Parked | None) -> None:
        """Have this written into the bridge's row, and known at once; None takes it out."""
        for row in self._idl.tables["Bridge"].rows.values():
            if row.name == bridge:
                value = format_parked(parked) if parked else None
                self._writer.mark(row.uuid, parked_key(pooled), value)
                self._read_parked(row)

    def set_state(self, row: uuid.UUID, keys: Mapping[str, str | None]) -> None:
        """Have these stand in the external_ids of the interface's row; None takes one out."""
        for key, value in keys.items():
            self._writer.state(row, key, value)

    def flush(self) -> None:
        """Send what is to be written."""
        self._writer.flush()

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when :meth:`run` has something to do."""
        self._idl.wait(poller)
        wait_s = self._writer.wait_s()
        if wait_s is not None:
            poller.timer_wait(math.ceil(wait_s * 1000))

    def close(self) -> None:
        """Close the connection."""
        self._idl.close()

    def plugged(self, name: str) -> Interface | None:
        """The interface whose iface-id, or else whose name, is ``name``, if it is plugged in.

        Of several with the same iface-id it is one on our ``bridges``, the first by name.
        """
        for index in (self._by_iface_id, self._by_name):
            found = [self._interfaces[interface] for interface in index[name]]
            if found:
                return min(found, key=lambda each: (each.bridge not in self.bridges, each.name))
        return None

    @property
    def unmade(self) -> list[str]:
        """The bridges that ovs-vswitchd does not have, though it has done what it was told."""
        if any(
            row.cur_cfg < row.next_cfg for row in self._idl.tables["Open_vSwitch"].rows.values()
        ):
            return []
        bridges = self._idl.tables["Bridge"].rows.values()
        return [bridge.name for bridge in bridges if not bridge.datapath_id]

    @property
    def is_current(self) -> bool:
        """Whether what is known is what the database has now."""
        return self.ready and self._idl.monitoring

    @property
    def interfaces(self) -> Iterable[Interface]:
        """All interfaces, plugged in or not."""
        return self._interfaces.values()

    def at(self, bridge: str, ofport: int) -> Interface | None:
        """The interface that is this port of ``bridge``."""
        for each in self._interfaces.values():
            if each.ofport == ofport and each.bridge == bridge:
                return each
        return None

    def place(self, name: str) -> tuple[str, int | None]:
        """The interface that is the port ``name``, and the VLAN of what it sends without a tag."""
        interface = self.plugged(name)
        return (interface.name, interface.tag) if interface else (name, None)

    def twins(self, interface: Interface) -> list[str]:
        """The names of the other interfaces on our ``bridges`` with its iface-id."""
        same = self._by_iface_id[interface.iface_id or ""] - {interface.row}
        found = [self._interfaces[each] for each in same]
        return sorted(each.name for each in found if each.bridge in self.bridges)

    def _take_touched(self) -> set[str]:
        touched, self._touched = self._touched, set()
        return touched

    def _read_host(self) -> None:
        """Take in the names of the host, as ovn-controller has them."""
        host = set()
        for row in self._idl.tables["Open_vSwitch"].rows.values():
            host.add(row.external_ids.get("hostname") or socket.gethostname())
            host.add(row.external_ids.get("system-id", ""))
        if host - {""} != self.host:
            self.host = host - {""}
            for interface in self._interfaces.values():
                self._touched |= {interface.name, interface.key}

    def _read_bridges(self) -> None:
        bridges = self._idl.tables["Bridge"].rows.values()
        self.datapath_ids = {}
        self.protocols = {bridge.name: frozenset(bridge.protocols) for bridge in bridges}
        for bridge in bridges:
            mistakes = []
            try:
                if bridge.datapath_id:
                    self.datapath_ids[bridge.name] = read_datapath_id(bridge.datapath_id[0])
            except ValueError as error:
                mistakes.append(str(error))
            mistakes += self._read_parked(bridge)
            self.mistakes.set(bridge.uuid, f"bridge {bridge.name}", mistakes)
        self._parked = {name: self._parked[name] for name in self.protocols}
        self._set_ports({port.uuid: bridge.name for bridge in bridges for port in bridge.ports})

    def _read_parked(self, row: ovs.db.idl.Row) -> list[str]:
        """Take in what is parked on a bridge; returns the mistakes."""
        ids = row.external_ids
        if marks := self._writer.marks(row.uuid):
            ids = {**ids, **marks}
            ids = {key: value for key, value in ids.items() if value is not None}
        before = self._parked.get(row.name, {})
        self._parked[row.name], mistakes = read_parked(ids)
        self.unparked += before.keys() - self._parked[row.name].keys()
        return mistakes

    def _set_ports(self, bridges: dict[uuid.UUID, str]) -> None:
        """Take in all ports there are: ``bridges`` has the bridge of each, by its row."""
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
        for interface in now - before:
            self._holders.add(interface, port)
        self._forget_interfaces(port, before - now)
        for interface in now:
            if interface not in self._homes or self._homes[interface].port == port:
                self._settle(interface, port)

    def _settle(self, interface: uuid.UUID, port: uuid.UUID) -> None:
        """The interface is that of ``port``, which has it."""
        row = self._idl.tables["Port"].rows.get(port)
        home = _Home(port, self._bridges[port], read_vlans(row) if row else UNTOLD)
        if self._homes.get(interface) != home:
            self._homes[interface] = home
            self._read_interface(interface)

    def _read_interface(self, interface: uuid.UUID) -> None:
        row = self._idl.tables["Interface"].rows.get(interface)
        if row is None:
            self._take_out(interface)
            return
        mistakes: list[str] = []
        known = None
        try:
            known = self._interface(row, mistakes)
        except Exception as error:  # a fault of ours: it costs this interface
            self.faults.append(Fault(f"interface {row.name}", error))
            mistakes = [INTERNAL_ERROR]
        self.mistakes.set(interface, f"interface {row.name}", mistakes)
        if known is None:
            self._take_out(interface)
        elif known != self._interfaces.get(interface):
            self._put(known)

    def _interface(self, row: ovs.db.idl.Row, mistakes: list[str]) -> Interface:
        """The row as a value; what of it cannot be read is as if it were not there."""
        home = self._homes[row.uuid]
        ids = row.external_ids
        # An interface has none before it is there.
        if row.ofport:
            self._heard.pop(row.uuid, None)
        ofport = self._heard.get(row.uuid)
        try:
            if row.ofport:
                ofport = read_ofport(row.ofport[0])
        except ValueError as error:
            mistakes.append(str(error))
        unwritten = self._writer.pending(row.uuid)
        remembered = {}
        for tag in (0, *vlans_remembered(ids)):
            remembered[tag], unread = read_memory(ids, tag)
            mistakes += unread
        remembered |= unwritten
        return Interface(
            row=row.uuid,
            bridge=home.bridge,
            name=row.name,
            iface_id=ids.get(IFACE_ID),
            version=ids.get(IFACE_ID_VER),
            ofport=ofport,
            vlans=home.vlans,
            attached_mac=ids.get(ATTACHED_MAC),
            network=ids.get(NETWORK),
            memory=remembered.pop(0),
            written=0 not in unwritten,
            of_vlans=remembered,
            unwritten_vlans=unwritten.keys() - {0},
            is_guest=row.name != home.bridge
            and is_guests(row.type, row.status.get("driver_name"), ids),
        )

    def _put(self, known: Interface) -> None:
        self._take_out(known.row)
        self._interfaces[known.row] = known
        for index, name in self._entries(known):
            index.add(name, known.row)
            self._touched.add(name)
        for address in known.remembered:
            self._by_address.add(address, known.row)

    def _forget_interfaces(self, port: uuid.UUID, interfaces: Iterable[uuid.UUID]) -> None:
        """Forget ``interfaces``, which ``port`` has no more; but not what another port has too."""
        for interface in interfaces:
            self._holders.discard(interface, port)
            if self._homes[interface].port != port:
                continue
            self._heard.pop(interface, None)
            if others := self._holders[interface]:
                self._settle(interface, min(others))
                continue
            self._take_out(interface)
            self._writer.forget(interface)
            del self._homes[interface]

    def _take_out(self, interface: uuid.UUID) -> None:
        known = self._interfaces.pop(interface, None)
        if known is None:
            return
        for index, name in self._entries(known):
            index.discard(name, interface)
            self._touched.add(name)
        for address in known.remembered:
            self._by_address.discard(address, interface)

    def _entries(self, interface: Interface) -> Iterator[tuple[_Index, str]]:
        """Where ``interface`` is found, and by which name."""
        if interface.ofport is None:
            yield self._without_ofport, interface.name
            return
        yield self._by_name, interface.name
        if interface.iface_id:
            yield self._by_iface_id, interface.iface_id


def _with_address(interface: Interface, address: Address) -> Iterator[Interface]:
    """The interface, or what is behind it, for which the address is remembered."""
    if address in interface.memory.addresses:
        yield interface
    for tag, memory in interface.of_vlans.items():
        if address in memory.addresses:
            yield interface.seen_by(vlan_name(interface.key, tag), tag)
