# SPDX-License-Identifier: Apache-2.0
"""The DHCP options: one row each, with the name OVN gives it.

Everything that is known about an option stands in its row; the types are in `values`.
The names and codes are those of OVN's lib/ovn-l7.h.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


class OptionError(ValueError):
    """An option or its value is wrong.  One line: the option, what was wrong, what was expected."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    `type` is a key of `values.TYPES`.  An option that is `always` goes into a reply even when the
    client's parameter request list leaves it out: without it a lease is of no use.
    """

    name: str
    code: int
    type: str
    rfc: str
    always: bool = False


class OptionTable:
    """Options by name and by code, and the rules for giving one by number (`option_NNN`)."""

    def __init__(
        self, rows: Iterable[Option], server_only: Mapping[int, str], by_name_only: Iterable[int]
    ) -> None:
        """Index `rows`.

        `server_only`: codes that configuration never sets, with the reason.
        `by_name_only`: codes that have a row and no `option_NNN`.
        """
        rows = tuple(rows)
        self.by_name: Mapping[str, Option] = MappingProxyType({row.name: row for row in rows})
        self.by_code: Mapping[int, Option] = MappingProxyType({row.code: row for row in rows})
        self.server_only = MappingProxyType(dict(server_only))
        self.by_name_only = frozenset(by_name_only)

    def lookup(self, name: str) -> Option:
        """The option called `name`, which may be `option_NNN`.  Raises OptionError."""
        if name in self.by_name:
            return self.by_name[name]
        number = re.fullmatch(r"option_(0|[1-9][0-9]{0,4})", name)
        if number is None:
            expected = "the name of a DHCPv4 option or option_NNN"
            raise OptionError(f"{name}: unknown option, expected {expected}")
        code = int(number[1])
        if code > 255:
            raise OptionError(f"{name}: there is no such option, expected a number from 1 to 254")
        if code in self.server_only:
            raise OptionError(f"{name}: cannot be configured, {self.server_only[code]}")
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

DHCPV4 = OptionTable(
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
        Option("default_ttl", 23, "uint8", "RFC 2132 §4.5"),
        Option("mtu", 26, "uint16", "RFC 2132 §5.1"),
        Option("broadcast_address", 28, "ipv4", "RFC 2132 §5.3"),
        Option("router_discovery", 31, "bool", "RFC 2132 §5.6"),
        Option("router_solicitation", 32, "ipv4", "RFC 2132 §5.7"),
        Option("arp_cache_timeout", 35, "uint32", "RFC 2132 §6.2"),
        Option("ethernet_encap", 36, "bool", "RFC 2132 §6.3"),
        Option("tcp_ttl", 37, "uint8", "RFC 2132 §7.1"),
        Option("tcp_keepalive_interval", 38, "uint32", "RFC 2132 §7.2"),
        Option("nis_server", 41, "ipv4_list", "RFC 2132 §8.2"),
        Option("ntp_server", 42, "ipv4_list", "RFC 2132 §8.3"),
        Option("netbios_name_server", 44, "ipv4_list", "RFC 2132 §8.5"),
        Option("netbios_node_type", 46, "uint8", "RFC 2132 §8.7"),
        Option("lease_time", 51, "uint32", "RFC 2132 §9.2", always=True),
        Option("server_id", 54, "ipv4", "RFC 2132 §9.7", always=True),
        Option("T1", 58, "uint32", "RFC 2132 §9.11", always=True),
        Option("T2", 59, "uint32", "RFC 2132 §9.12", always=True),
        Option("tftp_server", 66, "host_id", "RFC 2132 §9.4"),
        Option("bootfile_name", 67, "str", "RFC 2132 §9.5"),
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
        57: _SENT_BY_CLIENTS,
        61: "the server returns the client's",
        82: "the server returns the relay agent's",
        255: "it ends the options",
    },
    # The server itself works with the values of these, so they must have the right type.
    by_name_only=(51, 54, *sorted(PRIVATE)),
)
