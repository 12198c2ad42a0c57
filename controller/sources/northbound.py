# SPDX-License-Identifier: Apache-2.0
"""OVN's Northbound database as a source: the logical ports that are plugged in here.

The database is asked for just these ports (by monitor conditions, as ovn-controller does
with the Southbound database) and for all DHCP_Options, so that a host holds and hears
what concerns it, however large the database is.  A port belongs to one switch and goes
with it (:mod:`controller.sources.logical_switches`).  A host that serves external ports is sent all
of these.

Any server of a cluster will do (``leader_only=False``): we only read, every server sends
the same changes in the same order, and the hosts spread over all of them.  A server that
has lost its cluster says so, and python-ovs goes on to the next one; it also refuses one
that is behind what it has read before.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import ovs.db.idl
import ovs.poller
import ovs.stream
from ovs.vlog import Vlog
from ovs_dhcpd.controller.ovsdb.idl import MAP, Idl
from ovs_dhcpd.controller.ports.claims import Claims
from ovs_dhcpd.controller.ports.fault import INTERNAL_ERROR, Fault
from ovs_dhcpd.controller.ports.index import Index
from ovs_dhcpd.controller.sources import logical_switches
from ovs_dhcpd.controller.sources.logical_switches import SWITCHES, LogicalSwitches
from ovs_dhcpd.flows.bindings.network import (
    DEFAULT_BRIDGE,
    Binding,
    Dhcpv4,
    Dhcpv6,
    Network,
    Parent,
)
from ovs_dhcpd.flows.bindings.pool import Address
from ovs_dhcpd.flows.bindings.rate_limit import DEFAULT_RATE_LIMIT, RateLimit
from ovs_dhcpd.flows.configuration.external import EXTERNAL, LOCALNET, Entrance, in_order
from ovs_dhcpd.flows.configuration.northbound import (
    OptionsRow,
    PortRow,
    SharedDhcp,
    bind,
    claims,
    shared_dhcpv4,
    shared_dhcpv6,
)
from ovs_dhcpd.flows.options.wording import escape

vlog = Vlog("northbound")

PORTS, OPTIONS = "Logical_Switch_Port", "DHCP_Options"
GROUPS, CHASSIS = "HA_Chassis_Group", "HA_Chassis"
ROUTER = "router"  # a port's type

_STRINGS = {"type": {"key": "string", "min": 0, "max": "unlimited"}}
_TAG, _TAG_REQUEST = (
    {
        "type": {
            "key": {"type": "integer", "minInteger": first, "maxInteger": 4095},
            "min": 0,
            "max": 1,
        }
    }
    for first in (1, 0)
)
_OPTIONS_ROW = {"type": {"key": {"type": "uuid", "refTable": OPTIONS}, "min": 0, "max": 1}}
_GROUP_ROW = {"type": {"key": {"type": "uuid", "refTable": GROUPS}, "min": 0, "max": 1}}
_CHASSIS_ROWS = {
    "type": {"key": {"type": "uuid", "refTable": CHASSIS}, "min": 0, "max": "unlimited"}
}
_PRIORITY = {"type": {"key": {"type": "integer", "minInteger": 0, "maxInteger": 32767}}}
# The part of ovn-nb.ovsschema that is read here.
SCHEMA = {
    "name": "OVN_Northbound",
    "version": "7.0.0",
    "tables": {
        PORTS: {
            "columns": {
                "name": {"type": "string"},
                "type": {"type": "string"},
                "enabled": {"type": {"key": "boolean", "min": 0, "max": 1}},
                "addresses": _STRINGS,
                "dynamic_addresses": {"type": {"key": "string", "min": 0, "max": 1}},
                "options": MAP,
                "parent_name": {"type": {"key": "string", "min": 0, "max": 1}},
                "tag": _TAG,
                "tag_request": _TAG_REQUEST,
                "port_security": _STRINGS,
                "dhcpv4_options": _OPTIONS_ROW,
                "dhcpv6_options": _OPTIONS_ROW,
                "ha_chassis_group": _GROUP_ROW,
            }
        },
        OPTIONS: {"columns": {"cidr": {"type": "string"}, "options": MAP}},
        GROUPS: {"columns": {"ha_chassis": _CHASSIS_ROWS}},
        CHASSIS: {"columns": {"chassis_name": {"type": "string"}, "priority": _PRIORITY}},
        **logical_switches.TABLES,
    },
}


@dataclass(frozen=True)
class Tls:
    """The files of the keys for ``ssl:`` remotes."""

    private_key: str
    certificate: str
    ca_cert: str


@dataclass(frozen=True)
class _Port:
    """A port that is watched, and the DHCP_Options that it refers to."""

    row: PortRow
    dhcpv4: uuid.UUID | None
    dhcpv6: uuid.UUID | None


class OvnNorthbound:
    """The bindings of logical switch ports, as the cluster at ``remotes`` has them.

    ``remotes`` are ``tcp:``, ``ssl:`` or ``unix:``, separated by commas.  What a change
    costs depends on the change: of a port, that port; of DHCP_Options, the ports here
    that refer to it.  ``rate_limit`` is that of each port.  ``uplink`` is by which of the bridge's
    ports external ports come in; empty: they are not served.
    """

    def __init__(
        self,
        remotes: str,
        bridge: str,
        tls: Tls | None = None,
        rate_limit: RateLimit | None = DEFAULT_RATE_LIMIT,
        uplink: str = "",
    ) -> None:
        if tls:
            ovs.stream.Stream.ssl_set_private_key_file(tls.private_key)
            ovs.stream.Stream.ssl_set_certificate_file(tls.certificate)
            ovs.stream.Stream.ssl_set_ca_cert_file(tls.ca_cert)
        self._bridge = bridge or DEFAULT_BRIDGE
        self._rate_limit = rate_limit
        self._uplink = uplink
        self.bridges = frozenset({self._bridge})
        self.ready = False
        self.faults: list[Fault] = []
        self._faulty: dict[uuid.UUID, str] = {}  # rows that we fail to read
        self._finished = True  # whether the last run came to its end
        self._idl = Idl(remotes, SCHEMA, leader_only=False)
        for table in () if uplink else (GROUPS, CHASSIS):
            self._idl.cond_change(table, [])
        self._switches = LogicalSwitches(self._idl)
        self._watched: set[str] = set()
        self._unasked = True  # whether the database is to be told what is watched
        self._ports: dict[uuid.UUID, _Port] = {}
        self._by_name: dict[str, uuid.UUID] = {}
        self._sub_ports: Index[str, str] = Index()  # names, by those of their parents
        self._users: Index[uuid.UUID, str] = Index()  # names of ports, by DHCP_Options
        self._dhcpv4: dict[uuid.UUID, SharedDhcp[Dhcpv4]] = {}
        self._dhcpv6: dict[uuid.UUID, SharedDhcp[Dhcpv6]] = {}
        self._claims: Claims[uuid.UUID, bytes | Address] = Claims()  # of ports
        self._touched: set[str] = set()

    @property
    def mistakes(self) -> Sequence[str]:
        """The rows that we fail to read, and that there is no uplink where one is named."""
        lines = sorted(self._faulty.values())
        if self._uplink and self._uplink not in self._watched:
            where = f"{escape(self._uplink)} is not on {escape(self._bridge)}"
            lines.append(f"--external: {where}, expected the port that external ports come in by")
        return lines

    def watch(self, name: str, plugged: bool) -> None:
        """Have the database send the port called ``name``, or no longer."""
        if plugged != (name in self._watched):
            (self._watched.add if plugged else self._watched.remove)(name)
            self._unasked = True

    def run(self) -> set[str]:
        """Take in what the database has to say; returns the names whose binding may have changed.

        To be called first when what is plugged in is known.
        """
        if self._unasked:
            self._unasked = False
            names = sorted(self._watched - self._behind_uplink)
            wanted = [["name", "==", name] for name in names]
            wanted += [["parent_name", "==", name] for name in names]
            types = [ROUTER] if self._switches.have_routers else []
            types += [EXTERNAL, LOCALNET] if self._uplink else []
            wanted += [["type", "==", each] for each in types]
            self._idl.cond_change(PORTS, wanted)
        self._idl.run()
        changed = self._idl.take_changed()
        if (self._idl.reread or not self._finished) and self._idl.monitoring:
            self._idl.reread = False
            self._faulty.clear()
            changed = [(PORTS, port) for port in {*self._ports, *self._idl.tables[PORTS].rows}]
            changed += self._switches.rows
            changed += [
                (OPTIONS, options) for options in {*self._users, *self._dhcpv4, *self._dhcpv6}
            ]
        if any(table in (GROUPS, CHASSIS) for table, _ in changed):
            changed += [(PORTS, self._by_name[name]) for name in self._behind_uplink]
        self._finished = False
        for table, row in changed:
            if table == PORTS:
                self._forget_port(row)
        for table, row in changed:
            self._faulty.pop(row, None)
            try:
                self._read(table, row)
            except Exception as error:  # a fault of ours: it costs this row
                self.faults.append(Fault(f"{table} {row}", error))
                self._faulty[row] = f"{self}: {table} {row}: {INTERNAL_ERROR}"
        if changed:
            self._settle_switches()
        if not self.ready and self._has_what_is_watched():
            self.ready = True
            vlog.info(f"{self._idl.session_name()}: read, {self._plugged} ports are plugged in")
        touched = {name for name in self._touched if self._is_plugged_in(name)}
        self._touched = set()
        self._finished = True
        return touched

    def _read(self, table: str, row: uuid.UUID) -> None:
        if table == PORTS:
            self._read_port(row)
        elif table in logical_switches.TABLES:
            had_routers = self._switches.have_routers
            self._switches.read(table, row)
            self._unasked |= had_routers != self._switches.have_routers
        elif table == OPTIONS:
            self._dhcpv4.pop(row, None)
            self._dhcpv6.pop(row, None)
            self._touched |= self._users[row]

    def reread(self) -> None:
        """Do nothing: the database tells of every change by itself."""

    def knows(self, name: str) -> bool:
        """Whether a port that is watched is called ``name``."""
        return name in self._by_name

    def binding(self, name: str) -> Binding | None:
        """What the port called ``name`` is served."""
        if name not in self._by_name:
            return None
        port = self._ports[self._by_name[name]]
        if refused := sorted(self._taken(self._by_name[name])):
            return Binding(refused=tuple(f"addresses: {line}" for line in refused))
        dhcpv4 = dhcpv6 = None
        if port.dhcpv4:
            dhcpv4 = self._dhcpv4.get(port.dhcpv4) or shared_dhcpv4(self._options(port.dhcpv4))
            self._dhcpv4[port.dhcpv4] = dhcpv4
        if port.dhcpv6:
            dhcpv6 = self._dhcpv6.get(port.dhcpv6) or shared_dhcpv6(self._options(port.dhcpv6))
            self._dhcpv6[port.dhcpv6] = dhcpv6
        shared = self._switches.shared(self._by_name[name])
        return bind(
            port.row,
            dhcpv4,
            dhcpv6,
            self._bridge,
            self._rate_limit,
            shared.ra,
            shared.relay_port,
            self._entrance(self._by_name[name]),
            shared.vlan_passthru,
        )

    def parent(self, name: str) -> Parent | None:
        """Where the port is plugged in if it is a sub-port."""
        if name not in self._by_name:
            return None
        entrance = self._entrance(self._by_name[name])
        return entrance.parent if entrance else self._ports[self._by_name[name]].row.parent

    def sub_ports(self, name: str) -> Set[str]:
        """The sub-ports whose parent is ``name``."""
        return self._sub_ports[name]

    def networks(self, bridge: str) -> Mapping[str, Network]:
        """No networks: a port is named in the database, or belongs to nobody."""
        return {}

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when :meth:`run` has something to do."""
        if self._unasked:
            poller.immediate_wake()
        self._idl.wait(poller)

    def close(self) -> None:
        """Close the connection."""
        self._idl.close()

    def __str__(self) -> str:
        return "OVN_Northbound"

    def _has_what_is_watched(self) -> bool:
        conditions = [self._idl.tables[table].condition_state for table in (PORTS, SWITCHES)]
        settled = all(each.new is None and each.requested is None for each in conditions)
        return self._idl.monitoring and settled and not self._unasked

    @property
    def _plugged(self) -> int:
        return len(self._watched & self._by_name.keys())

    def _settle_switches(self) -> None:
        """Look again at the ports whose switch is another one, or has something else for them."""
        for port in self._switches.settle() & self._ports.keys():
            for other in (port, *(other for other, _ in self._claims.rivals(port))):
                self._touched.add(self._ports[other].row.name)
        self._switches.ask()

    def _taken(self, port: uuid.UUID) -> Iterator[str]:
        """What of the port's is also another's of its switch, who comes before it by name."""
        for other, claim in self._claims.rivals(port):
            name = self._ports[other].row.name
            if isinstance(claim, bytes) and self._plugged_as(port) == self._plugged_as(other):
                continue  # a port and its sub-port may have one MAC
            if name < self._ports[port].row.name and self._meet(port, other, claim):
                text = claim.hex(":") if isinstance(claim, bytes) else claim
                yield f"{text} is that of {escape(name)} too, expected another"

    def _is_plugged_in(self, name: str) -> bool:
        """Whether the port is watched, or a sub-port of one that is."""
        parent = self.parent(name)
        return name in self._watched or (parent is not None and parent.name in self._watched)

    @property
    def _behind_uplink(self) -> Set[str]:
        """The external ports that are served here, and sub-ports that have the uplink as parent."""
        return self._sub_ports[self._uplink] if self._uplink else frozenset()

    def _entrance(self, port: uuid.UUID) -> Entrance | None:
        """Where the port comes in, if it is an external one."""
        if not self._ports[port].row.is_external:
            return None
        is_known = self._switches.home(port) is not None
        return Entrance(self._uplink, self._switches.shared(port).localnets if is_known else None)

    def _plugged_as(self, port: uuid.UUID) -> str:
        row = self._ports[port].row
        return row.parent.name if row.parent and not row.is_external else row.name

    def _meet(self, port: uuid.UUID, other: uuid.UUID, claim: bytes | Address) -> bool:
        """Whether the two cannot both have it: on one switch, or in one VLAN of the uplink."""
        if self._on_one_switch(port, other):
            return True
        one, two = self._entrance(port), self._entrance(other)
        return (
            isinstance(claim, bytes)
            and one is not None
            and two is not None
            and (one.parent == two.parent)
        )

    def _on_one_switch(self, port: uuid.UUID, other: uuid.UUID) -> bool:
        switch = self._switches.home(port)
        return switch is not None and switch == self._switches.home(other)

    def _options(self, options: uuid.UUID) -> OptionsRow:
        row = self._idl.tables[OPTIONS].rows[options]
        return OptionsRow(str(options), row.cidr, row.options)

    def _read_port(self, port: uuid.UUID) -> None:
        row = self._idl.tables[PORTS].rows.get(port)
        if row is None:
            self._switches.forget(port)
            return
        router_port = localnet = None
        if row.type == ROUTER:
            router_port = row.options.get("router-port", "") if row.enabled != [False] else ""
        elif row.type == LOCALNET:
            localnet = row.name, _tag(row)
        self._switches.track(port, router_port, localnet)
        is_external = bool(self._uplink) and row.type == EXTERNAL
        known = _Port(
            PortRow(
                row.name,
                row.type,
                row.enabled != [False],
                tuple(sorted(row.addresses)),  # as OVN's own replica has them
                "".join(row.dynamic_addresses),
                row.options,
                Parent(self._uplink, 0, shared=True) if is_external else _parent(row),
                tuple(sorted(row.port_security)),
                _group(row) if is_external else None,
            ),
            row.dhcpv4_options[0].uuid if row.dhcpv4_options else None,
            row.dhcpv6_options[0].uuid if row.dhcpv6_options else None,
        )
        claimed = claims(known.row)
        self._ports[port] = known
        self._by_name[row.name] = port
        if known.row.parent:
            self._sub_ports.add(known.row.parent.name, row.name)
            self._touched |= self._siblings(known.row)
        for options in (known.dhcpv4, known.dhcpv6):
            if options:
                self._users.add(options, row.name)
        for claim in claimed:
            self._claims.add(port, claim)
        self._touched |= {row.name, *self._rivals(port)}

    def _siblings(self, row: PortRow) -> Set[str]:
        """The sub-ports that may want the same VLAN as this one."""
        return self._sub_ports[row.parent.name] if row.parent and not row.is_external else set()

    def _rivals(self, port: uuid.UUID) -> Iterator[str]:
        for other, claim in self._claims.rivals(port):
            if self._meet(port, other, claim):
                yield self._ports[other].row.name

    def _forget_port(self, port: uuid.UUID) -> None:
        if port not in self._ports:
            return
        self._touched |= set(self._rivals(port))
        self._claims.withdraw(port)
        known = self._ports.pop(port)
        del self._by_name[known.row.name]
        self._unasked |= known.row.is_external  # by its name too, once it is another
        if parent := known.row.parent:
            self._sub_ports.discard(parent.name, known.row.name)
            self._touched |= self._siblings(known.row)
        for options in {known.dhcpv4, known.dhcpv6} - {None}:
            assert options
            self._users.discard(options, known.row.name)
        self._touched.add(known.row.name)


def _parent(row: ovs.db.idl.Row) -> Parent | None:
    """Where the port is plugged in if it is a sub-port; ovn-northd copies tag_request into tag."""
    return Parent(row.parent_name[0], _tag(row)) if row.parent_name and row.parent_name[0] else None


def _tag(row: ovs.db.idl.Row) -> int:
    """The VLAN of a sub-port or a localnet port; 0: it has none."""
    return int(next(iter([*row.tag, *row.tag_request]), 0))


def _group(row: ovs.db.idl.Row) -> tuple[str, ...] | None:
    """The hosts of the port's ha_chassis_group, in their order; None: it has none."""
    if not row.ha_chassis_group:
        return None
    return in_order(
        [(each.priority, each.chassis_name) for each in row.ha_chassis_group[0].ha_chassis]
    )
