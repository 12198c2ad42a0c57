# SPDX-License-Identifier: Apache-2.0
"""When to connect to a database again, so that not all hosts do so at the same time.

python-ovs waits for nothing, or for exactly 1, 2, 4 and 8 seconds: a thousand hosts that lose one
server all call the next one at once.  Each has the servers in an order of its own already, which
python-ovs shuffles.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from ovs.reconnect import Reconnect

# Over how long the hosts of a server that is gone come to the others.  They lose nothing by it:
# what they know stays in force.
SPREAD_MS = 5000

Choose = Callable[[int], int]  # one of as many numbers, from 0 on


class SpreadReconnect(Reconnect):
    """As python-ovs's, but each host at a time of its own; times are in milliseconds.

    Who loses a server that it has had for `SPREAD_MS` waits for up to as much longer, and who is to
    wait between two attempts does so for at least half of the time.  The first attempt, and the
    next server after one that is not there or has no database, come as soon as ever.  A Unix socket
    has no other hosts.
    """

    def __init__(self, now: int, choose: Choose = random.randrange) -> None:
        super().__init__(now)
        self._choose = choose

    def disconnected(self, now: int, error: int) -> None:
        """The connection, or an attempt to make it, has ended for this ``error``."""
        before = self.state
        super().disconnected(now, error)
        if before is Reconnect.Backoff or self.state is not Reconnect.Backoff:
            return
        if self.name.startswith("unix:"):
            return
        had_one = before.is_connected or before is Reconnect.Reconnect
        if had_one and now - (self.last_connected or now) >= SPREAD_MS:
            self.state_entered += self._choose(SPREAD_MS)
        else:
            self.state_entered -= self._choose(self.backoff // 2 + 1)
