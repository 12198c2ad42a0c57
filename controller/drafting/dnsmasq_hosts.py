# SPDX-License-Identifier: Apache-2.0
"""A ``dhcp-host`` of dnsmasq: its words in any order (dnsmasq(8))."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from ovs_dhcpd.controller.drafting.dnsmasq_ranges import lease_time_s
from ovs_dhcpd.controller.drafting.duid import mac_in
from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.options.wording import show

_MAC = re.compile(r"(?:[0-9]{1,2}-)?[0-9a-fA-F*]{1,2}(?::[0-9a-fA-F*]{1,2}){5}", re.ASCII)
_HOSTNAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})", re.ASCII)
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Host:
    """A guest by its MACs, and what it is to have; `left` is what of it could not be said.

    An address of IPv6 may be the lower half of one (``[::5]``).
    """

    macs: tuple[str, ...] = ()
    ipv4: IPv4Address | None = None
    ipv6: tuple[IPv6Address, ...] = ()
    name: str = ""
    lease_s: int | None = None
    sets: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    is_ignored: bool = False


def read_host(words: Sequence[str]) -> Host:
    """A host as its words say."""
    macs, ipv6, sets, left = list[str](), list[IPv6Address](), list[str](), list[str]()
    ipv4, name, lease_s, is_ignored = None, "", None, False
    for word in words:
        kind, _, rest = word.partition(":")
        if kind in ("set", "net"):
            sets.append(rest)
        elif word == "id:*":
            pass  # a client's id is never looked at here
        elif kind == "id" and (mac := mac_in(rest)):
            _add_mac(mac, macs, left)
        elif kind == "id":
            left.append(f"{show(word)}: a client's id is not looked at, expected a MAC")
        elif kind == "tag":
            left.append(f"{show(word)}: tags are not looked at")
        elif word == "ignore":
            is_ignored = True
        elif _MAC.fullmatch(word):
            _add_mac(word, macs, left)
        elif word.startswith("["):
            _add_ipv6(word, ipv6, left)
        elif _ADDRESS.fullmatch(word):
            try:
                ipv4 = IPv4Address(word)
            except ValueError:
                left.append(f"{show(word)} is no address")
        elif (time_s := lease_time_s(word)) is not None:
            lease_s = time_s
        elif _HOSTNAME.fullmatch(word):
            name = word
        elif word:
            left.append(f"{show(word)} is not known")
    return Host(
        tuple(dict.fromkeys(macs)), ipv4, tuple(dict.fromkeys(ipv6)), name, lease_s,
        tuple(sets), tuple(left), is_ignored,
    )  # fmt: skip


def _add_mac(word: str, macs: list[str], left: list[str]) -> None:
    if "*" in word:
        left.append(f"{show(word)}: a MAC with wildcards cannot be said")
        return
    kind, _, mac = word.rpartition("-")
    if kind and int(kind) != 1:
        left.append(f"{show(word)}: of Ethernet alone a MAC can be said")
        return
    try:
        macs.append(parse_mac(":".join(f"{int(each, 16):02x}" for each in mac.split(":"))).hex(":"))
    except ValueError as error:
        left.append(str(error))


def _add_ipv6(word: str, ipv6: list[IPv6Address], left: list[str]) -> None:
    try:
        if not word.endswith("]") or "%" in word:
            raise ValueError
        ipv6.append(IPv6Address(word[1:-1]))
    except ValueError:
        left.append(f"{show(word)}: expected one IPv6 address in brackets")
