# SPDX-License-Identifier: Apache-2.0
"""A share of the time, so that who looks on leaves the rest to those who are waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LONGEST_S = 4.0  # that is waited after work, however long it took
MAX_KNOWN = 64  # sources that have worked, of which that is known


class Busy(Exception):
    """It has not come to one's turn."""


class Share:
    """Work of several threads that is done one after the other, with pauses in between.

    Of those who wait it is the turn of the source that has not worked for the longest time, and of
    one source's of who came first.

    It takes no more than ``share`` of the time, but for work that took so long that the pause for
    it would be more than LONGEST_S: with a fifth that is work of a second.
    """

    def __init__(
        self,
        share: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pause = 1 / share - 1  # for each second of work
        self._clock, self._sleep = clock, sleep
        self.waiting: list[tuple[str, object]] = []  # in the order of their coming
        self.known: dict[str, None] = {}  # sources that have worked, the last one at the end
        self._works = False
        self._changed = threading.Condition()
        self._free_s = 0.0

    @contextmanager
    def turn(self, timeout_s: float, source: str = "") -> Iterator[None]:
        """What is done in it is done in its turn.  Raises :exc:`Busy` if that does not come."""
        until_s = self._clock() + timeout_s
        self._begin(timeout_s, source)
        try:
            began_s = self._clock()
            if self._free_s > until_s:
                raise Busy
            if began_s < self._free_s:
                self._sleep(self._free_s - began_s)
                began_s = self._clock()
            self._note(source)
            try:
                yield
            finally:
                ended_s = self._clock()
                self._free_s = ended_s + min(LONGEST_S, (ended_s - began_s) * self._pause)
        finally:
            with self._changed:
                self._works = False
                self._changed.notify_all()

    def _begin(self, timeout_s: float, source: str) -> None:
        me = source, object()
        with self._changed:
            self.waiting.append(me)
            try:
                mine = self._changed.wait_for(
                    lambda: not self._works and self._next() is me, timeout_s
                )
            finally:
                self.waiting.remove(me)
                self._changed.notify_all()
            if not mine:
                raise Busy
            self._works = True

    def _note(self, source: str) -> None:
        with self._changed:
            self.known.pop(source, None)
            self.known[source] = None
            if len(self.known) > MAX_KNOWN:
                del self.known[next(iter(self.known))]

    def _next(self) -> tuple[str, object]:
        places = {source: place for place, source in enumerate(self.known, 1)}
        return min(self.waiting, key=lambda each: places.get(each[0], 0))
