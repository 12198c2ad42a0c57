# SPDX-License-Identifier: Apache-2.0
"""Faults of ours that cost one thing only: counted, and logged with their tracebacks.

docs/architecture.md says what each costs ("What a fault costs").
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ovs.vlog import Vlog
from ovs_dhcpd.controller.ports.fault import Fault
from ovs_dhcpd.controller.switch.line_limit import LineLimit

vlog = Vlog("faults")


class Faults:
    """All faults since the start; a traceback a second is logged, and ten at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._clock = clock
        self._guard = threading.Lock()
        self._limit = LineLimit(1, 10)

    def note(self, fault: Fault) -> None:
        """Count it and log it; in any thread."""
        with self._guard:
            self.count += 1
            line = self._limit.line(f"{fault.where}: internal error", self._clock())
        if line:
            vlog.err(line, exc_info=fault.error)

    def lines(self) -> list[str]:
        """The counter as text, for ``ovs-appctl stats/show``; nothing before the first."""
        return [f"{'internal error':<50} {self.count:>10}"] if self.count else []
