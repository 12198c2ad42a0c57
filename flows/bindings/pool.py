# SPDX-License-Identifier: Apache-2.0
"""Pools: the addresses that ports get which are not given any, and how one is chosen.

The choice begins at a place that the port's name decides, so that a virtual machine that
comes back finds its old address, if that is still free, although nobody has kept it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

Address = IPv4Address | IPv6Address
PooledAddress = tuple[str, Address]  # the name of a network, and an address of its pool


@dataclass(frozen=True, slots=True)
class AddressRange:
    """The addresses from `first` to `last`, which are of the same family."""

    first: Address
    last: Address

    @property
    def size(self) -> int:
        """How many addresses there are."""
        return int(self.last) - int(self.first) + 1

    def __contains__(self, address: Address) -> bool:
        return address.version == self.first.version and (
            int(self.first) <= int(address) <= int(self.last)
        )

    def overlaps(self, other: AddressRange) -> bool:
        """Whether an address is in both."""
        if self.first.version != other.first.version:
            return False
        return int(self.first) <= int(other.last) and int(other.first) <= int(self.last)

    def __str__(self) -> str:
        return f"{self.first}-{self.last}" if self.size > 1 else str(self.first)


@dataclass(frozen=True, slots=True)
class Pool:
    """Ranges that do not overlap.

    `reserved` says of addresses and of MACs whose they are already, inside the ranges or not.
    `excluded` are parts of the ranges, none of which is in two of them, that are not given out.
    `reservations` are by MAC, with one address of a family at the most; each is in `reserved`.
    An address that a client declines, or somebody answers for, is not given out for
    `decline_probation_period_s`. With `probe` it is asked for before it is given out first.
    """

    ranges: tuple[AddressRange, ...]
    reserved: Mapping[Address | bytes, str]
    excluded: tuple[AddressRange, ...] = ()
    reservations: Mapping[bytes, tuple[Address, ...]] = field(default_factory=dict)
    decline_probation_period_s: int = 86400
    probe: bool = True

    @property
    def size(self) -> int:
        """How many addresses there are in the ranges."""
        return sum(part.size for part in self.ranges)

    def has(self, version: int) -> bool:
        """Whether there are addresses of IPv4 (4) or IPv6 (6)."""
        return any(part.first.version == version for part in self.ranges)

    def excluding(self, address: Address) -> AddressRange | None:
        """The excluded range that `address` is in; None if it is not excluded."""
        return next((part for part in self.excluded if address in part), None)

    def reservation(self, mac: bytes | None, version: int) -> Address | None:
        """The address of IPv4 (4) or IPv6 (6) that is kept for the guest with `mac`, if one is."""
        kept = self.reservations.get(mac, ()) if mac else ()
        return next((address for address in kept if address.version == version), None)

    def choose(self, version: int, key: str, is_free: Callable[[Address], bool]) -> Address | None:
        """An address that `is_free` for the port known by `key`; None if there is none.

        It is the same for the same key as long as that is free, whatever is excluded besides.
        """
        ranges = [part for part in self.ranges if part.first.version == version]
        size = sum(part.size for part in ranges)
        digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
        start = int.from_bytes(digest, "big") % size if size else 0
        number = start
        while number < start + size:
            address = _nth(ranges, number % size)
            if excluded := self.excluding(address):
                number += int(excluded.last) - int(address)
            elif is_free(address):
                return address
            number += 1
        return None

    def __str__(self) -> str:
        return ", ".join(map(str, self.ranges))


def _nth(ranges: list[AddressRange], number: int) -> Address:
    for part in ranges:
        if number < part.size:
            return part.first + number
        number -= part.size
    raise IndexError(number)
