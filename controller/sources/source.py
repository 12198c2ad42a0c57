# SPDX-License-Identifier: Apache-2.0
"""What a source of bindings is to the daemon, wherever it has them from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Protocol

import ovs.poller

from flows.bindings import Binding, Network


class Source(Protocol):
    """Says what each interface is served; ``str()`` is where it has that from.

    While it cannot be reached, or is wrong, what it last said stays in force.
    """

    @property
    def bridges(self) -> Set[str]:
        """The bridges that it is about now."""

    @property
    def ready(self) -> bool:
        """Whether the bindings of all interfaces that are watched have ever been known."""

    @property
    def mistakes(self) -> Sequence[str]:
        """Why what it says now is not in force, a line each."""

    def watch(self, name: str, plugged: bool) -> None:
        """The interface is plugged in from now on, or no longer: only then its binding matters."""

    def run(self) -> set[str]:
        """Take in what is new; returns the names whose binding may have changed."""

    def read_again(self) -> None:
        """The user asks for it: :meth:`run` shall look at everything anew."""

    def names(self, name: str) -> bool:
        """Whether the source knows the interface, so that :meth:`binding` is not None."""

    def binding(self, name: str) -> Binding | None:
        """What the interface whose iface-id, or else whose name, is ``name`` is served.

        None if the source does not know it.
        """

    def networks(self, bridge: str) -> Mapping[str, Network]:
        """The networks on ``bridge`` that a port may say it belongs to, by name."""

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when :meth:`run` has something to do."""

    def close(self) -> None:
        """Let go of what is open."""
