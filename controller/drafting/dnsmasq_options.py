# SPDX-License-Identifier: Apache-2.0
"""The ``dhcp-option`` and ``dhcp-boot`` of dnsmasq, and to whom they are told: its tags.

A tag is set by a range, by a host, or by what a client says (``dhcp-match``, ``dhcp-vendorclass``).
The first two are known here; of the last, a client's architecture and iPXE are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeVar

from ovs_dhcpd.controller.drafting.dnsmasq_ranges import Unreadable
from ovs_dhcpd.controller.drafting.foreign_options import code_of, raw, setting, type_of
from ovs_dhcpd.flows.options.table import OptionError
from ovs_dhcpd.flows.options.wording import show

_NUMBER = re.compile(r"[0-9]{1,5}", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2})*", re.ASCII)
_WIDE = re.compile(r"(-?[0-9]{1,10})([bsi]?)", re.ASCII)
_WIDTHS = {"b": 1, "s": 2, "i": 4}
OWN = {"0.0.0.0", "[::]", "[fd00::]", "[fe80::]"}  # dnsmasq's own address


@dataclass(frozen=True, slots=True)
class Told:
    """An option of DHCPv4 (4) or DHCPv6 (6), for who has these tags, and not those with a ``!``.

    Without words nothing is told.
    """

    version: int
    code: int
    words: tuple[str, ...]
    tags: tuple[str, ...]
    where: str


@dataclass(frozen=True, slots=True)
class Boot:
    """A boot file, its server's name and address, for who has these tags."""

    file: str
    server: str
    address: str
    tags: tuple[str, ...]
    where: str


@dataclass(slots=True)
class Clients:
    """The tags that are set by what clients say: the architecture, that it is iPXE, or another."""

    architectures: dict[str, set[int]] = field(default_factory=dict)
    ipxe: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)

    @property
    def all(self) -> set[str]:
        """All of these tags."""
        return {*self.architectures, *self.ipxe, *self.others}

    def read(self, name: str, words: Sequence[str]) -> None:
        """Take in such an option of dnsmasq."""
        tag = next((word.partition(":")[2] for word in words if word.startswith("set:")), "")
        rest = [word for word in words if not word.startswith("set:")]
        option = rest[0].removeprefix("option:") if rest else ""
        if (name, *rest) == ("dhcp-userclass", "iPXE") or (name, option) == ("dhcp-match", "175"):
            self.ipxe.add(tag)
        elif (
            name == "dhcp-match"
            and option in ("93", "client-arch")
            and len(rest) == 2
            and _NUMBER.fullmatch(rest[1])
            and int(rest[1]) <= 0xFFFF
        ):
            self.architectures.setdefault(tag, set()).add(int(rest[1]))
        else:
            self.others.add(tag)


Tagged = TypeVar("Tagged", Told, Boot)


def is_for(tags: Iterable[str], having: Set[str], unknown: Set[str]) -> bool | None:
    """Whether what has these tags is for who is `having` those; None: `unknown` ones decide."""
    answer: bool | None = True
    for tag in tags:
        name = tag.removeprefix("!")
        if name in unknown and name not in having:
            answer = None
        elif (name in having) == tag.startswith("!"):
            return False
    return answer


def last(found: Iterable[Tagged]) -> Tagged | None:
    """Which of these counts: one with tags before one without, and then the last."""
    best: Tagged | None = None
    for each in found:
        if best is None or bool(each.tags) >= bool(best.tags):
            best = each
    return best


def read_option(words: Sequence[str], where: str) -> Told:
    """A ``dhcp-option`` as its words say.  Raises Unreadable."""
    tags, rest = split_tags(words)
    word = rest.pop(0) if rest else ""
    kind, _, name = word.partition(":")
    if kind in ("encap", "vi-encap", "vendor"):
        raise Unreadable(f"{show(word)}: options inside of options cannot be said")
    version, code = 4, None
    if _NUMBER.fullmatch(word):
        code = int(word)
    elif kind in ("option", "option6"):
        version = 6 if kind == "option6" else 4
        code = int(name) if _NUMBER.fullmatch(name) else code_of(version, "dnsmasq", name)
    if code is None:
        raise Unreadable(f"{show(word)} is not known, expected an option")
    return Told(version, code, tuple(each for each in rest if each), tags, where)


def read_boot(words: Sequence[str], where: str) -> Boot:
    """A ``dhcp-boot`` as its words say.  Raises Unreadable."""
    tags, rest = split_tags(words)
    file, server, address = [*rest, "", "", ""][:3]
    if not file:
        raise Unreadable("it is empty, expected a file")
    return Boot(file, server, address, tags, where)


def split_tags(words: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """The tags in front, and what comes after them."""
    tags, rest = list[str](), [*words]
    while rest and rest[0].partition(":")[0] in ("tag", "net"):
        tags.append(rest.pop(0).partition(":")[2])
    return tuple(tags), rest


def setting_of(option: Told, own: str) -> tuple[str, object]:
    """Our name and value for an option; `own` is dnsmasq's address, empty if it is not known.

    Raises OptionError.
    """
    version, code = option.version, option.code
    words = option.words
    if type_of(version, code) or _are_addresses(version, words):
        if not own and not OWN.isdisjoint(words):
            raise OptionError("dnsmasq's own address is not known: say it with --address")
        words = tuple((own if version == 4 else f"[{own}]") if word in OWN else word
                      for word in words)  # fmt: skip
    data = data_of(version, code, words)
    if data is not None:
        return raw(version, code, data)
    if version == 6:
        words = tuple(word[1:-1] if word.startswith("[") else word for word in words)
    return setting(version, code, words)


def data_of(version: int, code: int, words: Sequence[str]) -> bytes | None:
    """The bytes of an option whose type is not known here, as dnsmasq guesses it; None: it is."""
    if type_of(version, code):
        return None
    if len(words) == 1 and _HEX.fullmatch(words[0]) and ":" in words[0]:
        return bytes.fromhex(words[0].replace(":", ""))
    if _are_addresses(version, words):
        return b"".join(ip_address(word.strip("[]")).packed for word in words)
    if len(words) == 1 and (number := _WIDE.fullmatch(words[0])):
        value = int(number[1])
        size = _WIDTHS.get(number[2]) or (1 if 0 <= value < 256 else 2 if 0 <= value < 65536 else 4)
        if -(1 << 8 * size - 1) <= value < 1 << 8 * size:
            return (value % (1 << 8 * size)).to_bytes(size, "big")
    return ",".join(words).encode()


def _are_addresses(version: int, words: Sequence[str]) -> bool:
    """Whether all words are addresses, those of IPv6 in brackets."""
    try:
        for word in words:
            if version == 4:
                IPv4Address(word)
            elif (word[:1], word[-1:]) == ("[", "]"):
                IPv6Address(word[1:-1])
            else:
                return False
    except ValueError:
        return False
    return True
