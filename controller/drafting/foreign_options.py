# SPDX-License-Identifier: Apache-2.0
"""What dnsmasq and Kea call the options of DHCP, and their values in our words.

An option that has a row of ours (:mod:`flows.options.table`) is called as there. Others are said by
number, with the bytes that their type has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovs_dhcpd.flows.options.table import DHCPV4, DHCPV6, Option, OptionError, OptionTable
from ovs_dhcpd.flows.options.values import check_bytes, encode_value
from ovs_dhcpd.flows.options.wording import show


@dataclass(frozen=True, slots=True)
class Foreign:
    """One option: its type, which is that of our row if it has one, and what others call it."""

    code: int
    type: str
    dnsmasq: str = ""
    kea: str = ""


# fmt: off
V4 = (
    Foreign(1, "ipv4", "netmask", "subnet-mask"),
    Foreign(2, "int32", "time-offset", "time-offset"),
    Foreign(3, "ipv4_list", "router", "routers"),
    Foreign(4, "ipv4_list", "", "time-servers"),
    Foreign(5, "ipv4_list", "", "name-servers"),
    Foreign(6, "ipv4_list", "dns-server", "domain-name-servers"),
    Foreign(7, "ipv4_list", "log-server", "log-servers"),
    Foreign(8, "ipv4_list", "", "cookie-servers"),
    Foreign(9, "ipv4_list", "lpr-server", "lpr-servers"),
    Foreign(10, "ipv4_list", "", "impress-servers"),
    Foreign(11, "ipv4_list", "", "resource-location-servers"),
    Foreign(12, "str", "hostname", "host-name"),
    Foreign(13, "uint16", "boot-file-size", "boot-size"),
    Foreign(14, "str", "", "merit-dump"),
    Foreign(15, "str", "domain-name", "domain-name"),
    Foreign(16, "ipv4", "swap-server", "swap-server"),
    Foreign(17, "str", "root-path", "root-path"),
    Foreign(18, "str", "extension-path", "extensions-path"),
    Foreign(19, "bool", "ip-forward-enable", "ip-forwarding"),
    Foreign(20, "bool", "non-local-source-routing", "non-local-source-routing"),
    Foreign(21, "ipv4_pairs", "policy-filter", "policy-filter"),
    Foreign(22, "uint16", "max-datagram-reassembly", "max-dgram-reassembly"),
    Foreign(23, "uint8", "default-ttl", "default-ip-ttl"),
    Foreign(24, "uint32", "", "path-mtu-aging-timeout"),
    Foreign(26, "uint16", "mtu", "interface-mtu"),
    Foreign(27, "bool", "all-subnets-local", "all-subnets-local"),
    Foreign(28, "ipv4", "broadcast", "broadcast-address"),
    Foreign(29, "bool", "", "perform-mask-discovery"),
    Foreign(30, "bool", "", "mask-supplier"),
    Foreign(31, "bool", "router-discovery", "router-discovery"),
    Foreign(32, "ipv4", "router-solicitation", "router-solicitation-address"),
    Foreign(33, "ipv4_pairs", "static-route", "static-routes"),
    Foreign(34, "bool", "trailer-encapsulation", "trailer-encapsulation"),
    Foreign(35, "uint32", "arp-timeout", "arp-cache-timeout"),
    Foreign(36, "bool", "ethernet-encap", "ieee802-3-encapsulation"),
    Foreign(37, "uint8", "tcp-ttl", "default-tcp-ttl"),
    Foreign(38, "uint32", "tcp-keepalive", "tcp-keepalive-interval"),
    Foreign(39, "bool", "", "tcp-keepalive-garbage"),
    Foreign(40, "str", "nis-domain", "nis-domain"),
    Foreign(41, "ipv4_list", "nis-server", "nis-servers"),
    Foreign(42, "ipv4_list", "ntp-server", "ntp-servers"),
    Foreign(44, "ipv4_list", "netbios-ns", "netbios-name-servers"),
    Foreign(45, "ipv4_list", "netbios-dd", "netbios-dd-server"),
    Foreign(46, "uint8", "netbios-nodetype", "netbios-node-type"),
    Foreign(47, "str", "netbios-scope", "netbios-scope"),
    Foreign(48, "ipv4_list", "x-windows-fs", "font-servers"),
    Foreign(49, "ipv4_list", "x-windows-dm", "x-display-manager"),
    Foreign(51, "uint32", "lease-time", "dhcp-lease-time"),
    Foreign(54, "ipv4", "server-identifier", "dhcp-server-identifier"),
    Foreign(58, "uint32", "T1", "dhcp-renewal-time"),
    Foreign(59, "uint32", "T2", "dhcp-rebinding-time"),
    Foreign(60, "str", "vendor-class", "vendor-class-identifier"),
    Foreign(64, "str", "nis+-domain", "nisplus-domain-name"),
    Foreign(65, "ipv4_list", "nis+-server", "nisplus-servers"),
    Foreign(66, "host_id", "tftp-server", "tftp-server-name"),
    Foreign(67, "str", "bootfile-name", "boot-file-name"),
    Foreign(68, "ipv4_list", "mobile-ip-home", "mobile-ip-home-agent"),
    Foreign(69, "ipv4_list", "smtp-server", "smtp-server"),
    Foreign(70, "ipv4_list", "pop3-server", "pop-server"),
    Foreign(71, "ipv4_list", "nntp-server", "nntp-server"),
    Foreign(72, "ipv4_list", "", "www-server"),
    Foreign(73, "ipv4_list", "", "finger-server"),
    Foreign(74, "ipv4_list", "irc-server", "irc-server"),
    Foreign(100, "str", "posix-timezone", "pcode"),
    Foreign(101, "str", "tzdb-timezone", "tcode"),
    Foreign(108, "uint32", "ipv6-only", "v6-only-preferred"),
    Foreign(114, "str", "", "v4-captive-portal"),
    Foreign(119, "domains", "domain-search", "domain-search"),
    Foreign(121, "static_routes", "classless-static-route", "classless-static-route"),
    Foreign(138, "ipv4_list", "", "capwap-ac-v4"),
    Foreign(150, "ipv4_list", "tftp-server-address", ""),
)
V6 = (
    Foreign(7, "uint8", "", "preference"),
    Foreign(21, "labels", "sip-server-domain", "sip-server-dns"),
    Foreign(22, "ipv6_list", "sip-server", "sip-server-addr"),
    Foreign(23, "ipv6_list", "dns-server", "dns-servers"),
    Foreign(24, "names", "domain-search", "domain-search"),
    Foreign(27, "ipv6_list", "nis-server", "nis-servers"),
    Foreign(28, "ipv6_list", "nis+-server", "nisp-servers"),
    Foreign(29, "labels", "nis-domain", "nis-domain-name"),
    Foreign(30, "labels", "nis+-domain", "nisp-domain-name"),
    Foreign(31, "ipv6_list", "sntp-server", "sntp-servers"),
    Foreign(32, "uint32", "information-refresh-time", "information-refresh-time"),
    Foreign(41, "str", "posix-timezone", "new-posix-timezone"),
    Foreign(42, "str", "tzdb-timezone", "new-tzdb-timezone"),
    Foreign(56, "ntp_servers", "ntp-server", ""),
    Foreign(59, "str", "bootfile-url", "bootfile-url"),
    Foreign(82, "uint32", "", "sol-max-rt"),
    Foreign(83, "uint32", "", "inf-max-rt"),
    Foreign(103, "str", "", "v6-captive-portal"),
)
# fmt: on

TABLES: Mapping[int, OptionTable] = {4: DHCPV4, 6: DHCPV6}
_ROWS: Mapping[int, Mapping[int, Foreign]] = {
    4: {row.code: row for row in V4},
    6: {row.code: row for row in V6},
}
_NAMES = {
    (version, program): {getattr(row, program): row.code for row in rows.values()}
    for version, rows in _ROWS.items()
    for program in ("dnsmasq", "kea")
}
_NUMBERS = {"uint8": 1, "uint16": 2, "uint32": 4, "int32": 4}
_LISTS = {"ipv4_list", "ipv6_list", "ipv4_pairs", "domains", "names", "labels", "ntp_servers"}
_NUMBER = re.compile(r"-?(?:[0-9]{1,10}|0x[0-9a-fA-F]{1,8})", re.ASCII)


def code_of(version: int, program: str, name: str) -> int | None:
    """The code of the option that dnsmasq or kea calls so; None: it is not known here."""
    return _NAMES[version, program].get(name) if name else None


def type_of(version: int, code: int) -> str:
    """What the values of the option are; empty if it is not known here."""
    row = TABLES[version].by_code.get(code) or _ROWS[version].get(code)
    return row.type if row else ""


def setting(version: int, code: int, words: Sequence[str], kind: str = "") -> tuple[str, object]:
    """Our name and value for an option, with these words as its value.

    `kind` is its type where it is not known here.  Raises OptionError.
    """
    table = TABLES[version]
    option = table.lookup(f"option_{code}") if code not in table.by_name_only else None
    row = table.by_code.get(code)
    kind = type_of(version, code) or kind
    value = _value(kind, words)
    if row:
        check_bytes(row, encode_value(row, value))
        return row.name, value
    assert option
    return option.name, f"0x{_encode(option, kind, value).hex()}"


def raw(version: int, code: int, data: bytes) -> tuple[str, object]:
    """Our name and value for an option with these bytes as its value.  Raises OptionError."""
    table = TABLES[version]
    option = table.lookup(f"option_{code}")
    if not data:
        raise OptionError(f"{option.name}: it is empty, expected a value")
    if row := table.by_code.get(code):
        check_bytes(row, data)
    return option.name, f"0x{data.hex()}"


def _encode(option: Option, kind: str, value: object) -> bytes:
    if kind == "int32" and isinstance(value, int):
        if not -(1 << 31) <= value < 1 << 31:
            raise OptionError(f"{option.name}: {value} does not fit, expected 32 bits")
        return value.to_bytes(4, "big", signed=True)
    return encode_value(option._replace(type=kind), value)


def _value(kind: str, words: Sequence[str]) -> object:
    """The words as YAML would give a value of this type."""
    if not words:
        raise OptionError("it is empty, expected a value")
    if kind == "str":
        return ",".join(words)
    if kind == "static_routes":
        return _routes(words)
    if kind in _LISTS:
        return list(words) if len(words) > 1 else words[0]
    if len(words) > 1:
        raise OptionError(f"{show(','.join(words))}, expected one value")
    (word,) = words
    if kind == "bool":
        if word.lower() not in ("0", "1", "true", "false"):
            raise OptionError(f"{show(word)}, expected true or false")
        return word.lower() in ("1", "true")
    if kind in _NUMBERS:
        if not _NUMBER.fullmatch(word):
            raise OptionError(f"{show(word)}, expected a number")
        return int(word, 0) if "0x" in word else int(word)
    return word


def _routes(words: Sequence[str]) -> list[str]:
    """Destinations and routers in turn, or as Kea has them, ``destination - router``."""
    if all(" - " in word for word in words):
        words = [part.strip() for word in words for part in word.split(" - ", 1)]
    if len(words) % 2:
        raise OptionError(f"{show(','.join(words))}, expected destinations and routers in turn")
    return [
        f"{to if '/' in to else f'{to}/32'},{router}"
        for to, router in zip(words[::2], words[1::2], strict=True)
    ]
