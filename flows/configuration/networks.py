# SPDX-License-Identifier: Apache-2.0
"""From settings as somebody wrote them to bindings: every mistake is found, named and placed.

A source (`controller.sources`) hands over nested `Section`s; `parse_configuration` returns a
`Configuration` that needs no further checking, or raises `ConfigError` with all that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from itertools import pairwise

from ovs_dhcpd.flows.bindings.mac import MAC, parse_mac
from ovs_dhcpd.flows.bindings.network import (
    DEFAULT_BRIDGE,
    Configuration,
    Network,
    Parent,
    Port,
    default_server_mac,
    link_local_address,
)
from ovs_dhcpd.flows.bindings.pool import Address
from ovs_dhcpd.flows.configuration.options import (
    parse_options,
    parse_prefix,
)
from ovs_dhcpd.flows.configuration.pool import BESIDE, complete_pool, parse_pool
from ovs_dhcpd.flows.configuration.rate_limit import parse_rate_limit
from ovs_dhcpd.flows.configuration.section import (
    Mistakes,
    Place,
    Reader,
    Section,
)
from ovs_dhcpd.flows.configuration.services import (
    BESIDE_SERVICES,
    DHCPV4_SETTINGS,
    DHCPV6_SETTINGS,
    NOT_IN_DHCPV4,
    NOT_IN_DHCPV6,
    check_times,
    parse_dhcpv4,
    parse_dhcpv6,
    parse_ra,
    warn_of_mode,
    warn_of_router,
    why_no_host,
)
from ovs_dhcpd.flows.options.table import DHCPV4, DHCPV6
from ovs_dhcpd.flows.options.wording import escape, show
from ovs_dhcpd.flows.userdata.codec import MAX_USERDATA, encode_userdata
from ovs_dhcpd.flows.userdata.cursor import UserdataError
from ovs_dhcpd.flows.userdata.extension import extension_values

SERVICES = ("dhcpv4", "dhcpv6", "ra")
FILE_SETTINGS = ("bridge", "networks")
NETWORK_SETTINGS = ("bridge", *SERVICES, *BESIDE_SERVICES[1:])
PORT_SETTINGS = ("addresses", "options", "options6", "delegated_prefix", "parent", "tag")
_IN_DHCPV4, _IN_DHCPV6 = {*DHCPV4.by_name, *DHCPV4_SETTINGS}, {*DHCPV6.by_name, *DHCPV6_SETTINGS}
_IN_A_SERVICE = {
    **dict.fromkeys(_IN_DHCPV4 - _IN_DHCPV6, "dhcpv4"),
    **dict.fromkeys(_IN_DHCPV6 - _IN_DHCPV4, "dhcpv6"),
    **dict.fromkeys(_IN_DHCPV4 & _IN_DHCPV6, "dhcpv4 or dhcpv6"),
}
NOT_IN_PORT = {
    **NOT_IN_DHCPV4,
    "netmask": "comes from the network's cidr",
    **dict.fromkeys(("cidr", "server_id", "server_mac"), "belongs under the network's dhcpv4"),
}
NOT_IN_PORT6 = {
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
        reader = Reader(document, "", mistakes, takes_units=True)
        reader.refuse_unknown(FILE_SETTINGS)
        named = _parse_bridge(reader, DEFAULT_BRIDGE)
        sections = reader.inside("networks")
        for name in sections or ():
            assert sections is not None
            place = sections.section.place(name)
            if places.setdefault(name, place) is not place:
                sections.refuse(name, f"is at {places[name]} too, expected each network once")
            networks[name] = _parse_network(sections, name, bridge or named, seen)
    if not networks:
        mistakes.warn(document, "", "networks", "none, so nothing is served")
    _check_tags(filter(None, networks.values()), places, mistakes)
    _check_pools(filter(None, networks.values()), places, mistakes)
    _check_parents(filter(None, networks.values()), seen, mistakes)
    mistakes.raise_if_any()
    return Configuration(tuple(filter(None, networks.values())), tuple(mistakes.warnings))


def _check_tags(
    networks: Iterable[Network], places: Mapping[str, Place], mistakes: Mistakes
) -> None:
    """Note each VLAN of a bridge that a second network claims."""
    owners: dict[tuple[str, int], Network] = {}
    for network in networks:
        if network.tag is None:
            continue
        owner = owners.setdefault((network.bridge, network.tag), network)
        if owner is not network:
            where = f"{escape(owner.name)} at {places[owner.name]}"
            what = f"{network.tag} is that of {where} too, expected another"
            mistakes.add(places[network.name], f"{escape(network.name)}: tag: {what}")


def _check_pools(
    networks: Iterable[Network], places: Mapping[str, Place], mistakes: Mistakes
) -> None:
    """Note each pool that has addresses of another one, as no VLAN tells their guests apart."""
    ranges = [
        (network.bridge, part, network)
        for network in networks
        if network.pool and network.tag is None
        for part in network.pool.ranges
    ]
    ranges.sort(key=lambda each: (each[0], each[1].first.version, int(each[1].first)))
    for (bridge, before, owner), (other, part, network) in pairwise(ranges):
        if bridge == other and before.overlaps(part) and owner is not network:
            where = f"{escape(owner.name)} at {places[owner.name]}"
            what = f"{part} overlaps {before} of {where}, expected a tag or other addresses"
            mistakes.add(places[network.name], f"{escape(network.name)}: pool: {what}")


def _check_parents(
    networks: Iterable[Network], places: Mapping[str, Place], mistakes: Mistakes
) -> None:
    """Note each sub-port whose parent is one too, or whose tag is another's behind it."""
    parents = {
        port.name: port.parent for network in networks for port in network.ports if port.parent
    }
    owners: dict[Parent, str] = {}
    for name, parent in parents.items():
        if parent.name in parents:
            what = f"parent: {escape(parent.name)} is a sub-port itself, expected one that is none"
            mistakes.add(places[name], f"{escape(name)}: {what}")
        if (owner := owners.setdefault(parent, name)) != name:
            whose = f"{escape(owner)} at {places[owner]}"
            what = f"tag: {parent.tag} is that of {whose} too, expected another"
            mistakes.add(places[name], f"{escape(name)}: {what}")


def _parse_bridge(reader: Reader, default: str) -> str:
    bridge = reader.get("bridge", default)
    if not (isinstance(bridge, str) and re.fullmatch(r"[^\s/]+", bridge) and bridge.isprintable()):
        reader.refuse("bridge", f"{show(bridge)}, expected the name of a bridge")
    return str(bridge)


def _parse_network(
    networks: Reader, name: str, bridge: str, seen: dict[str, Place]
) -> Network | None:
    """One network, on `bridge` if it names none; `seen` says where the ports before it are."""
    networks.refuse_unprintable(name)
    reader = networks.inside(name, owner=name)
    if reader is None:
        return None
    reader.refuse_unknown(NETWORK_SETTINGS, _IN_A_SERVICE)
    bridge = _parse_bridge(reader, bridge)
    arp_responder = reader.flag("arp_responder")
    if not any(service in reader or service in reader.unclear for service in SERVICES):
        reader.refuse("dhcpv4", "is missing, expected it or dhcpv6 or ra")
    shared = {service: reader.inside(service) for service in SERVICES if service in reader}
    for each in filter(None, shared.values()):
        each.unclear.update(name for name in reader if name not in NETWORK_SETTINGS)
        reader.unclear.update(name for name in each if name in BESIDE_SERVICES)
    dhcpv4 = dhcpv6 = ra = None
    server_mac = default_server_mac(name)
    if (part := shared.get("dhcpv4")) is not None:
        dhcpv4 = parse_dhcpv4(part)
        server_mac = dhcpv4.server_mac if dhcpv4 else server_mac
    if (part := shared.get("dhcpv6")) is not None:
        dhcpv6 = parse_dhcpv6(part, server_mac)
        server_mac = dhcpv6.server_id if dhcpv6 else server_mac
    if (part := shared.get("ra")) is not None:
        ra = parse_ra(part, server_mac)
        if ra and dhcpv6:
            warn_of_mode(part, dhcpv6)
    found = {"dhcpv4": dhcpv4, "dhcpv6": dhcpv6}
    reader.unclear.update(service for service in shared if found.get(service) is None)
    network = Network(name, dhcpv4, (), arp_responder, dhcpv6, ra, bridge)
    if reader.flag("guard"):
        network = replace(network, guard=_parse_guard(reader))
    if "rate_limit" in reader:
        network = replace(network, rate_limit=parse_rate_limit(reader))
    if "pool" in reader:
        network = replace(network, pool=parse_pool(reader, network))
    no_pool = "pool" not in reader and "pool" not in reader.unclear
    for setting in BESIDE if no_pool else ():
        if setting in reader:
            reader.refuse(setting, "needs a pool, which the network has not")
    if "tag" in reader:
        network = replace(network, tag=_parse_tag(reader, network))
    if "ports" in reader or not (network.pool or "pool" in reader.unclear):
        ports = reader.inside("ports", owner="")
        if ports is None:
            return None
        network = replace(network, ports=_parse_ports(ports, network, seen, reader.unclear))
        _check_sizes(network, ports)
    if network.pool:
        network = replace(network, pool=complete_pool(reader, network, network.pool))
    return network


def _parse_guard(reader: Reader) -> bool:
    """True, and a mistake where nobody can say which addresses are a port's own."""
    ra = reader.get("ra")
    if isinstance(ra, Section) and ra.get("addr_mode", "slaac") != "dhcpv6_stateful":
        what = "needs addr_mode: dhcpv6_stateful in ra, for hosts make their own addresses else"
        reader.refuse("guard", what)
    return True


def _parse_tag(reader: Reader, network: Network) -> int | None:
    """The VLAN whose ports, if they are named nowhere, belong to `network`."""
    tag = _parse_vlan(reader)
    if tag and not network.pool and "pool" not in reader.unclear:
        what = "needs a pool, which the network has not: it is for ports that are named nowhere"
        reader.refuse("tag", what)
    return tag


def _parse_vlan(reader: Reader) -> int | None:
    """The setting ``tag``."""
    tag = reader["tag"]
    if isinstance(tag, int) and not isinstance(tag, bool) and 0 < tag < 4095:
        return tag
    reader.refuse("tag", f"{show(tag)}, expected a VLAN, from 1 to 4094")
    return None


def _parse_ports(
    ports: Reader, network: Network, seen: dict[str, Place], unclear: Collection[str]
) -> tuple[Port, ...]:
    """The ports of `network`, of which not all is known: what is `unclear` has had its mistake."""
    parsed = []
    owners: dict[object, Port] = {}  # of the MACs, the addresses and the prefixes
    for name in ports:
        ports.refuse_unprintable(name)
        place = ports.section.place(name)
        if seen.setdefault(name, place) is not place:
            ports.refuse(name, f"is at {seen[name]} too, expected each port once")
        reader = ports.inside(name, owner=name)
        if reader is None:
            continue
        port = _parse_port(reader, network, unclear)
        if port is None:
            continue
        parsed.append(port)
        for key in (port.mac, *port.addresses, *port.delegated_prefixes):
            if key is None:
                continue
            owner = owners.setdefault(key, port)
            if owner is not port and not (key == port.mac and owner.tag != port.tag):
                text = key.hex(":") if isinstance(key, bytes) else key
                whose = f"{escape(owner.name)} at {seen[owner.name]}"
                what = f"{text} is that of {whose} too, expected another"
                setting = "delegated_prefix" if isinstance(key, IPv6Network) else "addresses"
                reader.refuse(setting, what)
    return tuple(parsed)


def _parse_port(reader: Reader, network: Network, unclear: Collection[str]) -> Port | None:
    reader.refuse_unknown(PORT_SETTINGS)
    options = options6 = _NO_OPTIONS
    if "options" in reader and (own := reader.inside("options")):
        options = parse_options(own, DHCPV4, NOT_IN_PORT)
        if network.dhcpv4:
            both = {**network.dhcpv4.options, **options}
            warn_of_router(own, both, network.dhcpv4.cidr)
            if options.keys() & _TIMES:
                check_times(both, own.refuse)
    if "options6" in reader and (own := reader.inside("options6")):
        options6 = parse_options(own, DHCPV6, NOT_IN_PORT6)
    prefixes: tuple[IPv6Network, ...] = ()
    if "delegated_prefix" in reader:
        prefixes = _parse_prefixes(reader["delegated_prefix"], network, reader.refuse)
    if "addresses" not in reader and "addresses" in reader.unclear:
        return None
    try:
        mac, addresses, dynamic = _parse_addresses(reader.get("addresses"))
    except ValueError as error:
        reader.refuse("addresses", str(error))
        return None
    port = Port(reader.owner, mac, addresses, options, options6, prefixes, dynamic)
    if "parent" in reader or "tag" in reader:
        port = replace(port, parent=_parse_parent(reader, port))
    _check_port(port, network, reader.refuse, unclear)
    return port


def _parse_parent(reader: Reader, port: Port) -> Parent | None:
    """Behind which port a sub-port is, and its tag."""
    for name, other in (("parent", "tag"), ("tag", "parent")):
        if name not in reader:
            reader.refuse(name, f"is missing, expected it beside {other}")
            return None
    tag, parent = _parse_vlan(reader), reader["parent"]
    if not isinstance(parent, str) or not parent or parent == port.name:
        reader.refuse("parent", f"{show(parent)}, expected the name of another port")
        return None
    return Parent(parent, tag) if tag else None


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


def _check_port(
    port: Port, network: Network, refuse: Callable[[str, str], None], unclear: Collection[str]
) -> None:
    """Note what of a port does not go with what its network says; `unclear` is no part of that."""
    if port.dynamic and not network.pool and "pool" not in unclear:
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
    elif (port.delegated_prefixes or port.options6) and "dhcpv6" not in unclear:
        name = "delegated_prefix" if port.delegated_prefixes else "options6"
        refuse(name, "needs dhcpv6, which the network has not")
    if port.options and not dhcpv4 and "dhcpv4" not in unclear:
        refuse("options", "needs dhcpv4, which the network has not")


def _check_sizes(network: Network, ports: Reader) -> None:
    """Note each port whose userdata does not fit a flow."""
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
                    ports.refuse(port.name, str(error))


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
        raise ValueError(f"{escape(text)} is no address, expected {hint}") from None
    if "%" in text:
        raise ValueError(f"{escape(text)} has a zone, expected an IP address alone")
    return address
