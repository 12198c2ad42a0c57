# SPDX-License-Identifier: Apache-2.0
"""All sources, run as one; what they say of a port is for the binder to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import chain

import ovs.poller
from ovs_dhcpd.controller.ports.fault import INTERNAL_ERROR, Fault
from ovs_dhcpd.controller.sources.source import Source


class Combined:
    """Sources that are run, waited for and closed together.

    A fault of ours in one of them costs what is new of this one: the last that it said stays.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources
        self._faulty: dict[Source, str] = {}

    @property
    def bridges(self) -> Set[str]:
        """The bridges that one of them is about."""
        return frozenset[str]().union(*(source.bridges for source in self.sources))

    @property
    def partly_ready(self) -> bool:
        """Whether one of them has been read."""
        return any(source.ready for source in self.sources)

    @property
    def mistakes(self) -> Sequence[str]:
        """Why what one of them says now is not in force, a line each."""
        said = chain.from_iterable(source.mistakes for source in self.sources)
        return [*said, *self._faulty.values()]

    def watch(self, plugged: Mapping[str, bool]) -> None:
        """Tell all of them which ports are plugged in from now on, and which no longer."""
        for source in self.sources:
            for name, is_plugged in plugged.items():
                source.watch(name, is_plugged)

    def run(self) -> set[str]:
        """Have all of them take in what is new; returns the ports it may concern."""
        touched: set[str] = set()
        for source in self.sources:
            try:
                touched |= source.run()
                self._faulty.pop(source, None)
            except Exception as error:
                source.faults.append(Fault(str(source), error))
                self._faulty[source] = (
                    f"{source}: {INTERNAL_ERROR}; what it last said stays in force"
                )
        return touched

    def take_faults(self) -> list[Fault]:
        """The faults of ours since the last call."""
        faults = [fault for source in self.sources for fault in source.faults]
        for source in self.sources:
            source.faults = []
        return faults

    def reread(self) -> None:
        """Have all of them look at everything anew."""
        for source in self.sources:
            source.reread()

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when :meth:`run` has something to do."""
        for source in self.sources:
            source.wait(poller)

    def close(self) -> None:
        """Close all of them."""
        for source in self.sources:
            source.close()
