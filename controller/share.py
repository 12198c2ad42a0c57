# SPDX-License-Identifier: Apache-2.0
"""A share of the time, so that who looks on leaves the rest to those who are waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LONGEST_S = 4.0  # that is waited after work, however long it took


class Busy(Exception):
    """It has not come to one's turn."""


class Share:
    """Work of several threads that is done one after the other, with pauses in between.

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
        self._turn = threading.Lock()
        self._free_s = 0.0

    @contextmanager
    def turn(self, timeout_s: float) -> Iterator[None]:
        """What is done in it is done in its turn.  Raises :exc:`Busy` if that does not come."""
        until_s = self._clock() + timeout_s
        if not self._turn.acquire(timeout=timeout_s):
            raise Busy
        try:
            began_s = self._clock()
            if self._free_s > until_s:
                raise Busy
            if began_s < self._free_s:
                self._sleep(self._free_s - began_s)
                began_s = self._clock()
            try:
                yield
            finally:
                ended_s = self._clock()
                self._free_s = ended_s + min(LONGEST_S, (ended_s - began_s) * self._pause)
        finally:
            self._turn.release()
