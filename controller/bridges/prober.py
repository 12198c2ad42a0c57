# SPDX-License-Identifier: Apache-2.0
"""When it is asked on a bridge whether somebody has an address.

No I/O and no clock here: the time is an argument, in seconds.  What an answer means is
:mod:`controller.ports.probes`'.

RFC 5227 §2.1.1 has a host ask three times within seven seconds, and RFC 4862 §5.1 once and wait a
second, for they know nothing of the link.  A guest is waiting here, behind a switch: who is there
answers within milliseconds, a machine that is busy or a station that sleeps within a tenth of a
second, and of three questions one may be lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ovs_dhcpd.flows.bindings.pool import Address
from ovs_dhcpd.flows.bindings.probe import Probe

QUESTIONS, INTERVAL_S = 3, 0.1


@dataclass
class _Asked:
    """How far a probe is, of a port that is the bridge's port `ofport`.

    `due_s` is when the next question is due, or after the last one its end; None: it has not begun.
    It is `done` if nobody has answered; it is listened on until the port is served.
    """

    ofport: int
    times: int = 0
    due_s: float | None = None
    done: bool = False


class Prober:
    """The probes of one bridge, as long as ports wait for what comes of them."""

    def __init__(self) -> None:
        self._asked: dict[str, dict[Probe, _Asked]] = {}  # by port

    def __len__(self) -> int:
        """How many ports wait."""
        return len(self._asked)

    def want(self, port: str, ofport: int, probes: Iterable[Probe]) -> None:
        """From now on ask this for ``port``, which is the bridge's port ``ofport``."""
        before, now = self._asked.pop(port, {}), {}
        for probe in probes:
            asked = before.get(probe)
            now[probe] = asked if asked and asked.ofport == ofport else _Asked(ofport)
        if now:
            self._asked[port] = now

    def addresses(self, port: str) -> list[Address]:
        """What is to be listened to for ``port``."""
        return [probe.address for probe in self._asked.get(port, ())]

    def disconnected(self) -> None:
        """What was under way begins anew with the next connection."""
        for _, _, asked in self._all():
            if not asked.done:
                asked.times, asked.due_s = 0, None

    def due(self, now_s: float) -> Iterator[tuple[int, Probe]]:
        """What is to be asked now, and by which port; it is listened to already."""
        for _, probe, asked in self._all():
            if asked.times < QUESTIONS and (asked.due_s is None or asked.due_s <= now_s):
                asked.times += 1
                asked.due_s = now_s + INTERVAL_S
                yield asked.ofport, probe

    def ended(self, now_s: float) -> list[tuple[str, Probe]]:
        """The probes that nobody has answered until now, each once."""
        found = []
        for port, probe, asked in self._all():
            if asked.times == QUESTIONS and not asked.done and now_s >= (asked.due_s or 0):
                asked.done = True
                found.append((port, probe))
        return found

    def next_s(self) -> float | None:
        """When there is something to do of itself; None: never."""
        times = [asked.due_s for *_, asked in self._all() if not asked.done]
        return min((each for each in times if each is not None), default=None)

    def _all(self) -> Iterator[tuple[str, Probe, _Asked]]:
        for port, probes in self._asked.items():
            for probe, asked in probes.items():
                yield port, probe, asked
