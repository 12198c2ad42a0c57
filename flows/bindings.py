# SPDX-License-Identifier: Apache-2.0
"""What each port may have: the networks of one bridge, their DHCP options and their ports.

These are finished values: `flows.settings` checks them while it builds them, and everything that
comes after (the flows, the ARP responder, the logs) takes them as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from flows.options import DHCPV4
from flows.userdata import PutDhcpOpts


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written; `str()` is ``file:line``."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Dhcpv4:
    """What the ports of a network share.

    `options` maps names to encoded values; netmask, server_id and lease_time are always in it,
    offerip, cidr and server_mac (which are no options) never.
    """

    cidr: IPv4Network
    server_id: IPv4Address
    server_mac: bytes
    options: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Port:
    """One virtual interface, named by its iface-id; `options` are those it has for itself."""

    name: str
    mac: bytes
    addresses: tuple[IPv4Address | IPv6Address, ...]
    options: Mapping[str, bytes]
    place: Place


@dataclass(frozen=True, slots=True)
class Network:
    """Ports that are offered addresses of the same subnet by the same server."""

    name: str
    dhcpv4: Dhcpv4 | None
    ports: tuple[Port, ...]
    arp_responder: bool
    place: Place

    def put_dhcp_opts(self, port: Port) -> PutDhcpOpts | None:
        """What the userdata of `port` says, or None where it is not served.

        The address offered is the port's first inside the network's cidr. The port's own options
        replace the network's; all are sorted by name, as OVN's northd does (`build_dhcpv4_action`).
        """
        if self.dhcpv4 is None:
            return None
        offerip = next((a for a in port.addresses if a in self.dhcpv4.cidr), None)
        if not isinstance(offerip, IPv4Address):
            return None
        merged = {**self.dhcpv4.options, **port.options}
        options = tuple((DHCPV4.lookup(name).code, merged[name]) for name in sorted(merged))
        return PutDhcpOpts(offerip, options)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that is to be on one bridge."""

    bridge: str
    networks: tuple[Network, ...]


def default_server_mac(network_name: str) -> bytes:
    """The server's MAC where none is configured: the same for the same name, on every host.

    Locally administered and unicast (bit 1 of the first byte set, bit 0 clear; IEEE 802c).
    """
    digest = hashlib.sha256(network_name.encode()).digest()
    return bytes([digest[0] & 0xFC | 0x02]) + digest[1:6]
