# SPDX-License-Identifier: Apache-2.0
"""python-ovs's log where it is not as the programs of Open vSwitch are."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone

import ovs.vlog
from ovs.vlog import Vlog
from ovs_dhcpd.controller import journald
from ovs_dhcpd.controller.switch.line_limit import LineLimit

vlog = Vlog("log")

# Of what is imported once the log is open, while packets are answered already.
LATE_MODULES = (
    *("bridge", "control", "faults", "files", "hook", "hosts", "http", "listener"),
    *("northbound", "parking", "writer"),
    *("idl", "jsonrpc", "reconnect", "stream", "unixctl_server"),
)

# python-ovs's modules whose warnings are about what somebody sends to us, which it does not limit.
ABOUT_PEERS = ("jsonrpc", "unixctl_server")
PEER_LINES = (1, 20)  # a second, and at once

last_error: tuple[float, str] | None = None  # when, in seconds since 1970, and the line

on_change: list[Callable[[], None]] = []  # to be called when levels may have changed

JOURNAL_PATTERN = "%c%T|%p|%m"  # without time and number

_TIME = re.compile(r"%0?[1-9]?([dD])(?:\{(.*)\})?")  # of a pattern: its zone, its format


def admit_late_modules() -> None:
    """Have LATE_MODULES log too, at the levels that are set: python-ovs would refuse them."""
    for name in LATE_MODULES:
        Vlog(name)
    Vlog.__init__ = _name


def _name(self: Vlog, name: str) -> None:
    """As :class:`Vlog` is made before the log is open."""
    self.name = name.lower()
    Vlog._Vlog__mfl.setdefault(self.name, ovs.vlog.DESTINATIONS.copy())


def remember_errors() -> None:
    """Have `last_error` be the last line of level ERR, wherever it is written.  Once."""
    err = Vlog.err

    def remember(self: Vlog, message: str, **kwargs: object) -> None:
        global last_error
        last_error = time.time(), f"{self.name}: {message}"
        err(self, message, **kwargs)

    Vlog.err = remember


def limit_lines_about_peers() -> None:
    """Have no more than PEER_LINES of warnings by each of ABOUT_PEERS.  Once."""
    warn = Vlog.warn
    limits = {name: LineLimit(*PEER_LINES) for name in ABOUT_PEERS}

    def limited(self: Vlog, message: str, **kwargs: object) -> None:
        limit = limits.get(self.name)
        line = limit.line(message, time.monotonic()) if limit else message
        if line is not None:
            warn(self, line, **kwargs)

    Vlog.warn = limited


def write_to_the_journal() -> bool:
    """Have standard error be as the journal wants it, if it is there; once the log is open."""
    if not journald.is_there():
        return False
    Vlog.set_pattern("console", JOURNAL_PATTERN)
    for handler in logging.getLogger("console").handlers:
        handler.setFormatter(journald.Formatter())
    return True


def mend_times() -> None:
    """Have the time in each line right: python-ovs writes 97 ms as "97."."""
    Vlog._format_time = _format_time


def _format_time(_: Vlog, pattern: str) -> str:
    """The pattern with the time in it, as :meth:`Vlog._format_time` is meant to do it."""
    found = _TIME.search(pattern)
    if found is None:
        return pattern
    now = datetime.now(timezone.utc) if found[1] == "D" else datetime.now()
    return f"{pattern[: found.start()]} {show_time(now, found[2])} {pattern[found.end() :]}"


def show_time(now: datetime, layout: str | None) -> str:
    """``now`` as strftime(3) has it, with as many digits of the second as there are ``#``."""
    if layout is None:
        return now.replace(microsecond=0, tzinfo=None).isoformat()
    fraction = f"{now.microsecond:06}"
    return re.sub("#+", lambda hashes: fraction[: len(hashes[0])], now.strftime(layout))


@contextmanager
def off_console(module: str) -> Iterator[None]:
    """What ``module`` says meanwhile goes elsewhere: it is on standard error anyway."""
    levels = Vlog._Vlog__mfl[module]
    before = levels["console"]
    Vlog.set_level(module, "console", "off")
    try:
        yield
    finally:
        Vlog.set_level(module, "console", before)


def set_levels(words: list[str]) -> None:
    """What ``vlog/set`` and ``-v`` say; raises ValueError, and has then changed no pattern."""
    before = dict(ovs.vlog.PATTERNS)
    for word in words:
        try:
            mistake = Vlog.set_levels_from_string(word)
            for destination in ovs.vlog.PATTERNS:  # some patterns cannot be written
                vlog._build_message("", destination, "info", 0)
        except Exception:  # whatever python-ovs makes of what is no level and no pattern
            mistake = f"{word!r} is not understood"
        if mistake:
            ovs.vlog.PATTERNS.update(before)
            raise ValueError(mistake)
        for call in on_change:
            call()


def reopen() -> str | None:
    """Write to a new file of the log's name; raises OSError, and the old one is kept."""
    path = Vlog._Vlog__log_file
    if not path:
        return "Logging to file not configured"
    _write_to(logging.FileHandler(path))
    return None


def close() -> None:
    """Write to no file, until :func:`reopen`."""
    _write_to(None)


def _write_to(file: logging.FileHandler | None) -> None:
    logger = logging.getLogger("file")
    before = logger.handlers[:]
    if file:
        logger.addHandler(file)
    for handler in before:
        logger.removeHandler(handler)
        handler.close()
