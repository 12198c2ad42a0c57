# SPDX-License-Identifier: Apache-2.0
"""What the log's lines look like, whoever wrote the text in them: printable, and not endless."""

from __future__ import annotations

import logging
import traceback

from ovs.vlog import DESTINATIONS
from ovs_dhcpd.flows.options.wording import printable

MAX_LINE = 1000  # characters, the time among them
MAX_TRACEBACK = 100  # lines


def make_printable() -> None:
    """Have all that is logged from now on be a printable line, with a traceback where there is one.

    To be called once.  A filter of the loggers stays when their files are opened again.
    """
    for destination in DESTINATIONS:
        logging.getLogger(destination).addFilter(_printable)


def _printable(record: logging.LogRecord) -> bool:
    record.msg = _cut(str(record.msg))
    if record.exc_info and not record.exc_text:
        lines = "".join(traceback.format_exception(*record.exc_info)).rstrip().split("\n")
        # Behind a space, none of them can be taken for a line of the log.
        record.exc_text = "\n".join(f"  {_cut(line)}" for line in lines[-MAX_TRACEBACK:])
    return True


def _cut(line: str) -> str:
    line = printable(line)
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"
