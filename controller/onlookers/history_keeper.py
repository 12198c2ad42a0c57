# SPDX-License-Identifier: Apache-2.0
"""Where the last quarter of an hour meets the journal, which tells of it, and who asks for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from ovs_dhcpd.controller.responders.exchange import Exchange
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.watching.history import History


class HistoryKeeper:
    """Counts from now on.

    It must be made before somebody else takes what the journal has of earlier exchanges.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._history = History(time.monotonic())
        self._guard = threading.Lock()
        journal.listen(self._hear, early=True, alone=False)

    def _hear(self, exchanges: Sequence[Exchange]) -> None:
        """In any thread."""
        with self._guard:
            self._history.note(exchanges)

    def document(self) -> dict[str, Any]:
        """The last quarter of an hour, as :meth:`History.document`; in any thread."""
        self._journal.write()
        with self._guard:
            return self._history.document(time.monotonic(), time.time())
