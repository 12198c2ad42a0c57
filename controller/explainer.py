# SPDX-License-Identifier: Apache-2.0
"""``why``: what the daemon and the switch know of a port, gathered when somebody asks.

The switch is asked what the port's flows have counted, and the answer waits for that.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import ovs.dirs
from ovs_dhcpd.controller.control import Answer
from ovs_dhcpd.controller.first_look import is_absent
from ovs_dhcpd.controller.inside import Inside
from ovs_dhcpd.controller.keeper import Keeper
from ovs_dhcpd.controller.texts.status import program
from ovs_dhcpd.controller.why.chain import chain_of
from ovs_dhcpd.controller.why.document import document
from ovs_dhcpd.controller.why.facts import BridgeFacts, Facts, FlowFacts, SourceFacts
from ovs_dhcpd.controller.wire.flow_stats import FlowCounts

ANSWER_S = 2.0  # a switch that has not answered by then has not said


@dataclass(frozen=True)
class _Question:
    """Somebody waits for the chain of a port, and this for the switch's answer `number`."""

    asked_for: str
    found: Sequence[str]
    answer: Answer
    keeper: Keeper
    number: int
    until_s: float


class Explainer:
    """The command ``why``; all in the daemon's thread."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._open: list[_Question] = []

    def run(self) -> None:
        """Answer those whose switch has answered, or does not."""
        still_open = []
        for each in self._open:
            bridge = each.keeper.bridge
            counts = bridge.counts(each.number)
            if counts is None and bridge.is_connected and time.monotonic() < each.until_s:
                still_open.append(each)
            else:
                each.answer(partial(self._explain, each.asked_for, each.found, counts))
        self._open = still_open

    def wait_s(self) -> float | None:
        """How long until :meth:`run` has something to do; None: until somebody asks."""
        if not self._open:
            return None
        return max(0.0, min(each.until_s for each in self._open) - time.monotonic())

    def begin(self, words: list[str], answer: Answer) -> None:
        """Answer what ``why`` is asked with these words, once that can be known."""
        (asked_for,) = words
        inside = self._inside
        found = inside.find(asked_for)
        served = inside.binder.served.get(found[0]) if found else None
        keeper = inside.keepers.get(served.bridge) if served else None
        number = 0
        if served and keeper and keeper.is_active:
            number = keeper.ask_for_counts(served.ofport)
        if keeper and number:
            until_s = time.monotonic() + ANSWER_S
            self._open.append(_Question(asked_for, found, answer, keeper, number, until_s))
        else:
            answer(partial(self._explain, asked_for, found, None))

    def _explain(
        self, asked_for: str, found: Sequence[str], counts: Mapping[int, FlowCounts] | None
    ) -> dict[str, Any]:
        return document(chain_of(self._facts(asked_for, found, counts)))

    def _facts(
        self, asked_for: str, found: Sequence[str], counts: Mapping[int, FlowCounts] | None
    ) -> Facts:
        """All that is known now of the first port that was found."""
        inside, world = self._inside, self._inside.world
        port = found[0] if found else asked_for
        known_by = world.knowing(port)
        binding = known_by[0].binding(port) if known_by else None
        parent = world.parent(port)
        interface = world.interfaces.plugged(parent.name if parent else port)
        if interface and parent:
            interface = interface.seen_by(port, parent.tag)
        served = inside.binder.served.get(port)
        named = binding.served if binding else ()
        names = [served.bridge] if served else [network.bridge for network, _ in named]
        lifeless = [
            each
            for each in inside.database.interfaces
            if each.ofport is None and port in (each.name, each.key)
        ]
        names += [each.bridge for each in (interface, *lifeless) if each]
        is_left_out = any(
            interface and each.key == interface.key and interface.name != each.name == asked_for
            for each in inside.database.interfaces
        )
        bridge = self._bridge(names[0]) if names else None
        networks = world.networks(interface.bridge) if interface else {}
        add_to = names or self._ours
        return Facts(
            asked_for=asked_for,
            port=port,
            found=bool(found),
            others=tuple(found[1:]),
            program=program(),
            rundir=ovs.dirs.RUNDIR,
            database=inside.remote,
            database_ready=inside.database.ready,
            sources=tuple(
                SourceFacts(name=str(each), ready=each.ready, mistakes=tuple(each.mistakes))
                for each in inside.source.sources
            ),
            interface=interface,
            lifeless=lifeless[0].name if lifeless else "",
            add_to=add_to[0] if len(add_to) == 1 and _is_device(port) else "",
            is_left_out=is_left_out,
            parent=parent.name if parent else "",
            named_by=tuple(map(str, known_by)),
            named=named,
            served=served.bindings if served else (),
            refused=inside.refused.get(port, ()),
            unserved=inside.binder.unserved.get(port, ""),
            probes=tuple(str(each.address) for each in served.probes) if served else (),
            pools=tuple(each.name for each in networks.values() if each.pool),
            leases=tuple(inside.leases.rows_of(port)),
            now_s=time.monotonic(),
            bridge=bridge,
            flows=self._flows(port, names, counts),
        )

    @property
    def _ours(self) -> tuple[str, ...]:
        """The bridges that sources are about."""
        sources = self._inside.source.sources
        return tuple(sorted({each for source in sources for each in source.bridges}))

    def _bridge(self, name: str) -> BridgeFacts:
        inside = self._inside
        ours = self._ours
        keeper = inside.keepers.get(name)
        unreachable = inside.unreachable(name)
        exist = not inside.database.protocols.keys().isdisjoint(ours)
        if keeper is None:
            return BridgeFacts(
                name=name,
                is_ours=False,
                ours=ours,
                unreachable=unreachable,
                ours_exist=exist,
            )
        bridge = keeper.bridge
        return BridgeFacts(
            name=name,
            is_ours=name in ours,
            ours=ours,
            ours_exist=exist,
            unreachable=unreachable,
            turn=keeper.turn.status,
            is_active=keeper.is_active,
            holder=keeper.turn.holder,
            connection=keeper.connection,
            trouble=inside.trouble(name),
            switch_runs=not is_absent(inside.dial_error(name)),
            listens_on=inside.listens_on,
            state=bridge.state,
            problems=tuple(bridge.fights),
            lacks_forwarding=bridge.foreign.lacks_forwarding if bridge.is_connected else "",
            foreign_known=bridge.is_connected and bridge.foreign.known,
        )

    def _flows(
        self, port: str, bridges: Iterable[str], counts: Mapping[int, FlowCounts] | None
    ) -> FlowFacts:
        keeper = next((self._inside.keepers[n] for n in bridges if n in self._inside.keepers), None)
        if keeper is None:
            return FlowFacts()
        bridge = keeper.bridge
        limit, count = bridge.meter_of(port) or (None, None)
        return FlowFacts(
            wanted=bridge.flows_of(port),
            counts=counts,
            shadows=tuple((line, str(flow)) for line, flow in bridge.shadows_of(port)),
            limit=f"{limit.pps} a second, {limit.burst} at once" if limit else "",
            meter=count,
        )


def _is_device(name: str) -> bool:
    """Whether this host has a network device that is called so."""
    try:
        return bool(socket.if_nametoindex(name))
    except (OSError, ValueError):  # the latter of what is no name at all
        return False
