# SPDX-License-Identifier: Apache-2.0
"""What is looked at to decide who is served what: what is plugged in, and what is configured.

Nothing here is changed by looking.  The Open_vSwitch database has the interfaces
(:mod:`controller.ovsdb`), files and OVN's Northbound database are sources
(:mod:`controller.sources`), and in a test each is a few dicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol

from ovs_dhcpd.controller.ports.interface import Interface
from ovs_dhcpd.controller.ports.parked import Parked
from ovs_dhcpd.controller.ports.vlans import split_vlan_name, vlan_name
from ovs_dhcpd.flows.bindings.network import Binding, Network, Parent
from ovs_dhcpd.flows.bindings.pool import Address, PooledAddress


class Interfaces(Protocol):
    """The interfaces of all bridges of this host."""

    @property
    def host(self) -> Set[str]:
        """The names that the host has for others: its system-id and its hostname."""

    def plugged(self, name: str) -> Interface | None:
        """The interface whose iface-id, or else whose name, is ``name``, if it has an ofport."""

    def at(self, bridge: str, ofport: int) -> Interface | None:
        """The interface that is this port of ``bridge``, whatever is plugged in there."""

    def twins(self, interface: Interface) -> Sequence[str]:
        """The names of other interfaces on the bridges served that have its iface-id."""

    def holders(self, bridge: str, address: Address) -> Iterable[Interface]:
        """The interfaces on ``bridge``, plugged in or not, for which ``address`` is remembered."""

    def parked(self, bridge: str) -> Mapping[PooledAddress, Parked]:
        """The addresses of networks on ``bridge`` that are given to nobody for now."""


class Source(Protocol):
    """Somebody who names ports and says what each is served; ``str()`` is what users call it."""

    @property
    def bridges(self) -> Set[str]:
        """The bridges that it is about."""

    @property
    def ready(self) -> bool:
        """Whether it has been read; before, a port that it does not know may yet be named."""

    def knows(self, name: str) -> bool:
        """Whether it names the port, so that :meth:`binding` is not None."""

    def binding(self, name: str) -> Binding | None:
        """What the port is served; None if it does not know it."""

    def parent(self, name: str) -> Parent | None:
        """Where the port is plugged in if it is a sub-port; None if it is none, or is not known."""

    def sub_ports(self, name: str) -> Set[str]:
        """The sub-ports whose parent is ``name``."""

    def networks(self, bridge: str) -> Mapping[str, Network]:
        """The networks on ``bridge`` that a port may say it belongs to, by name."""


@dataclass(frozen=True)
class World:
    """The interfaces, and the sources in the order in which they are believed."""

    interfaces: Interfaces
    sources: Sequence[Source]

    @property
    def ready(self) -> bool:
        """Whether all sources have been read."""
        return all(source.ready for source in self.sources)

    def about(self, bridge: str) -> list[Source]:
        """The sources that are about ``bridge``."""
        return [source for source in self.sources if bridge in source.bridges]

    def ready_for(self, bridge: str) -> bool:
        """Whether all sources that are about ``bridge`` have been read."""
        return not self.awaited(bridge)

    def awaited(self, bridge: str) -> str:
        """Which of the sources that are about ``bridge`` has not been read; empty: none."""
        return next((str(source) for source in self.about(bridge) if not source.ready), "")

    def knowing(self, name: str) -> list[Source]:
        """The sources that name the port ``name``."""
        return [source for source in self.sources if source.knows(name)]

    def parent(self, name: str) -> Parent | None:
        """Where the port is plugged in, as the source says that is believed."""
        if known_by := self.knowing(name):
            return known_by[0].parent(name)
        found = split_vlan_name(name)
        if found and found[1] in self._vlans_of(found[0]) and not self.interfaces.plugged(name):
            return Parent(*found)
        return None

    def sub_ports(self, names: Iterable[str]) -> set[str]:
        """The sub-ports of these ports: as sources have them, and VLANs that nobody names."""
        found = {
            each
            for name in names
            for number, source in enumerate(self.sources)
            for each in source.sub_ports(name)
            if not any(other.knows(each) for other in self.sources[:number])
        }
        return found | {vlan_name(name, tag) for name in names for tag in self._vlans_of(name)}

    def _vlans_of(self, name: str) -> Set[int]:
        """The VLANs behind the port ``name`` that networks are about whose guests nobody names.

        The port is nobody's either, and its row says that it is a trunk: without a word each is
        one, and would take an address of each such network.
        """
        interface = self.interfaces.plugged(name)
        if interface is None or interface.key != name or not interface.vlans.is_said:
            return set()
        if not interface.is_guest or interface.network is not None or self.knowing(name):
            return set()
        if len(self.about(interface.bridge)) != 1 or not self.ready_for(interface.bridge):
            return set()
        named = {
            parent.tag
            for source in self.sources
            for each in (*source.sub_ports(name), *source.sub_ports(interface.name))
            if (parent := source.parent(each))
        }
        networks = self.networks(interface.bridge).values()
        tags = {network.tag for network in networks if network.pool and network.tag}
        return tags & interface.vlans.tagged - named

    def networks(self, bridge: str) -> dict[str, Network]:
        """The networks of all sources on ``bridge``, by name."""
        found: dict[str, Network] = {}
        for source in self.sources:
            found.update(source.networks(bridge))
        return found


@dataclass(frozen=True)
class StillWorld(World):
    """The world while nothing changes in it: what is asked for each port is looked for once."""

    _networks: dict[str, dict[str, Network]] = field(default_factory=dict)
    _vlans: dict[str, Set[int]] = field(default_factory=dict)

    def networks(self, bridge: str) -> dict[str, Network]:
        """The networks of all sources on ``bridge``, by name."""
        if bridge not in self._networks:
            self._networks[bridge] = super().networks(bridge)
        return self._networks[bridge]

    def _vlans_of(self, name: str) -> Set[int]:
        if name not in self._vlans:
            self._vlans[name] = super()._vlans_of(name)
        return self._vlans[name]
