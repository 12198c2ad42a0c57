# SPDX-License-Identifier: Apache-2.0
"""Standard error where it is systemd's journal: each line says how bad it is (sd-daemon(3)).

The journal has the time of each line itself, and the program and its pid.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

STREAM = "JOURNAL_STREAM"
# syslog(3)'s numbers.
_PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
    (logging.DEBUG, 7),
)


def is_there(environment: Mapping[str, str] = os.environ, descriptor: int = 2) -> bool:
    """Whether the descriptor is what the manager has connected to the journal."""
    stream = environment.get(STREAM)
    if not stream:
        return False
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return stream == f"{found.st_dev}:{found.st_ino}"


def marked(text: str, level: int) -> str:
    """The text, each line of it with the priority of :mod:`logging`'s ``level`` before it."""
    number = next((number for least, number in _PRIORITIES if level >= least), 7)
    return "\n".join(f"<{number}>{line}" for line in text.split("\n"))


class Formatter(logging.Formatter):
    """For a handler that writes there."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines of a record, its traceback included."""
        return marked(super().format(record), record.levelno)
