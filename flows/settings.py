# SPDX-License-Identifier: Apache-2.0
"""From settings as somebody wrote them to bindings: every mistake is found, named and placed.

A source (`controller.sources`) hands over nested `Section`s; `parse_configuration` returns a
`Configuration` that needs no further checking, or raises `ConfigError` with all that is wrong.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from flows.bindings import Configuration, Dhcpv4, Network, Place, Port, default_server_mac
from flows.options import DHCPV4, OptionError
from flows.userdata import MAX_USERDATA, UserdataError, encode_userdata
from flows.values import encode_value

DEFAULT_BRIDGE = "br-int"
DEFAULT_LEASE_TIME_S = 86400
BROADCAST = IPv4Address("255.255.255.255")

# Names that are settings and no options, and options that a port cannot have for itself.
_NOT_OPTIONS = {"cidr", "server_mac"}
_NOT_IN_NETWORK = {"offerip": "comes from the port's addresses"}
_NOT_IN_PORT = {
    **_NOT_IN_NETWORK,
    "netmask": "comes from the network's cidr",
    **dict.fromkeys(("cidr", "server_id", "server_mac"), "belongs under the network's dhcpv4"),
}
_LATER = ("dhcpv6", "ra")

_NO_OPTIONS: Mapping[str, bytes] = {}
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


class ConfigError(ValueError):
    """The configuration cannot be used; `errors` has one line for each mistake."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = list(errors)
        super().__init__("\n".join(self.errors))


class Section(dict[str, object]):
    """Settings that stand together, name to value, and the line each name is on.

    A value is a str, int, bool or None, a list of values, or a further Section.
    """

    __slots__ = ("file", "line", "lines")

    def __init__(self, file: str, line: int) -> None:
        self.file = file
        self.line = line
        self.lines: dict[str, int] = {}

    def place(self, name: str) -> Place:
        """Where `name` is written; where the section begins if it is not there."""
        return Place(self.file, self.lines.get(name, self.line))


class Mistakes:
    """Collects what is wrong, so that the user sees all of it at once."""

    def __init__(self) -> None:
        self._found: list[tuple[Place, str]] = []

    def add(self, place: Place, text: str) -> None:
        """Note a mistake: "NAME: what was wrong, expected …"."""
        self._found.append((place, text))

    def refuse(self, section: Section, owner: str, name: str, what: str) -> None:
        """Note that `name` in `section`, which says what `owner` has, is wrong."""
        self.add(section.place(name), f"{owner}: {name}: {what}" if owner else f"{name}: {what}")

    def raise_if_any(self) -> None:
        """Raise ConfigError with everything noted, in the order of the file."""
        if self._found:
            found = sorted(self._found, key=lambda each: each[0].line)
            raise ConfigError(f"{place}: {text}" for place, text in found)


def parse_configuration(document: Section, mistakes: Mistakes) -> Configuration:
    """The whole configuration; `mistakes` may hold what the source itself found wrong.

    Raises ConfigError.
    """
    _check_names(document, "", ("bridge", "networks"), mistakes)
    bridge = document.get("bridge", DEFAULT_BRIDGE)
    if not isinstance(bridge, str) or not re.fullmatch(r"[^\s/]+", bridge):
        mistakes.refuse(document, "", "bridge", f"{_show(bridge)}, expected the name of a bridge")
    networks = _section(document, "", "networks", mistakes)
    parsed = []
    if networks is not None:
        seen: dict[str, Place] = {}
        parsed = [_parse_network(networks, name, seen, mistakes) for name in networks]
    mistakes.raise_if_any()
    return Configuration(str(bridge), tuple(filter(None, parsed)))


def _parse_network(
    networks: Section, name: str, seen: dict[str, Place], mistakes: Mistakes
) -> Network | None:
    """One network; `seen` says where the ports of the networks before it are."""
    _check_printable(networks, name, mistakes)
    section = _section(networks, "", name, mistakes)
    if section is None:
        return None
    for later in section.keys() & _LATER:
        mistakes.refuse(section, name, later, "is not supported yet, expected dhcpv4 only")
    _check_names(section, name, ("dhcpv4", "arp_responder", "ports"), mistakes, _LATER)
    arp_responder = section.get("arp_responder", False)
    if not isinstance(arp_responder, bool):
        what = f"{_show(arp_responder)}, expected true or false"
        mistakes.refuse(section, name, "arp_responder", what)
    shared = _section(section, name, "dhcpv4", mistakes)
    dhcpv4 = None if shared is None else _parse_dhcpv4(shared, name, mistakes)
    ports = _section(section, name, "ports", mistakes)
    if ports is None:
        return None
    parsed = _parse_ports(ports, dhcpv4, seen, mistakes)
    network = Network(name, dhcpv4, parsed, arp_responder is True, networks.place(name))
    _check_sizes(network, ports, mistakes)
    return network


def _parse_dhcpv4(section: Section, network: str, mistakes: Mistakes) -> Dhcpv4 | None:
    """What the ports share; None if the cidr is wrong, as then no port can be checked."""
    refuse = partial(mistakes.refuse, section, network)
    options = _parse_options(section, network, mistakes, _NOT_IN_NETWORK, _NOT_OPTIONS)
    options.setdefault("lease_time", DEFAULT_LEASE_TIME_S.to_bytes(4, "big"))
    _check_times(options, refuse)
    server_mac = default_server_mac(network)
    if "server_mac" in section:
        try:
            server_mac = parse_mac(section["server_mac"])
        except ValueError as error:
            refuse("server_mac", str(error))
    try:
        cidr = _parse_cidr(section.get("cidr"))
    except ValueError as error:
        refuse("cidr", str(error))
        return None
    netmask = cidr.netmask.packed
    if options.setdefault("netmask", netmask) != netmask:
        refuse("netmask", f"is not that of cidr {cidr}, expected {cidr.netmask} or no netmask")
    first_host = cidr.network_address + (cidr.prefixlen < 31)
    server_id = IPv4Address(options.setdefault("server_id", first_host.packed))
    if reason := _why_no_host(server_id, cidr):
        refuse("server_id", f"{server_id} is {reason}, expected the address of a host")
    return Dhcpv4(cidr, server_id, server_mac, options)


def _parse_ports(
    ports: Section, dhcpv4: Dhcpv4 | None, seen: dict[str, Place], mistakes: Mistakes
) -> tuple[Port, ...]:
    parsed = []
    owners: dict[object, Port] = {}  # of the MACs and of the addresses
    for name in ports:
        _check_printable(ports, name, mistakes)
        place = ports.place(name)
        if seen.setdefault(name, place) is not place:
            mistakes.refuse(ports, "", name, f"is at {seen[name]} too, expected each port once")
        section = _section(ports, "", name, mistakes)
        if section is None:
            continue
        port = _parse_port(section, name, place, dhcpv4, mistakes)
        if port is None:
            continue
        parsed.append(port)
        for key, text in ((port.mac, port.mac.hex(":")), *((a, a) for a in port.addresses)):
            owner = owners.setdefault(key, port)
            if owner is not port:
                what = f"{text} is that of {owner.name} at {owner.place} too, expected another"
                mistakes.refuse(section, name, "addresses", what)
    return tuple(parsed)


def _parse_port(
    section: Section, name: str, place: Place, dhcpv4: Dhcpv4 | None, mistakes: Mistakes
) -> Port | None:
    refuse = partial(mistakes.refuse, section, name)
    _check_names(section, name, ("addresses", "options"), mistakes)
    own = _section(section, name, "options", mistakes) if "options" in section else None
    options = _NO_OPTIONS
    if own is not None:
        options = _parse_options(own, name, mistakes, _NOT_IN_PORT)
        if dhcpv4:
            merged = {**dhcpv4.options, **options}
            _check_times(merged, partial(mistakes.refuse, own, name))
    try:
        mac, addresses = _parse_addresses(section.get("addresses"))
    except ValueError as error:
        refuse("addresses", str(error))
        return None
    port = Port(name, mac, addresses, options, place)
    if dhcpv4:
        _check_port(port, dhcpv4, refuse)
    return port


def _check_port(port: Port, dhcpv4: Dhcpv4, refuse: Callable[[str, str], None]) -> None:
    """Whether the port and what its network says go together."""
    if port.mac == dhcpv4.server_mac:
        refuse("addresses", f"{port.mac.hex(':')} is server_mac, expected another")
    inside = [a for a in port.addresses if isinstance(a, IPv4Address) and a in dhcpv4.cidr]
    if not inside:
        refuse("addresses", f"no IPv4 address in cidr {dhcpv4.cidr}, expected one to offer")
    for address in inside:
        if address == dhcpv4.server_id:
            refuse("addresses", f"{address} is server_id, expected another")
        elif reason := _why_no_host(address, dhcpv4.cidr):
            refuse("addresses", f"{address} is {reason}, expected the address of a host")


def _check_sizes(network: Network, ports: Section, mistakes: Mistakes) -> None:
    """Whether the userdata of each port fits a flow."""
    shared = network.dhcpv4.options if network.dhcpv4 else _NO_OPTIONS
    for port in network.ports:
        # Only encoding tells exactly; headers never double what is as large as this.
        if _size(shared) + _size(port.options) > MAX_USERDATA // 2:
            try:
                opts = network.put_dhcp_opts(port)
                if opts:
                    encode_userdata(opts)
            except UserdataError as error:
                mistakes.refuse(ports, "", port.name, str(error))


def _size(options: Mapping[str, bytes]) -> int:
    return sum(map(len, options.values()))


def _parse_options(
    section: Section,
    owner: str,
    mistakes: Mistakes,
    refused: Mapping[str, str],
    settings: Collection[str] = (),
) -> dict[str, bytes]:
    """The options in `section`, encoded; `settings` stand among them and are none.

    An option given by number gets its name, so that a port's replaces its network's either way.
    """
    options: dict[str, bytes] = {}
    for name, value in section.items():
        if name in settings:
            continue
        try:
            if name in refused:
                raise OptionError(f"{refused[name]}, expected nothing here")
            option = DHCPV4.lookup(name)
            canonical = DHCPV4.by_code.get(option.code, option).name
            if canonical in refused:
                raise OptionError(f"is {canonical}, which {refused[canonical]}")
            if canonical in options:
                raise OptionError(f"is {canonical}, expected it once")
            items = value if isinstance(value, list) else [value]
            if any(isinstance(item, (Section, list)) for item in items):
                raise OptionError("is nested, expected a value or a list of values")
            options[canonical] = encode_value(option, value)
        except OptionError as error:
            what = str(error).removeprefix(f"{name}: ")
            if not name.startswith("option_"):
                what += _hint(name, {*DHCPV4.by_name, *settings, *refused})
            mistakes.refuse(section, owner, name, what)
    return options


def _check_times(options: Mapping[str, bytes], refuse: Callable[[str, str], None]) -> None:
    """T1 < T2 < lease_time; a client takes 1/2 and 7/8 for what is not given (RFC 2131 §4.4.5)."""
    lease_s = int.from_bytes(options["lease_time"], "big")
    if not lease_s:
        refuse("lease_time", "0 seconds, expected 1 or more (4294967295 is for ever)")
        return
    given = [name for name in ("T1", "T2") if name in options]
    t1_s = int.from_bytes(options["T1"], "big") if "T1" in options else lease_s // 2
    t2_s = int.from_bytes(options["T2"], "big") if "T2" in options else lease_s * 7 // 8
    if given and not t1_s < t2_s < lease_s:
        what = f"T1 is {t1_s}, T2 {t2_s}, lease_time {lease_s}, expected T1 < T2 < lease_time"
        refuse(given[0], what)


def parse_mac(value: object) -> bytes:
    """The six bytes of a unicast MAC; raises ValueError."""
    if not isinstance(value, str) or not _MAC.fullmatch(value):
        raise ValueError(f"{_show(value)} is no MAC, expected xx:xx:xx:xx:xx:xx")
    mac = bytes.fromhex(value.replace(":", ""))
    if mac[0] & 1 or not any(mac):
        raise ValueError(f"{value} is nobody's MAC, expected a unicast one")
    return mac


def _parse_cidr(value: object) -> IPv4Network:
    try:
        if not isinstance(value, str) or "/" not in value:
            raise ValueError
        cidr = IPv4Network(value, strict=False)
    except ValueError:
        what = f"{_show(value)} is no IPv4 subnet, expected address/length, as in 192.168.1.0/24"
        raise ValueError(what) from None
    if str(cidr.network_address) != value.partition("/")[0]:
        raise ValueError(f"{value} has host bits set, expected {cidr}")
    return cidr


def _parse_addresses(value: object) -> tuple[bytes, tuple[IPv4Address | IPv6Address, ...]]:
    """OVN's "MAC address address…", as one text or as a list; raises ValueError."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = " ".join(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{_show(value)}, expected a MAC, then addresses, in one text")
    mac, *addresses = value.split()
    return parse_mac(mac), tuple(map(_parse_address, addresses))


def _parse_address(text: str) -> IPv4Address | IPv6Address:
    try:
        address = IPv6Address(text) if ":" in text else IPv4Address(text)
    except ValueError:
        hint = "one MAC per port, then addresses" if _MAC.fullmatch(text) else "an IP address"
        raise ValueError(f"{text} is no address, expected {hint}") from None
    if "%" in text:
        raise ValueError(f"{text} has a zone, expected an IP address alone")
    return address


def _why_no_host(address: IPv4Address, cidr: IPv4Network) -> str:
    """Why no host can have the address; empty if one can."""
    if cidr.prefixlen < 31:  # RFC 3021: a /31 has two hosts and nothing else
        if address == cidr.network_address:
            return f"the network address of {cidr}"
        if address == cidr.broadcast_address:
            return f"the broadcast address of {cidr}"
    first = address.packed[0]
    if first in (0, 127) or 224 <= first < 240 or address == BROADCAST:
        return "not a unicast address"
    return ""


def _section(section: Section, owner: str, name: str, mistakes: Mistakes) -> Section | None:
    """The section called `name` in `section`; None, and a mistake, if there is none."""
    value = section.get(name)
    if isinstance(value, Section):
        return value
    what = f"{_show(value)}, expected a mapping" if name in section else "is missing"
    mistakes.refuse(section, owner, name, what)
    return None


def _check_names(
    section: Section,
    owner: str,
    expected: Collection[str],
    mistakes: Mistakes,
    reported: Collection[str] = (),
) -> None:
    """Whether all names in `section` are expected; `reported` are those refused elsewhere."""
    for name in section:
        if name not in expected and name not in reported:
            what = f"unknown, expected {' or '.join(expected)}{_hint(name, expected)}"
            mistakes.refuse(section, owner, name, what)


def _check_printable(section: Section, name: str, mistakes: Mistakes) -> None:
    """Whether a name of the user's can stand in the text of a logical flow."""
    if not name or not name.isprintable() or '"' in name or "\\" in name:
        what = f'{name!r}: not a name, expected printable characters without " and \\'
        mistakes.add(section.place(name), what)


def _hint(name: str, known: Collection[str]) -> str:
    """Which known name was meant, if `name` is none but is like one."""
    close = [] if name in known else difflib.get_close_matches(name, known, 1)
    return f" (did you mean {close[0]}?)" if close else ""


def _show(value: object) -> str:
    """The value as the user may recognise it, in a few words."""
    if value is None:
        return "nothing"
    if isinstance(value, (Section, list)):
        return "a mapping" if isinstance(value, Section) else "a list"
    return repr(value if len(str(value)) < 60 else str(value)[:60] + "…")
