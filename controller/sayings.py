# SPDX-License-Identifier: Apache-2.0
"""What is said in the log of one bridge, and how often.

A peer that connects and fails, again and again, shall fill no disk: until the bridge is ready
each line is said once, whatever its numbers; and all lines have a rate.
"""

from __future__ import annotations

import re

from ovs_dhcpd.controller.switch.line_limit import LineLimit

MAX_LINES = 50  # different ones, while a bridge does not get ready
_NUMBER = re.compile(r"[0-9]+")


class Sayings:
    """The lines about one bridge."""

    def __init__(self) -> None:
        self._said: set[str] = set()  # since the bridge was ready
        self._failing = False  # there was a connection since, and it has ended
        self._limits = {"info": LineLimit(5, 200)}
        self._limits |= {level: LineLimit(1, 10) for level in ("warn", "err")}

    def ready(self) -> None:
        """The bridge is as it should be."""
        self._failing = False
        self._said.clear()

    def failed(self) -> bool:
        """A connection has ended before the bridge was as it should be; whether this is news."""
        failing, self._failing = self._failing, True
        return not failing

    def admit(self, level: str, text: str, now_s: float) -> str | None:
        """The line to log for ``text``; None if it is not to be said."""
        key = _NUMBER.sub("0", text)
        if self._failing and (key in self._said or len(self._said) >= MAX_LINES):
            return None
        if len(self._said) < MAX_LINES:
            self._said.add(key)
        return self._limits[level].line(text, now_s)
