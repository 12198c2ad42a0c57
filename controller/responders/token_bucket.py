# SPDX-License-Identifier: Apache-2.0
"""How many packets a port may ask, where no meter of the switch says so."""

from __future__ import annotations

from ovs_dhcpd.flows.bindings.rate_limit import RateLimit


class TokenBucket:
    """Lets pass what a meter with this ``limit`` would: so many a second, and a burst beyond."""

    __slots__ = ("_filled_s", "_tokens", "limit")

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self._tokens: float = limit.burst
        self._filled_s = 0.0

    def admit(self, now_s: float) -> bool:
        """Take a token; whether there was one.  Times are seconds and only go forward."""
        if now_s > self._filled_s:
            filled = self._tokens + (now_s - self._filled_s) * self.limit.pps
            self._tokens = min(self.limit.burst, filled)
            self._filled_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
