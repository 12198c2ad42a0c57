# SPDX-License-Identifier: Apache-2.0
"""The last exchanges, numbered, for those who read at their own pace.

A reader says which number it wants to go on with.  One who is too slow has missed some, and is told
how many; the others are not kept waiting for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from ovs_dhcpd.controller.responders.exchange import Exchange

KEPT = 4096
MAX_SIZE = 16 * 1024 * 1024  # bytes of packet-ins that are kept: more than of so many requests
AT_ONCE = 500  # exchanges of one reading, so that the daemon's thread is soon free again


class Reading(NamedTuple):
    """Exchanges in their order: the first has the number `first`, after `missed` that are gone.

    The reader goes on with `next`.
    """

    first: int
    exchanges: tuple[Exchange, ...]
    missed: int

    @property
    def next(self) -> int:
        """The number of the first exchange that is not among these."""
        return self.first + len(self.exchanges)


class Recent:
    """The last KEPT exchanges, of great packets fewer."""

    def __init__(self) -> None:
        self._kept: deque[Exchange] = deque()
        self._size = 0  # of these
        self._next = 0

    def add(self, exchanges: Sequence[Exchange]) -> None:
        """These exchanges have happened."""
        self._kept.extend(exchanges)
        self._size += sum(len(exchange.message) for exchange in exchanges)
        self._next += len(exchanges)
        while len(self._kept) > KEPT or self._size > MAX_SIZE:
            self._size -= len(self._kept.popleft().message)

    def forget(self) -> None:
        """Nobody reads: keep none, but go on counting."""
        self._kept.clear()
        self._size = 0

    def read(self, number: int | None, last: int | None = None) -> Reading:
        """The exchanges from ``number`` on, AT_ONCE at most; None: none, to begin with the next.

        So it is with a number that has not been given yet, as one of a daemon before this one.  A
        reader who would rather miss some than be late wants no more than the ``last`` ones.
        """
        if number is None or not 0 <= number <= self._next:
            return Reading(self._next, (), 0)
        kept = len(self._kept) if last is None else min(last, len(self._kept))
        first = max(number, self._next - kept)
        start = first - (self._next - len(self._kept))
        some = tuple(islice(self._kept, start, start + AT_ONCE))
        return Reading(first, some, first - number)
