# SPDX-License-Identifier: Apache-2.0
"""How often a line may be logged, so that nobody outside can fill a disk."""

from __future__ import annotations

from ovs_dhcpd.controller.responders.token_bucket import TokenBucket


class LineLimit:
    """A token bucket, as Open vSwitch's ``VLOG_RATE_LIMIT_INIT(rate, burst)``: lines a second."""

    def __init__(self, rate: float, burst: int) -> None:
        self._bucket = TokenBucket(rate, burst)
        self._dropped = 0

    def admit(self, now_s: float) -> int | None:
        """Take a token: None if there is none, else how often there was none since the last one."""
        if not self._bucket.admit(now_s):
            self._dropped += 1
            return None
        dropped, self._dropped = self._dropped, 0
        return dropped

    def line(self, text: str, now_s: float) -> str | None:
        """``text`` as it is to be logged now, with how many like it were not; None: not now."""
        dropped = self.admit(now_s)
        return None if dropped is None else text + dropped_lines(dropped)

    def drop(self) -> None:
        """There is a line that is not written for another reason."""
        self._dropped += 1


def dropped_lines(count: int) -> str:
    """What to put behind a line that :meth:`LineLimit.admit` has let through with ``count``."""
    return f" (dropped {count} log messages like this)" if count else ""
