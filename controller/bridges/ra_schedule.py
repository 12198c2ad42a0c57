# SPDX-License-Identifier: Apache-2.0
"""When each port is sent an unsolicited router advertisement (RFC 4861 §6.2.1, §6.2.4).

No I/O and no clock here: the time is an argument, in seconds, and so is chance.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass

from ovs_dhcpd.controller.responders.nd_ra import unsolicited
from ovs_dhcpd.controller.wire.frames import with_tag
from ovs_dhcpd.flows.bindings.network import Network, link_local_address

# RFC 4861 §10
MAX_INITIAL_RTR_ADVERT_INTERVAL_S = 16.0
MAX_INITIAL_RTR_ADVERTISEMENTS = 3
MIN_DELAY_BETWEEN_RAS_S = 3.0


@dataclass(frozen=True)
class Advertisement:
    """What a port is sent: `frame` by its `ofport`, each `min_s` to `max_s` seconds."""

    ofport: int
    frame: bytes
    min_s: float
    max_s: float

    @classmethod
    def of(cls, network: Network, ofport: int, tag: int | None = None) -> Advertisement | None:
        """What a port of ``network`` is sent, with the VLAN ``tag`` if it is a sub-port.

        None if the network does not ask for it.
        """
        ra = network.ra
        if ra is None or ra.interval is None:
            return None
        frame = unsolicited(ra.message, ra.slla, link_local_address(ra.slla))
        if tag:
            frame = with_tag(frame, tag)
        return cls(ofport, frame, *ra.interval)


@dataclass
class _Timer:
    advertisement: Advertisement
    due_s: float
    sent: int
    last_s: float  # when the last one was sent


class RaSchedule:
    """The ports that are sent advertisements, and when the next one of each is due.

    `uniform(a, b)` is a random number between the two (:func:`random.uniform`).
    """

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        self._uniform = uniform
        self._timers: dict[str, _Timer] = {}
        # By time; an entry that is not its port's timer (any more) is left over.
        self._heap: list[tuple[float, str]] = []

    def want(self, port: str, advertisement: Advertisement | None, now_s: float) -> None:
        """From now on ``port`` is sent ``advertisement`` (None: nothing).

        With another one than before the port begins anew, with the quicker initial ones:
        the first comes within MIN_DELAY_BETWEEN_RAS, at random, so that not all ports of a
        bridge are sent theirs at once.
        """
        timer = self._timers.get(port)
        if advertisement is None:
            self._timers.pop(port, None)
        elif timer is None or timer.advertisement != advertisement:
            last_s = timer.last_s if timer else -math.inf
            first_s = max(
                now_s + self._uniform(0, MIN_DELAY_BETWEEN_RAS_S), last_s + MIN_DELAY_BETWEEN_RAS_S
            )
            self._timers[port] = _Timer(advertisement, first_s, 0, last_s)
            heapq.heappush(self._heap, (first_s, port))

    def due(self, now_s: float) -> list[Advertisement]:
        """The advertisements to be sent now; the next ones are planned."""
        found = []
        while self._heap and (self._heap[0][0] <= now_s or self._is_left_over(*self._heap[0])):
            due_s, port = heapq.heappop(self._heap)
            if self._is_left_over(due_s, port):
                continue
            timer = self._timers[port]
            found.append(timer.advertisement)
            timer.sent += 1
            timer.last_s = now_s
            timer.due_s = now_s + self._interval_s(timer)
            heapq.heappush(self._heap, (timer.due_s, port))
        return found

    def next_s(self) -> float | None:
        """When :meth:`due` has something again; None: never."""
        return self._heap[0][0] if self._heap else None

    def _is_left_over(self, due_s: float, port: str) -> bool:
        timer = self._timers.get(port)
        return timer is None or timer.due_s != due_s

    def _interval_s(self, timer: _Timer) -> float:
        interval_s = self._uniform(timer.advertisement.min_s, timer.advertisement.max_s)
        if timer.sent < MAX_INITIAL_RTR_ADVERTISEMENTS:
            interval_s = min(interval_s, MAX_INITIAL_RTR_ADVERT_INTERVAL_S)
        return max(interval_s, MIN_DELAY_BETWEEN_RAS_S)
