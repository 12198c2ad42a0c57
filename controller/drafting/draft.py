# SPDX-License-Identifier: Apache-2.0
"""A configuration that is put together from what somebody else's says, and what is left out.

Each setting knows where it comes from. At the end all is checked as a file of ours is: what that
refuses is taken out again and named among what could not be said, so what is printed is accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network

from ovs_dhcpd.controller.drafting.yaml_text import Settings, comment, lines
from ovs_dhcpd.flows.bindings.network import DEFAULT_BRIDGE
from ovs_dhcpd.flows.bindings.pool import Address, AddressRange
from ovs_dhcpd.flows.configuration.networks import DYNAMIC, parse_configuration
from ovs_dhcpd.flows.configuration.section import Mistakes, Place, Section
from ovs_dhcpd.flows.options.wording import escape, printable

LINES = 200  # of what could not be said
ROUNDS = 50  # of checking: each takes out what the one before has brought to light
RANGES = 256  # of a pool

Interface = IPv4Interface | IPv6Interface


class DraftError(Exception):
    """There is no configuration to be made; what it says is one line."""


class Unsaid:
    """What could not be said: each thing once, where it stands first, and how often it does."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, where: str, what: str) -> None:
        """`what` is a thing and what is the matter with it, `where` is empty or a place."""
        first, count = self._found.get(what, (where, 0))
        self._found[what] = first, count + 1

    def lines(self) -> Iterator[str]:
        """A line for each, as "FILE:3: shared-network: …"; no more than LINES and one."""
        for what, (where, count) in [*self._found.items()][:LINES]:
            place = f"{printable(where)}: " if where else ""
            times = f" ({count} times)" if count > 1 else ""
            yield f"{place}{printable(what)}{times}"
        if (more := len(self._found) - LINES) > 0:
            yield f"and {more} more"


@dataclass(slots=True)
class _Pool:
    """A network's pool so far: what is given out, and subnets of which nothing is."""

    ranges: list[AddressRange] = field(default_factory=list)
    closed: list[IPv4Network | IPv6Network] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Guest:
    """What is fixed for a MAC, and its port if it has one."""

    addresses: list[Address]
    port: Settings | None


class Draft:
    """The settings so far; `bridge` is the one that guests are plugged into."""

    def __init__(self, bridge: str = "") -> None:
        self.unsaid = Unsaid()
        self.root = Settings()
        self._origins: list[tuple[Settings, str, str]] = []  # of each setting, by its line
        self.set(self.root, "bridge", bridge or DEFAULT_BRIDGE, "--bridge")
        self._bridge_is_told = bool(bridge)
        self.networks = self.open(self.root, "networks", "")
        self._pools: dict[int, _Pool] = {}  # by network
        self._network_names, self._port_names = _Names(), _Names()
        self._guests: dict[tuple[str, int], _Guest] = {}  # by MAC and network
        self._owners: dict[tuple[Address, int], str] = {}  # the MAC, by address and network

    # -- what is said

    def set(self, into: Settings, name: str, value: object, where: str) -> None:
        """Say it, or anew."""
        self._origins.append((into, name, where))
        into[name] = value
        into.lines[name] = len(self._origins)

    def open(self, into: Settings, name: str, where: str) -> Settings:
        """The settings of that name inside others, which are made if they are not there."""
        if not isinstance(into.get(name), Settings):
            self.set(into, name, Settings(len(self._origins) + 1), where)
        found = into[name]
        assert isinstance(found, Settings)
        return found

    def network(self, name: str, where: str) -> Settings:
        """A new network, with another name where there is one with this."""
        return self.open(self.networks, self._network_names.unused(clean(name) or "lan"), where)

    def leave(self, where: str, what: str) -> None:
        """Note that it could not be said."""
        self.unsaid.add(where, what)

    def note_several(self) -> None:
        """Note, where there are several networks, that somebody has to say who is in which."""
        if len(self.networks) > 1:
            what = "a guest is in the network that its interface names (dhcp-network), or that has "
            what += "its VLAN as tag, or a bridge of its own: say which"
            self.leave("", f"several networks: {what}")

    # -- pools, and who has an address of its own

    def add_ranges(self, network: Settings, ranges: Iterable[AddressRange], where: str) -> None:
        """Let the network's pool have these too; ranges that meet become one."""
        pool = self._pools.setdefault(id(network), _Pool())
        merged = _merged([*pool.ranges, *ranges])
        if len(merged) > RANGES:
            self.leave(where, f"{ranges_text(merged[RANGES:])}: more than {RANGES} ranges")
        pool.ranges = merged[:RANGES]
        self._set_pool(network, pool, where)

    def only_reserved(self, network: Settings, cidr: IPv4Network | IPv6Network, where: str) -> None:
        """Let nobody have an address of the subnet but who has one of its own."""
        pool = self._pools.setdefault(id(network), _Pool())
        pool.closed.append(cidr)
        self._set_pool(network, pool, where)
        closed = [str(each) for each in pool.closed]
        self.set(network, "exclude", closed, where)
        network.notes.setdefault("exclude", ["nobody gets an address there who is not named below"])

    def _set_pool(self, network: Settings, pool: _Pool, where: str) -> None:
        everything = (*pool.ranges, *pool.closed)
        self.set(network, "pool", [str(each) for each in everything], where)

    def fix(
        self,
        network: Settings,
        mac: str,
        addresses: Iterable[Address],
        where: str,
        name: str = "",
    ) -> Settings | None:
        """Give the guest with this MAC these addresses, or of the pool if there are none.

        Said again, it has those of the other family too. With a `name` it is a port, which is
        returned; None: it is none, or could not be given.
        """
        addresses = [*addresses]
        guest = self._guests.get((mac, id(network)))
        had = guest.addresses if guest else []
        versions = {each.version for each in had}
        for address in addresses:
            owner = self._owners.setdefault((address, id(network)), mac)
            if owner != mac:
                self.leave(where, f"{escape(name or mac)}: {address} is that of {owner} too")
                return None
            if address.version in versions and address not in had:
                what = f"{address} is one more of IPv{address.version}, expected one"
                self.leave(where, f"{mac}: {what}")
                return None
        everything = [*had, *(each for each in addresses if each not in had)]
        named = _named_addresses(network)
        # What an option names cannot be reserved, but a port may have it.
        is_port = bool(name) or any(str(each) in named for each in everything)
        port = guest.port if guest else None
        if port is None and is_port:
            ports = self.open(network, "ports", where)
            port = self.open(ports, self._port_names.unused(clean(name) or mac), where)
        self._guests[mac, id(network)] = _Guest(everything, port)
        reserve = network.get("reserve")
        if port is not None:
            if isinstance(reserve, Settings):
                reserve.pop(mac, None)
            words = [mac, *map(str, everything)] if everything else [mac, DYNAMIC]
            self.set(port, "addresses", " ".join(words), where)
            return port
        kept = [str(each) for each in everything]
        reserve = self.open(network, "reserve", where)
        self.set(reserve, mac, kept[0] if len(kept) == 1 else kept, where)
        return None

    # -- the end

    def text(self, title: Iterable[str]) -> str:
        """The configuration, below the title and what could not be said.  Raises DraftError."""
        self._complete()
        self._settle()
        if not (self._bridge_is_told or self.root.notes.get("bridge")):
            self.root.note("bridge", "as nobody says which; --bridge does")
        head = [*title]
        if self.unsaid:
            head += ["", "What could not be said:", *(f"  {line}" for line in self.unsaid.lines())]
        return "\n".join([*map(comment, head), *lines(self.root), ""])

    def _complete(self) -> None:
        """Let ports with an address of one family have one of the pool's other family."""
        for (mac, network_id), guest in self._guests.items():
            if guest.port is None or "addresses" not in guest.port:
                continue
            pool = self._pools.get(network_id, _Pool())
            pooled = {each.first.version for each in pool.ranges}
            lacking = pooled - {each.version for each in guest.addresses}
            words = str(guest.port["addresses"]).split()
            if lacking and DYNAMIC not in words:
                assert words[0] == mac
                guest.port["addresses"] = " ".join([*words, DYNAMIC])

    def _settle(self) -> None:
        """Take out what is refused, until nothing is."""
        for _ in range(ROUNDS):
            mistakes = _All()
            parse_configuration([self.root], mistakes)
            if not mistakes.found:
                return
            for line, text in mistakes.found:
                self._take_out(line, text)
        raise DraftError("cannot be said in a way that is accepted")

    def _take_out(self, line: int, text: str) -> None:
        if not 0 < line <= len(self._origins):
            raise DraftError(text)
        into, name, where = self._origins[line - 1]
        if into is self.root and name == "networks":
            raise DraftError(text)
        if into.lines.get(name) != line:
            return  # it is out already
        del into[name], into.lines[name]
        into.notes.pop(name, None)
        if into is self.root:
            raise DraftError(f"{where}: {text}")
        self.leave(where, text)


class _All(Mistakes):
    """All mistakes, by the line of the setting: they are not for somebody to read at once."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []

    @property
    def are_enough(self) -> bool:
        return False

    def add(self, place: Place, text: str) -> None:
        self.found.append((place.line, text))

    def warn(self, section: Section, owner: str, name: str, what: str) -> None:
        pass  # `check` says so


def clean(name: str) -> str:
    """The name as one that a network or a port can have."""
    return "".join(each for each in name if each.isprintable() and each not in '"\\')[:64].strip()


class _Names:
    """Names that are given once."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}  # the number behind a name

    def unused(self, name: str) -> str:
        """The name, with a number behind it if it is given already."""
        number, found = self._last.get(name, 0), name
        while found in self._last:
            number += 1
            found = f"{name}-{number + 1}"
        self._last[name] = number
        self._last.setdefault(found, 0)
        return found


def ranges_text(ranges: Iterable[AddressRange]) -> str:
    """Some ranges in a sentence."""
    return escape(", ".join(map(str, ranges)))


def _merged(ranges: Iterable[AddressRange]) -> list[AddressRange]:
    found: list[AddressRange] = []
    for each in sorted(ranges, key=lambda each: (each.first.version, int(each.first))):
        before = found[-1] if found else None
        if (
            before
            and before.first.version == each.first.version
            and int(each.first) <= int(before.last) + 1
        ):
            found[-1] = AddressRange(before.first, max(before.last, each.last, key=int))
        else:
            found.append(each)
    return found


def _named_addresses(network: Settings) -> set[str]:
    """The addresses that stand in options of the network."""
    found: set[str] = set()
    for family in ("dhcpv4", "dhcpv6"):
        part = network.get(family)
        for value in part.values() if isinstance(part, Settings) else ():
            found.update(map(str, value) if isinstance(value, list) else [str(value)])
    return found
