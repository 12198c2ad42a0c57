# SPDX-License-Identifier: Apache-2.0
"""When it is asked on a bridge whether somebody has an address, and for how long it is listened.

No I/O and no clock here: the time is an argument, in seconds.  What an answer means is
:mod:`controller.ports.probes`'.

RFC 5227 §2.1.1 has a host ask three times within seven seconds, and RFC 4862 §5.1 once and wait a
second, for they know nothing of the link.  A guest is waiting here, behind a switch: who is there
answers within milliseconds, a machine that is busy or a station that sleeps within a tenth of a
second, and of three questions one may be lost.  Who is asked for is listened to for a while longer:
who gets the address needs time to take it, and another host with the same pool may ask meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ovs_dhcpd.flows.bindings.pool import Address
from ovs_dhcpd.flows.bindings.probe import Probe

QUESTIONS, INTERVAL_S = 3, 0.1
LISTEN_S = 2.0  # ANNOUNCE_WAIT of RFC 5227 §1.1


@dataclass
class _Asked:
    """How far a probe is, of a port that is the bridge's port `ofport`.

    `due_s` is when the next question is due, or after the last one its end, or after that the end
    of listening; None: it has not begun.  It is `done` if nobody has answered, and `wanted` until
    the port is served.
    """

    ofport: int
    times: int = 0
    due_s: float | None = None
    done: bool = False
    wanted: bool = True


class Prober:
    """The probes of one bridge."""

    def __init__(self) -> None:
        self._asked: dict[str, dict[Probe, _Asked]] = {}  # by port

    def __len__(self) -> int:
        """For how many ports something is asked or listened to."""
        return len(self._asked)

    @property
    def is_waited_for(self) -> bool:
        """Whether a port waits for an answer, or that nobody answers."""
        return any(asked.wanted for *_, asked in self._all())

    def want(self, port: str, ofport: int, probes: Iterable[Probe]) -> None:
        """From now on ask this for ``port``, which is the bridge's port ``ofport`` (0: none)."""
        before, now = self._asked.pop(port, {}), {}
        for probe in probes:
            asked = before.get(probe)
            goes_on = asked and asked.wanted and asked.ofport == ofport
            now[probe] = asked if asked and goes_on else _Asked(ofport)
        for probe, asked in before.items():
            if probe not in now and asked.done and asked.ofport == ofport:
                asked.wanted = False
                now[probe] = asked
        if now:
            self._asked[port] = now

    def addresses(self, port: str) -> list[Address]:
        """What is to be listened to for ``port``."""
        return [probe.address for probe in self._asked.get(port, ())]

    def ports(self) -> Iterable[str]:
        """The ports for which something is asked or listened to."""
        return self._asked.keys()

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
                asked.due_s = now_s + LISTEN_S
                found.append((port, probe))
        return found

    def forget(self, now_s: float) -> set[str]:
        """Listen no longer to what has been listened to for long; returns the ports it was for."""
        over = [
            (port, probe)
            for port, probe, asked in self._all()
            if not asked.wanted and now_s >= (asked.due_s or 0)
        ]
        for port, probe in over:
            del self._asked[port][probe]
            if not self._asked[port]:
                del self._asked[port]
        return {port for port, _ in over}

    def next_s(self) -> float | None:
        """When there is something to do of itself; None: never."""
        times = [asked.due_s for *_, asked in self._all() if not (asked.done and asked.wanted)]
        return min((each for each in times if each is not None), default=None)

    def _all(self) -> Iterator[tuple[str, Probe, _Asked]]:
        for port, probes in self._asked.items():
            for probe, asked in probes.items():
                yield port, probe, asked
