# SPDX-License-Identifier: Apache-2.0
"""A network's pool: its ranges, and what of them is somebody's already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from flows.bindings import Dhcpv4, Dhcpv6, Network
from flows.options import DHCPV4, DHCPV6, OptionTable
from flows.pool import Address, AddressRange, Pool
from flows.sections import show
from flows.values import decode_value


def parse_pool(value: object, network: Network, refuse: Callable[[str, str], None]) -> Pool:
    """The pool of ``network``, with nothing reserved yet: one text or a list of them.

    Each is an address, ``first-last`` or ``address/length``.
    """
    ranges: list[AddressRange] = []
    if value == []:
        refuse("pool", "is empty, expected a range or more")
    for text in value if isinstance(value, list) else [value]:
        try:
            new = _parse_range(text)
            _check_range(new, network)
        except ValueError as error:
            refuse("pool", str(error))
            continue
        if twice := [old for old in ranges if old.overlaps(new)]:
            refuse("pool", f"{new} overlaps {twice[0]}, expected each address once")
        ranges.append(new)
    return Pool(tuple(ranges), {})


def reserved(network: Network) -> dict[Address | bytes, str]:
    """The addresses and MACs of ``network`` that its dynamic ports cannot have, and whose they are.

    They are those of its other ports, of its servers and routers as the options name them, and the
    addresses that no host can have.
    """
    found: dict[Address | bytes, str] = {}
    if dhcpv4 := network.dhcpv4:
        found.update(_named(dhcpv4.options, DHCPV4))
        found[dhcpv4.server_mac] = "server_mac"
        if dhcpv4.cidr.prefixlen < 31:  # RFC 3021
            found[dhcpv4.cidr.network_address] = found[dhcpv4.cidr.broadcast_address] = "nobody"
    if dhcpv6 := network.dhcpv6:
        found.update(_named(dhcpv6.options, DHCPV6))
        found[dhcpv6.server_id] = "server_id"
        found[dhcpv6.cidr.network_address] = "all routers"  # RFC 4291 §2.6.1
    for port in network.ports:
        found.update(_named(port.options, DHCPV4))
        found.update(_named(port.options6, DHCPV6))
    for port in network.ports:
        found.update(dict.fromkeys(port.addresses, port.name))
        if port.mac:
            found[port.mac] = port.name
    return found


def _named(options: Mapping[str, bytes], table: OptionTable) -> Iterator[tuple[Address, str]]:
    """The addresses that are in the options."""
    for name, value in options.items():
        for constant in decode_value(table.lookup(name), value):
            if isinstance(constant, (IPv4Address, IPv6Address)):
                yield constant, name


def _parse_range(text: object) -> AddressRange:
    expected = "expected first-last, address/length or an address"
    if not isinstance(text, str):
        raise ValueError(f"{show(text)}, {expected}")
    try:
        if "/" in text:
            network = ip_network(text)
            return AddressRange(network[0], network[-1])
        first, *last = (word.strip() for word in text.split("-"))
        found = AddressRange(ip_address(first), ip_address(last[0] if last else first))
        if len(last) > 1 or found.first.version != found.last.version or "%" in text:
            raise ValueError
    except ValueError:
        raise ValueError(f"{text!r}, {expected}") from None
    if found.size < 1:
        raise ValueError(f"{text} ends before it begins, expected first-last")
    return found


def _check_range(new: AddressRange, network: Network) -> None:
    family = f"dhcpv{new.first.version}"
    if new.first.version == 6 and network.dhcpv6 and network.dhcpv6.stateless:
        raise ValueError(f"{new} is not given out by dhcpv6_stateless, expected none of IPv6")
    dhcp: Dhcpv4 | Dhcpv6 | None = network.dhcpv6 if new.first.version == 6 else network.dhcpv4
    if dhcp is None:
        raise ValueError(f"{new} needs {family}, which the network has not")
    cidr: IPv4Network | IPv6Network = dhcp.cidr
    if new.first not in cidr or new.last not in cidr:
        raise ValueError(f"{new} is not in cidr {cidr}, expected addresses in it")
