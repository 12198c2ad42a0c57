# SPDX-License-Identifier: Apache-2.0
"""Which logical switch a port belongs to, and what the switch has for all of its ports.

The router port that a port of type ``router`` is joined to may say that there are to be router
advertisements (``ipv6_ra_configs``); the switch itself may say that requests for addresses are
relayed (``other_config:dhcp_relay_port``), or that packets may have tags (``vlan-passthru``).  Its
external ports come in by its ports of type ``localnet``.

A switch names its ports, no port its switch, so the database is asked for the switch that has a
port; once that is known it is asked for by itself.  Router ports are few beside the others: if any
of them advertises, all that do are followed, and all ports that are joined to a router.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace

from ovs_dhcpd.controller.ovsdb.idl import MAP, Idl
from ovs_dhcpd.controller.ports.index import Index
from ovs_dhcpd.flows.configuration.external import Localnet
from ovs_dhcpd.flows.configuration.router_port import (
    ADDRESS_MODES,
    RouterPortRow,
    SharedRa,
    shared_ra,
)
from ovs_dhcpd.flows.options.wording import escape

SWITCHES, ROUTER_PORTS = "Logical_Switch", "Logical_Router_Port"

_STRING = {"type": {"key": "string", "min": 0, "max": 1}}
# The part of ovn-nb.ovsschema that is read here.
TABLES = {
    SWITCHES: {
        "columns": {
            # No refTable: the ports are wanted too that are not held here.
            "ports": {"type": {"key": "uuid", "min": 0, "max": "unlimited"}},
            "other_config": MAP,
        }
    },
    ROUTER_PORTS: {
        "columns": {
            "name": {"type": "string"},
            "mac": {"type": "string"},
            "networks": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
            "enabled": {"type": {"key": "boolean", "min": 0, "max": 1}},
            "peer": _STRING,
            "ipv6_ra_configs": MAP,
        }
    },
}

_ADVERTISE = [
    ["ipv6_ra_configs", "includes", ["map", [["address_mode", mode]]]] for mode in ADDRESS_MODES
]


@dataclass(frozen=True, slots=True)
class Shared:
    """What a switch has for all of its ports.

    `ra` is None where no router advertises, `relay_port` where requests are not relayed.
    `localnets` are in the order of their names.  `vlan_passthru`: packets may have any tag.
    """

    ra: SharedRa | None = None
    relay_port: str | None = None
    localnets: tuple[Localnet, ...] = ()
    vlan_passthru: bool = False


_NOTHING = Shared()


class LogicalSwitches:
    """The logical switches of the ports that are tracked, as `idl` has them."""

    def __init__(self, idl: Idl) -> None:
        self._idl = idl
        self._homes: dict[uuid.UUID, uuid.UUID | None] = {}  # the switch of each tracked port
        self._members: Index[uuid.UUID, uuid.UUID] = Index()  # the same, by switch
        self._routers: dict[uuid.UUID, str] = {}  # the router port's name, by port joined to it
        self._localnets: dict[uuid.UUID, Localnet] = {}  # by port of that type
        self._ras: dict[str, SharedRa] = {}  # by router port's name
        self._names: dict[uuid.UUID, str] = {}  # of router ports
        self._shared: dict[uuid.UUID, Shared] = {}  # by switch
        self._unsettled: set[uuid.UUID] = set()  # switches
        self._touched: set[uuid.UUID] = set()
        idl.cond_change(ROUTER_PORTS, _ADVERTISE)
        self.ask()

    @property
    def rows(self) -> Iterator[tuple[str, uuid.UUID]]:
        """Table and row of all that is known here or to the database."""
        for table, known in ((SWITCHES, self._shared), (ROUTER_PORTS, self._names)):
            for row in {*known, *self._idl.tables[table].rows}:
                yield table, row

    @property
    def have_routers(self) -> bool:
        """Whether a router port advertises, so that ports of type ``router`` matter."""
        return bool(self._ras)

    def home(self, port: uuid.UUID) -> uuid.UUID | None:
        """The switch that ``port`` belongs to; None: it is not known yet."""
        return self._homes.get(port)

    def shared(self, port: uuid.UUID) -> Shared:
        """What the switch of ``port`` has for it."""
        home = self.home(port)
        return self._shared.get(home, _NOTHING) if home else _NOTHING

    def track(
        self, port: uuid.UUID, router_port: str | None = None, localnet: Localnet | None = None
    ) -> None:
        """Know the switch of ``port``: a guest's, or one that is joined to ``router_port``.

        An empty ``router_port`` is none.  Or it is a ``localnet`` port itself.
        """
        if port not in self._homes:
            self._homes[port] = None
            for switch, row in self._idl.tables[SWITCHES].rows.items():
                if self._idl.members(row, "ports", {port}):
                    self._move(port, switch)
                    break
        before = self._routers.pop(port, None), self._localnets.pop(port, None)
        if router_port is not None:
            self._routers[port] = router_port
        if localnet is not None:
            self._localnets[port] = localnet
        if before != (router_port, localnet) and (home := self._homes[port]):
            self._unsettled.add(home)

    def forget(self, port: uuid.UUID) -> None:
        """Track ``port`` no longer."""
        if port in self._homes:
            self._move(port, None)
            del self._homes[port]
            self._routers.pop(port, None)
            self._localnets.pop(port, None)
            self._touched.discard(port)

    def read(self, table: str, row: uuid.UUID) -> None:
        """Take in a row of one of TABLES that has changed, come or gone."""
        if table == SWITCHES:
            self._read_switch(row)
        else:
            self._read_router_port(row)

    def settle(self) -> Set[uuid.UUID]:
        """The ports of which something may be other than at the last call."""
        for switch in self._unsettled:
            shared = self._what_is_shared(switch)
            if shared != self._shared.get(switch, _NOTHING):
                self._touched |= self._members[switch]
            if switch in self._idl.tables[SWITCHES].rows:
                self._shared[switch] = shared
            else:
                self._shared.pop(switch, None)
        self._unsettled.clear()
        touched, self._touched = self._touched, set()
        return touched

    def ask(self) -> None:
        """Tell the database which switches are wanted."""
        known, unknown = set(), []
        for port, home in self._homes.items():
            if not self._is_the_switchs(port):
                if home:
                    known.add(home)
                else:
                    unknown.append(port)
        condition: list[object] = [["_uuid", "==", ["uuid", str(each)]] for each in sorted(known)]
        condition += [["ports", "includes", ["uuid", str(port)]] for port in sorted(unknown)]
        self._idl.cond_change(SWITCHES, condition)

    def _move(self, port: uuid.UUID, switch: uuid.UUID | None) -> None:
        self._unsettle(port)
        if home := self._homes[port]:
            self._members.discard(home, port)
        self._homes[port] = switch
        if switch:
            self._members.add(switch, port)
        self._unsettle(port)
        self._touched.add(port)

    def _unsettle(self, port: uuid.UUID) -> None:
        """The port comes or goes: if it is the switch's, that is so for the others too."""
        if self._is_the_switchs(port) and (home := self._homes[port]):
            self._unsettled.add(home)

    def _is_the_switchs(self, port: uuid.UUID) -> bool:
        """Whether it is no guest's: what it says is said of its switch."""
        return port in self._routers or port in self._localnets

    def _read_switch(self, switch: uuid.UUID) -> None:
        row = self._idl.tables[SWITCHES].rows.get(switch)
        now = self._idl.members(row, "ports", self._homes) if row else set()
        for port in self._members[switch] - now:
            self._move(port, None)
        for port in now - self._members[switch]:
            self._move(port, switch)
        self._unsettled.add(switch)

    def _read_router_port(self, uuid_: uuid.UUID) -> None:
        names = {self._names.pop(uuid_, None)}
        row = self._idl.tables[ROUTER_PORTS].rows.get(uuid_)
        if row:
            self._names[uuid_] = row.name
            names.add(row.name)
        for name in names - {None}:
            assert name
            self._ras.pop(name, None)
        if row and row.enabled != [False] and not row.peer:
            networks = tuple(row.networks)
            self._ras[row.name] = shared_ra(
                RouterPortRow(str(uuid_), row.name, row.mac, networks, row.ipv6_ra_configs)
            )
        for port, name in self._routers.items():
            if name in names:
                self._unsettle(port)

    def _what_is_shared(self, switch: uuid.UUID) -> Shared:
        row = self._idl.tables[SWITCHES].rows.get(switch)
        config = row.other_config if row else {}
        # As OVN's smap_get_bool: any other text is false.
        vlan_passthru = config.get("vlan-passthru", "").lower() == "true"
        here = sorted(
            self._localnets[port] for port in self._members[switch] if port in self._localnets
        )
        return Shared(
            self._what_is_advertised(switch),
            config.get("dhcp_relay_port"),
            tuple(here),
            vlan_passthru,
        )

    def _what_is_advertised(self, switch: uuid.UUID) -> SharedRa | None:
        joined = {self._routers[port] for port in self._members[switch] if port in self._routers}
        found = [(name, self._ras[name]) for name in sorted(joined) if name in self._ras]
        if not found:
            return None
        refused = [
            f"router port {escape(name)}: {line}" for name, each in found for line in each.refused
        ]
        advertising = [(name, each) for name, each in found if each.ra] or found
        first, shared = advertising[0]
        for name, _ in advertising[1:]:
            what = f"advertises, as {escape(first)} does, expected one; {escape(first)} is followed"
            refused.append(f"router port {escape(name)}: {what}")
        return replace(shared, refused=tuple(refused))
