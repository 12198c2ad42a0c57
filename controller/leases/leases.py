# SPDX-License-Identifier: Apache-2.0
"""The leases of all ports that are served.

Memory is bounded by what is served: of a port without a MAC of its own, MAX_MACS clients are
remembered, those that were heard last.  What is known of a port goes with it.

What has been asked before we were there the switch may still know (:meth:`Leases.recall`): how
often, and when last, but not what.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv6Network
from typing import NamedTuple

from ovs_dhcpd.controller.leases.lease import ASSIGNED, Lease, Said, said
from ovs_dhcpd.controller.responders.exchange import Exchange
from ovs_dhcpd.controller.wire.asked import DHCPV4, DHCPV6, decode_asked, in_port
from ovs_dhcpd.controller.wire.flow_stats import FlowCounts
from ovs_dhcpd.controller.wire.frames import tag_of
from ovs_dhcpd.controller.wire.nxt import NxtError, decode_packet_in2, flow_of, packet_of
from ovs_dhcpd.flows.bindings.network import Bindings, Network, Port
from ovs_dhcpd.flows.bindings.pool import Address
from ovs_dhcpd.flows.pipeline.flow import ETH_SRC, UDP, UDP6, Flow

MAX_MACS = 16  # of one port and family
MAX_FLOWS = 8192  # of which it is known by which port their packets come

Client = tuple[int, bytes]  # DHCPv4 (4) or DHCPv6 (6), and its MAC
State = tuple[str, str, int, str | None]  # of a Row: its bridge, network, family, and state

FAMILIES: Mapping[str, int] = {DHCPV4: 4, DHCPV6: 6}
_Place = tuple[str, int, int, bytes | None]  # bridge, ofport, VLAN (0: none), MAC (None: any)
_OF_FLOWS = {UDP: 4, UDP6: 6}


class Recalled(NamedTuple):
    """What the switch knew of the requests before ours: how many since `since_s`, and when last.

    `last_s` is None where it does not tell.
    """

    requests: int
    since_s: float
    last_s: float | None


class Row(NamedTuple):
    """A client of a port, as far as it is known; times are in seconds of :func:`time.monotonic`.

    `mac` is None where any client is served and none has asked.  `addresses` are those assigned to
    the port, and `prefixes` those that are delegated to it.  `state` is None where it is not known;
    then `lease` says nothing.  `requests` were made since `requests_since_s`, the last at `last_s`;
    None: not known.
    """

    port: str
    bridge: str
    ofport: int
    network: Network
    binding: Port
    family: int
    mac: bytes | None
    addresses: tuple[str, ...]
    prefixes: tuple[str, ...]
    state: str | None
    lease: Lease
    requests: int | None
    requests_since_s: float | None
    last_s: float | None


class Leases:
    """Keeps what is known of the leases of ports, by their names."""

    def __init__(self) -> None:
        self._ports: dict[str, _Served] = {}
        self._places: dict[_Place, dict[str, None]] = {}  # names
        self._serial = itertools.count()
        self._in_ports: dict[bytes, int | None] = {}  # by what stands behind the packet

    def serve(
        self, name: str, bridge: str, ofport: int, bindings: Bindings, now_s: float | None
    ) -> None:
        """The port ``name`` is served just this, as the bridge's port ``ofport``.

        None is the time while another process serves it: nothing is known then.  What is known of
        addresses that it has no more is forgotten.
        """
        before = self._ports.get(name)
        if before and (before.bridge, before.ofport) == (bridge, ofport):
            self._leave(name, before)
            before.change(bindings)
            self._enter(name, before)
            return
        if before:
            self.stop(name)
        served = _Served(bridge, ofport, bindings, now_s, next(self._serial))
        self._ports[name] = served
        self._enter(name, served)

    def stop(self, name: str) -> None:
        """The port is served no more."""
        served = self._ports.pop(name, None)
        if served:
            self._leave(name, served)

    def _enter(self, name: str, served: _Served) -> None:
        for place in served.places:
            self._places.setdefault(place, {})[name] = None

    def _leave(self, name: str, served: _Served) -> None:
        for place in served.places:
            del self._places[place][name]
            if not self._places[place]:
                del self._places[place]

    def _may_have_sent(self, bridge: str, ofport: int, tag: int, mac: bytes) -> list[str]:
        """The ports whose packets come by this one, in this VLAN and from this MAC.

        The first is the one that was served first.
        """
        known = self._places.get((bridge, ofport, tag, mac), {})
        anybody = self._places.get((bridge, ofport, tag, None), {})
        return sorted({*known, *anybody}, key=lambda name: self._ports[name].serial)

    def hand_over(self, bridge: str) -> None:
        """It is another's turn on ``bridge``: what is known of its leases will not be so for long.

        Nothing is known of them from then on, until the switch says again what it knows.
        """
        for served in self._ports.values():
            if served.bridge == bridge:
                served.leases.clear()
                served.recalled.clear()
                served.since_s = None

    def recall(self, name: str, flows: Iterable[tuple[Flow, FlowCounts]], now_s: float) -> None:
        """What the switch has counted by ``now_s`` of the flows that it has of this port."""
        served = self._ports.get(name)
        if served is None:
            return
        found: dict[Client, Recalled] = {}
        for flow, counts in flows:
            family = _OF_FLOWS.get(flow.protocol) if flow.protocol else None
            if family is None:
                continue
            mac = next((term.value for term in flow.match if term.field is ETH_SRC), None)
            client = family, b"" if mac is None else mac.to_bytes(6, "big")
            last_s = None
            if counts.idle_s is not None and counts.packets:
                last_s = now_s - counts.idle_s
            new = Recalled(counts.packets, now_s - counts.age_s, last_s)
            found[client] = _sum(found[client], new) if client in found else new
        for client, recalled in found.items():
            known = served.requests(client)
            served.recalled[client] = recalled._replace(requests=max(0, recalled.requests - known))
        if served.since_s is None:
            served.since_s = now_s

    def note(
        self, exchange: Exchange, now_s: float, times: int = 1, first_s: float | None = None
    ) -> str | None:
        """Something has been asked: the name of the port whose lease is another one by this.

        It was asked so many ``times``, for the first time at ``first_s``, or once.
        """
        ofport = self.ofport(exchange.message)
        packet = packet_of(exchange.message)
        asked = decode_asked(packet)
        family = FAMILIES.get(asked.protocol) if asked else None
        if asked is None or family is None or ofport is None:
            return None
        mac = packet[6:12]
        for name in self._may_have_sent(exchange.read.bridge, ofport, asked.tag, mac):
            found = self._ports[name].find(family, mac, asked.tag)
            if found is None:
                continue
            client = family, found.mac or asked.mac
            what = said(asked, exchange.verdict, found.addresses)
            return self._say(name, client, what, now_s, times, first_s)
        return None

    def ofport(self, message: bytes) -> int | None:
        """The port by which the packet of a packet-in came; None: it does not say that."""
        flow = flow_of(message)
        if flow not in self._in_ports:
            try:
                ofport = in_port(decode_packet_in2(message).metadata)
            except NxtError:  # its packet is not where that of the flow's first one was
                return None
            if len(self._in_ports) >= MAX_FLOWS:
                self._in_ports.clear()
            self._in_ports[flow] = ofport
        return self._in_ports[flow]

    def _say(
        self, name: str, client: Client, what: Said, now_s: float, times: int, first_s: float | None
    ) -> str | None:
        served = self._ports[name]
        leases = served.leases
        before = leases.get(client)
        if before is None:
            _make_room(leases, client[0])
            before = Lease(ASSIGNED if served.has_never_asked(client) else "")
        after = leases[client] = before.after(what, now_s, times, first_s)
        changed = after.state != before.state or after.expires_s != before.expires_s
        return name if changed or after.address != before.address else None

    def whose(self, exchange: Exchange) -> tuple[str, Network] | None:
        """Which port, and of what network, is served that has sent the packet."""
        ofport = self.ofport(exchange.message)
        if ofport is None:
            return None
        packet = packet_of(exchange.message)
        tag, mac = tag_of(packet), packet[6:12]
        for name in self._may_have_sent(exchange.read.bridge, ofport, tag, mac):
            for network, port in self._ports[name].bindings:
                if (port.tag or 0) == tag and port.mac in (mac, None):
                    return name, network
        return None

    @property
    def ports(self) -> list[str]:
        """The names of all ports that are served, sorted."""
        return sorted(self._ports)

    def names(self, bridge: str) -> list[str]:
        """The ports of ``bridge``."""
        return [name for name, served in self._ports.items() if served.bridge == bridge]

    def rows(self, now_s: float, names: Iterable[str] | None = None) -> Iterator[Row]:
        """What is known at ``now_s`` of each client of these ports, or of all, sorted by name.

        Exchanges may be noted meanwhile.
        """
        for name in sorted(self._ports if names is None else names):
            if served := self._ports.get(name):
                yield from served.rows(name, now_s)

    def count(self, now_s: float) -> Counter[State]:
        """How many clients of all ports are in which state, as :meth:`rows` has them."""
        return Counter(state for served in self._ports.values() for state in served.states(now_s))

    def expired(self, now_s: float) -> tuple[set[str], float]:
        """The ports with a lease that has expired, and when the next one does: math.inf is never.

        It looks at all of them.
        """
        names, next_s = set(), math.inf
        for name, served in self._ports.items():
            for lease in [*served.leases.values()]:
                if lease.expires_s is None:
                    continue
                if lease.expires_s <= now_s:
                    names.add(name)
                else:
                    next_s = min(next_s, lease.expires_s)
        return names, next_s

    def expiry_s(self, name: str) -> float:
        """When the first of this port's leases expires or has done so; math.inf: never."""
        leases = self._ports[name].leases.values()
        return min((each.expires_s or math.inf for each in leases), default=math.inf)


class _Found(NamedTuple):
    """A port as it is found: its MAC, None for any, and all that its client may have, packed."""

    mac: bytes | None
    addresses: frozenset[bytes]


class _Assigned(NamedTuple):
    """What a binding's clients of a family may have, as text.

    Where any MAC may ask, `others` have bindings of their own.
    """

    network: Network
    port: Port
    family: int
    addresses: tuple[str, ...]
    prefixes: tuple[str, ...]
    others: frozenset[bytes | None]


class _Served:
    """A port that is served, and what is known of its clients.

    `since_s` is when it came; None: it was another's.  Of two the one that is served for longer
    has the lower `serial`.
    """

    __slots__ = (
        *("_assigned", "_found", "bindings", "bridge", "leases", "ofport", "recalled"),
        *("serial", "since_s"),
    )

    def __init__(
        self, bridge: str, ofport: int, bindings: Bindings, since_s: float | None, serial: int
    ) -> None:
        self.bridge = bridge
        self.ofport = ofport
        self.bindings = bindings
        self.since_s = since_s
        self.serial = serial
        self._found: dict[tuple[int, bytes, int], _Found | None] = {}
        self._assigned: list[_Assigned] = []  # empty until somebody asks
        self.leases: dict[Client, Lease] = {}
        self.recalled: dict[Client, Recalled] = {}  # a MAC that any client may have is b""

    @property
    def places(self) -> set[_Place]:
        """From where its packets come."""
        return {(self.bridge, self.ofport, port.tag or 0, port.mac) for _, port in self.bindings}

    def change(self, bindings: Bindings) -> None:
        """It is served this from now on."""
        self.bindings = bindings
        self._found.clear()
        self._assigned.clear()
        for client, lease in [*self.leases.items()]:
            _, mac = client
            still = [port for _, port in bindings if port.mac in (mac, None)]
            if not any(lease.address in (b"", *_packed(port)) for port in still):
                del self.leases[client]

    def find(self, family: int, sender: bytes, tag: int) -> _Found | None:
        """What is served of this family to who sends such a packet."""
        key = family, sender, tag
        if key not in self._found:
            if len(self._found) >= 4 * MAX_MACS:
                self._found.clear()
            port = self._find(family, sender, tag)
            self._found[key] = _Found(port.mac, frozenset(_packed(port))) if port else None
        return self._found[key]

    def _find(self, family: int, sender: bytes, tag: int) -> Port | None:
        for network, port in self.bindings:
            if (
                (port.tag or 0) == tag
                and port.mac in (sender, None)
                and (_assigned(network, port, family) or _delegated(network, port, family))
            ):
                return port
        return None

    def requests(self, client: Client) -> int:
        """How many are known of a client; of any client, where its MAC is b""."""
        family, mac = client
        return sum(
            lease.requests
            for (of, its), lease in self.leases.items()
            if of == family and (not mac or its == mac)
        )

    def has_never_asked(self, client: Client) -> bool:
        """Whether it is known that a client had not asked before its first lease is noted."""
        family, _ = client
        recalled = self.recalled.get(client) or self.recalled.get((family, b""))
        return self.since_s is not None and not (recalled and recalled.requests)

    def rows(self, name: str, now_s: float) -> Iterator[Row]:
        """The clients that are served by one of its bindings."""
        for assigned in self._assign():
            yield from self._rows(name, assigned, now_s)

    def states(self, now_s: float) -> Iterator[State]:
        """The state of each of these."""
        for assigned in self._assign():
            network, port, family, *_ = assigned
            recalled = self.recalled.get((family, port.mac or b""))
            for _, lease in self._clients(assigned):
                yield self.bridge, network.name, family, self._state(lease, recalled, now_s)

    def _assign(self) -> list[_Assigned]:
        self._assigned = self._assigned or [*_all_assigned(self.bindings)]
        return self._assigned

    def _clients(self, assigned: _Assigned) -> list[tuple[bytes | None, Lease | None]]:
        """The MACs of a binding's clients, None if any may ask and none has, and their leases."""
        family, port = assigned.family, assigned.port
        if port.mac:
            return [(port.mac, self.leases.get((family, port.mac)))]
        found: list[tuple[bytes | None, Lease | None]] = [
            (mac, lease)
            for (of, mac), lease in self.leases.copy().items()
            if of == family and mac not in assigned.others
        ]
        return found or [(None, None)]

    def _state(self, lease: Lease | None, recalled: Recalled | None, now_s: float) -> str | None:
        if lease is not None:
            return lease.state_at(now_s) or None
        if recalled:
            return None if recalled.requests else ASSIGNED
        return None if self.since_s is None else ASSIGNED

    def _rows(self, name: str, assigned: _Assigned, now_s: float) -> Iterator[Row]:
        network, port, family, addresses, prefixes, _ = assigned
        where = name, self.bridge, self.ofport, network, port, family
        recalled = self.recalled.get((family, port.mac or b""))
        since_s = recalled.since_s if recalled else self.since_s
        for mac, lease in self._clients(assigned):
            state = self._state(lease, recalled, now_s)
            if lease is not None:
                before = recalled.requests if recalled and port.mac else 0
                requests: int | None = lease.requests + before
                last_s: float | None = lease.last_s
            elif recalled:
                lease, requests, last_s = Lease(), recalled.requests, recalled.last_s
            else:
                lease, requests, last_s = Lease(), None if since_s is None else 0, None
            yield Row(*where, mac, addresses, prefixes, state, lease, requests, since_s, last_s)


def _all_assigned(bindings: Bindings) -> Iterator[_Assigned]:
    macs = frozenset(port.mac for _, port in bindings)
    for network, port in bindings:
        for family in (4, 6):
            addresses = tuple(map(str, _assigned(network, port, family)))
            prefixes = tuple(map(str, _delegated(network, port, family)))
            if addresses or prefixes:
                yield _Assigned(network, port, family, addresses, prefixes, macs)


def _make_room(leases: dict[Client, Lease], family: int) -> None:
    """Forget who was heard first, if there are as many of the family as there may be."""
    others = [client for client in leases if client[0] == family]
    if len(others) >= MAX_MACS:
        del leases[min(others, key=lambda client: leases[client].last_s)]


def _sum(one: Recalled, other: Recalled) -> Recalled:
    """What two flows of one client come to."""
    times = [each.last_s for each in (one, other) if each.last_s is not None]
    return Recalled(
        one.requests + other.requests,
        min(one.since_s, other.since_s),
        max(times, default=None),
    )


def _assigned(network: Network, port: Port, family: int) -> list[Address]:
    """The addresses of a family that its client may have."""
    cidr = network.cidr(family)
    return [each for each in port.addresses if cidr and each.version == family and each in cidr]


def _delegated(network: Network, port: Port, family: int) -> tuple[IPv6Network, ...]:
    return port.delegated_prefixes if family == 6 and network.dhcpv6 else ()


def _packed(port: Port) -> list[bytes]:
    """All that a client of the port may have."""
    prefixes = [prefix.network_address for prefix in port.delegated_prefixes]
    return [address.packed for address in (*port.addresses, *prefixes)]
