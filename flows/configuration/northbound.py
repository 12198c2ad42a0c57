# SPDX-License-Identifier: Apache-2.0
"""From rows of OVN's Northbound database to bindings, by the rules of ovn-northd.

A port is served as `build_dhcpv4_action` and `build_dhcpv6_action` (ovn northd/northd.c) would
have it: for each of its MACs and each family the first address inside cidr is offered, and without
server_id, server_mac and lease_time there is no DHCPv4, without server_id no DHCPv6.  The userdata
is OVN's, byte for byte.

Where OVN takes DHCP away from a port for one bad option, that option is left out and the rest is
served.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import (
    IPv4Network,
    IPv6Network,
    ip_interface,
)
from itertools import chain
from typing import Generic, TypeVar

from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.bindings.network import (
    DEFAULT_BRIDGE,
    Binding,
    Dhcpv4,
    Dhcpv6,
    Network,
    Parent,
    Port,
    default_server_mac,
)
from ovs_dhcpd.flows.bindings.placement import Placement
from ovs_dhcpd.flows.bindings.pool import Address
from ovs_dhcpd.flows.bindings.rate_limit import DEFAULT_RATE_LIMIT, RateLimit
from ovs_dhcpd.flows.configuration.external import EXTERNAL, Entrance
from ovs_dhcpd.flows.configuration.options import parse_options
from ovs_dhcpd.flows.configuration.port_security import parse_port_security
from ovs_dhcpd.flows.configuration.router_port import SharedRa
from ovs_dhcpd.flows.configuration.section import Mistakes, Place, Reader, Section
from ovs_dhcpd.flows.configuration.services import parse_dhcpv4, parse_dhcpv6
from ovs_dhcpd.flows.options.table import DHCPV4
from ovs_dhcpd.flows.options.wording import escape
from ovs_dhcpd.flows.userdata.codec import LogicalAction, encode_userdata
from ovs_dhcpd.flows.userdata.cursor import UserdataError
from ovs_dhcpd.flows.userdata.extension import Dhcpv6Extension

_DHCPV4_REQUIRED = ("server_id", "server_mac", "lease_time")
_DHCPV6_REQUIRED = ("server_id",)
_NO_ADDRESS = ("unknown", "router")  # in the column addresses
_PLUGGED_IN = ("", "localport")  # types of ports; a localport is plugged in on every host
_IP = re.compile(r"[0-9A-Fa-f:.]+(/[0-9A-Fa-f:.]+)?")
_PLACE = Place("OVN_Northbound", 0)


@dataclass(frozen=True, slots=True)
class OptionsRow:
    """A row of DHCP_Options."""

    uuid: str
    cidr: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PortRow:
    """A row of Logical_Switch_Port."""

    name: str
    type: str
    enabled: bool
    addresses: tuple[str, ...]
    dynamic_addresses: str  # empty where ovn-northd has set none
    options: Mapping[str, str]
    parent: Parent | None = None  # with tag 0 where that is lacking
    port_security: tuple[str, ...] = ()
    group: tuple[str, ...] | None = None  # the hosts of ha_chassis_group, in their order

    @property
    def is_external(self) -> bool:
        """Whether it is for a guest that comes in by an uplink which somebody has named."""
        return self.type == EXTERNAL and self.parent is not None and self.parent.shared


Dhcp = TypeVar("Dhcp", Dhcpv4, Dhcpv6)


@dataclass(frozen=True, slots=True)
class SharedDhcp(Generic[Dhcp]):
    """What a row of DHCP_Options means; `dhcp` is None if no port can be served by it."""

    uuid: str
    dhcp: Dhcp | None
    refused: tuple[str, ...]


class _Refused(Mistakes):
    """Collects mistakes by the name of what is wrong: rows have no lines."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def refuse(self, section: Section, owner: str, name: str, what: str) -> None:
        """Note that `name` is wrong."""
        self.names.add(name)
        super().refuse(section, "", name, what)


def shared_dhcpv4(row: OptionsRow) -> SharedDhcp[Dhcpv4]:
    """What the ports that refer to `row` in dhcpv4_options share."""
    refused = _Refused()
    cidr = row.cidr
    with suppress(ValueError):  # OVN overlooks host bits; any other mistake is found below
        cidr = str(IPv4Network(cidr, strict=False))
    section = _section(row, cidr, _DHCPV4_REQUIRED, refused)
    dhcp = None
    if not refused.names:
        dhcp = parse_dhcpv4(Reader(section, row.uuid, refused))
    if dhcp and refused.names.isdisjoint(_DHCPV4_REQUIRED):
        options = {name: value for name, value in dhcp.options.items() if name not in refused.names}
        options["netmask"] = dhcp.cidr.netmask.packed
        dhcp = replace(dhcp, options=options)
    else:
        dhcp = None
    return SharedDhcp(row.uuid, dhcp, tuple(refused.lines))


def shared_dhcpv6(row: OptionsRow) -> SharedDhcp[Dhcpv6]:
    """What the ports that refer to `row` in dhcpv6_options share."""
    refused = _Refused()
    cidr = row.cidr
    with suppress(ValueError):
        cidr = str(IPv6Network(cidr, strict=False))
    section = _section(row, cidr, _DHCPV6_REQUIRED, refused)
    if "dhcpv6_stateless" in section:  # as OVN's smap_get_bool: any other text is false
        section["dhcpv6_stateless"] = row.options["dhcpv6_stateless"].lower() == "true"
    dhcp = None
    if not refused.names:
        dhcp = parse_dhcpv6(Reader(section, row.uuid, refused), default_server_mac(row.uuid))
    if dhcp and refused.names.isdisjoint(_DHCPV6_REQUIRED):
        # OVN's userdata has no place for the length of the prefix, and the bytes are to be OVN's.
        if dhcp.extension == Dhcpv6Extension(prefix_length=dhcp.cidr.prefixlen):
            dhcp = replace(dhcp, extension=Dhcpv6Extension())
    else:
        dhcp = None
    return SharedDhcp(row.uuid, dhcp, tuple(refused.lines))


def _section(row: OptionsRow, cidr: str, required: tuple[str, ...], refused: _Refused) -> Section:
    """The row as a section of a configuration; what it lacks of `required` is refused."""
    section = Section(_PLACE.file, _PLACE.line)
    section.update(sorted(row.options.items()))
    section["cidr"] = cidr
    for name in required:
        if name not in section:
            refused.refuse(section, "", name, "is missing, expected it: without, nothing is served")
    return section


def bind(
    row: PortRow,
    dhcpv4: SharedDhcp[Dhcpv4] | None,
    dhcpv6: SharedDhcp[Dhcpv6] | None,
    bridge: str = DEFAULT_BRIDGE,
    rate_limit: RateLimit | None = DEFAULT_RATE_LIMIT,
    ra: SharedRa | None = None,
    relay_port: str | None = None,
    entrance: Entrance | None = None,
    vlan_passthru: bool = False,
) -> Binding:
    """What the port is served on `bridge`; `dhcpv4` and `dhcpv6` are what its columns refer to.

    `rate_limit` is as in :class:`Network`; `ra` is what the router of its switch advertises, and
    `relay_port` where the switch has requests relayed instead of answered (None: nowhere).  With an
    `entrance` it is an external port, which comes in there.  `vlan_passthru`: its switch takes
    packets of any VLAN.
    """
    if not row.enabled:
        return Binding(unserved="enabled: false")
    if row.type == "router":
        return Binding(unserved="type: router")
    if not (dhcpv4 or dhcpv6 or ra or (row.port_security and not entrance)):
        return Binding(unserved="has neither dhcpv4_options nor dhcpv6_options")
    if entrance and entrance.localnets is None:
        return Binding(unserved="its logical switch has not been read yet")
    refused: list[str] = []
    served: list[tuple[Network, Port]] = []
    network = Network("", None, (), False, bridge=bridge, rate_limit=rate_limit)
    if entrance:
        refused += entrance.refused
        row = replace(row, parent=entrance.parent)
    if nowhere := _why_nowhere(row, entrance):
        refused.append(nowhere)
    else:
        if relay_port is not None and (dhcpv4 or dhcpv6):
            what = f"{escape(relay_port)}, expected none: there requests are relayed, not answered"
            refused.append(f"dhcp_relay_port of its switch: {what}")
            dhcpv4 = dhcpv6 = None
        hostname = _hostname(row, refused) if dhcpv4 and dhcpv4.dhcp else {}
        entries = _addresses(row, refused)
        ports = [Port(row.name, mac, its, hostname, parent=row.parent) for mac, its in entries]
        served += _of_dhcp(ports, dhcpv4, dhcpv6, network, refused)
        if ra:
            served += _of_ra(row, [mac for mac, _ in entries], ra, network, entrance, refused)
        # Nor does OVN hold external ports to it: others use the uplink, too.
        security = () if entrance else row.port_security
        if guard := parse_port_security(security, refused):
            # Also where nothing is served.
            alone = Network("port_security", None, (), False, bridge=bridge, rate_limit=None)
            served = served or [(alone, Port(row.name, None, (), {}, parent=row.parent))]
            served = [
                (network, replace(port, guard=guard, trunk=vlan_passthru))
                for network, port in served
            ]
    placement = Placement(group=row.group) if entrance else Placement.of(row.options)
    return Binding(tuple(served), tuple(refused), placement)


def _of_dhcp(
    ports: Sequence[Port],
    dhcpv4: SharedDhcp[Dhcpv4] | None,
    dhcpv6: SharedDhcp[Dhcpv6] | None,
    network: Network,
    refused: list[str],
) -> Iterator[tuple[Network, Port]]:
    """What of DHCP each of `ports` is served, which have one MAC and all addresses of it."""
    for column, shared in (("dhcpv4_options", dhcpv4), ("dhcpv6_options", dhcpv6)):
        if shared:
            refused += (f"{column}: {line}" for line in shared.refused)
    for port in ports:
        if binding := _bind_mac(port, dhcpv4, dhcpv6, network, refused):
            yield binding
    for shared in (dhcpv4, dhcpv6):
        if (
            shared
            and shared.dhcp
            and not any(_offers(shared.dhcp.cidr, p.addresses) for p in ports)
        ):
            what = f"no address in cidr {shared.dhcp.cidr}, expected one to offer"
            refused.append(f"addresses: {what}")


def _of_ra(
    row: PortRow,
    macs: Sequence[bytes],
    ra: SharedRa,
    network: Network,
    entrance: Entrance | None,
    refused: list[str],
) -> Iterator[tuple[Network, Port]]:
    """Who is told of the router: whoever is behind the port, as ovn-northd's flow has it."""
    refused += ra.refused
    if ra.ra is None:
        return
    network = replace(network, name=f"ra {ra.uuid}", ra=ra.ra)
    whose: Sequence[bytes | None] = [None]
    if entrance:  # an uplink has others behind it, too: who asks is told, and it alone
        asked = replace(ra.ra, interval=None)
        network, whose = replace(network, name=f"{network.name} asked for", ra=asked), macs
    for mac in whose:
        yield network, Port(row.name, mac, (), {}, parent=row.parent)


def _why_nowhere(row: PortRow, entrance: Entrance | None) -> str:
    """Why there is nothing on the bridge by which the port's packets come in; empty: there is."""
    if entrance:
        return (
            "" if entrance.localnets else "type: external, expected a localnet port on its switch"
        )
    if row.parent and not 0 < row.parent.tag < 4095:
        what = f"{row.parent.tag}, expected a VLAN, from 1 to 4094"
        return f"tag: {what if row.parent.tag else 'is missing, expected it'}"
    if row.type == EXTERNAL:
        return "type: external, expected none, or --external with the port that it comes in by"
    if row.type not in _PLUGGED_IN:
        return f"type: {escape(row.type)}, expected none: such a port is not plugged in"
    return ""


def claims(row: PortRow) -> frozenset[bytes | Address]:
    """The MACs and addresses that are the port's, if it is one for a guest and enabled."""
    if not row.enabled or not (row.type in _PLUGGED_IN or row.is_external):
        return frozenset()
    entries = _addresses(row, [])
    return frozenset(chain((mac for mac, _ in entries), *(addresses for _, addresses in entries)))


_Addresses = tuple[Address, ...]


def _bind_mac(
    port: Port,
    dhcpv4: SharedDhcp[Dhcpv4] | None,
    dhcpv6: SharedDhcp[Dhcpv6] | None,
    network: Network,
    refused: list[str],
) -> tuple[Network, Port] | None:
    """What `port`, which has one MAC and all addresses of it, is served of `network`, which has
    nothing yet.
    """
    offered: list[Address] = []
    if dhcpv4 and dhcpv4.dhcp and (first := _offers(dhcpv4.dhcp.cidr, port.addresses)):
        wanted = replace(network, name=f"dhcpv4 {dhcpv4.uuid}", dhcpv4=dhcpv4.dhcp)
        own = replace(port, addresses=first)
        if _fits(wanted.put_dhcp_opts(own), "dhcpv4_options", refused):
            network, offered = wanted, [*offered, *first]
    if dhcpv6 and dhcpv6.dhcp and (first := _offers(dhcpv6.dhcp.cidr, port.addresses)):
        name = f"{network.name} dhcpv6 {dhcpv6.uuid}".lstrip()
        wanted = replace(network, name=name, dhcpv6=dhcpv6.dhcp)
        own = replace(port, addresses=first)
        if _fits(wanted.put_dhcpv6_opts(own), "dhcpv6_options", refused):
            network, offered = wanted, [*offered, *first]
    return (network, replace(port, addresses=tuple(offered))) if offered else None


def _offers(cidr: IPv4Network | IPv6Network, addresses: _Addresses) -> _Addresses:
    """The first address inside `cidr`; nothing if there is none."""
    return tuple(address for address in addresses if address in cidr)[:1]


def _fits(opts: LogicalAction | None, column: str, refused: list[str]) -> bool:
    """Whether the userdata fits a flow."""
    assert opts
    try:
        encode_userdata(opts)
    except UserdataError as error:
        refused.append(f"{column}: {error}")
        return False
    return True


def _hostname(row: PortRow, refused: list[str]) -> Mapping[str, bytes]:
    """The port's own hostname, which replaces that of DHCP_Options."""
    section = Section(_PLACE.file, _PLACE.line)
    if "hostname" in row.options:
        section["hostname"] = row.options["hostname"]
    mistakes = _Refused()
    options = parse_options(Reader(section, row.name, mistakes), DHCPV4, {})
    refused += (f"options: {line}" for line in mistakes.lines)
    return options


def _addresses(row: PortRow, refused: list[str]) -> Collection[tuple[bytes, _Addresses]]:
    """The MACs and their addresses: those that are written down, then ovn-northd's dynamic one."""
    texts = [("addresses", text) for text in row.addresses if "dynamic" not in text.split()]
    if len(texts) < len(row.addresses):
        if row.dynamic_addresses:
            texts.append(("dynamic_addresses", row.dynamic_addresses))
        else:
            refused.append("dynamic_addresses: is empty, expected ovn-northd to have set it")
    found: dict[bytes, _Addresses] = {}
    for column, text in texts:
        words = text.split()
        if not words or words[0] in _NO_ADDRESS:
            continue
        try:
            mac = parse_mac(words[0])
        except ValueError as error:
            refused.append(f"{column}: {error}")
            continue
        addresses = tuple(_parse_addresses(words[1:], column, refused))
        if found.setdefault(mac, addresses) is not addresses:
            refused.append(
                f"{column}: {mac.hex(':')} is there twice, expected once; the first is followed"
            )
    return found.items()


def _parse_addresses(words: list[str], column: str, refused: list[str]) -> Iterator[Address]:
    """The addresses up to the first word that is none, as OVN's `extract_lsp_addresses`."""
    for word in words:
        known = _IP.match(word)
        with suppress(ValueError):
            yield ip_interface(known[0] if known else "").ip
            if known and known[0] == word:
                continue
        what = f"{escape(word)} is no address, expected one MAC, then addresses"
        refused.append(f"{column}: {what}")
        return
