# SPDX-License-Identifier: Apache-2.0
"""OVN's Northbound database as a source: the logical ports that are plugged in here.

The database is asked for just these ports (by monitor conditions, as ovn-controller does
with the Southbound database) and for all DHCP_Options, so that a host holds and hears
what concerns it, however large the database is.  A port belongs to one switch and goes
with it; which one matters only where two ports have the same MAC or address, and only then
it is asked for.

Any server of a cluster will do (``leader_only=False``): we only read, every server sends
the same changes in the same order, and the hosts spread over all of them.  A server that
has lost its cluster says so, and python-ovs goes on to the next one; it also refuses one
that is behind what it has read before.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import ovs.poller
import ovs.stream
from ovs.vlog import Vlog

from controller.sources.claims import Claims
from controller.sources.idl import Idl
from flows.bindings import DEFAULT_BRIDGE, Binding, Network
from flows.northbound import (
    OptionsRow,
    PortRow,
    SharedDhcpv4,
    SharedDhcpv6,
    bind,
    claims,
    shared_dhcpv4,
    shared_dhcpv6,
)

vlog = Vlog("ovn_northbound")

PORTS, OPTIONS, SWITCHES = "Logical_Switch_Port", "DHCP_Options", "Logical_Switch"

_STRINGS = {"type": {"key": "string", "min": 0, "max": "unlimited"}}
_MAP = {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}
_OPTIONS_ROW = {"type": {"key": {"type": "uuid", "refTable": OPTIONS}, "min": 0, "max": 1}}
# The part of ovn-nb.ovsschema that is read here; port_security does not matter to DHCP.
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
                "options": _MAP,
                "dhcpv4_options": _OPTIONS_ROW,
                "dhcpv6_options": _OPTIONS_ROW,
            }
        },
        OPTIONS: {"columns": {"cidr": {"type": "string"}, "options": _MAP}},
        SWITCHES: {
            "columns": {
                # No refTable: the ports are wanted too that are not held here.
                "ports": {"type": {"key": "uuid", "min": 0, "max": "unlimited"}}
            }
        },
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
    that refer to it.
    """

    mistakes: Sequence[str] = ()

    def __init__(self, remotes: str, bridge: str, tls: Tls | None = None) -> None:
        if tls:
            ovs.stream.Stream.ssl_set_private_key_file(tls.private_key)
            ovs.stream.Stream.ssl_set_certificate_file(tls.certificate)
            ovs.stream.Stream.ssl_set_ca_cert_file(tls.ca_cert)
        self._bridge = bridge or DEFAULT_BRIDGE
        self.bridges = frozenset({self._bridge})
        self.ready = False
        self._idl = Idl(remotes, SCHEMA, leader_only=False)
        self._idl.cond_change(SWITCHES, [])  # none, until two ports dispute
        self._watched: set[str] = set()
        self._unasked = True  # whether the database is to be told what is watched
        self._ports: dict[uuid.UUID, _Port] = {}
        self._by_name: dict[str, uuid.UUID] = {}
        self._users: dict[uuid.UUID, set[str]] = {}  # names of ports, by DHCP_Options
        self._dhcpv4: dict[uuid.UUID, SharedDhcpv4] = {}
        self._dhcpv6: dict[uuid.UUID, SharedDhcpv6] = {}
        self._claims = Claims()
        self._switches: dict[uuid.UUID, uuid.UUID] = {}  # by port, where it is known
        self._members: dict[uuid.UUID, set[uuid.UUID]] = {}  # the same, by switch
        self._touched: set[str] = set()

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
            self._idl.cond_change(PORTS, [["name", "==", name] for name in sorted(self._watched)])
        self._idl.run()
        changed = self._idl.take_changed()
        if self._idl.reread and self._idl.monitoring:
            self._idl.reread = False
            changed = [(PORTS, port) for port in {*self._ports, *self._idl.tables[PORTS].rows}]
            switches = {*self._members, *self._idl.tables[SWITCHES].rows}
            changed += [(SWITCHES, switch) for switch in switches]
            changed += [
                (OPTIONS, options) for options in {*self._users, *self._dhcpv4, *self._dhcpv6}
            ]
        for table, row in changed:
            if table == PORTS:
                self._forget_port(row)
        for table, row in changed:
            if table == PORTS:
                self._read_port(row)
            elif table == SWITCHES:
                self._read_switch(row)
            else:
                self._dhcpv4.pop(row, None)
                self._dhcpv6.pop(row, None)
                self._touched |= self._users.get(row, set())
        if any(table == PORTS for table, _ in changed):
            self._idl.cond_change(SWITCHES, self._switches_of_disputed())
        if not self.ready and self._has_what_is_watched():
            self.ready = True
            vlog.info(f"{self._idl.session_name()}: read, {len(self._ports)} ports are plugged in")
        touched, self._touched = self._touched, set()
        return touched

    def read_again(self) -> None:
        """Nothing: the database tells of every change."""

    def names(self, name: str) -> bool:
        """Whether a port that is watched is called ``name``."""
        return name in self._by_name

    def binding(self, name: str) -> Binding | None:
        """What the port called ``name`` is served."""
        if name not in self._by_name:
            return None
        port = self._ports[self._by_name[name]]
        if refused := sorted(self._taken(self._by_name[name])):
            return Binding(refused=tuple(f"port {name}: addresses: {line}" for line in refused))
        dhcpv4 = dhcpv6 = None
        if port.dhcpv4:
            dhcpv4 = self._dhcpv4.get(port.dhcpv4) or shared_dhcpv4(self._options(port.dhcpv4))
            self._dhcpv4[port.dhcpv4] = dhcpv4
        if port.dhcpv6:
            dhcpv6 = self._dhcpv6.get(port.dhcpv6) or shared_dhcpv6(self._options(port.dhcpv6))
            self._dhcpv6[port.dhcpv6] = dhcpv6
        return bind(port.row, dhcpv4, dhcpv6, self._bridge)

    def networks(self, bridge: str) -> Mapping[str, Network]:
        """None: every port is named in the database, or is nobody's."""
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
        condition = self._idl.tables[PORTS].condition_state
        return self._idl.monitoring and condition.new is None and condition.requested is None

    def _switches_of_disputed(self) -> list[object]:
        """The condition for the switches of ports that have the same MAC or address."""
        return [
            ["ports", "includes", ["uuid", str(port)]] for port in sorted(self._claims.disputed)
        ]

    def _taken(self, port: uuid.UUID) -> Iterator[str]:
        """What of the port's is also another's of its switch, who comes before it by name."""
        for other, claim in self._claims.rivals(port):
            name = self._ports[other].row.name
            if name < self._ports[port].row.name and self._on_one_switch(port, other):
                text = claim.hex(":") if isinstance(claim, bytes) else claim
                yield f"{text} is that of {name} too, expected another"

    def _on_one_switch(self, port: uuid.UUID, other: uuid.UUID) -> bool:
        switch = self._switches.get(port)
        return switch is not None and switch == self._switches.get(other)

    def _read_switch(self, switch: uuid.UUID) -> None:
        row = self._idl.tables[SWITCHES].rows.get(switch)
        now = set(row.ports) if row else set()
        before = self._members.pop(switch, set())
        if now:
            self._members[switch] = now
        for port in before - now:
            if self._switches.get(port) == switch:
                del self._switches[port]
        self._switches.update(dict.fromkeys(now - before, switch))
        for port in (before ^ now) & self._ports.keys():
            self._touched.add(self._ports[port].row.name)

    def _options(self, options: uuid.UUID) -> OptionsRow:
        row = self._idl.tables[OPTIONS].rows[options]
        return OptionsRow(str(options), row.cidr, row.options)

    def _read_port(self, port: uuid.UUID) -> None:
        row = self._idl.tables[PORTS].rows.get(port)
        if row is None:
            return
        known = _Port(
            PortRow(
                row.name,
                row.type,
                row.enabled != [False],
                tuple(row.addresses),
                "".join(row.dynamic_addresses),
                row.options,
            ),
            row.dhcpv4_options[0].uuid if row.dhcpv4_options else None,
            row.dhcpv6_options[0].uuid if row.dhcpv6_options else None,
        )
        self._ports[port] = known
        self._by_name[row.name] = port
        for options in (known.dhcpv4, known.dhcpv6):
            if options:
                self._users.setdefault(options, set()).add(row.name)
        self._claims.put(port, claims(known.row))
        self._touched |= {row.name, *self._rivals(port)}

    def _rivals(self, port: uuid.UUID) -> Iterator[str]:
        for other, _ in self._claims.rivals(port):
            if self._on_one_switch(port, other):
                yield self._ports[other].row.name

    def _forget_port(self, port: uuid.UUID) -> None:
        if port not in self._ports:
            return
        self._touched |= set(self._rivals(port))
        self._claims.put(port, frozenset())
        known = self._ports.pop(port)
        del self._by_name[known.row.name]
        for options in {known.dhcpv4, known.dhcpv6} - {None}:
            assert options
            self._users[options].discard(known.row.name)
            if not self._users[options]:
                del self._users[options]
        self._touched.add(known.row.name)
