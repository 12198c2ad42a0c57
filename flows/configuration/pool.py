# SPDX-License-Identifier: Apache-2.0
"""A network's pool: its ranges, what of them is not given out, and what is somebody's already."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.bindings.network import Dhcpv4, Dhcpv6, Network
from ovs_dhcpd.flows.bindings.pool import Address, AddressRange, Pool
from ovs_dhcpd.flows.configuration.section import Reader
from ovs_dhcpd.flows.configuration.services import why_no_host
from ovs_dhcpd.flows.configuration.times import seconds
from ovs_dhcpd.flows.options.table import DHCPV4, DHCPV6, OptionTable
from ovs_dhcpd.flows.options.values import decode_value
from ovs_dhcpd.flows.options.wording import escape, show

PROBATION = "decline_probation_period"
BESIDE = ("exclude", "reserve", PROBATION, "probe")  # settings that say something of a pool


def parse_pool(reader: Reader, network: Network) -> Pool:
    """The pool of ``network``, in which nothing is known yet of its ports.

    ``pool`` and ``exclude`` are one text or a list of them, each an address, ``first-last`` or
    ``address/length``.  ``reserve`` has an address, or one of each family, for a MAC.
    ``decline_probation_period`` is a number of seconds, ``probe`` true if not given.
    """
    ranges = _parse_ranges(reader, "pool", network)
    pool = Pool(tuple(ranges), {}, probe=reader.flag("probe", default=True))
    if "exclude" in reader:
        excluded = _parse_ranges(reader, "exclude", network)
        pool = replace(pool, excluded=tuple(_parts(ranges, excluded)))
    if "reserve" in reader:
        pool = replace(pool, reservations=_parse_reservations(reader, replace(network, pool=pool)))
    if PROBATION in reader:
        period_s = _parse_period(reader, pool.decline_probation_period_s)
        pool = replace(pool, decline_probation_period_s=period_s)
    return pool


def _parse_period(reader: Reader, default_s: int) -> int:
    value = reader[PROBATION]
    try:
        period_s = seconds(reader, value)
        if isinstance(period_s, int) and not isinstance(period_s, bool) and 0 < period_s < 1 << 32:
            return period_s
        reader.refuse(PROBATION, f"{show(value)}, expected seconds, from 1 to 4294967295")
    except ValueError as error:
        reader.refuse(PROBATION, str(error))
    return default_s


def complete_pool(reader: Reader, network: Network, pool: Pool) -> Pool:
    """``pool``, which is that of ``network``, with what is somebody's already."""
    found = reserved(network)
    for mac, addresses in pool.reservations.items():
        text = mac.hex(":")
        if mac in found:
            what = f"{text} is that of {escape(found[mac])} too, expected another MAC"
            reader.refuse("reserve", what)
        for address in addresses:
            if address in found:
                whose = escape(found[address])
                reader.refuse("reserve", f"{address} is that of {whose} too, expected another")
            found[address] = text
    return replace(pool, reserved=found)


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


def _parse_ranges(reader: Reader, name: str, network: Network) -> list[AddressRange]:
    """The ranges that the setting ``name`` has."""
    value = reader[name]
    ranges: list[AddressRange] = []
    if value == []:
        reader.refuse(name, "is empty, expected a range or more")
    for text in value if isinstance(value, list) else [value]:
        try:
            new = _parse_range(text)
            _check_range(new, network, reader.unclear)
        except ValueError as error:
            reader.refuse(name, str(error))
            continue
        if twice := [old for old in ranges if old.overlaps(new)]:
            reader.refuse(name, f"{new} overlaps {twice[0]}, expected each address once")
        ranges.append(new)
    return ranges


def _parts(ranges: list[AddressRange], of: list[AddressRange]) -> Iterator[AddressRange]:
    """What of the ranges ``of`` is in ``ranges``, each part in one of them."""
    for outer in ranges:
        for inner in of:
            if outer.overlaps(inner):
                first = max(outer.first, inner.first, key=int)
                yield AddressRange(first, min(outer.last, inner.last, key=int))


def _parse_reservations(reader: Reader, network: Network) -> dict[bytes, tuple[Address, ...]]:
    found: dict[bytes, tuple[Address, ...]] = {}
    reservations = reader.inside("reserve")
    for name in reservations or ():
        assert reservations is not None
        try:
            mac = parse_mac(name)
            if mac in found:
                raise ValueError("is there in other letters too, expected each MAC once")
            found[mac] = _parse_reservation(reservations[name], network, reader.unclear)
        except ValueError as error:
            reservations.refuse(name, str(error))
    return found


def _parse_reservation(
    value: object, network: Network, unclear: Collection[str]
) -> tuple[Address, ...]:
    """The addresses that are kept for one MAC; raises ValueError."""
    assert network.pool
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = " ".join(value)
    words = value.split() if isinstance(value, str) else []
    try:
        if "%" in str(value):
            raise ValueError
        addresses = tuple(map(ip_address, words))
    except ValueError:
        addresses = ()
    versions = [address.version for address in addresses]
    if not addresses or len({*versions}) < len(versions):
        raise ValueError(f"{show(value)}, expected an address, or one of IPv4 and one of IPv6")
    for address in addresses:
        _check_range(AddressRange(address, address), network, unclear)
        if network.dhcpv4 and isinstance(address, IPv4Address):
            reason = why_no_host(address, network.dhcpv4.cidr)
            if reason:
                raise ValueError(f"{address} is {reason}, expected the address of a host")
        if not network.pool.has(address.version):
            what = f"{address}, and pool has no IPv{address.version}"
            raise ValueError(f"{what}, expected an address of the pool's family")
    return addresses


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
        raise ValueError(f"{show(text)}, {expected}") from None
    if found.size < 1:
        raise ValueError(f"{escape(text)} ends before it begins, expected first-last")
    return found


def _check_range(new: AddressRange, network: Network, unclear: Collection[str]) -> None:
    """Raise ValueError for what is not of the network; of what is `unclear` nothing is said."""
    family = f"dhcpv{new.first.version}"
    if new.first.version == 6 and network.dhcpv6 and network.dhcpv6.stateless:
        raise ValueError(f"{new} is not given out by dhcpv6_stateless, expected none of IPv6")
    dhcp: Dhcpv4 | Dhcpv6 | None = network.dhcpv6 if new.first.version == 6 else network.dhcpv4
    if dhcp is None and family in unclear:
        return
    if dhcp is None:
        raise ValueError(f"{new} needs {family}, which the network has not")
    cidr: IPv4Network | IPv6Network = dhcp.cidr
    if new.first not in cidr or new.last not in cidr:
        raise ValueError(f"{new} is not in cidr {cidr}, expected addresses in it")
