# SPDX-License-Identifier: Apache-2.0
"""What the daemon answers to who asks how it is: the commands of its control socket that only tell.

Those that do something are in :mod:`controller.daemon`, and some of its parts have commands of
their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ovs_dhcpd.controller import log
from ovs_dhcpd.controller.control import add_command, add_query
from ovs_dhcpd.controller.faults import Faults
from ovs_dhcpd.controller.inside import Inside
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.texts.bindings_list import Document, as_text, bindings
from ovs_dhcpd.controller.texts.status import (
    BridgeStatus,
    SourceStatus,
    show_coverage,
    show_memory,
    status,
)
from ovs_dhcpd.controller.texts.status import as_text as status_text
from ovs_dhcpd.flows.options.wording import escape, printable_lines
from ovs_dhcpd.flows.pipeline.lflow_list import lflow_list


class Answers:
    """Tells of what is ``inside``, what ``journal`` has counted and which ``faults`` there were."""

    def __init__(self, inside: Inside, journal: Journal, faults: Faults) -> None:
        self._inside = inside
        self._journal = journal
        self._faults = faults
        self.loops = 0  # of the daemon, since the start

    def add_commands(self) -> None:
        """Let ``ovs-appctl`` ask."""
        add_command("bindings/refused", "", 0, 0, lambda _: printable_lines(self.refused_lines()))
        add_query("bindings/show", "[PORT|MAC|ADDRESS]", 1, self._bindings, as_text)
        add_command("coverage/show", "", 0, 0, lambda _: show_coverage(self._events()))
        add_command("lflows/show", "", 0, 0, lambda _: printable_lines(self._lflow_lines()))
        add_command("meters/show", "", 0, 0, lambda _: printable_lines(self._meter_lines()))
        add_command("memory/show", "", 0, 0, lambda _: self._memory())
        add_query("status", "", 0, lambda _: self.status(), _show_status)
        add_command("stats/show", "", 0, 0, lambda _: "\n".join(self._stats_lines()))

    def _meter_lines(self) -> list[str]:
        return [
            f"{escape(name):<15} {line}"
            for name, keeper in sorted(self._inside.keepers.items())
            for line in keeper.bridge.meters()
        ]

    def status(self) -> Mapping[str, object]:
        """How it is: :func:`controller.texts.status.status`."""
        bridges = []
        for name, keeper in self._inside.keepers.items():
            trouble = self._inside.trouble(name)
            wrong = keeper.trouble(self._inside.unreachable(name), trouble)
            sentences = tuple(keeper.status(trouble))
            bridges.append(BridgeStatus(name, keeper.is_active, sentences, wrong))
        return status(bridges, [*self._heard()], self._counts(), log.last_error)

    def _heard(self) -> Iterator[SourceStatus]:
        """The database and the sources."""
        remote, away = self._inside.remote, ""
        if not self._inside.database.is_current:
            known = "what it last said" if self._inside.database.ready else "nothing"
            away = f"not connected, {known} is in force"
        yield SourceStatus(remote, away or "connected", away and f"{remote}: {away}")
        for source in self._inside.source.sources:
            state, wrong = "in force", ""
            if not source.ready:
                state = wrong = "has not been read yet"
            if source.mistakes:
                state, wrong = "what it last said is in force", source.mistakes[0]
            yield SourceStatus(str(source), state, wrong)

    def _counts(self) -> dict[str, int]:
        counts = {
            "ports served": sum(
                bool(each.bindings) for each in self._inside.binder.served.values()
            ),
            "lines in bindings/refused": len(self.refused_lines()),
            "internal errors": self._faults.count,
        }
        return counts | {
            f"leases {state}": count for state, count in self._inside.leases.counts().items()
        }

    def _memory(self) -> str:
        bridges = [keeper.bridge for keeper in self._inside.keepers.values()]
        return show_memory(
            {
                "bridges": len(bridges),
                "connections": sum(bridge.is_connected for bridge in bridges),
                "flows": sum(bridge.flows for bridge in bridges),
                "interfaces": len([*self._inside.database.interfaces]),
                "meters": sum(bridge.amounts().meters for bridge in bridges),
                "ports": len(self._inside.binder.served),
            }
        )

    def _bindings(self, words: list[str]) -> Document:
        """Those of all ports, or of those that the word means, the best first."""
        served = self._inside.binder.served
        names = self._inside.find(words[0]) if words else sorted(served)
        found = {name: served[name] for name in names if name in served}
        return bindings(found, self._interface_of)

    def _interface_of(self, port: str) -> str:
        interface = self._inside.database.plugged(port)
        return interface.name if interface else ""

    def _lflow_lines(self) -> list[str]:
        served = sorted(self._inside.binder.served.items())
        return [*lflow_list(each for _, what in served for each in what.bindings)]

    def refused_lines(self) -> list[str]:
        """What of the configuration is left out, and what is wrong on the bridges."""
        lines = [
            line for name in sorted(self._inside.refused) for line in self._inside.refused[name]
        ]
        for _, keeper in sorted(self._inside.keepers.items()):
            lines += keeper.problems()
        return [*self._inside.source.mistakes, *lines]

    def _events(self) -> Iterator[tuple[str, int]]:
        """How often what has happened."""
        yield from self._journal.counters()
        yield "internal error", self._faults.count
        yield "loop", self.loops

    def _stats_lines(self) -> list[str]:
        return [*self._journal.lines(), *self._faults.lines()]


def _show_status(found: Mapping[str, Any]) -> str:
    return "\n".join(status_text(found))
