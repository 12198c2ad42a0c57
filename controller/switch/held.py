# SPDX-License-Identifier: Apache-2.0
"""Packet-ins that another process is to answer, held in case that it ends before.

A switch sends each packet-in to all of its connections, in the same order.  Who answers marks
after each write which one it has answered last.  Who comes after it so knows which of those that
it holds are still to be answered: what has come after that one, and nothing before.

Times are of :func:`time.monotonic`, which is one clock for all processes of a host.
"""

from __future__ import annotations

import zlib
from collections import deque
from typing import NamedTuple

from ovs_dhcpd.controller.wire.openflow import HEADER

HOLD_S = 2.0  # a process that is killed needs a moment to end, one that dumps core a longer one
HOLD_MAX = 1024
LAG_S = 0.5  # one process may read a packet-in so much later than another answers it


class Mark(NamedTuple):
    """When a packet-in was answered, and which one it was."""

    time_s: float
    checksum: int


def checksum(message: bytes) -> int:
    """What a packet-in is known by, on whichever connection it comes."""
    return zlib.crc32(message[HEADER.size :])  # the header has the version of the connection


class Held:
    """The packet-ins of the last HOLD_S of one connection, which is there since ``since_s``."""

    def __init__(self, since_s: float) -> None:
        self._since_s = since_s
        self._held: deque[tuple[float, bytes]] = deque(maxlen=HOLD_MAX)

    def add(self, message: bytes, now_s: float) -> None:
        """Hold ``message``, which has come now."""
        held = self._held
        while held and held[0][0] < now_s - HOLD_S:
            held.popleft()
        held.append((now_s, message))

    def has_heard(self, last: Mark | None, now_s: float) -> bool:
        """Whether what was answered last has come here too, or was too long ago for that."""
        if last is None or last.time_s < max(now_s - HOLD_S, self._since_s):
            return True
        return self._find(last) is not None

    def take_unanswered(self, last: Mark | None, now_s: float) -> list[bytes]:
        """What has come since the packet-in that was answered last; all if that has not come."""
        at = self._find(last) if last else None
        held = list(self._held)[0 if at is None else at + 1 :]
        self._held.clear()
        return [message for time_s, message in held if time_s >= now_s - HOLD_S]

    def _find(self, last: Mark) -> int | None:
        """Where it is; of equal ones, as clients may send them again, the nearest in time."""
        found = [
            (abs(time_s - last.time_s), at)
            for at, (time_s, message) in enumerate(self._held)
            if checksum(message) == last.checksum
        ]
        lag_s, at = min(found, default=(LAG_S, -1))
        return at if lag_s < LAG_S else None
