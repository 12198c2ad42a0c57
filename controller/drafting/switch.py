# SPDX-License-Identifier: Apache-2.0
"""A configuration for what is plugged into a running switch.

A bridge, and each VLAN of it, is a network where this host has an address there: that is its router
and says its subnet. Guests are not listed, a pool serves whoever is plugged in. Where nobody here
says which addresses there are, the network is a comment for somebody to fill in.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

from ovs_dhcpd.controller.drafting.draft import Draft, Interface
from ovs_dhcpd.controller.drafting.seen import Bridge, Link, Plugged
from ovs_dhcpd.controller.drafting.yaml_text import END, Settings, flow, scalar
from ovs_dhcpd.controller.ports.vlans import ALL_VLANS
from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.bindings.network import link_local_address
from ovs_dhcpd.flows.bindings.pool import AddressRange
from ovs_dhcpd.flows.options.wording import escape

SHOWN = 20  # guests of a network that are listed
VLANS = 16  # of the trunks of a bridge, that become a comment
_IPV6_POOL = 0x1000, 0x1FFF  # of a prefix
_EXAMPLE = "192.0.2"  # RFC 5737

Learned = Mapping[tuple[str, int], Sequence[str]]  # MACs by bridge and OpenFlow port


@dataclass(slots=True)
class _Segment:
    """A VLAN of a bridge, or what has none: who is in it, and what this host has there."""

    bridge: Bridge
    tag: int
    guests: list[Plugged] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What its network is called."""
        return f"{self.bridge.name}-vlan{self.tag}" if self.tag else self.bridge.name

    @property
    def words(self) -> str:
        """What the segment is called in a sentence."""
        return f"VLAN {self.tag} of {self.bridge.name}" if self.tag else self.bridge.name

    def addresses(self, version: int) -> list[tuple[Link, Interface]]:
        """This host's addresses in it from which a subnet can be told, the first first."""
        found = [(link, address) for link in self.links for address in link.addresses]
        return [each for each in found if each[1].version == version and _is_gateway(each[1])]


def draft_switch(
    bridges: Sequence[Bridge], links: Sequence[Link], learned: Learned, only: str = ""
) -> Draft:
    """The draft for these bridges, or for the one called `only`."""
    chosen = [each for each in bridges if only in ("", each.name)]
    good = [each for each in chosen if _is_name(each.name)]
    segments = [each for bridge in good if not bridge.is_ovns for each in _segments(bridge, links)]
    served = [each for each in segments if each.addresses(4) or each.addresses(6)]
    first = served[0].bridge if served else good[0] if good else None
    draft = Draft(first.name if first else "")
    for each in served:
        _serve(draft, each, learned)
    for each in segments:
        if each not in served and (each.guests or not any(s.bridge is each.bridge for s in served)):
            _leave_open(draft, each, learned)
    for bridge in chosen:
        if bridge not in good:
            draft.networks.note(END, f"{escape(bridge.name)}: no name that can be said; left out")
        elif bridge.is_ovns:
            what = "is OVN's, whose Northbound database says who gets what: ovs-dhcpd run --nb"
            draft.networks.note(END, f"{bridge.name} {what}")
    return draft


def _segments(bridge: Bridge, links: Sequence[Link]) -> list[_Segment]:
    """The VLANs of a bridge, by their numbers."""
    found: dict[int, _Segment] = {}

    def segment(tag: int) -> _Segment:
        return found.setdefault(tag, _Segment(bridge, tag))

    segment(0)
    own = {each.name: each for each in bridge.plugged if each.kind in ("internal", "tap")}
    for link in links:
        below = own.get(link.over[0]) if link.over else own.get(link.name)
        if below is None or not link.addresses:
            continue
        if link.over:
            if link.over[1] in below.vlans.tagged:
                segment(link.over[1]).links.append(link)
        elif below.vlans.untagged is not None:
            segment(below.vlans.untagged).links.append(link)
    ours = {each.name for one in found.values() for each in one.links}
    for plugged in bridge.plugged:
        if not plugged.is_guest or plugged.name == bridge.name or plugged.name in ours:
            continue
        if plugged.vlans.untagged is not None:
            segment(plugged.vlans.untagged).guests.append(plugged)
        tagged = sorted(plugged.vlans.tagged) if plugged.vlans.is_said else []
        for tag in tagged:
            if tag in found or len(tagged) <= VLANS:
                segment(tag).guests.append(plugged)
    return [found[tag] for tag in sorted({*found} & ({0} | ALL_VLANS))]


def _serve(draft: Draft, segment: _Segment, learned: Learned) -> None:
    where = f"bridge {segment.bridge.name}"
    network = draft.network(segment.name, where)
    name = next(name for name, value in draft.networks.items() if value is network)
    if segment.bridge.name != draft.root["bridge"]:
        draft.set(network, "bridge", segment.bridge.name, where)
    if segment.tag:
        draft.set(network, "tag", segment.tag, where)
    ranges = list[AddressRange]()
    v4, v6 = segment.addresses(4), segment.addresses(6)
    here = ", ".join(f"{address} at {link.name}" for link, address in (*v4, *v6))
    draft.networks.note(name, f"{segment.words}: this host has {escape(here)}")
    if v4:
        address = v4[0][1]
        assert isinstance(address, IPv4Interface)
        part = draft.open(network, "dhcpv4", where)
        draft.set(part, "cidr", str(address.network), where)
        draft.set(part, "server_id", str(address.ip), where)
        draft.set(part, "router", str(address.ip), where)
        part.note(END, f"dns_server: {address.ip}  # whom guests are to ask, if that is known")
        ranges.append(_pool4(address))
    if v6:
        _serve_ipv6(draft, segment, network, is_alone=not v4)
        address = v6[0][1]
        if not v4 or address.network.prefixlen != 64:
            ranges.append(_pool6(address))
    others = [each for each in (*v4[1:], *v6[1:])]
    if others:
        text = ", ".join(str(address) for _, address in others)
        network.note(END, f"{escape(text)}: a network has one subnet of a family, so none of this")
    draft.add_ranges(network, ranges, where)
    network.note("pool", "keep it clear of addresses that others have (exclude); each is asked for")
    network.note("pool", "before it is given out first")
    # The first is the router, and nobody else's anyway.
    others_here = [address.ip for _, address in (*v4[1:], *v6)]
    excluded = [str(each) for each in others_here if any(each in part for part in ranges)]
    if excluded:
        draft.set(network, "exclude", excluded, where)
    for line in _about(segment, learned):
        network.note(END, line)


def _serve_ipv6(draft: Draft, segment: _Segment, network: Settings, *, is_alone: bool) -> None:
    """Advertise the prefix; by DHCPv6 only where hosts could make no address, or nothing else is.

    The router is named by its MAC, of which its link-local address must be made.
    """
    where = f"bridge {segment.bridge.name}"
    link, address = segment.addresses(6)[0]
    is_slaac = address.network.prefixlen == 64 and not is_alone
    if not is_slaac:
        draft.set(draft.open(network, "dhcpv6", where), "cidr", str(address.network), where)
    ra = draft.open(network, "ra", where)
    draft.set(ra, "addr_mode", "slaac" if is_slaac else "dhcpv6_stateful", where)
    draft.set(ra, "prefix", [str(address.network)], where)
    try:
        mac = parse_mac(link.mac)
    except ValueError:
        mac = b""
    local = [each.ip for each in link.addresses if each.ip.is_link_local]
    if mac and link_local_address(mac) in local:
        draft.set(ra, "slla", mac.hex(":"), where)
        draft.set(ra, "interval", 600, where)
    else:
        what = "is not made of its MAC, so it cannot be told as router"
        ra.note(
            END, f"the link-local address of {escape(link.name)} {what}: let it advertise itself"
        )


def _leave_open(draft: Draft, segment: _Segment, learned: Learned) -> None:
    """A network that somebody has to fill in, as comments."""
    notes = draft.networks
    notes.note(END, "")
    what = "this host has no address there. Fill in what the router has, and take the # away"
    what += ":" if draft.networks else ", and the {} above:"
    notes.note(END, f"{segment.words}: {what}")
    inside: list[tuple[str, object]] = []
    if segment.bridge.name != draft.root["bridge"]:
        inside.append(("bridge", segment.bridge.name))
    if segment.tag:
        inside.append(("tag", segment.tag))
    dhcpv4 = flow([("cidr", f"{_EXAMPLE}.0/24"), ("router", f"{_EXAMPLE}.1")])
    notes.note(END, f"{scalar(segment.name, is_inside=True)}:")
    for name, value in inside:
        notes.note(END, f"  {name}: {scalar(value)}")
    notes.note(END, f"  dhcpv4: {dhcpv4}")
    notes.note(END, f"  pool: {_EXAMPLE}.100-{_EXAMPLE}.199")
    for line in _about(segment, learned):
        notes.note(END, f"  # {line}")


def _about(segment: _Segment, learned: Learned) -> Iterator[str]:
    """Who is plugged in, and what is to be done about some."""
    bridge = segment.bridge.name
    for link in segment.links:
        if link.over is None and link.name != bridge:
            yield f"{escape(link.name)} is this host's own, and no guest; say so to the daemon:"
            yield f"  ovs-vsctl set interface {_quoted(link.name)} external_ids:dhcp-network=none"
    guests = segment.guests
    yield "plugged in:" if guests else "nobody is plugged in"
    for each in guests[:SHOWN]:
        name = each.key if each.key == each.name else f"{each.key} ({each.name})"
        yield f"  {escape(name)}: {_mac_of(each, learned.get((bridge, each.ofport or 0), ()))}"
    if len(guests) > SHOWN:
        yield f"  and {len(guests) - SHOWN} more"
    known = [each.external_ids.get("attached-mac") for each in guests]
    if mac := next((mac for mac in known if mac and _is_mac(mac)), None):
        yield "an address of its own for a guest, by its attached-mac:"
        addresses = segment.addresses(4)
        example = _free(addresses[0][1]) if addresses else f"{_EXAMPLE}.50"
        yield f"  reserve: {flow([(mac.lower(), example)])}"


def _mac_of(plugged: Plugged, heard: Sequence[str]) -> str:
    """What is known of the MAC of a guest."""
    if mac := plugged.guests_mac:
        return f"MAC {escape(mac)}"
    if len(heard) == 1:
        return f"any MAC is served behind it; {escape(heard[0])} has been heard"
    return "any MAC is served behind it; whose it is the switch does not know"


def _is_gateway(address: Interface) -> bool:
    """Whether there may be guests in its subnet."""
    ip, network = address.ip, address.network
    if ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        return False
    return network.num_addresses > 2


def _pool4(address: IPv4Interface) -> AddressRange:
    """The upper half of the subnet, or all of a small one, without its first and last address."""
    network = address.network
    first = network[network.num_addresses // 2] if network.num_addresses > 16 else network[1]
    return AddressRange(first, network[-2])


def _pool6(address: Interface) -> AddressRange:
    """A few thousand addresses of the prefix, or the upper half of a small one."""
    assert isinstance(address, IPv6Interface)
    network = address.network
    if network.num_addresses > 2 * _IPV6_POOL[1]:
        return AddressRange(network[_IPV6_POOL[0]], network[_IPV6_POOL[1]])
    return AddressRange(network[network.num_addresses // 2], network[-1])


def _free(address: Interface) -> IPv4Address | IPv6Address:
    """An address of the subnet for an example: neither the router's, nor the first or last."""
    network = address.network
    return next(each for each in (network[2], network[1]) if each != address.ip)


def _is_name(name: str) -> bool:
    """Whether a configuration can have a bridge with this name."""
    return bool(re.fullmatch(r"[^\s/]+", name)) and name.isprintable()


def _is_mac(text: str) -> bool:
    try:
        return bool(parse_mac(text))
    except ValueError:
        return False


def _quoted(name: str) -> str:
    """A name as a word of a shell, if somebody can type it."""
    return shlex.quote(name) if name.isprintable() else "NAME"
