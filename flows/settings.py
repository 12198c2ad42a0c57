# SPDX-License-Identifier: Apache-2.0
"""From settings as somebody wrote them to bindings: every mistake is found, named and placed.

A source (`controller.sources`) hands over nested `Section`s; `parse_configuration` returns a
`Configuration` that needs no further checking, or raises `ConfigError` with all that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from flows.bindings import (
    DEFAULT_BRIDGE,
    Configuration,
    Network,
    Place,
    Port,
    default_server_mac,
    link_local_address,
)
from flows.cursor import UserdataError
from flows.extension import extension_values
from flows.network_settings import (
    NOT_IN_DHCPV4,
    NOT_IN_DHCPV6,
    check_times,
    parse_dhcpv4,
    parse_dhcpv6,
    parse_ra,
    why_no_host,
)
from flows.option_settings import MAC, parse_bool, parse_mac, parse_options, parse_prefix
from flows.options import DHCPV4, DHCPV6
from flows.pool import Address
from flows.pool_settings import parse_pool, reserved
from flows.sections import Mistakes, Section, check_names, check_printable, section_of, show
from flows.userdata import MAX_USERDATA, encode_userdata

_SERVICES = ("dhcpv4", "dhcpv6", "ra")
_NOT_IN_PORT = {
    **NOT_IN_DHCPV4,
    "netmask": "comes from the network's cidr",
    **dict.fromkeys(("cidr", "server_id", "server_mac"), "belongs under the network's dhcpv4"),
}
_NOT_IN_PORT6 = {
    **NOT_IN_DHCPV6,
    **dict.fromkeys(("cidr", "server_id"), "belongs under the network's dhcpv6"),
}
DYNAMIC = "dynamic"  # OVN's word, for an address that somebody else chooses
_TIMES = {"lease_time", "T1", "T2"}

_NO_OPTIONS: Mapping[str, bytes] = {}


def parse_configuration(
    documents: Iterable[Section], mistakes: Mistakes, bridge: str = ""
) -> Configuration:
    """The whole configuration, of which each document is a part.

    `bridge` replaces those that documents name for all their networks.  `mistakes` may hold what
    the source itself found wrong.  Raises ConfigError.
    """
    networks: dict[str, Network | None] = {}
    places: dict[str, Place] = {}
    seen: dict[str, Place] = {}  # ports
    for document in documents:
        check_names(document, "", ("bridge", "networks"), mistakes)
        named = _parse_bridge(document, "", DEFAULT_BRIDGE, mistakes)
        sections = section_of(document, "", "networks", mistakes)
        for name in sections or ():
            assert sections is not None
            place = sections.place(name)
            if places.setdefault(name, place) is not place:
                what = f"is at {places[name]} too, expected each network once"
                mistakes.refuse(sections, "", name, what)
            networks[name] = _parse_network(sections, name, bridge or named, seen, mistakes)
    _check_tags(filter(None, networks.values()), mistakes)
    mistakes.raise_if_any()
    return Configuration(tuple(filter(None, networks.values())))


def _check_tags(networks: Iterable[Network], mistakes: Mistakes) -> None:
    """Whether each VLAN of a bridge is one network's."""
    owners: dict[tuple[str, int], Network] = {}
    for network in networks:
        if network.tag is None:
            continue
        owner = owners.setdefault((network.bridge, network.tag), network)
        if owner is not network:
            what = f"{network.tag} is that of {owner.name} at {owner.place} too, expected another"
            mistakes.add(network.place, f"{network.name}: tag: {what}")


def _parse_bridge(section: Section, owner: str, default: str, mistakes: Mistakes) -> str:
    bridge = section.get("bridge", default)
    if not isinstance(bridge, str) or not re.fullmatch(r"[^\s/]+", bridge):
        what = f"{show(bridge)}, expected the name of a bridge"
        mistakes.refuse(section, owner, "bridge", what)
    return str(bridge)


def _parse_network(
    networks: Section, name: str, bridge: str, seen: dict[str, Place], mistakes: Mistakes
) -> Network | None:
    """One network, on `bridge` if it names none; `seen` says where the ports before it are."""
    check_printable(networks, name, mistakes)
    section = section_of(networks, "", name, mistakes)
    if section is None:
        return None
    names = ("bridge", *_SERVICES, "arp_responder", "pool", "tag", "ports")
    check_names(section, name, names, mistakes)
    bridge = _parse_bridge(section, name, bridge, mistakes)
    arp_responder = parse_bool(section, name, "arp_responder", mistakes)
    if not section.keys() & set(_SERVICES):
        mistakes.refuse(section, name, "dhcpv4", "is missing, expected it or dhcpv6 or ra")
    shared = {
        service: section_of(section, name, service, mistakes)
        for service in _SERVICES
        if service in section
    }
    dhcpv4 = dhcpv6 = ra = None
    server_mac = default_server_mac(name)
    if (part := shared.get("dhcpv4")) is not None:
        dhcpv4 = parse_dhcpv4(part, name, mistakes)
        server_mac = dhcpv4.server_mac if dhcpv4 else server_mac
    if (part := shared.get("dhcpv6")) is not None:
        dhcpv6 = parse_dhcpv6(part, name, server_mac, mistakes)
        server_mac = dhcpv6.server_id if dhcpv6 else server_mac
    if (part := shared.get("ra")) is not None:
        ra = parse_ra(part, name, server_mac, mistakes)
    network = Network(name, dhcpv4, (), arp_responder, networks.place(name), dhcpv6, ra, bridge)
    if "pool" in section:
        refuse = partial(mistakes.refuse, section, name)
        network = replace(network, pool=parse_pool(section["pool"], network, refuse))
    if "tag" in section:
        network = replace(network, tag=_parse_tag(section, network, mistakes))
    if "ports" in section or not network.pool:
        ports = section_of(section, name, "ports", mistakes)
        if ports is None:
            return None
        network = replace(network, ports=_parse_ports(ports, network, seen, mistakes))
        _check_sizes(network, ports, mistakes)
    if network.pool:
        network = replace(network, pool=replace(network.pool, reserved=reserved(network)))
    return network


def _parse_tag(section: Section, network: Network, mistakes: Mistakes) -> int | None:
    """The VLAN whose ports, if they are named nowhere, belong to `network`."""
    tag = section["tag"]
    if isinstance(tag, int) and not isinstance(tag, bool) and 0 < tag < 4095:
        if not network.pool:
            what = "needs a pool, which the network has not: it is for ports that are named nowhere"
            mistakes.refuse(section, network.name, "tag", what)
        return tag
    mistakes.refuse(section, network.name, "tag", f"{show(tag)}, expected a VLAN, from 1 to 4094")
    return None


def _parse_ports(
    ports: Section, network: Network, seen: dict[str, Place], mistakes: Mistakes
) -> tuple[Port, ...]:
    parsed = []
    owners: dict[object, Port] = {}  # of the MACs, the addresses and the prefixes
    for name in ports:
        check_printable(ports, name, mistakes)
        place = ports.place(name)
        if seen.setdefault(name, place) is not place:
            mistakes.refuse(ports, "", name, f"is at {seen[name]} too, expected each port once")
        section = section_of(ports, "", name, mistakes)
        if section is None:
            continue
        port = _parse_port(section, name, place, network, mistakes)
        if port is None:
            continue
        parsed.append(port)
        for key in (port.mac, *port.addresses, *port.delegated_prefixes):
            if key is None:
                continue
            owner = owners.setdefault(key, port)
            if owner is not port:
                text = key.hex(":") if isinstance(key, bytes) else key
                what = f"{text} is that of {owner.name} at {owner.place} too, expected another"
                setting = "delegated_prefix" if isinstance(key, IPv6Network) else "addresses"
                mistakes.refuse(section, name, setting, what)
    return tuple(parsed)


def _parse_port(
    section: Section, name: str, place: Place, network: Network, mistakes: Mistakes
) -> Port | None:
    refuse = partial(mistakes.refuse, section, name)
    names = ("addresses", "options", "options6", "delegated_prefix")
    check_names(section, name, names, mistakes)
    options = options6 = _NO_OPTIONS
    if "options" in section and (own := section_of(section, name, "options", mistakes)):
        options = parse_options(own, name, DHCPV4, mistakes, _NOT_IN_PORT)
        if network.dhcpv4 and options.keys() & _TIMES:
            merged = {**network.dhcpv4.options, **options}
            check_times(merged, partial(mistakes.refuse, own, name))
    if "options6" in section and (own := section_of(section, name, "options6", mistakes)):
        options6 = parse_options(own, name, DHCPV6, mistakes, _NOT_IN_PORT6)
    prefixes: tuple[IPv6Network, ...] = ()
    if "delegated_prefix" in section:
        prefixes = _parse_prefixes(section["delegated_prefix"], network, refuse)
    try:
        mac, addresses, dynamic = _parse_addresses(section.get("addresses"))
    except ValueError as error:
        refuse("addresses", str(error))
        return None
    port = Port(name, mac, addresses, options, place, options6, prefixes, dynamic)
    _check_port(port, network, refuse)
    return port


def _parse_prefixes(
    value: object, network: Network, refuse: Callable[[str, str], None]
) -> tuple[IPv6Network, ...]:
    prefixes = []
    for text in value if isinstance(value, list) else [value]:
        try:
            prefix = parse_prefix(text)
        except ValueError as error:
            refuse("delegated_prefix", str(error))
            continue
        if network.dhcpv6 and prefix.overlaps(network.dhcpv6.cidr):
            what = f"{prefix} overlaps cidr {network.dhcpv6.cidr}, expected another"
            refuse("delegated_prefix", what)
        prefixes.append(prefix)
    return tuple(prefixes)


def _check_port(port: Port, network: Network, refuse: Callable[[str, str], None]) -> None:
    """Whether the port and what its network says go together."""
    if port.dynamic and not network.pool:
        refuse("addresses", "dynamic needs a pool, which the network has not")
    if dhcpv4 := network.dhcpv4:
        if port.mac == dhcpv4.server_mac:
            refuse("addresses", f"{dhcpv4.server_mac.hex(':')} is server_mac, expected another")
        inside = [a for a in port.addresses if isinstance(a, IPv4Address) and a in dhcpv4.cidr]
        if not inside and 4 not in network.lacking(port):
            refuse("addresses", f"no IPv4 address in cidr {dhcpv4.cidr}, expected one to offer")
        for address in inside:
            if address == dhcpv4.server_id:
                refuse("addresses", f"{address} is server_id, expected another")
            elif reason := why_no_host(address, dhcpv4.cidr):
                refuse("addresses", f"{address} is {reason}, expected the address of a host")
    if dhcpv6 := network.dhcpv6:
        if port.mac == dhcpv6.server_id:
            refuse("addresses", f"{dhcpv6.server_id.hex(':')} is server_id, expected another")
        given = [a for a in port.addresses if isinstance(a, IPv6Address)]
        if given and not any(a in dhcpv6.cidr for a in given):
            refuse("addresses", f"no IPv6 address in cidr {dhcpv6.cidr}, expected one or none")
        if (server := link_local_address(dhcpv6.server_id)) in given:
            refuse("addresses", f"{server} is the server's, expected another")
        if dhcpv6.stateless and port.delegated_prefixes:
            refuse("delegated_prefix", "is not given out by dhcpv6_stateless, expected none")
    elif port.delegated_prefixes or port.options6:
        name = "delegated_prefix" if port.delegated_prefixes else "options6"
        refuse(name, "needs dhcpv6, which the network has not")
    if port.options and not dhcpv4:
        refuse("options", "needs dhcpv4, which the network has not")


def _check_sizes(network: Network, ports: Section, mistakes: Mistakes) -> None:
    """Whether the userdata of each port fits a flow."""
    shared = [
        _size(part.options) + sum(len(value) for _, value in extension_values(part.extension))
        for part in (network.dhcpv4, network.dhcpv6)
        if part
    ]
    for port in network.ports:
        own = max(_size(port.options), _size(port.options6))
        own += 32 * (len(port.addresses) + len(port.delegated_prefixes))
        # Only encoding tells exactly; headers never double what is as large as this.
        if max(shared, default=0) + own > MAX_USERDATA // 2:
            for opts in (network.put_dhcp_opts(port), network.put_dhcpv6_opts(port)):
                try:
                    if opts:
                        encode_userdata(opts)
                except UserdataError as error:
                    mistakes.refuse(ports, "", port.name, str(error))


def _size(options: Mapping[str, bytes]) -> int:
    return sum(map(len, options.values()))


def _parse_addresses(value: object) -> tuple[bytes | None, tuple[Address, ...], bool]:
    """OVN's "MAC address address…", as one text or as a list; raises ValueError.

    The MAC, None if there is none; the addresses; whether `dynamic` is among them, without which
    there must be a MAC.
    """
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = " ".join(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{show(value)}, expected a MAC, then addresses, in one text")
    words = value.split()
    mac = None if words[0] == DYNAMIC else parse_mac(words.pop(0))
    addresses = [_parse_address(word) for word in words if word != DYNAMIC]
    return mac, tuple(addresses), DYNAMIC in words


def _parse_address(text: str) -> Address:
    try:
        address = IPv6Address(text) if ":" in text else IPv4Address(text)
    except ValueError:
        hint = "one MAC per port, then addresses" if MAC.fullmatch(text) else "an IP address"
        raise ValueError(f"{text} is no address, expected {hint}") from None
    if "%" in text:
        raise ValueError(f"{text} has a zone, expected an IP address alone")
    return address
