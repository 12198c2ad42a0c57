# SPDX-License-Identifier: Apache-2.0
"""A host in a few dicts: interfaces, sources, and a binder that is asked about them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from ipaddress import ip_address
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from ovs_dhcpd.controller.ports.binder import Binder, Decision, Ours, Served
from ovs_dhcpd.controller.ports.declines import Decline
from ovs_dhcpd.controller.ports.interface import Interface, Memory
from ovs_dhcpd.controller.ports.parked import Parked
from ovs_dhcpd.controller.ports.probes import Said
from ovs_dhcpd.controller.ports.world import World
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.flows.bindings.network import Binding, Network, Parent
from ovs_dhcpd.flows.bindings.pool import Address, PooledAddress
from ovs_dhcpd.flows.bindings.probe import Probe

BRIDGE = "br-int"


class Source:
    """What a file with this text says; `named` are bindings that stand beside it."""

    def __init__(
        self, text: str, named: Mapping[str, Binding] | None = None, title: str = "file"
    ) -> None:
        self.title = title
        self.ready = True
        self.bridges: Set[str] = frozenset()
        self.configure(text)
        self._bindings.update(named or {})

    def configure(self, text: str) -> None:
        """From now on the file says this."""
        with TemporaryDirectory() as directory:
            path = Path(directory) / "c.yaml"
            path.write_text(text, encoding="utf-8")
            self._networks = yaml_file.load(path).networks
        self._bindings = {
            port.name: Binding(((network, port),))
            for network in self._networks
            for port in network.ports
        }
        self.bridges = {network.bridge for network in self._networks}
        ports = [port for network in self._networks for port in network.ports]
        self._parents = {port.name: port.parent for port in ports if port.parent}

    def knows(self, name: str) -> bool:
        return name in self._bindings

    def binding(self, name: str) -> Binding | None:
        return self._bindings.get(name)

    def parent(self, name: str) -> Parent | None:
        return self._parents.get(name)

    def sub_ports(self, name: str) -> Set[str]:
        return {each for each, parent in self._parents.items() if parent.name == name}

    def networks(self, bridge: str) -> Mapping[str, Network]:
        return {network.name: network for network in self._networks if network.bridge == bridge}

    def __str__(self) -> str:
        return self.title


class Host:
    """Bridges with interfaces, and what the binder has decided of them.

    After each change the binder is asked about the names that it concerns, what is to be
    remembered is written down (unless `writes` is false), and it is asked again, as often as
    that changes something: what stays is in `served` and `refused`.  Nobody answers what is asked
    about addresses, unless `waits`: then it is not known yet.
    """

    def __init__(self, *sources: str | Source) -> None:
        self.sources = [Source(each) if isinstance(each, str) else each for each in sources]
        self.writes = True
        self.waits = False
        self.stands_by = False  # another process writes
        self.refusals: dict[str, tuple[str, ...]] = {}
        self.decisions: list[Decision] = []
        self._interfaces: dict[str, Interface] = {}  # by name
        self.host: Set[str] = frozenset({"hv1", "host1"})
        self._parked: dict[PooledAddress, Parked] = {}
        self.restart()

    def restart(self, salt: bytes = b"") -> None:
        """The daemon starts anew: all that it knows is what stands in the database."""
        self._binder = Binder(salt)
        self.refusals = {}
        self.settle(self._names())

    def plug(self, name: str, **fields: object) -> None:
        """Plug in an interface, or change one that is there, in one transaction."""
        before = self._interfaces.get(name)
        if before is None:
            before = Interface(row=uuid.uuid4(), bridge=BRIDGE, name=name, ofport=self._ofport())
        self._interfaces[name] = replace(before, **fields)  # type: ignore[arg-type]
        self.settle({name, before.key, self._interfaces[name].key})

    def decline(self, name: str, address: str = "", now_s: float = 0) -> None:
        """A client behind the port declines what it was served, or this address."""
        address = address or self.served[name][0]
        served = self._binder.served[name]
        where = BRIDGE, served.ofport, served.bindings[0][1].tag or 0
        decline = self._binder.decline(where, ip_address(address), now_s, World(self, self.sources))
        if decline and decline.parked:
            self._parked[decline.network, decline.address] = decline.parked
        self.settle({decline.port} if decline else ())

    def free(self, network: str, address: str) -> None:
        """What is parked is parked no longer."""
        del self._parked[network, ip_address(address)]
        self._binder.unpark(network, ip_address(address))
        self.settle(())

    def parked(self, bridge: str) -> Mapping[PooledAddress, Parked]:
        return self._parked

    def has(self, name: str) -> bool:
        """Whether there is such an interface."""
        return name in self._interfaces

    def unplug(self, *names: str) -> None:
        """Take interfaces away, and their rows."""
        gone = [self._interfaces.pop(name) for name in names]
        self.settle({name for interface in gone for name in (interface.name, interface.key)})

    def configure(self, text: str, source: int = 0) -> None:
        """A source says something else."""
        self.sources[source].configure(text)
        self.settle(self._names())

    def settle(self, names: Iterable[str]) -> None:
        """Ask about these, until nothing is left to be written down."""
        touched = {*names}
        for _ in range(10):
            decision = self._binder.decide(touched, World(self, self.sources))
            self.decisions.append(decision)
            self.refusals.update(decision.refused)
            touched = set()
            for (row, tag), memory in decision.remember.items():
                touched |= self._remember(row, memory, tag)
            if not self.waits:
                touched |= {
                    name for name, probe in self.probes if self._binder.unanswered(name, probe)
                }
            if not touched:
                return
        raise AssertionError("the binder does not come to an end")

    def _remember(self, row: uuid.UUID, memory: Memory, tag: int) -> set[str]:
        if self.stands_by:
            return set()
        (interface,) = (each for each in self._interfaces.values() if each.row == row)
        changed = interface.remembering(memory, tag)
        if self.writes:
            changed = replace(changed, written=True, unwritten_vlans=frozenset())
        self._interfaces[interface.name] = changed
        return {changed.name, changed.key} if self.writes else set()

    def write(self) -> None:
        """The database is back: what waits is written."""
        self.writes = True
        waiting = [each for each in self._interfaces.values() if not each.written]
        for interface in waiting:
            self._interfaces[interface.name] = replace(interface, written=True)
        self.settle({name for each in waiting for name in (each.name, each.key)})

    def take_over(self) -> None:
        """The process that wrote until now has ended."""
        self.stands_by = False
        self._binder.take_over(self._names())
        self.settle(self._names())

    @property
    def probes(self) -> list[tuple[str, Probe]]:
        """What is to be asked, with the names of the ports that it is for."""
        return [
            (name, probe)
            for name, served in sorted(self._binder.served.items())
            for probe in served.probes
        ]

    def unanswered(self) -> None:
        """Nobody has answered what is asked now."""
        self.settle({name for name, probe in self.probes if self._binder.unanswered(name, probe)})

    def hear(self, said: Said, now_s: float = 0) -> Decline | Ours | None:
        """Somebody says something of an address."""
        heard = self._binder.hear(BRIDGE, said, now_s, World(self, self.sources))
        if isinstance(heard, Decline):
            if heard.parked:
                self._parked[heard.network, heard.address] = heard.parked
            self.settle({heard.port})
        return heard

    def memory(self, name: str) -> Memory:
        """What is remembered for an interface."""
        return self._interfaces[name].memory

    @property
    def served(self) -> dict[str, list[str]]:
        """The addresses that each port is served, of all its networks."""
        return {
            name: [str(a) for _, port in served.bindings for a in port.addresses]
            for name, served in sorted(self._binder.served.items())
            if served.bindings
        }

    @property
    def bindings(self) -> Mapping[str, Served]:
        """What each port is served."""
        return self._binder.served

    @property
    def interfaces(self) -> Iterable[Interface]:
        """All of them, plugged in or not."""
        return self._interfaces.values()

    @property
    def given_out(self) -> list[str]:
        """The addresses of all ports."""
        return [*chain.from_iterable(self.served.values())]

    def networks_of(self, name: str) -> list[str]:
        """The networks that the port is served by."""
        return [network.name for network, _ in self._binder.served[name].bindings]

    def ofport_of(self, name: str) -> int:
        """The number of the port that it is served on."""
        return self._binder.served[name].ofport

    def macs_of(self, name: str) -> list[bytes | None]:
        """The MACs that are served on the port."""
        return [port.mac for _, port in self._binder.served[name].bindings]

    def options_of(self, name: str) -> Mapping[str, bytes]:
        """The options that the port has for itself."""
        ((_, port),) = self._binder.served[name].bindings
        return port.options

    @property
    def unserved(self) -> dict[str, str]:
        """Why ports are served nothing of which nothing is refused."""
        return self._binder.unserved

    @property
    def refused(self) -> list[str]:
        """All lines."""
        return [line for name in sorted(self.refusals) for line in self.refusals[name]]

    def _names(self) -> set[str]:
        plugged = {name for each in self._interfaces.values() for name in (each.name, each.key)}
        return plugged | self._binder.served.keys()  # sub-ports too, which are watched with these

    def _ofport(self) -> int:
        return 1 + max((each.ofport or 0 for each in self._interfaces.values()), default=0)

    # What the binder asks of the interfaces.

    def plugged(self, name: str) -> Interface | None:
        there = sorted(
            (each for each in self._interfaces.values() if each.ofport),
            key=lambda each: each.name,
        )
        by_iface_id = [each for each in there if each.iface_id == name]
        by_name = [each for each in there if each.name == name]
        return next(iter(by_iface_id + by_name), None)

    def at(self, bridge: str, ofport: int) -> Interface | None:
        there = (each for each in self._interfaces.values() if each.bridge == bridge)
        return next((each for each in there if each.ofport == ofport), None)

    def twins(self, interface: Interface) -> list[str]:
        return sorted(
            each.name
            for each in self._interfaces.values()
            if each.ofport
            and each.iface_id
            and each.iface_id == interface.iface_id
            and each.row != interface.row
        )

    def holders(self, bridge: str, address: Address) -> list[Interface]:
        return [
            each
            for each in self._interfaces.values()
            if each.bridge == bridge and address in each.memory.addresses
        ]
