# SPDX-License-Identifier: Apache-2.0
"""From a row of OVN's Logical_Router_Port to the router advertisement that its switch gets.

The userdata is OVN's, byte for byte (`build_ND_RA_flows_for_lrouter_port` in northd/northd.c);
times between unsolicited ones are clamped as in `copy_ra_to_sb` there.  Where OVN advertises
nothing for one value that it cannot read, that value is left out and the rest is advertised.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Network, ip_interface

from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.bindings.network import Ra
from ovs_dhcpd.flows.configuration.options import parse_options
from ovs_dhcpd.flows.configuration.section import Mistakes, Reader, Section
from ovs_dhcpd.flows.configuration.services import MIN_MTU, RA_ORDER
from ovs_dhcpd.flows.options.table import ROUTER_ADVERTISEMENT
from ovs_dhcpd.flows.options.wording import escape
from ovs_dhcpd.flows.userdata.codec import PutNdRaOpts, encode_userdata
from ovs_dhcpd.flows.userdata.cursor import UserdataError
from ovs_dhcpd.flows.userdata.router_advertisement import encode_message

ADDRESS_MODES = ("slaac", "dhcpv6_stateful", "dhcpv6_stateless")

_COPIED = ("router_preference", "rdnss", "dnssl", "route_info")  # into put_nd_ra_opts as they are
_LONGEST_S = (4, 1800)  # between two unsolicited ones (RFC 4861 §6.2.1)
_DEFAULT_LONGEST_S = 600
_SHORTEST_S = 3


@dataclass(frozen=True, slots=True)
class RouterPortRow:
    """A row of Logical_Router_Port; `ra_configs` is its ipv6_ra_configs."""

    uuid: str
    name: str
    mac: str
    networks: tuple[str, ...]
    ra_configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SharedRa:
    """What a router port advertises on its switch; `ra` is None if that is nothing."""

    uuid: str
    ra: Ra | None
    refused: tuple[str, ...]


def shared_ra(row: RouterPortRow) -> SharedRa:
    """What the ports of the switch that is joined to `row` share."""
    mistakes = Mistakes()
    section = Section("OVN_Northbound", 0)
    reader = Reader(section, "", mistakes)
    section.update(_settings(row, reader))
    options = parse_options(reader, ROUTER_ADVERTISEMENT, {})
    ra = None
    if {"addr_mode", "slla", "prefix"} <= options.keys():
        table = ROUTER_ADVERTISEMENT.by_name
        pairs = [(table[name].code, options[name]) for name in RA_ORDER if name in options]
        try:
            message = encode_message(pairs)
            encode_userdata(PutNdRaOpts(message))
            ra = Ra(message, options["slla"], _interval(row.ra_configs))
        except UserdataError as error:
            reader.refuse("ipv6_ra_configs", str(error))
    return SharedRa(row.uuid, ra, tuple(mistakes.lines))


def _settings(row: RouterPortRow, reader: Reader) -> Iterator[tuple[str, object]]:
    """The row as settings of a router advertisement."""
    yield "addr_mode", row.ra_configs.get("address_mode", "")
    try:
        yield "slla", parse_mac(row.mac).hex(":")
    except ValueError as error:
        reader.refuse("mac", str(error))
    if mtu := row.ra_configs.get("mtu"):
        if mtu.isdecimal() and int(mtu) >= MIN_MTU:
            yield "mtu", mtu
        elif mtu != "0":
            reader.refuse("mtu", f"{escape(mtu)}, expected {MIN_MTU} or more (RFC 8200 §5)")
    for name in _COPIED:
        if name in row.ra_configs:
            yield name, row.ra_configs[name]
    prefixes = [str(prefix) for prefix in _prefixes(row, reader)]
    if prefixes:
        yield "prefix", prefixes
    else:
        reader.refuse("networks", "no IPv6 prefix, expected one: without, nothing is advertised")


def _prefixes(row: RouterPortRow, reader: Reader) -> Iterator[IPv6Network]:
    """The prefixes of IPv6 but link-local ones, in the order in which OVN's databases have sets."""
    for text in sorted(row.networks):
        try:
            if "%" in text:
                raise ValueError
            network = ip_interface(text).network
        except ValueError:
            reader.refuse("networks", f"{escape(text)} is no network, expected address/length")
            continue
        if isinstance(network, IPv6Network) and not network.is_link_local:
            yield network


def _interval(configs: Mapping[str, str]) -> tuple[float, float] | None:
    """Shortest and longest time between two unsolicited ones in seconds; None: there are none."""
    if configs.get("send_periodic", "").lower() != "true":
        return None
    least, most = _LONGEST_S
    longest = min(max(_number(configs, "max_interval", _DEFAULT_LONGEST_S), least), most)
    shortest = _number(configs, "min_interval", longest // 3 if longest >= 9 else longest * 3 // 4)
    return float(max(min(shortest, longest * 3 // 4), _SHORTEST_S)), float(longest)


def _number(configs: Mapping[str, str], name: str, default: int) -> int:
    """A whole number, or what holds where there is none."""
    try:
        return int(configs[name])
    except (KeyError, ValueError):
        return default
