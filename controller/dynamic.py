# SPDX-License-Identifier: Apache-2.0
"""Addresses for ports whose addresses are for us to choose.

What has been chosen is remembered in the port's row of the Open_vSwitch database, before the
port is served, and nowhere else: so it is the same after any restart, and goes with the row.
"""

from __future__ import annotations

from dataclasses import replace

from controller.sources.open_vswitch import ATTACHED_MAC, NETWORK, Interface, OpenVSwitch
from controller.sources.several import Several
from controller.sources.writer import Memory
from flows.bindings import Binding, Network, Place, Port
from flows.option_settings import parse_mac
from flows.pool import Address
from flows.sections import hint

KEEP_OUT = "none"  # as dhcp-network: the interface belongs to no network

_PLACE = Place("Open_vSwitch", 0)

_Use = tuple[str, Address | bytes]  # a network, and an address or a MAC in it


class Dynamic:
    """Who has which address of a pool; no two ports of a network have the same, or the same MAC."""

    def __init__(self, database: OpenVSwitch, source: Several) -> None:
        self._database = database
        self._source = source
        self._users: dict[_Use, str] = {}  # ports
        self._used: dict[str, list[_Use]] = {}  # by port; of those that have nothing too
        self._released: set[_Use] = set()
        self._waiting: set[str] = set()

    def take_waiting(self, *, even_so: bool) -> set[str]:
        """The ports that cannot be served because of others, if one of these has left something.

        With ``even_so`` also if none has.
        """
        freed = self._released - self._users.keys()
        self._released.clear()
        if not freed and not even_so:
            return set()
        waiting, self._waiting = self._waiting, set()
        return waiting

    def release(self, name: str) -> None:
        """The port has nothing any more; what is remembered for it stays remembered.

        To be called for all ports that are looked at together before one of them is bound.
        """
        for use in self._used.pop(name, ()):
            if self._users.get(use) == name:
                del self._users[use]
                self._released.add(use)
        self._waiting.discard(name)

    def binding(self, name: str, interface: Interface) -> Binding:
        """What the port ``name``, which is plugged in as ``interface``, is served.

        As the source says; where that leaves addresses to us, with those that are remembered.
        If there are none they are chosen, and the port is touched again when they are written.
        """
        self._used[name] = []
        found = self._source.binding(name) or self._unnamed(name, interface)
        served = []
        refused = list(found.refused)
        for network, port in found.served:
            if network.bridge != interface.bridge:
                served.append((network, port))  # the daemon says that it is on the wrong one
            elif not port.dynamic:
                served.append((network, port))
                self._forget(interface)
            elif completed := self._complete(network, port, interface, refused):
                served.append((network, completed))
        return Binding(tuple(served), tuple(refused))

    def _forget(self, interface: Interface) -> None:
        """Remove what we have remembered: the interface is served something else from now on."""
        if interface.memory.owner is not None:
            self._database.remember(interface, Memory())

    def _unnamed(self, name: str, interface: Interface) -> Binding:
        """The binding of a port that no source names."""
        if name != interface.key or self._source.names(interface.name):
            return Binding()
        if not self._source.ready_for(interface.bridge):  # it may be named yet
            self._waiting.add(name)
            return Binding()
        if interface.network == KEEP_OUT:
            self._forget(interface)
            return Binding()
        networks = self._source.networks(interface.bridge)
        pools = [network.name for network in networks.values() if network.pool]
        if not pools:
            return Binding()
        # Beside another source it may be the other's, which hears of it later.
        alone = len(self._source.about(interface.bridge)) == 1
        wanted = interface.network
        if wanted is not None:
            what = f"{NETWORK}: {wanted}, expected {' or '.join(pools)}{hint(wanted, pools)}"
        elif not (interface.is_guest and alone):
            return Binding()
        else:
            wanted = self._source.network_of(interface.bridge, interface.tag)
            if wanted in networks and wanted not in pools:
                return Binding()
            tag = f" (tag {interface.tag})" if interface.tag else ""
            what = f"is in no network{tag}, expected external_ids:{NETWORK}={'|'.join(pools)}"
        if wanted in pools:
            port = Port(name, None, (), {}, _PLACE, dynamic=True)
            return Binding(((networks[wanted], port),))
        return Binding(refused=(f"port {name}: {what}",))

    def _complete(
        self, network: Network, port: Port, interface: Interface, refused: list[str]
    ) -> Port | None:
        """The port with its addresses; None if it cannot be served, or not yet."""
        assert network.pool
        try:
            mac = self._mac(network, port, interface)
        except ValueError as error:
            refused.append(f"port {port.name}: {ATTACHED_MAC}: {error}")
            self._waiting.add(port.name)  # for when the other one has gone
            return None
        if mac:
            self._use(network, mac, port)
        # libvirt may give a guest another iface-id and another name each time, but never a MAC.
        owner = mac.hex(":") if mac else interface.key
        addresses: list[Address] = []
        for version in network.lacking(port):
            address = self._remembered(network, version, interface, owner)
            if address is None:
                address = self._choose(network, version, interface, owner)
            if address is None:
                refused.append(f"port {port.name}: no address is free in pool {network.pool}")
                self._waiting.add(port.name)
            else:
                self._use(network, address, port)
                addresses.append(address)
        memory = Memory(tuple(addresses), owner) if addresses else Memory()
        if memory != interface.memory and (addresses or interface.memory.owner is not None):
            self._database.remember(interface, memory)
            if memory.addresses != interface.memory.addresses:
                return None
        if not interface.written:
            return None
        return replace(port, mac=mac, addresses=(*port.addresses, *addresses))

    def _mac(self, network: Network, port: Port, interface: Interface) -> bytes | None:
        """The MAC that alone is served, if one is known.

        Raises ValueError if it is none, or another port's.
        """
        mac = port.mac
        if mac is None and interface.attached_mac:
            mac = parse_mac(interface.attached_mac)
        other = self._user(network, mac) if mac else None
        if mac and other not in (None, port.name):
            raise ValueError(f"{mac.hex(':')} is that of {other} too, expected another")
        return mac

    def _remembered(
        self, network: Network, version: int, interface: Interface, owner: str
    ) -> Address | None:
        """The address that the interface has had for the same owner, if it can have it still."""
        cidr = network.cidr(version)
        assert cidr
        if interface.memory.owner not in (None, owner, interface.key):
            return None
        usable = (
            address
            for address in interface.memory.addresses
            if address in cidr and self._user(network, address) is None
        )
        return next(usable, None)

    def _choose(
        self, network: Network, version: int, interface: Interface, owner: str
    ) -> Address | None:
        """An address that nobody has, if possible also nobody who may come back for it."""

        def others(address: Address) -> list[Interface]:
            # After a power failure the owner's own old row may still be there, without a device.
            return [
                holder
                for holder in self._database.holders(interface.bridge, address)
                if holder.uuid != interface.uuid
                and not (holder.ofport is None and holder.memory.owner == owner)
            ]

        def is_free(address: Address) -> bool:
            return self._user(network, address) is None and not others(address)

        def is_unused(address: Address) -> bool:
            # Who is plugged in and has not been looked at yet may be about to use it.
            return self._user(network, address) is None and all(
                other.ofport is None or other.key in self._used for other in others(address)
            )

        assert network.pool
        return network.pool.choose(version, owner, is_free) or network.pool.choose(
            version, owner, is_unused
        )

    def _user(self, network: Network, what: Address | bytes) -> str | None:
        assert network.pool
        return network.pool.reserved.get(what) or self._users.get((network.name, what))

    def _use(self, network: Network, what: Address | bytes, port: Port) -> None:
        self._users[network.name, what] = port.name
        self._used[port.name].append((network.name, what))
