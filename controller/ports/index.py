# SPDX-License-Identifier: Apache-2.0
"""A dict of sets in which no set is empty."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Set
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Member = TypeVar("Member", bound=Hashable)

_NONE: frozenset[object] = frozenset()


class Index(Generic[Key, Member]):
    """Which members are found under a key."""

    def __init__(self) -> None:
        self._sets: dict[Key, set[Member]] = {}

    def add(self, key: Key, member: Member) -> None:
        """Have ``member`` found under ``key``, whether it is already or not."""
        self._sets.setdefault(key, set()).add(member)

    def discard(self, key: Key, member: Member) -> None:
        """Have ``member`` not found under ``key``, whether it was or not."""
        members = self._sets.get(key)
        if members is None:
            return
        members.discard(member)
        if not members:
            del self._sets[key]

    def pop(self, key: Key) -> Set[Member]:
        """Take out all that is found under ``key``; returns it."""
        return self._sets.pop(key, set())

    def __getitem__(self, key: Key) -> Set[Member]:
        return self._sets.get(key, _NONE)  # type: ignore[arg-type]  # nobody can add to it

    def __contains__(self, key: object) -> bool:
        return key in self._sets

    def __iter__(self) -> Iterator[Key]:
        return iter(self._sets)
