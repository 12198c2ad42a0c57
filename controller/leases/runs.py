# SPDX-License-Identifier: Apache-2.0
"""Exchanges that wait until there is time to look into them.

To work out what an exchange is to a lease takes longer than to answer it, and a client that says
the same again and again makes no other lease of it.  So of each port what was said last waits, and
if it was the same before, how often: that is a run, of which the last exchange is looked into.
"""

from __future__ import annotations

import math

from ovs_dhcpd.controller.leases.leases import Leases
from ovs_dhcpd.controller.responders.exchange import Exchange
from ovs_dhcpd.controller.responders.verdict import Answer
from ovs_dhcpd.controller.wire.openflow import FRAME

_SENDER = slice(FRAME + 6, FRAME + 16)  # of a packet-in: source, EtherType or VLAN tag
_OTHERS = frozenset(("ND_RA", "ND_NA", "DNS_LOOKUP"))  # which no lease is concerned by


class _Run:
    """The `last` of `count` exchanges with one `what`; the first was at `first_s`."""

    __slots__ = ("count", "first_s", "last", "what")

    def __init__(self, what: object, first: Exchange) -> None:
        self.what = what
        self.last = first
        self.first_s = first.read.sent_s
        self.count = 1


class Runs:
    """What ``leases`` are to be told yet, one run of each port."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._runs: dict[tuple[str, int], _Run] = {}  # by bridge and ofport, the oldest first

    def add(self, exchange: Exchange) -> str | None:
        """This has been asked.  If another run of its port begins, leases hear of the one before.

        Returns what :meth:`Leases.note` does.  Two exchanges are of one run if they make the same
        of one client's lease; of the words that it says of itself the last count.
        """
        verdict = exchange.verdict
        if verdict.message in _OTHERS:
            return None
        message, bridge = exchange.message, exchange.read.bridge
        ofport = self._leases.ofport(message)
        if ofport is None:
            return None
        what = None
        if isinstance(verdict, Answer) and verdict.asked and verdict.address:
            kind, asked = verdict.message, verdict.asked
            what = kind, asked, verdict.mac, verdict.address, message[_SENDER]
        place = bridge, ofport
        run = self._runs.get(place)
        if run and what and run.what == what:
            run.last = exchange
            run.count += 1
            return None
        if run is None:
            self._runs[place] = _Run(what, exchange)
            return None
        del self._runs[place]  # so that the new one is the last
        self._runs[place] = _Run(what, exchange)
        return self._note(run)

    @property
    def oldest_s(self) -> float:
        """When the oldest run has begun; math.inf: there is none."""
        for run in self._runs.values():
            return run.first_s
        return math.inf

    def settle(self) -> str | None:
        """Tell leases of the oldest run, of which there must be one: as :meth:`Leases.note`."""
        return self._note(self._runs.pop(next(iter(self._runs))))

    def _note(self, run: _Run) -> str | None:
        return self._leases.note(run.last, run.last.read.sent_s, run.count, run.first_s)
