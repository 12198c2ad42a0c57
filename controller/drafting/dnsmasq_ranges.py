# SPDX-License-Identifier: Apache-2.0
"""A ``dhcp-range`` of dnsmasq, and how long its leases are (dnsmasq(8))."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Interface,
    IPv6Network,
    ip_address,
)

from ovs_dhcpd.controller.drafting.draft import Interface
from ovs_dhcpd.flows.bindings.pool import Address
from ovs_dhcpd.flows.options.wording import show
from ovs_dhcpd.flows.userdata.extension import INFINITY_S

MIN_LEASE_S = 120  # dnsmasq takes nothing shorter
DEFAULT_LEASE_S = {4: 3600, 6: 86400}
ASSUMED_LENGTH = 24  # of a subnet of which nobody says it
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_TIME = re.compile(r"([0-9]{1,9})([smhdw]?)", re.ASCII | re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,3}", re.ASCII)
MODES = {4: {"static", "proxy"}}
MODES[6] = {"static", "ra-only", "ra-names", "ra-stateless", "slaac", "off-link", "ra-advrouter"}


class Unreadable(ValueError):
    """What stands there is not what dnsmasq has there; what it says is the end of a line."""


@dataclass(frozen=True, slots=True)
class Range:
    """Addresses that are given out; `modes` are what the range says of them.

    `length` is that of the subnet, None if only the interface has it; so it is with the upper half
    of a ``constructor``'s addresses.  `lease_s` is None where the range does not say it.
    """

    first: Address
    last: Address
    modes: frozenset[str] = frozenset()
    length: int | None = None
    lease_s: int | None = None
    tags: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    constructor: str = ""

    def subnet(self, own: Sequence[Interface]) -> IPv4Network | IPv6Network | None:
        """The subnet, by the range or by dnsmasq's `own` addresses; None: nobody says it."""
        if self.constructor:
            found = {each.network for each in own if isinstance(each, IPv6Interface)}
            return found.pop() if len(found) == 1 else None
        for each in own:
            if (
                self.length is None
                and self.first in each.network
                and each.network.num_addresses > 1
            ):
                return each.network
        if self.length is None:
            return None
        if isinstance(self.first, IPv4Address):
            return IPv4Network((self.first, self.length), strict=False)
        return IPv6Network((self.first, self.length), strict=False)


def lease_time_s(word: str) -> int | None:
    """How long a lease is by this word; None if it is no time."""
    if word.lower() == "infinite":
        return INFINITY_S
    found = _TIME.fullmatch(word)
    if not found:
        return None
    return min(max(int(found[1]) * _UNITS[found[2].lower()], MIN_LEASE_S), INFINITY_S)


def read_range(words: Sequence[str]) -> Range:
    """A range as its words say.  Raises Unreadable."""
    rest = [*words]
    tags, sets = list[str](), list[str]()
    while rest and ":" in rest[0]:
        kind, _, tag = rest[0].partition(":")
        if kind not in ("tag", "set", "net"):
            break
        (tags if kind == "tag" else sets).append(tag)
        rest.pop(0)
    first = _address(rest.pop(0) if rest else "")
    last, constructor = first, ""
    if rest and rest[0].startswith("constructor:"):
        constructor = rest.pop(0).partition(":")[2]
    elif rest and _is_address(rest[0]):
        last = _address(rest.pop(0))
        if rest and rest[0].startswith("constructor:"):
            constructor = rest.pop(0).partition(":")[2]
    if last.version != first.version or int(last) < int(first):
        raise Unreadable(f"{first} and {last}, expected the first and the last address")
    modes = set[str]()
    while rest and rest[0] in MODES[first.version]:
        modes.add(rest.pop(0))
    length, lease_s = _length(first, rest), None
    for word in rest:
        lease_s = lease_time_s(word)
        if lease_s is None:
            raise Unreadable(f"{show(word)}, expected a mode, a mask or a lease time")
    return Range(
        first, last, frozenset(modes), length, lease_s, tuple(tags), tuple(sets), constructor
    )


def _length(first: Address, rest: list[str]) -> int | None:
    """The length of the subnet, taken from the words together with the broadcast address."""
    if first.version == 6:
        if rest and _LENGTH.fullmatch(rest[0]) and 64 <= int(rest[0]) <= 128:
            return int(rest.pop(0))
        return 64
    length = None
    if rest and _is_address(rest[0]):
        try:
            length = IPv4Network(f"0.0.0.0/{rest[0]}").prefixlen
        except ValueError:
            raise Unreadable(f"{show(rest[0])}, expected a netmask") from None
        rest.pop(0)
        if rest and _is_address(rest[0]):
            rest.pop(0)
    return length


def _is_address(word: str) -> bool:
    try:
        _address(word)
    except Unreadable:
        return False
    return True


def _address(word: str) -> Address:
    try:
        if "%" in word:
            raise ValueError
        return ip_address(word)
    except ValueError:
        raise Unreadable(f"{show(word)}, expected an address") from None
