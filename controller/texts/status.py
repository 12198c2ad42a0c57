# SPDX-License-Identifier: Apache-2.0
"""What ``status`` answers: one screen for a person, one object for a program.

Healthy is a daemon that hears the Open_vSwitch database and its bridges, has what its sources say
in force, and has the bridges that are its to serve in step; who stands by is healthy too.  What is
wrong with single ports is ``bindings/refused``' to say.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ovs_dhcpd.controller.wire.connection import Connected
from ovs_dhcpd.flows.options.wording import escape

from ovs_dhcpd import PROGRAM, __version__

VERSION = 1  # of the object; raised when a program that reads it would be misled


@dataclass(frozen=True)
class BridgeStatus:
    """A bridge: whether it is our turn, and all there is to say, a sentence each.

    `trouble` is what is wrong, empty if nothing is.
    """

    name: str
    active: bool
    sentences: tuple[str, ...]
    trouble: str = ""


@dataclass(frozen=True)
class SourceStatus:
    """Whom we hear: `state` in a few words, `trouble` as in :class:`BridgeStatus`."""

    name: str
    state: str
    trouble: str = ""


def program() -> str:
    """Who we are."""
    return f"{PROGRAM} {__version__}, pid {os.getpid()}"


def status(
    bridges: Collection[BridgeStatus],
    sources: Collection[SourceStatus] = (),
    counts: Mapping[str, int] | None = None,
    last_error: tuple[float, str] | None = None,
) -> dict[str, Any]:
    """What there is to know now, for :mod:`json`; documented in docs/troubleshooting.md.

    ``last_error`` is when that was, in seconds since 1970, and what the log said.
    """
    troubles = [each.trouble for each in bridges] + [each.trouble for each in sources]
    troubles = [*filter(None, troubles)]
    return {
        "version": VERSION,
        "program": program(),
        "healthy": not troubles,
        "troubles": troubles,
        "bridges": [asdict(each) for each in sorted(bridges, key=lambda each: each.name)],
        "sources": [asdict(each) for each in sources],
        "counts": dict(counts or {}),
        "last_error": {"time": _utc(last_error[0]), "text": last_error[1]} if last_error else None,
    }


def as_text(found: Mapping[str, Any]) -> Iterator[str]:
    """The lines for a person: the program, each bridge, whom it hears, what it has, and health."""
    yield found["program"]
    for bridge in found["bridges"]:
        yield escape(bridge["name"])
        yield from _indented(bridge["sentences"])
    if any(each["state"] for each in found["sources"]):
        yield "sources"
        yield from _indented(f"{each['name']}: {each['state']}" for each in found["sources"])
    if found["counts"]:
        yield "counts"
        yield from _indented(f"{name}: {count}" for name, count in found["counts"].items())
    if error := found["last_error"]:
        yield "last error"
        yield from _indented([f"{error['time']}: {error['text']}"])
    yield "healthy" if found["healthy"] else f"not healthy: {'; '.join(found['troubles'])}"


def unanswered(why: str) -> dict[str, Any]:
    """What there is to say where no daemon can be asked, for the reason ``why``."""
    found = status([], [SourceStatus(PROGRAM, "", why)])
    return {**found, "program": f"{PROGRAM} {__version__}, and no daemon answers"}


def show_memory(counts: Mapping[str, int]) -> str:
    """Counts as Open vSwitch's ``memory/show`` has them, and the resident size in kB."""
    sizes = {**counts, "rss-kB": _resident_kb()}
    return " ".join(f"{name}:{count}" for name, count in sorted(sizes.items()))


def show_coverage(counters: Iterable[tuple[str, int]]) -> str:
    """How often what has happened since the start, as Open vSwitch's ``coverage/show`` has it."""
    counters = list(counters)
    seen = [(name.replace(" ", "_"), count) for name, count in counters if count]
    lines = ["Event coverage since the start:"]
    lines += [f"{name:<50} total: {count}" for name, count in sorted(seen)]
    return "\n".join([*lines, f"{len(counters) - len(seen)} events never hit"])


def connection_status(connected: Connected) -> str:
    """The sentence about a connection whose handshake is done now."""
    return f"connected since {_utc(time.time())}, OpenFlow 1.{connected.version - 1}"


def _utc(since_1970_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(since_1970_s))


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _resident_kb() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
