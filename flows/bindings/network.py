# SPDX-License-Identifier: Apache-2.0
"""What each port may have: the networks, their DHCP options and their ports.

These are finished values: `flows.configuration` checks them while it builds them, and everything
that comes after (who is served what, flows, leases, logs) takes them as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from ovs_dhcpd.flows.bindings.placement import Placement
from ovs_dhcpd.flows.bindings.pool import Address, Pool
from ovs_dhcpd.flows.bindings.rate_limit import DEFAULT_RATE_LIMIT, RateLimit
from ovs_dhcpd.flows.options.table import DHCPV4, DHCPV6
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts, PutDhcpv6Opts, PutNdRaOpts
from ovs_dhcpd.flows.userdata.extension import (
    NO_EXTENSION_V4,
    NO_EXTENSION_V6,
    Dhcpv4Extension,
    Dhcpv6Extension,
)

DEFAULT_BRIDGE = "br-int"

ANYWHERE = Placement()


@dataclass(frozen=True, slots=True)
class Dhcpv4:
    """What the ports of a network share of DHCPv4.

    `options` maps names to encoded values; netmask, server_id and lease_time are always in it,
    offerip, cidr and server_mac (which are no options) never.
    """

    cidr: IPv4Network
    server_id: IPv4Address
    server_mac: bytes
    options: Mapping[str, bytes]
    extension: Dhcpv4Extension = NO_EXTENSION_V4


@dataclass(frozen=True, slots=True)
class Dhcpv6:
    """What the ports of a network share of DHCPv6.

    `server_id` is the server's MAC, of which its DUID and its link-local address are made.
    `options` maps names to encoded values; server_id is in it.  A `stateless` server gives out
    options only.
    """

    cidr: IPv6Network
    server_id: bytes
    options: Mapping[str, bytes]
    stateless: bool = False
    extension: Dhcpv6Extension = NO_EXTENSION_V6


@dataclass(frozen=True, slots=True)
class Ra:
    """The router advertisement that the ports of a network get.

    `message` is the ICMPv6 message with checksum 0, `slla` the MAC it comes from.  `interval` are
    the shortest and the longest time between two unsolicited ones, in seconds; None if there are
    to be none.
    """

    message: bytes
    slla: bytes
    interval: tuple[float, float] | None = None

    @property
    def tells_of_dhcpv6(self) -> bool:
        """Whether hosts are to ask for DHCPv6, as its flags M and O say (RFC 4861 §4.2)."""
        return bool(self.message[5] & 0xC0)


@dataclass(frozen=True, slots=True)
class Parent:
    """The port behind which a sub-port is, and the VLAN by whose tag its packets are known.

    `shared`: there are others in the same VLAN, and their MACs tell them apart; then ``tag`` is 0
    if their packets have none.
    """

    name: str
    tag: int
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Guarded:
    """A MAC that a port may use, and the addresses that it may have; none: any."""

    mac: bytes
    addresses: tuple[IPv4Network | IPv6Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Port:
    """One virtual interface, named by its iface-id; with a ``parent``, a VLAN of that port.

    `mac` is None where any client behind it is served.  `options` and `options6` are those of
    DHCPv4 and DHCPv6 that it has for itself.  A `dynamic` port gets the addresses that it lacks
    from its network's pool once it is plugged in.  `guard` is what it may use beside or in place of
    what it is served; None: what its network says.  Of a guarded port `vlans` are the only VLANs of
    which its packets may have a tag; None: any, which a ``trunk`` may have in any case.
    """

    name: str
    mac: bytes | None
    addresses: tuple[Address, ...]
    options: Mapping[str, bytes]
    options6: Mapping[str, bytes] = field(default_factory=dict)
    delegated_prefixes: tuple[IPv6Network, ...] = ()
    dynamic: bool = False
    parent: Parent | None = None
    guard: tuple[Guarded, ...] | None = None
    vlans: frozenset[int] | None = None
    trunk: bool = False

    @property
    def tag(self) -> int | None:
        """The VLAN in whose tag its packets come; None: they have none."""
        return (self.parent.tag or None) if self.parent else None

    @property
    def plugged_as(self) -> str:
        """The name of the port whose interface it is behind."""
        return self.parent.name if self.parent else self.name


@dataclass(frozen=True, slots=True)
class Network:
    """Ports of one bridge that are offered addresses of the same subnets by the same server.

    `tag` is the VLAN of those of its ports that are named nowhere; None: it does not say.
    `rate_limit` is that of each of its ports; None: there is none.  With `guard` a port uses its
    own MAC and addresses only, and is nobody's server.
    """

    name: str
    dhcpv4: Dhcpv4 | None
    ports: tuple[Port, ...]
    arp_responder: bool
    dhcpv6: Dhcpv6 | None = None
    ra: Ra | None = None
    bridge: str = DEFAULT_BRIDGE
    pool: Pool | None = None
    tag: int | None = None
    rate_limit: RateLimit | None = DEFAULT_RATE_LIMIT
    guard: bool = False

    def guarded(self, port: Port) -> tuple[Guarded, ...]:
        """What `port` may use; none: anything, or nobody knows its MAC.

        Where IPv6 is served the MAC's link-local address is the port's, too.
        """
        if port.guard is not None:
            return port.guard
        if not self.guard or port.mac is None:
            return ()
        addresses: list[IPv4Network | IPv6Network] = [
            IPv4Network(each) if isinstance(each, IPv4Address) else IPv6Network(each)
            for each in port.addresses
        ]
        if self.dhcpv6 or self.ra:
            addresses.append(IPv6Network(link_local_address(port.mac)))
        return (Guarded(port.mac, (*addresses, *port.delegated_prefixes)),)

    def cidr(self, version: int) -> IPv4Network | IPv6Network | None:
        """The subnet whose addresses it gives out, of IPv4 (4) or IPv6 (6); None: there is none."""
        if version == 4:
            return self.dhcpv4.cidr if self.dhcpv4 else None
        return self.dhcpv6.cidr if self.dhcpv6 and not self.dhcpv6.stateless else None

    def lacking(self, port: Port) -> list[int]:
        """The IP versions of which `port` is to get an address from the pool."""
        if self.pool is None or not port.dynamic:
            return []
        cidrs = {version: self.cidr(version) for version in (4, 6) if self.pool.has(version)}
        return [
            version
            for version, cidr in cidrs.items()
            if cidr and not any(address in cidr for address in port.addresses)
        ]

    def put_dhcp_opts(self, port: Port) -> PutDhcpOpts | None:
        """What the userdata of `port` says, or None where it is not served.

        The address offered is the port's first inside the network's cidr; the others inside it
        are in the extension. The port's own options replace the network's; all are sorted by name,
        as OVN's northd does (`build_dhcpv4_action`).
        """
        if self.dhcpv4 is None:
            return None
        cidr = self.dhcpv4.cidr
        inside = [a for a in port.addresses if isinstance(a, IPv4Address) and a in cidr]
        if not inside:
            return None
        merged = {**self.dhcpv4.options, **port.options}
        options = tuple((DHCPV4.lookup(name).code, merged[name]) for name in sorted(merged))
        extension = self.dhcpv4.extension
        if len(inside) > 1:
            extension = replace(extension, addresses=tuple(inside[1:]))
        return PutDhcpOpts(inside[0], options, extension=extension)

    def put_dhcpv6_opts(self, port: Port) -> PutDhcpv6Opts | None:
        """What the userdata of `port` says of DHCPv6, or None where it is not served.

        The port's first address inside the network's cidr is ia_addr, which comes first; the
        rest as in `put_dhcp_opts` (OVN's `build_dhcpv6_action`).  A port without one gets options
        and what prefixes it has.
        """
        if self.dhcpv6 is None:
            return None
        cidr = self.dhcpv6.cidr
        inside = [a for a in port.addresses if isinstance(a, IPv6Address) and a in cidr]
        if self.dhcpv6.stateless:
            inside = []
        merged = {**self.dhcpv6.options, **port.options6}
        options = [(DHCPV6.lookup(name).code, merged[name]) for name in sorted(merged)]
        if inside:
            options.insert(0, (DHCPV6.by_name["ia_addr"].code, inside[0].packed))
        extension = self.dhcpv6.extension
        if len(inside) > 1 or port.delegated_prefixes:
            extension = replace(
                extension,
                addresses=tuple(inside[1:]),
                delegated_prefixes=port.delegated_prefixes,
            )
        return PutDhcpv6Opts(tuple(options), extension=extension)

    def put_nd_ra_opts(self) -> PutNdRaOpts | None:
        """What the userdata of each port says of router advertisements, or None."""
        return PutNdRaOpts(self.ra.message) if self.ra else None


# What somebody is served: a port of a network for each MAC that it has.
Bindings = Sequence[tuple[Network, Port]]


@dataclass(frozen=True, slots=True)
class Binding:
    """What one interface is served, which may be nothing, and what it is refused.

    `refused` has a line for each thing that was asked for and is left out; it does not say whose.
    `placement` says of which interface and host all of this holds.  `unserved` is why nothing is
    served where nothing was asked for, so that nothing is refused.
    """

    served: tuple[tuple[Network, Port], ...] = ()
    refused: tuple[str, ...] = ()
    placement: Placement = ANYWHERE
    unserved: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that one or more files say.

    `warnings` are lines for who wrote it: what may be meant, and most likely is not.
    """

    networks: tuple[Network, ...]
    warnings: tuple[str, ...] = ()

    def ports_of(self, network: Network) -> Iterator[Port]:
        """The ports of which this alone says what they have; guarded ones with all their VLANs."""
        for port in network.ports:
            if network.lacking(port):
                continue
            if network.guard and not port.parent:
                yield replace(port, vlans=self._vlans_behind(port.name))
            else:
                yield port

    def _vlans_behind(self, name: str) -> frozenset[int]:
        parents = [port.parent for network in self.networks for port in network.ports]
        return frozenset(each.tag for each in parents if each and each.name == name)

    def numbered(self) -> dict[str, int]:
        """Ports that may be plugged in, by name, with numbers from 1 in the order of the files."""
        names = [port.plugged_as for network in self.networks for port in network.ports]
        return {name: number for number, name in enumerate(dict.fromkeys(names), 1)}


def default_server_mac(network_name: str) -> bytes:
    """The server's MAC where none is configured: the same for the same name, on every host.

    Locally administered and unicast (bit 1 of the first byte set, bit 0 clear; IEEE 802c).
    """
    digest = hashlib.sha256(network_name.encode()).digest()
    return bytes([digest[0] & 0xFC | 0x02]) + digest[1:6]


def link_local_address(mac: bytes) -> IPv6Address:
    """The address that a host with this MAC has on its link: fe80::/64 and the EUI-64 of the MAC.

    RFC 4291 §2.5.1: ff:fe in the middle, and the universal/local bit turned over.
    """
    eui64 = bytes((mac[0] ^ 0x02,)) + mac[1:3] + b"\xff\xfe" + mac[3:]
    return IPv6Address(b"\xfe\x80" + bytes(6) + eui64)
