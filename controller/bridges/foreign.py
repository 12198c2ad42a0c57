# SPDX-License-Identifier: Apache-2.0
"""The flows of somebody else in table 0, so far as they are in the way, or are missed.

Which they are the switch's flow monitor tells; without it nothing is known and nothing said.
The work is bounded: a flow is looked at once when it comes, and then, if it may take requests,
for each port, SHADOWS of them at the most.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from ovs_dhcpd.controller.bridges.patience import flow_size
from ovs_dhcpd.controller.bridges.shadow import Ask, Shadow, shadow_of
from ovs_dhcpd.controller.wire.events import FlowsChanged
from ovs_dhcpd.controller.wire.flow_entry import FlowEntry, Place
from ovs_dhcpd.controller.wire.flow_monitor import What
from ovs_dhcpd.flows.pipeline.dhcpv4 import WIDER_PRIORITY
from ovs_dhcpd.flows.pipeline.tables import OPTIONS

SHADOWS = 100  # that are looked at, of those with the highest priority
NAMED_FLOWS, NAMED_PORTS = 10, 3
FORWARDING = 1000  # of flows that forward, no more is remembered
MAX_SIZE = 64 * 1024 * 1024  # of those that may take requests: a hundred thousand are half of it
SETTLED_S = 1.0  # a change is looked at once it is as old as that


class Foreign:
    """What is to be said of them; ``bridge`` is the name of their bridge."""

    def __init__(self, bridge: str) -> None:
        self.problems: tuple[str, ...] = ()
        self._bridge = bridge
        self._forget()

    def _forget(self) -> None:
        self._shadows: dict[Place, Shadow] = {}
        self._size = 0  # of these
        self._forwarding: set[int] = set()  # hashes of their places
        self._many_forward = False
        self._complete = False  # whether all that were there at the beginning are known
        self._look_s: float | None = None  # when to look

    def connected(self) -> None:
        """Another connection: nothing is known any more."""
        self._forget()

    def changed(self, event: FlowsChanged, now_s: float) -> None:
        """The switch tells of flows."""
        for what, flow in event.updates:
            if flow.table != OPTIONS.number or flow.is_ours:
                continue
            place = flow.place
            gone = what is What.REMOVED
            self._note_forwarding(hash(place), not gone and bool(flow.instructions), now_s)
            shadow = None
            if flow.priority > WIDER_PRIORITY and not gone:
                shadow = shadow_of(flow)
            if self._remember(place, shadow):
                self.look_soon(now_s)
        if event.xid and not event.more:
            self._complete = True
            self.look_soon(now_s)

    def _remember(self, place: Place, shadow: Shadow | None) -> bool:
        """What is there now may take requests, or may not; whether something is new by that."""
        before = self._shadows.pop(place, None)
        if before:
            self._size -= flow_size(before.flow)
        if shadow and self._size + flow_size(shadow.flow) <= MAX_SIZE:
            self._shadows[place] = shadow
            self._size += flow_size(shadow.flow)
        return before is not None or place in self._shadows

    def _note_forwarding(self, place: int, forwards: bool, now_s: float) -> None:
        before = bool(self._forwarding)
        if forwards and len(self._forwarding) < FORWARDING:
            self._forwarding.add(place)
        elif forwards:
            self._many_forward = self._many_forward or place not in self._forwarding
        else:
            self._forwarding.discard(place)
        if before != bool(self._forwarding):
            self.look_soon(now_s)

    def look_soon(self, now_s: float) -> None:
        """Something may be otherwise than before."""
        if self._look_s is None:
            self._look_s = now_s + SETTLED_S

    def next_s(self) -> float | None:
        """When :meth:`look` has something to do; None: never."""
        return self._look_s

    def look(self, now_s: float, asks: Callable[[], Iterable[Ask]]) -> tuple[list[str], list[str]]:
        """Find the problems anew, if it is time; returns those that are new, and those over.

        ``asks`` are the requests that our flows wait for.
        """
        if self._look_s is None or now_s < self._look_s:
            return [], []
        self._look_s = None
        before, self.problems = self.problems, tuple(self._find(asks))
        new = [each for each in self.problems if each not in before]
        return new, [each for each in before if each not in self.problems]

    @property
    def known(self) -> bool:
        """Whether the switch has told of all flows."""
        return self._complete

    @property
    def lacks_forwarding(self) -> str:
        """A line that says that no flow forwards, and what to type; empty: one does, or may."""
        if not self._complete or self._forwarding or self._many_forward:
            return ""
        return (
            "no flow in table 0 but ours, expected one that forwards: guests get leases and "
            f"nothing else; type: ovs-ofctl add-flow {self._bridge} priority=0,actions=NORMAL"
        )

    def _find(self, asks: Callable[[], Iterable[Ask]]) -> Iterable[str]:
        if problem := self.lacks_forwarding:
            yield problem
        if self._shadows:
            for number, (line, _) in enumerate(self.taking([*asks()])):
                if number == NAMED_FLOWS:
                    yield "there are other such flows of somebody else"
                    return
                yield line

    def taking(self, asks: Collection[Ask]) -> Iterator[tuple[str, FlowEntry]]:
        """Each flow that takes some of these requests before ours do, after a line that says so."""
        shadows = sorted(
            self._shadows.values(), key=lambda each: (-each.flow.priority, each.flow.match)
        )
        for shadow in shadows[:SHADOWS]:
            taken = [ask for ask in asks if shadow.takes(ask)]
            if not taken:
                continue
            ports = list(dict.fromkeys(ask.port for ask in taken))
            named = ", ".join(ports[:NAMED_PORTS])
            more = f" and {len(ports) - NAMED_PORTS} more" if len(ports) > NAMED_PORTS else ""
            kinds = " and ".join(dict.fromkeys(ask.kind for ask in taken))
            limit = min(ask.priority for ask in taken)
            line = (
                f"a flow of somebody else, {shadow.flow}, takes {kinds} of {named}{more} before "
                f"ours, expected a priority below {limit}"
            )
            yield line, shadow.flow
