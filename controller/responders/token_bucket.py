# SPDX-License-Identifier: Apache-2.0
"""So many a second, and so many at once beyond that: requests of a port, lines of a log."""

from __future__ import annotations


class TokenBucket:
    """Lets pass what a meter would: ``rate`` a second, and ``burst`` at once beyond that."""

    __slots__ = ("_burst", "_filled_s", "_rate", "_tokens")

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._tokens: float = burst
        self._filled_s = 0.0

    def admit(self, now_s: float) -> bool:
        """Take a token; whether there was one.  Times are seconds and only go forward."""
        if now_s > self._filled_s:
            self._tokens = min(self._burst, self._tokens + (now_s - self._filled_s) * self._rate)
            self._filled_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
