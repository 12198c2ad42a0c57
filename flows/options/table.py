# SPDX-License-Identifier: Apache-2.0
"""The options of DHCPv4, DHCPv6 and router advertisements: one row each.

Everything that is known about an option stands in its row; the types of its values are in
:mod:`flows.options.values`.
The names and codes are those of OVN's lib/ovn-l7.h, except in rows that are `beyond_ovn`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ovs_dhcpd.flows.options.wording import either


class OptionError(ValueError):
    """An option or its value is wrong.  One line: the option, what was wrong, what was expected."""


class Option(NamedTuple):
    """One option.

    `type` is a key of `values.TYPES`.  An option that is `always` goes into a reply even when the
    client's parameter request list leaves it out: without it a lease is of no use.  One that is
    `repeatable` may be given several times, each with a value of its own.  `allowed` are the
    numbers that `rfc` allows, if not all that fit the type.  One that `is_time` is in seconds, and
    of one that may be `endless` the greatest number is for ever.
    """

    name: str
    code: int
    type: str
    rfc: str
    always: bool = False
    repeatable: bool = False
    beyond_ovn: bool = False
    allowed: Sequence[int] = ()
    is_time: bool = False
    endless: bool = False

    def allows(self, value: bytes) -> bool:
        """Whether the encoded value is one that the RFC allows."""
        return not self.allowed or int.from_bytes(value, "big") in self.allowed

    @property
    def numbers(self) -> str:
        """The numbers of `allowed` in words; empty if all are."""
        if isinstance(self.allowed, range):
            return f"{self.allowed[0]} to {self.allowed[-1]}"
        return either(map(str, self.allowed))


class OptionTable:
    """Options by name and by code, and the rules for giving one by number (`option_NNN`)."""

    def __init__(
        self,
        family: str,
        rows: Iterable[Option],
        server_only: Mapping[int, str] = MappingProxyType({}),
        by_name_only: Iterable[int] = (),
        max_number: int = 0,
    ) -> None:
        """Index `rows`, the options of `family`.

        `server_only`: codes that configuration never sets, with the reason.
        `by_name_only`: codes that have a row and no `option_NNN`.
        `max_number`: the largest NNN; 0 if no option can be given by number.
        """
        rows = tuple(rows)
        self.family = family
        self.by_name: Mapping[str, Option] = MappingProxyType({row.name: row for row in rows})
        self.by_code: Mapping[int, Option] = MappingProxyType({row.code: row for row in rows})
        self.server_only = MappingProxyType(dict(server_only))
        self.by_name_only = frozenset(by_name_only)
        self.max_number = max_number

    @property
    def expected(self) -> str:
        """What has to stand where an option is named."""
        return f"the name of a {self.family} option" + " or option_NNN" * bool(self.max_number)

    def lookup(self, name: str) -> Option:
        """The option called `name`, which may be `option_NNN`.  Raises OptionError."""
        if name in self.by_name:
            return self.by_name[name]
        number = re.fullmatch(r"option_(0|[1-9][0-9]{0,4})", name)
        if number is None or not self.max_number:
            raise OptionError(f"{name}: unknown option, expected {self.expected}")
        code = int(number[1])
        if code in self.server_only:
            raise OptionError(f"{name}: cannot be configured, {self.server_only[code]}")
        if code > self.max_number:
            expected = f"a number from 1 to {self.max_number}"
            raise OptionError(f"{name}: there is no such option, expected {expected}")
        if code in self.by_name_only:
            raise OptionError(f"{name}: expected {self.by_code[code].name} in place of the number")
        return self.numbered(code)

    def numbered(self, code: int) -> Option:
        """Option `code` as plain bytes, whether or not it has a name."""
        return Option(f"option_{code}", code, "raw", "")


# Private codes (RFC 3942 leaves 224-254 to the site), used by OVN inside userdata only:
# 253 becomes the siaddr field of a reply, 254 is sent as 67.
PRIVATE = frozenset({253, 254})

_SET_BY_THE_SERVER = "the server sets it"
_SENT_BY_CLIENTS = "only clients send it"

_FROM_1 = range(1, 1 << 8)  # a time to live
_MAX_RT = range(60, 86401)  # seconds between two messages of a client

DHCPV4 = OptionTable(
    "DHCPv4",
    rows=(
        Option("offerip", 0, "ipv4", "RFC 2131 §2"),  # the yiaddr field, not an option
        Option("netmask", 1, "ipv4", "RFC 2132 §3.3", always=True),
        Option("router", 3, "ipv4_list", "RFC 2132 §3.5"),
        Option("dns_server", 6, "ipv4_list", "RFC 2132 §3.8"),
        Option("log_server", 7, "ipv4_list", "RFC 2132 §3.9"),
        Option("lpr_server", 9, "ipv4_list", "RFC 2132 §3.11"),
        Option("hostname", 12, "str", "RFC 2132 §3.14"),
        Option("domain_name", 15, "str", "RFC 2132 §3.17"),
        Option("swap_server", 16, "ipv4", "RFC 2132 §3.18"),
        Option("ip_forward_enable", 19, "bool", "RFC 2132 §4.1"),
        Option("policy_filter", 21, "ipv4_pairs", "RFC 2132 §4.3"),
        Option("default_ttl", 23, "uint8", "RFC 2132 §4.5", allowed=_FROM_1),
        Option("mtu", 26, "uint16", "RFC 2132 §5.1", allowed=range(68, 1 << 16)),
        Option("broadcast_address", 28, "ipv4", "RFC 2132 §5.3"),
        Option("router_discovery", 31, "bool", "RFC 2132 §5.6"),
        Option("router_solicitation", 32, "ipv4", "RFC 2132 §5.7"),
        Option("arp_cache_timeout", 35, "uint32", "RFC 2132 §6.2", is_time=True),
        Option("ethernet_encap", 36, "bool", "RFC 2132 §6.3"),
        Option("tcp_ttl", 37, "uint8", "RFC 2132 §7.1", allowed=_FROM_1),
        Option("tcp_keepalive_interval", 38, "uint32", "RFC 2132 §7.2", is_time=True),
        Option("nis_server", 41, "ipv4_list", "RFC 2132 §8.2"),
        Option("ntp_server", 42, "ipv4_list", "RFC 2132 §8.3"),
        Option("netbios_name_server", 44, "ipv4_list", "RFC 2132 §8.5"),
        Option("netbios_node_type", 46, "uint8", "RFC 2132 §8.7", allowed=(1, 2, 4, 8)),
        Option(
            "lease_time", 51, "uint32", "RFC 2132 §9.2", always=True, is_time=True, endless=True
        ),
        Option("server_id", 54, "ipv4", "RFC 2132 §9.7", always=True),
        Option("T1", 58, "uint32", "RFC 2132 §9.11", always=True, is_time=True),
        Option("T2", 59, "uint32", "RFC 2132 §9.12", always=True, is_time=True),
        Option("tftp_server", 66, "host_id", "RFC 2132 §9.4"),
        Option("bootfile_name", 67, "str", "RFC 2132 §9.5"),
        Option(
            "ipv6_only_preferred", 108, "uint32", "RFC 8925 §3.1", beyond_ovn=True, is_time=True
        ),
        Option("captive_portal", 114, "str", "RFC 8910 §2.1", beyond_ovn=True),
        Option("domain_search_list", 119, "domains", "RFC 3397"),
        Option("classless_static_route", 121, "static_routes", "RFC 3442"),
        Option("tftp_server_address", 150, "ipv4_list", "RFC 5859"),
        Option("path_prefix", 210, "str", "RFC 5071 §5"),
        Option("ms_classless_static_route", 249, "static_routes", "RFC 3442, by its old number"),
        Option("wpad", 252, "str", "draft-ietf-wrec-wpad-01"),
        Option("next_server", 253, "ipv4", "RFC 2131 §2, the siaddr field"),
        Option("bootfile_name_alt", 254, "str", "RFC 2132 §9.5, for clients that are not iPXE"),
    ),
    server_only={
        0: "it is padding",
        50: _SENT_BY_CLIENTS,
        52: _SET_BY_THE_SERVER,
        53: _SET_BY_THE_SERVER,
        55: _SENT_BY_CLIENTS,
        56: _SET_BY_THE_SERVER,
        57: _SENT_BY_CLIENTS,
        61: "the server returns the client's",
        80: "rapid_commit allows it",
        82: "the server returns the relay agent's",
        255: "it ends the options",
    },
    # The server itself works with the values of these, so they must have the right type.
    by_name_only=(51, 54, *sorted(PRIVATE)),
    max_number=254,
)

# What OVN has no code for: settings of the responder, carried in userdata by the extension
# (:mod:`flows.userdata.extension`).
# Here `code` is the number of the sub-TLV.
DHCPV4_EXTENSION = OptionTable(
    "DHCPv4",
    rows=(
        Option("rapid_commit", 1, "bool", "RFC 4039 §3.1"),
        Option("addresses", 2, "ipv4_list", "RFC 2131 §4.3.2"),
        Option("boot_file", 3, "boot_file", "RFC 4578 §2.1", repeatable=True),
    ),
)

DHCPV6 = OptionTable(
    "DHCPv6",
    rows=(
        Option("server_id", 2, "mac", "RFC 8415 §21.3, as a DUID-LL", always=True),
        Option("ia_addr", 5, "ipv6_list", "RFC 8415 §21.6, in an IA_NA", always=True),
        Option("dns_server", 23, "ipv6_list", "RFC 3646 §3"),
        Option("domain_search", 24, "names", "RFC 3646 §4"),
        Option(
            "information_refresh_time",
            32,
            "uint32",
            "RFC 8415 §21.23",
            beyond_ovn=True,
            allowed=range(600, 1 << 32),
            is_time=True,
            endless=True,
        ),
        Option("fqdn", 39, "domain", "RFC 4704 §4"),
        Option("ntp_server", 56, "ntp_servers", "RFC 5908 §4", beyond_ovn=True),
        Option("bootfile_name", 59, "str", "RFC 5970 §3.1"),
        Option(
            "sol_max_rt",
            82,
            "uint32",
            "RFC 8415 §21.24",
            beyond_ovn=True,
            allowed=_MAX_RT,
            is_time=True,
        ),
        Option(
            "inf_max_rt",
            83,
            "uint32",
            "RFC 8415 §21.25",
            beyond_ovn=True,
            allowed=_MAX_RT,
            is_time=True,
        ),
        Option("captive_portal", 103, "str", "RFC 8910 §2.2", beyond_ovn=True),
        Option("bootfile_name_alt", 254, "str", "RFC 5970 §3.1, for clients that are not iPXE"),
    ),
    server_only={
        0: "it is reserved",
        1: "the server returns the client's",
        3: "it is made of the port's addresses",
        4: "the server gives no temporary addresses",
        6: _SENT_BY_CLIENTS,
        8: _SENT_BY_CLIENTS,
        9: "only relay agents send it",
        12: "the server takes no unicast",
        13: _SET_BY_THE_SERVER,
        14: "rapid_commit allows it",
        15: _SENT_BY_CLIENTS,
        16: _SENT_BY_CLIENTS,
        18: "only relay agents send it",
        19: "the server does not reconfigure clients",
        20: "the server does not reconfigure clients",
        25: "it is made of the port's delegated_prefix",
        26: "it is made of the port's delegated_prefix",
        65535: "it is the extension",
    },
    # In userdata these are not what they are on the wire.
    by_name_only=(2, 5, 24, 39, 254),
    max_number=65534,
)

DHCPV6_EXTENSION = OptionTable(
    "DHCPv6",
    rows=(
        Option("preferred_lifetime", 1, "uint32", "RFC 8415 §21.6", is_time=True, endless=True),
        Option("valid_lifetime", 2, "uint32", "RFC 8415 §21.6", is_time=True, endless=True),
        Option("t1", 3, "uint32", "RFC 8415 §21.4", is_time=True, endless=True),
        Option("t2", 4, "uint32", "RFC 8415 §21.4", is_time=True, endless=True),
        Option("rapid_commit", 5, "bool", "RFC 8415 §21.14"),
        Option("prefix_length", 6, "uint8", "RFC 8415 §18.3.3"),
        Option("addresses", 7, "ipv6_list", "RFC 8415 §18.3.2"),
        Option("delegated_prefixes", 8, "ipv6_prefixes", "RFC 8415 §21.22"),
        Option("boot_file", 9, "boot_file", "RFC 5970 §3.3", repeatable=True),
    ),
)

# Codes up to 255 are those of Neighbor Discovery options, but for OVN's 0 and 255; these and the
# codes above are fields of the message (`flows.userdata.router_advertisement`).
ROUTER_ADVERTISEMENT = OptionTable(
    "router advertisement",
    rows=(
        Option("addr_mode", 0, "addr_mode", "RFC 4861 §4.2"),
        Option("slla", 1, "mac", "RFC 4861 §4.6.1"),
        Option("prefix", 3, "ipv6_prefixes", "RFC 4861 §4.6.2", repeatable=True),
        Option("mtu", 5, "uint32", "RFC 4861 §4.6.4"),
        Option("route_info", 24, "route_info", "RFC 4191 §2.3"),
        Option("rdnss", 25, "ipv6_list", "RFC 8106 §5.1"),
        Option("dnssl", 31, "labels", "RFC 8106 §5.2"),
        Option("captive_portal", 37, "str", "RFC 8910 §2.3", beyond_ovn=True),
        Option("pref64", 38, "pref64", "RFC 8781 §4", beyond_ovn=True),
        Option("router_preference", 255, "router_preference", "RFC 4191 §2.2"),
        Option("router_lifetime", 256, "uint16", "RFC 4861 §4.2", beyond_ovn=True, is_time=True),
        Option("hop_limit", 257, "uint8", "RFC 4861 §4.2", beyond_ovn=True),
        Option(
            "preferred_lifetime",
            258,
            "uint32",
            "RFC 4861 §4.6.2",
            beyond_ovn=True,
            is_time=True,
            endless=True,
        ),
        Option(
            "valid_lifetime",
            259,
            "uint32",
            "RFC 4861 §4.6.2",
            beyond_ovn=True,
            is_time=True,
            endless=True,
        ),
        Option(
            "dns_lifetime",
            260,
            "uint32",
            "RFC 8106 §5.1, §5.2",
            beyond_ovn=True,
            is_time=True,
            endless=True,
        ),
        Option(
            "route_lifetime",
            261,
            "uint32",
            "RFC 4191 §2.3",
            beyond_ovn=True,
            is_time=True,
            endless=True,
        ),
    ),
)
