# SPDX-License-Identifier: Apache-2.0
"""Several sources as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import chain

import ovs.poller

from controller.sources.source import Source
from flows.bindings import Binding, Network


class Several:
    """A source made of others; what the first of them says of a port is followed."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    @property
    def bridges(self) -> Set[str]:
        """The bridges that one of them is about."""
        return frozenset[str]().union(*(source.bridges for source in self._sources))

    @property
    def ready(self) -> bool:
        """Whether all of them are."""
        return all(source.ready for source in self._sources)

    @property
    def partly_ready(self) -> bool:
        """Whether one of them is."""
        return any(source.ready for source in self._sources)

    def about(self, bridge: str) -> list[Source]:
        """Those that are about ``bridge``."""
        return [source for source in self._sources if bridge in source.bridges]

    def ready_for(self, bridge: str) -> bool:
        """Whether all of these are."""
        return all(source.ready for source in self.about(bridge))

    @property
    def mistakes(self) -> Sequence[str]:
        """Those of all of them."""
        return [*chain.from_iterable(source.mistakes for source in self._sources)]

    def watch(self, name: str, plugged: bool) -> None:
        """Tell all of them."""
        for source in self._sources:
            source.watch(name, plugged)

    def run(self) -> set[str]:
        """Run all of them."""
        return set[str]().union(*(source.run() for source in self._sources))

    def read_again(self) -> None:
        """Have all of them look at everything anew."""
        for source in self._sources:
            source.read_again()

    def names(self, name: str) -> bool:
        """Whether one of them does."""
        return any(source.names(name) for source in self._sources)

    def binding(self, name: str) -> Binding | None:
        """What the first that names ``name`` says; that others do too is refused."""
        found = [source for source in self._sources if source.names(name)]
        binding = found[0].binding(name) if found else None
        if binding is None:
            return None
        first, *others = found
        refused = (
            f"port {name}: is in {other} and in {first}, expected it in one of them; "
            f"{first} is followed"
            for other in others
        )
        return Binding(binding.served, (*binding.refused, *refused))

    def networks(self, bridge: str) -> Mapping[str, Network]:
        """Those of all of them."""
        return dict(chain.from_iterable(each.networks(bridge).items() for each in self._sources))

    def network_of(self, bridge: str, tag: int | None) -> str | None:
        """The name of the one network on ``bridge`` that a port with this VLAN tag may be in."""
        networks = self.networks(bridge).values()
        found = [
            network.name
            for network in networks
            if network.tag == tag or (network.tag is None and len(networks) == 1)
        ]
        return found[0] if len(found) == 1 else None

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Wait for all of them."""
        for source in self._sources:
            source.wait(poller)

    def close(self) -> None:
        """Close all of them."""
        for source in self._sources:
            source.close()
