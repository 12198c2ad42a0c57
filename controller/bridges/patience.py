# SPDX-License-Identifier: Apache-2.0
"""What a switch still has to answer, how long it may take, and how much it may say.

It hears of all that is sent to a switch and of all that comes back, and knows when a connection
is to be given up: a switch that does not answer would otherwise be waited for for ever, and one
that answers without an end would fill the memory.  Times are as in
:mod:`controller.bridges.bridge`.
"""

from __future__ import annotations

from collections.abc import Iterable

from ovs_dhcpd.controller.wire import meters, openflow
from ovs_dhcpd.controller.wire.events import (
    Committed,
    Event,
    FlowCount,
    FlowDump,
    FlowsChanged,
    FlowStats,
    MeterFeatures,
    Refused,
)
from ovs_dhcpd.controller.wire.flow_entry import FlowEntry
from ovs_dhcpd.controller.wire.messages import is_bundle_commit

ANSWER_S = 10.0
MESSAGE_S = 0.0005  # more, for each message of a bundle: a slow switch adds 5,000 flows a second
# As much as may wait to be sent to a switch; a flow of ours is 300 bytes on the wire.
MAX_SIZE = 64 * 1024 * 1024
FLOW_SIZE = 200  # what a flow costs besides its match and instructions
CHANGES_S = 10.0

QUESTIONS = {openflow.OFPMP_FLOW: "a flow dump", openflow.OFPMP_AGGREGATE: "a flow count"}


class Patience:
    """The patience with one connection.  `exhausted` says why that is to be given up, if it is."""

    def __init__(self) -> None:
        self.exhausted = ""
        self._waiting: dict[int, tuple[float, float, str]] = {}  # until, how long, for what; by xid
        self._size = 0  # of the dump that is coming in
        self._changes = 0  # the size of changes of flows of ours since then
        self._changes_s = 0.0

    def sent(self, messages: Iterable[bytes], now_s: float) -> None:
        """These messages have been sent."""
        metered = False  # whether a change of meters waits for the next question to confirm it
        for count, message in enumerate(messages, 1):
            if message[openflow.KIND] == meters.OFPT_METER_MOD:
                metered = True
            elif message[openflow.KIND] == openflow.OFPT_MULTIPART_REQUEST:
                what = int.from_bytes(message[8:10], "big")
                if question := QUESTIONS.get(what, ""):
                    self._expect(message, now_s, ANSWER_S, question)
                    self._size = 0
                elif metered and what == meters.OFPMP_METER_FEATURES:
                    self._expect(message, now_s, ANSWER_S + count * MESSAGE_S, "a change of meters")
                    metered = False
            elif is_bundle_commit(message):
                self._expect(message, now_s, ANSWER_S + count * MESSAGE_S, "a bundle")

    def _expect(self, message: bytes, now_s: float, patience_s: float, what: str) -> None:
        self._waiting[openflow.xid_of(message)] = (now_s + patience_s, patience_s, what)

    def heard(self, event: Event, now_s: float) -> None:
        """The switch has said this."""
        match event:
            case FlowDump(xid, flows, more):
                self._size += _size(flows)
                if self._size > MAX_SIZE:
                    self._exhaust(f"a flow dump of more than {MAX_SIZE >> 20} MB")
                if not more:
                    self._waiting.pop(xid, None)
            case FlowStats(xid, counts, more):
                self._size += FLOW_SIZE * len(counts)
                if self._size > MAX_SIZE:
                    self._exhaust(f"flow statistics of more than {MAX_SIZE >> 20} MB")
                if not more:
                    self._waiting.pop(xid, None)
            case FlowCount(xid) | Committed(xid) | MeterFeatures(xid) | Refused(xid):
                self._waiting.pop(xid, None)
            case FlowsChanged(_, updates):
                if now_s >= self._changes_s + CHANGES_S:
                    self._changes_s, self._changes = now_s, 0
                self._changes += _size(flow for _, flow in updates if flow.is_ours)
                if self._changes > MAX_SIZE:
                    self._exhaust(
                        f"more than {MAX_SIZE >> 20} MB of changed flows in {CHANGES_S:g} s"
                    )

    def wait(self, now_s: float) -> None:
        """See whether there is an answer that does not come."""
        for until_s, patience_s, what in self._waiting.values():
            if now_s >= until_s:
                self._exhaust(f"no answer to {what} within {patience_s:.0f} s")
                return

    def next_s(self) -> float | None:
        """When :meth:`wait` is to be called at the latest; None: need not be."""
        return min((until_s for until_s, *_ in self._waiting.values()), default=None)

    def _exhaust(self, why: str) -> None:
        self.exhausted = self.exhausted or why
        self._waiting.clear()


def flow_size(flow: FlowEntry) -> int:
    """What a flow of a switch costs in memory."""
    return FLOW_SIZE + len(flow.match) + len(flow.instructions)


def _size(flows: Iterable[FlowEntry]) -> int:
    return sum(map(flow_size, flows))
