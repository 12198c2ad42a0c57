# SPDX-License-Identifier: Apache-2.0
"""Which address of a pool a port gets: the one it is remembered with, else a free one.

No two ports of a network have the same address or the same MAC, and none has what the network's
pool excludes or keeps for somebody else.  But where a port is named with the MAC of a guest that
has an address already, both are served, and it is said: a mistake in a file takes no flows away.

Who is known by its MAC, and has an address reserved for that, has this one.  Else the same port
finds the same address as long as nobody else has it: what is remembered in its row comes first,
then what it was served until now, by its name or otherwise, and where nothing is, the search begins
at a place in the pool that its owner (its MAC, else its key) decides.  What somebody has written
into the row by hand is given as it stands there, or refused and left alone.

An address that is parked is given to nobody (:mod:`controller.ports.parked`).  One that is chosen
anew is asked for before it is remembered (:mod:`controller.ports.probes`), where the pool says so.

An address that is remembered for somebody who is not plugged in, or that somebody who is was served
last, is given out last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from ovs_dhcpd.controller.ports.by_hand import ByHand
from ovs_dhcpd.controller.ports.claims import Claims
from ovs_dhcpd.controller.ports.interface import (
    ADDRESSES,
    ATTACHED_MAC,
    NO_MEMORY,
    Interface,
    Memory,
)
from ovs_dhcpd.controller.ports.lately import Lately
from ovs_dhcpd.controller.ports.parked import Parked
from ovs_dhcpd.controller.ports.probes import Probes
from ovs_dhcpd.controller.ports.world import Interfaces
from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.bindings.network import Network, Port
from ovs_dhcpd.flows.bindings.pool import Address, Pool, PooledAddress
from ovs_dhcpd.flows.bindings.probe import Probe
from ovs_dhcpd.flows.options.wording import escape

NO_ADDRESS = "no address is free"  # begins the line of who gets none

Use = PooledAddress | tuple[str, bytes]  # or the name of a network, and a MAC in it

_Family = tuple[str, int]  # the name of a network, and an IP version


@dataclass(frozen=True)
class Given:
    """What a port is given of a network.

    `port` has all its addresses, and is None if it cannot be served, or not before `memory` is
    written down.  `memory` is None where what is remembered stays as it is.  `refused` says what
    the port lacks because others have it, without the port's name.  `probes` are to be asked as
    long as the port is not served.
    """

    port: Port | None
    memory: Memory | None = None
    refused: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()


@dataclass(frozen=True)
class _Wish:
    """A port that lacks addresses of `network`, and all that counts when they are chosen.

    `pool` is the network's, `parked` what is given to nobody for now.  `mac` is the guest's, None
    if it is not known, and `owner` whose the addresses will be said to be in the row.
    """

    network: Network
    pool: Pool
    port: Port
    interface: Interface
    interfaces: Interfaces
    mac: bytes | None
    owner: str
    parked: Mapping[PooledAddress, Parked]


class Pools:
    """Who has what of all networks that have a pool."""

    def __init__(self, salt: bytes) -> None:
        self.lately = Lately()
        self.probes = Probes(salt)
        self._by_hand = ByHand()
        self._claims: Claims[str, Use] = Claims()  # of ports
        self._stand_ins: Claims[str, str] = Claims()  # on names of ports that are not plugged in
        self._looked_at: set[str] = set()  # ports, those that have nothing too
        self._released: set[Use] = set()
        self._full: dict[_Family, Pool] = {}  # that have nothing left
        self._short: dict[str, set[_Family]] = {}  # what ports lack that lack nothing else

    def look_at(self, port: str) -> None:
        """The port is looked at: what it does not claim now, it does not need."""
        self._looked_at.add(port)

    def forget(self, port: str) -> None:
        """The port is not plugged in any more, or wants nothing."""
        self.lately.forget(port)
        self.probes.forget(port)
        self._by_hand.forget(port)

    def take_over(self, port: str) -> None:
        """What has an owner in the port's row has been written by another process of ours."""
        self._by_hand.forget(port)

    def release(self, port: str) -> None:
        """The port has nothing any more; what is remembered for it stays remembered."""
        self._looked_at.discard(port)
        self._stand_ins.withdraw(port)
        self._short.pop(port, None)
        if released := self._claims.withdraw(port):
            self._released |= released
            self._full.clear()

    def unpark(self, network: str, address: Address) -> None:
        """The address is parked no longer."""
        self._released.add((network, address))
        self._full.clear()

    def take_freed(self) -> bool:
        """Whether something has been released since the last call that nobody has now."""
        released, self._released = self._released, set()
        return any(not self._claims.claimants(use) for use in released)

    def claimants(self, networks: Iterable[Network], address: Address) -> set[str]:
        """The ports of these networks that have the address, or are to have it."""
        found = set[str]()
        for network in networks:
            found |= self._claims.claimants((network.name, address))
            if network.pool and (named := network.pool.reserved.get(address)):
                found.add(named)
        return found

    def may_gain(self, port: str) -> bool:
        """Whether ``port``, which waits, may be given something; else it need not be looked at."""
        short = self._short.get(port)
        return short is None or not short <= self._full.keys()

    def stand_in(self, port: str, named: str) -> None:
        """The guest that is plugged in as ``port`` is served what the port ``named`` would be."""
        self._stand_ins.add(port, named)

    def stand_ins(self, names: Iterable[str]) -> set[str]:
        """The ports that are served what these would be."""
        return set[str]().union(*map(self._stand_ins.claimants, names))

    def give(
        self, network: Network, port: Port, interface: Interface, interfaces: Interfaces
    ) -> Given:
        """What ``port``, which is plugged in as ``interface``, has of ``network`` from now on."""
        if port.dynamic:
            return self._complete(network, port, interface, interfaces)
        if network.pool and port.mac:
            if other := self._owner(network, port.mac, port.name):
                return Given(None, refused=(_taken(port.mac, other),))
            self._claims.add(port.name, (network.name, port.mac))
        # Its addresses are its own by its name: what we have written into the row is not needed.
        return Given(port, NO_MEMORY if interface.memory.owner is not None else None)

    def _complete(
        self, network: Network, port: Port, interface: Interface, interfaces: Interfaces
    ) -> Given:
        """Give ``port``, which is plugged in as ``interface``, what it lacks of ``network``."""
        pool = network.pool
        assert pool
        mac = port.mac
        if mac is None and interface.attached_mac:
            try:
                mac = parse_mac(interface.attached_mac)
            except ValueError as error:
                return Given(None, refused=(f"{ATTACHED_MAC}: {error}",))
        # libvirt may give a guest another iface-id and another name each time, but never a MAC.
        owner = mac.hex(":") if mac else interface.key
        parked = interfaces.parked(network.bridge)
        wish = _Wish(network, pool, port, interface, interfaces, mac, owner, parked)
        addresses: list[Address] = []
        refused: list[str] = []
        short: set[_Family] = set()
        probes: list[Probe] = []
        if mac:
            if other := self._owner(network, mac, port.name):
                refused.append(_taken(mac, other))
                if mac not in pool.reserved or interface.memory.owner != owner:
                    return Given(None, refused=tuple(refused))
            self._claims.add(port.name, (network.name, mac))
        was = interface.memory
        by_hand = was.addresses if self._by_hand.wrote(interface) else ()
        if objections := [*self._objections(wish, by_hand)]:
            without_owner = replace(was, owner=None) if was.owner is not None else None
            return Given(replace(port, mac=mac), without_owner, (*refused, *objections))
        for version in network.lacking(port):
            address = pool.reservation(mac, version)
            if address is None:
                address = self._remembered(wish, version)
            if address is None:
                address = self._chosen(wish, version)
                if address is not None and pool.probe:
                    probes.append(self.probes.of(network, port, interface, address, mac))
            if address is None:
                refused.append(f"{NO_ADDRESS} in pool {escape(str(pool))}")
                short.add((network.name, version))
            else:
                self._claims.add(port.name, (network.name, address))
                addresses.append(address)
        if short and len(short) == len(refused):
            self._short[port.name] = short
        if not self.probes.are_free(port.name, probes):
            return Given(None, None, tuple(refused), tuple(probes))
        memory = Memory(tuple(addresses), owner) if addresses else NO_MEMORY
        self._by_hand.note(interface, memory)
        changed = memory != was and (addresses or was.owner is not None)
        given = Given(None, memory if changed else None, tuple(refused))
        if not interface.written or (changed and memory.addresses != was.addresses):
            return replace(given, probes=self.probes.found_free(port.name))
        self.probes.forget(port.name)
        everything = (*port.addresses, *addresses)
        return replace(given, port=replace(port, mac=mac, addresses=everything))

    def _owner(self, network: Network, mac: bytes, port: str) -> str | None:
        """Who else has the MAC, so that ``port`` cannot."""
        assert network.pool
        named = network.pool.reserved.get(mac)
        if named == port:
            return None
        if named and port not in self._stand_ins.claimants(named):
            return named
        return min(self._claims.claimants((network.name, mac)) - {port}, default=None)

    def _objections(self, wish: _Wish, addresses: Iterable[Address]) -> Iterator[str]:
        """Why the port cannot have just these addresses, a line each."""
        lacking = wish.network.lacking(wish.port)
        expected = " and ".join(f"one of IPv{version}" for version in lacking)
        for address in addresses:
            cidr = wish.network.cidr(address.version)
            kept = wish.pool.reservation(wish.mac, address.version)
            if address.version not in lacking:
                what = f"is one too many, expected {expected or 'none'}"
            elif kept not in (None, address):
                what = f"is not what is reserved for the guest, expected {kept}"
            elif cidr and address not in cidr:
                what = f"is not in cidr {cidr}, expected addresses in it"
            elif kept is None and wish.pool.excluding(address):
                what = "is excluded, expected another"
            elif kept is None and (wish.network.name, address) in wish.parked:
                what = "is parked, expected another (ovs-appctl pools/show)"
            elif kept is None and (user := self._user(wish, address)):
                what = f"is that of {escape(user)} too, expected another"
            else:
                lacking.remove(address.version)
                continue
            yield f"{ADDRESSES}: {address} {what}"

    def _remembered(self, wish: _Wish, version: int) -> Address | None:
        """The address that the interface has had for the same owner, if it can have it still.

        Without an owner somebody has written it by hand.
        """
        cidr, memory = wish.network.cidr(version), wish.interface.memory
        assert cidr
        had = self.lately.had(wish.network, wish.interface, wish.mac)
        if memory.owner in (None, wish.owner, wish.interface.key):
            had = chain(memory.addresses, had)
        usable = (
            address
            for address in had
            if address in cidr
            and self._user(wish, address) is None
            and not wish.pool.excluding(address)
        )
        return next(usable, None)

    def _chosen(self, wish: _Wish, version: int) -> Address | None:
        """An address that nobody has, if possible also nobody who may come back for it."""
        network, pool, interface = wish.network, wish.pool, wish.interface
        if self._full.get((network.name, version)) is pool:
            return None
        is_full = True  # for whoever asks

        def others(address: Address) -> list[Interface]:
            # After a power failure the owner's own old row may still be there, without a device.
            return [
                holder
                for holder in wish.interfaces.holders(interface.bridge, address)
                if holder.row != interface.row
                and not (holder.ofport is None and holder.memory.owner == wish.owner)
            ]

        def is_free(address: Address) -> bool:
            return (
                self._user(wish, address) is None
                and not others(address)
                and not self.lately.is_anothers(network, address, interface.key)
            )

        def is_unused(address: Address) -> bool:
            # Who is plugged in and has not been looked at yet may be about to use it.
            nonlocal is_full
            if self._user(wish, address) is not None:
                return False
            is_full = False
            return all(
                other.ofport is None or other.key in self._looked_at for other in others(address)
            )

        owner = wish.owner
        chosen = pool.choose(version, owner, is_free) or pool.choose(version, owner, is_unused)
        if chosen is None and is_full:
            self._full[network.name, version] = pool
        return chosen

    def _user(self, wish: _Wish, address: Address) -> str | None:
        """Whose an address of the network is."""
        if (reserved := wish.pool.reserved.get(address)) is not None:
            return reserved
        if (wish.network.name, address) in wish.parked:
            return "nobody"
        return next(iter(self._claims.claimants((wish.network.name, address))), None)


def named_by_mac(network: Network, interface: Interface) -> Port | None:
    """The port that ``network`` names with the MAC of this guest."""
    try:
        mac = parse_mac(interface.attached_mac)
    except ValueError:
        return None
    if network.pool is None or mac not in network.pool.reserved:
        return None
    return next((port for port in network.ports if port.mac == mac and not port.parent), None)


def _taken(mac: bytes, other: str) -> str:
    return f"{ATTACHED_MAC}: {mac.hex(':')} is that of {escape(other)} too, expected another"
