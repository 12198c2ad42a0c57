# SPDX-License-Identifier: Apache-2.0
"""Choosing from a pool: always something free, for the same port the same."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.flows.bindings.pool import AddressRange, Pool

FIRST = int(IPv4Address("10.0.0.0"))


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Up to four ranges, in any order, with gaps or without."""
    ends = sorted(draw(st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True)))
    pairs = zip(ends[::2], ends[1::2], strict=False)
    ranges = [AddressRange(IPv4Address(FIRST + a), IPv4Address(FIRST + b)) for a, b in pairs]
    return Pool(tuple(draw(st.permutations(ranges))), {})


def addresses(pool: Pool) -> set[IPv4Address]:
    return {
        IPv4Address(number)
        for part in pool.ranges
        for number in range(int(part.first), int(part.last) + 1)
    }


@given(pools(), st.text(), st.sets(st.integers(0, 60)))
def test_what_is_chosen_is_free_and_in_the_pool(pool: Pool, key: str, taken: set[int]) -> None:
    free = addresses(pool) - {IPv4Address(FIRST + number) for number in taken}
    chosen = pool.choose(4, key, free.__contains__)
    assert chosen in free or (chosen is None and not free)
    assert pool.choose(6, key, free.__contains__) is None


@given(pools(), st.lists(st.text(), unique=True, max_size=70))
def test_every_address_is_given_out_before_anybody_is_refused(pool: Pool, keys: list[str]) -> None:
    taken: set[object] = set()
    for key in keys:
        chosen = pool.choose(4, key, lambda each: each not in taken)
        if chosen is None:
            break
        taken.add(chosen)
    assert len(taken) == min(len(keys), len(addresses(pool)))
    assert taken <= addresses(pool)


@given(pools(), st.data(), st.text(), st.sets(st.integers(0, 60)))
def test_what_is_excluded_is_not_chosen_and_moves_nobody_else(
    pool: Pool, data: st.DataObject, key: str, taken: set[int]
) -> None:
    """Who would be given an excluded address gets the next one that is free."""
    parts = []
    for part in pool.ranges:
        ends = data.draw(st.lists(st.integers(0, part.size - 1), max_size=2).map(sorted))
        if ends:
            parts.append(AddressRange(part.first + ends[0], part.first + ends[-1]))
    excluded = {address for address in addresses(pool) if any(address in each for each in parts)}
    free = addresses(pool) - {IPv4Address(FIRST + number) for number in taken}
    chosen = replace(pool, excluded=tuple(parts)).choose(4, key, free.__contains__)
    assert chosen == pool.choose(4, key, (free - excluded).__contains__)


@given(pools(), st.text(), st.sets(st.integers(0, 60)))
def test_who_was_first_finds_the_same_however_many_came_since(
    pool: Pool, key: str, taken: set[int]
) -> None:
    chosen = pool.choose(4, key, lambda _: True)
    others = {IPv4Address(FIRST + number) for number in taken} - {chosen}
    assert pool.choose(4, key, lambda each: each not in others) == chosen


def test_the_choice_is_the_same_in_every_version() -> None:
    """The first 8 bytes of BLAKE2b say where it begins; and a /64 is not walked through."""
    prefix = AddressRange(IPv6Address("fd00::"), IPv6Address("fd00::ffff:ffff:ffff:ffff"))
    pool = Pool((prefix,), {})
    chosen = pool.choose(6, "vm1", lambda _: True)
    assert chosen == IPv6Address("fd00::266:fe79:c9d2:75f")
    excluded = AddressRange(IPv6Address("fd00::"), IPv6Address("fd00::7fff:0:0:0"))
    chosen = replace(pool, excluded=(excluded,)).choose(6, "vm1", lambda _: True)
    assert chosen == IPv6Address("fd00::7fff:0:0:1")
