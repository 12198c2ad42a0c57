# SPDX-License-Identifier: Apache-2.0
"""What the ports of a network share: its dhcpv4, dhcpv6 and ra sections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import TypeVar

from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.bindings.network import Dhcpv4, Dhcpv6, Ra, default_server_mac
from ovs_dhcpd.flows.bindings.well_known import BROADCAST
from ovs_dhcpd.flows.configuration.options import (
    HostBitsError,
    parse_extension,
    parse_options,
    parse_prefix,
    parse_subnet,
)
from ovs_dhcpd.flows.configuration.rate_limit import NONE
from ovs_dhcpd.flows.configuration.section import Reader
from ovs_dhcpd.flows.configuration.times import seconds
from ovs_dhcpd.flows.options.table import DHCPV4, DHCPV6, ROUTER_ADVERTISEMENT
from ovs_dhcpd.flows.options.value_type import Misfit, utf8
from ovs_dhcpd.flows.options.values import decode_value
from ovs_dhcpd.flows.options.wording import escape, show
from ovs_dhcpd.flows.userdata.cursor import UserdataError
from ovs_dhcpd.flows.userdata.extension import (
    INFINITY_S,
    BootFile,
    Dhcpv4Extension,
    Dhcpv6Extension,
)
from ovs_dhcpd.flows.userdata.router_advertisement import PREF64_LIFETIME_S, encode_message

DEFAULT_LEASE_TIME_S = 86400

Refuse = Callable[[str, str], None]  # the name that is wrong, and what is
Subnet = TypeVar("Subnet", IPv4Network, IPv6Network)

BESIDE_SERVICES = (  # a network's other settings
    *("bridge", "arp_responder", "guard", "rate_limit", "pool", "exclude", "reserve"),
    *("decline_probation_period", "probe", "tag", "ports"),
)
_NOT_IN_A_SERVICE = dict.fromkeys(BESIDE_SERVICES, "belongs in the network, beside this")

_BOOT_FILES = ("bootfile_name", "bootfile_name_alt")

# -- DHCPv4

NOT_IN_DHCPV4 = {"offerip": "comes from the port's addresses"}
_DHCPV4_EXTENSION = ("rapid_commit",)
_BOOT_SERVERS = {"next_server", "tftp_server", "tftp_server_address"}
_ROUTES = "classless_static_route"
_EVERYWHERE = IPv4Network("0.0.0.0/0")
DHCPV4_SETTINGS = {"cidr", "server_mac", "bootfile_name_by_arch", *_DHCPV4_EXTENSION}

# IANA's processor architecture types; clients of x86-64 UEFI send 7 or, by RFC 4578, 9.
ARCHITECTURES = {
    "bios": (0,),
    "uefi_x86_64": (7, 9),
    "uefi_arm64": (11,),
    "http_x86_64": (16,),
    "http_arm64": (19,),
}


def parse_dhcpv4(reader: Reader) -> Dhcpv4 | None:
    """The dhcpv4 section of a network; None if the cidr is wrong: then no port can be checked."""
    refuse = reader.refuse
    refused = {**NOT_IN_DHCPV4, **_NOT_IN_A_SERVICE}
    options = parse_options(reader, DHCPV4, refused, DHCPV4_SETTINGS)
    options.setdefault("lease_time", DEFAULT_LEASE_TIME_S.to_bytes(4, "big"))
    check_times(options, refuse)
    extension = parse_extension(reader, Dhcpv4Extension, _DHCPV4_EXTENSION)
    if "bootfile_name_by_arch" in reader:
        boot_files = _parse_boot_files(reader)
        extension = replace(extension, boot_files=boot_files)
    server_mac = default_server_mac(reader.owner)
    if "server_mac" in reader:
        try:
            server_mac = parse_mac(reader["server_mac"])
        except ValueError as error:
            refuse("server_mac", str(error))
    cidr = _parse_cidr(reader, parse_subnet)
    if cidr is None:
        return None
    netmask = cidr.netmask.packed
    if options.setdefault("netmask", netmask) != netmask:
        refuse("netmask", f"is not that of cidr {cidr}, expected {cidr.netmask} or no netmask")
    first_host = cidr.network_address + (cidr.prefixlen < 31)
    server_id = IPv4Address(options.setdefault("server_id", first_host.packed))
    if reason := why_no_host(server_id, cidr):
        refuse("server_id", f"{server_id} is {reason}, expected the address of a host")
    warn_of_router(reader, options, cidr)
    if not options.keys() & _BOOT_SERVERS:
        what = "no URL, and without next_server nobody is told where it is"
        _warn_of_paths(reader, options, extension.boot_files, what)
    return Dhcpv4(cidr, server_id, server_mac, options, extension)


def _parse_cidr(reader: Reader, parse: Callable[[object], Subnet]) -> Subnet | None:
    """The setting ``cidr``; that of an address in a subnet is a mistake, and means the subnet."""
    if "cidr" not in reader and "cidr" in reader.unclear:
        return None
    value = reader.get("cidr")
    try:
        return parse(value)
    except HostBitsError as error:
        reader.refuse("cidr", str(error))
        return parse(str(error.subnet))
    except ValueError as error:
        reader.refuse("cidr", str(error))
        return None


def warn_of_router(reader: Reader, options: Mapping[str, bytes], cidr: IPv4Network) -> None:
    """Note a router in `options` that a guest does not find on its link, or leaves alone.

    A guest with a /32 is told so on purpose, and one that takes static routes goes by these alone
    (RFC 3442).
    """
    if "router" not in options:
        return
    if _ROUTES in options:
        routes = decode_value(DHCPV4.by_name[_ROUTES], options[_ROUTES])
        name = next((each for each in (_ROUTES, "router") if each in reader), "")
        if name and _EVERYWHERE not in routes:
            whose = f"{_ROUTES} " if name == "router" else ""
            what = f"{whose}without {_EVERYWHERE}: guests that take it ignore router (RFC 3442)"
            reader.warn(name, what)
    elif "router" in reader and cidr.prefixlen < 32:
        for router in decode_value(DHCPV4.by_name["router"], options["router"]):
            if isinstance(router, IPv4Address) and router not in cidr:
                what = f"{router} is not in cidr {cidr}, so guests do not reach it"
                reader.warn("router", what)


def _warn_of_paths(
    reader: Reader, options: Mapping[str, bytes], boot_files: Iterable[BootFile], what: str
) -> None:
    """Note the first setting with a boot file that is no URL."""
    files = [(name, options[name]) for name in _BOOT_FILES if name in options]
    files += [("bootfile_name_by_arch", boot_file.name) for boot_file in boot_files]
    for name, file in files:
        if b"://" not in file:
            reader.warn(name, f"{show(file.decode(errors='replace'))}: {what}")
            return


def check_times(options: Mapping[str, bytes], refuse: Refuse) -> None:
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


def why_no_host(address: IPv4Address, cidr: IPv4Network) -> str:
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


def _parse_boot_files(reader: Reader) -> tuple[BootFile, ...]:
    files = reader.inside("bootfile_name_by_arch")
    found: list[BootFile] = []
    owners: dict[int, str] = {}  # of the architectures
    for name in files or ():
        assert files is not None
        value = files[name]
        refuse = partial(files.refuse, name)
        if re.fullmatch("[0-9]{1,5}", name) and int(name) <= 0xFFFF:
            architectures: tuple[int, ...] = (int(name),)
        elif name in ARCHITECTURES:
            architectures = ARCHITECTURES[name]
        else:
            known = f"{', '.join(ARCHITECTURES)} or a number from 0 to 65535"
            refuse(f"no architecture, expected {known}{files.hint(name, ARCHITECTURES)}")
            continue
        for architecture in architectures:
            if owners.setdefault(architecture, name) != name:
                refuse(
                    f"is architecture {architecture}, as {owners[architecture]} is, expected one"
                )
        try:
            if not isinstance(value, str) or not value:
                raise Misfit(show(value))
            found.append(BootFile(architectures, utf8(value)))
        except Misfit as error:
            refuse(f"{error}, expected a file name or URL")
    return tuple(found)


# -- DHCPv6

NOT_IN_DHCPV6 = {"ia_addr": "comes from the port's addresses"}
_DHCPV6_EXTENSION = ("preferred_lifetime", "valid_lifetime", "t1", "t2", "rapid_commit")
DHCPV6_SETTINGS = {"cidr", "dhcpv6_stateless", "bootfile_name_by_arch", *_DHCPV6_EXTENSION}


def parse_dhcpv6(reader: Reader, server_mac: bytes) -> Dhcpv6 | None:
    """The dhcpv6 section; None if the cidr is wrong.  `server_mac` is the default of server_id."""
    refuse = reader.refuse
    refused = {**NOT_IN_DHCPV6, **_NOT_IN_A_SERVICE}
    options = parse_options(reader, DHCPV6, refused, DHCPV6_SETTINGS)
    server_id = options.setdefault("server_id", server_mac)
    _check_unicast("server_id", server_id, refuse)
    stateless = reader.flag("dhcpv6_stateless")
    extension = parse_extension(
        reader,
        Dhcpv6Extension,
        _DHCPV6_EXTENSION,
        same={"preferred_lifetime": "valid_lifetime"},
    )
    _check_lifetimes(extension, refuse)
    if "bootfile_name_by_arch" in reader:
        extension = replace(extension, boot_files=_parse_boot_files(reader))
    what = "expected a URL, as in tftp://[fd00::1]/file (RFC 5970 §3.1)"
    _warn_of_paths(reader, options, extension.boot_files, what)
    cidr = _parse_cidr(reader, parse_prefix)
    if cidr is None:
        return None
    extension = replace(extension, prefix_length=cidr.prefixlen)
    return Dhcpv6(cidr, server_id, options, stateless, extension)


def _check_lifetimes(extension: Dhcpv6Extension, refuse: Refuse) -> None:
    valid_s = extension.valid_lifetime_s
    if not valid_s:
        refuse("valid_lifetime", f"0 seconds, expected 1 or more ({INFINITY_S} is for ever)")
    for name, time_s in (("t1", extension.t1_s), ("t2", extension.t2_s)):
        if time_s is not None and time_s > valid_s:
            refuse(name, f"is {time_s}, expected valid_lifetime, {valid_s}, or less")


def _check_unicast(name: str, mac: bytes, refuse: Refuse) -> None:
    try:
        parse_mac(mac.hex(":"))
    except ValueError as error:
        refuse(name, str(error))


# -- router advertisements

# The order in which OVN's northd writes them (`build_ND_RA_flows_for_lrouter_port`), then ours.
RA_ORDER = (
    *("addr_mode", "slla", "mtu", "router_preference", "rdnss", "dnssl", "route_info", "prefix"),
    *("captive_portal", "pref64"),
    *("router_lifetime", "hop_limit", "preferred_lifetime", "valid_lifetime"),
    *("dns_lifetime", "route_lifetime"),
)
RA_SETTINGS = {"interval"}
_LIFETIMES = {  # what has them, of what may be for ever
    "prefix": ("preferred_lifetime", "valid_lifetime"),
    "rdnss": ("dns_lifetime",),
    "dnssl": ("dns_lifetime",),
    "route_info": ("route_lifetime",),
}
_NOT_A_ROUTER = bytes(2)  # router_lifetime
_IPV6_HEADER_SIZE = 40
MIN_MTU = 1280  # RFC 8200 §5
_LONGEST_INTERVAL_S = 600  # MaxRtrAdvInterval, if it is not set (RFC 4861 §6.2.1)
_LIKELY_MTU = 1500


def parse_ra(reader: Reader, server_mac: bytes) -> Ra | None:
    """The ra section; None if it makes no message.  `server_mac` is the default of slla.

    Where slla names a router, router_lifetime is OVN's 65535 if not given.  The server itself is
    no router: without slla it is 0, and hosts take prefixes and DNS servers but no default route.
    """
    refuse = reader.refuse
    options = parse_options(reader, ROUTER_ADVERTISEMENT, {}, RA_SETTINGS)
    if "slla" not in reader:
        options.setdefault("router_lifetime", _NOT_A_ROUTER)
    slla = options.setdefault("slla", server_mac)
    if "valid_lifetime" in options:
        options.setdefault("preferred_lifetime", options["valid_lifetime"])
    _check_unicast("slla", slla, refuse)
    interval = _default_interval(options)
    if "interval" in reader:
        try:
            interval = _parse_interval(reader)
        except ValueError as error:
            refuse("interval", str(error))
    _check_ra(reader, options, interval)
    table = ROUTER_ADVERTISEMENT.by_name
    try:
        message = encode_message(
            [(table[name].code, options[name]) for name in RA_ORDER if name in options]
        )
    except UserdataError as error:
        refuse("ra", str(error))
        return None
    largest = _number(options, "mtu", _LIKELY_MTU) - _IPV6_HEADER_SIZE
    if len(message) > largest:
        refuse("ra", f"the message has {len(message)} bytes, expected {largest} at most")
    return Ra(message, slla, interval)


def warn_of_mode(reader: Reader, dhcpv6: Dhcpv6) -> None:
    """Note an advertisement that keeps hosts from asking for the DHCPv6 beside it.

    They go by its flags M and O (RFC 4861 §4.2).
    """
    if reader.get("addr_mode", "slaac") == "slaac":
        options = "dhcpv6_stateless"
        expected = options if dhcpv6.stateless else f"dhcpv6_stateful, or {options} for options"
        reader.warn("addr_mode", f"slaac: guests do not ask by dhcpv6 then, expected {expected}")


def _default_interval(options: Mapping[str, bytes]) -> tuple[float, float] | None:
    """So often that of an advertisement nothing ends before the next; None if nothing ever does.

    Hosts ask when they begin, and not again when something has ended.
    """
    times = [_number(options, "router_lifetime", 0xFFFF)]
    for what, lifetimes in _LIFETIMES.items():
        if what in options:
            times += [_number(options, name, INFINITY_S) for name in lifetimes]
    if "pref64" in options:
        times.append(PREF64_LIFETIME_S)
    ending = [time_s for time_s in times if 0 < time_s < INFINITY_S]
    if not ending:
        return None
    longest = min(max(min(ending) // 3, 4), _LONGEST_INTERVAL_S)
    return _shortest(longest), float(longest)


def _shortest(longest: int) -> float:
    return longest * (0.33 if longest >= 9 else 0.75)


def _parse_interval(reader: Reader) -> tuple[float, float] | None:
    """Shortest and longest time between two advertisements in seconds (RFC 4861 §6.2.1).

    None: nobody is told who does not ask.
    """
    value = reader["interval"]
    if value == NONE:
        return None
    numbers = value if isinstance(value, list) else [value]
    with suppress(ValueError):  # what is expected of all of them is said below
        numbers = [seconds(reader, each) for each in numbers]
    given = [each for each in numbers if isinstance(each, int) and not isinstance(each, bool)]
    if len(given) == len(numbers) and len(given) in (1, 2):
        longest = given[-1]
        shortest = given[0] if len(given) == 2 else _shortest(longest)
        if 4 <= longest <= 1800 and (len(given) == 1 or 3 <= shortest <= 0.75 * longest):
            return float(shortest), float(longest)
    shown = show(value) if not isinstance(value, list) else escape(str(value))
    raise ValueError(
        f"{shown}, expected the longest time, 4 to 1800 seconds, or [shortest, longest] with "
        f"shortest from 3 seconds to 3/4 of longest, or {NONE}"
    )


def _check_ra(
    reader: Reader, options: Mapping[str, bytes], interval: tuple[float, float] | None
) -> None:
    """Note what of an advertisement does not go together."""
    refuse = reader.refuse
    _check_prefixes(reader, options)
    mtu = _number(options, "mtu", _LIKELY_MTU)
    if mtu < MIN_MTU:
        refuse("mtu", f"{mtu}, expected {MIN_MTU} or more (RFC 8200 §5)")
    lifetime_s = _number(options, "router_lifetime", 0xFFFF)
    if interval and "interval" in reader and 0 < lifetime_s < interval[1]:
        what = f"{lifetime_s}, expected 0 or the longest interval, {interval[1]:g}, or more"
        refuse("router_lifetime", what)
    if not lifetime_s and any(options.get("router_preference", b"")):
        refuse("router_preference", "is of a router, expected slla or router_lifetime with it")
    if not lifetime_s and "slla" not in reader and "route_info" in options:
        refuse("route_info", "is by a router, expected slla or router_lifetime with it")
    given = {name for what, names in _LIFETIMES.items() if what in options for name in names}
    for name in sorted(given & set(reader)):
        if interval and 0 < _number(options, name, 0) < interval[1]:
            what = f"ends before the next advertisement, which may be {interval[1]:g} seconds away"
            reader.warn(name, what)
    preferred_s = _number(options, "preferred_lifetime", INFINITY_S)
    valid_s = _number(options, "valid_lifetime", INFINITY_S)
    if preferred_s > valid_s:
        what = f"{preferred_s}, expected valid_lifetime, {valid_s}, or less"
        refuse("preferred_lifetime", what)


def _check_prefixes(reader: Reader, options: Mapping[str, bytes]) -> None:
    """Note prefixes that hosts cannot make addresses of, where addr_mode says they are to."""
    refuse = reader.refuse
    if "addr_mode" in reader and "addr_mode" not in options:
        return  # there is a mistake in it
    table = ROUTER_ADVERTISEMENT.by_name
    mode = str(*decode_value(table["addr_mode"], options.get("addr_mode", b"\0")))
    autonomous = mode != "dhcpv6_stateful"
    if autonomous and "prefix" not in reader:
        refuse("prefix", f"is missing, expected one with addr_mode {mode}")
    for prefix in decode_value(table["prefix"], options["prefix"]) if "prefix" in options else ():
        assert isinstance(prefix, IPv6Network)
        try:
            parse_prefix(str(prefix))
        except ValueError as error:
            refuse("prefix", str(error))
        if autonomous and prefix.prefixlen != 64:
            what = f"{prefix}, expected length 64 with addr_mode {mode} (RFC 4862 §5.5.3)"
            refuse("prefix", what)


def _number(options: Mapping[str, bytes], name: str, default: int) -> int:
    return int.from_bytes(options[name], "big") if name in options else default
