# SPDX-License-Identifier: Apache-2.0
"""What somebody wants to know that a switch has counted of our flows: asked when it is wanted."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from ovs_dhcpd.controller.wire.events import FlowStats
from ovs_dhcpd.controller.wire.flow_stats import FIRST_XID, FlowCounts, flow_stats_request

MAX_OPEN = 32  # questions; with one more the oldest is forgotten


class Counting:
    """The questions to one switch, and their answers, each for whoever asked."""

    def __init__(self) -> None:
        self._xids = itertools.count(FIRST_XID)
        self._open: dict[int, dict[int, FlowCounts]] = {}
        self._answered: dict[int, dict[int, FlowCounts]] = {}

    def ask(self, version: int, ofport: int | None = None) -> tuple[int, bytes]:
        """The question, about this port or all, and a number by which its answer is found."""
        xid = next(self._xids)
        for questions in (self._open, self._answered):
            while len(questions) >= MAX_OPEN:
                del questions[next(iter(questions))]
        self._open[xid] = {}
        return xid, flow_stats_request(version, xid, ofport)

    def heard(self, reply: FlowStats) -> None:
        """A part of an answer."""
        counts = self._open.get(reply.xid)
        if counts is None:
            return
        counts.update(reply.counts)
        if not reply.more:
            self._answered[reply.xid] = self._open.pop(reply.xid)

    def answer(self, number: int) -> Mapping[int, FlowCounts] | None:
        """The answer, once, by cookie; None: there is none, or not yet."""
        return self._answered.pop(number, None)

    def forget(self) -> None:
        """The connection has ended: what was asked is not answered any more."""
        self._open.clear()
        self._answered.clear()
