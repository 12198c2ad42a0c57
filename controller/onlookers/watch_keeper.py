# SPDX-License-Identifier: Apache-2.0
"""What ``watch/read`` answers: the exchanges since the last time it was asked.

Who watches asks again and again, a few times a second: nothing is sent to a reader that does not
take it, and while nobody asks, nothing is kept.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ovs_dhcpd.controller.control import CommandError, add_query
from ovs_dhcpd.controller.responders.exchange import Exchange
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.watching.recent import Recent

if TYPE_CHECKING:
    from ovs_dhcpd.controller.watching.document import Whose

IDLE_S = 30.0  # without being asked, nobody watches any more
PACKETS = "packets"


class WatchKeeper:
    """Keeps what those see who watch; ``whose`` says who a packet is of."""

    def __init__(self, journal: Journal, whose: Whose) -> None:
        self._journal = journal
        self._whose = whose
        self._recent = Recent()
        self._guard = threading.Lock()
        self._asked_s = float("-inf")
        journal.listen(self._hear)
        add_query("watch/read", f"[{PACKETS}] [NUMBER]", 2, self._read, _show)

    def _hear(self, exchanges: Sequence[Exchange]) -> None:
        """In any thread."""
        with self._guard:
            if exchanges[-1].read.sent_s < self._asked_s + IDLE_S:
                self._recent.add(exchanges)
            else:
                self._recent.forget()

    def read(
        self, number: int | None, last: int | None = None, *, packets: bool = False
    ) -> Mapping[str, Any]:
        """As :meth:`Recent.read`, as values for :mod:`json`; in any thread."""
        from ovs_dhcpd.controller.watching.document import document  # which seldom is needed

        self._journal.write()
        now_s = time.monotonic()
        with self._guard:
            self._asked_s = now_s
            reading = self._recent.read(number, last)
        return document(reading, self._whose, time.time() - now_s, packets=packets)

    def _read(self, words: list[str]) -> Mapping[str, Any]:
        packets = PACKETS in words
        numbers = [word for word in words if word != PACKETS]
        if len(numbers) > 1 or any(not re.fullmatch("[0-9]{1,18}", word) for word in numbers):
            raise CommandError(
                f"{' '.join(words)}: expected {PACKETS}, and the number to go on with"
            )
        return self.read(int(numbers[0]) if numbers else None, packets=packets)


def _show(found: Mapping[str, Any]) -> str:
    from ovs_dhcpd.controller.texts.transaction_line import show_line

    return "\n".join([*map(show_line, found["transactions"]), f"next {found['next']}"])
