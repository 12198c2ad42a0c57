# SPDX-License-Identifier: Apache-2.0
"""What cannot be read of the rows of a database, and is left out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

from ovs_dhcpd.flows.options.wording import escape, first_lines


class Mistakes:
    """The mistakes of each row, a line each, for others to take away when they change."""

    def __init__(self) -> None:
        self._lines: dict[uuid.UUID, tuple[str, ...]] = {}  # of rows that have any
        self._changed: dict[uuid.UUID, tuple[str, ...]] = {}

    def set(self, row: uuid.UUID, what: str, lines: Iterable[str]) -> None:
        """These are the mistakes of ``row``, which users know as ``what``, and no others."""
        mistakes = tuple(f"{escape(what)}: {line}" for line in first_lines([*lines]))
        if mistakes != self._lines.pop(row, ()):
            self._changed[row] = mistakes
        if mistakes:
            self._lines[row] = mistakes

    def keep(self, is_there: Callable[[uuid.UUID], bool]) -> None:
        """Forget the rows that are not there any more."""
        for gone in [row for row in self._lines if not is_there(row)]:
            self.set(gone, "", ())

    def take(self) -> dict[uuid.UUID, tuple[str, ...]]:
        """The lines of the rows whose mistakes have changed since the last call."""
        changed, self._changed = self._changed, {}
        return changed
