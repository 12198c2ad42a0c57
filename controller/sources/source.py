# SPDX-License-Identifier: Apache-2.0
"""What a source is to the daemon's loop, besides what the binder asks of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import ovs.poller
from ovs_dhcpd.controller.ports import world
from ovs_dhcpd.controller.ports.fault import Fault


class Source(world.Source, Protocol):
    """Says what each port is served.

    While it cannot be reached, or is wrong, what it last said stays in force.  ``faults`` are ours,
    and for others to take away.
    """

    faults: list[Fault]

    @property
    def mistakes(self) -> Sequence[str]:
        """Why what it says now is not in force, a line each."""

    def watch(self, name: str, plugged: bool) -> None:
        """The port is plugged in from now on, or no longer: only then its binding matters."""

    def run(self) -> set[str]:
        """Take in what is new; returns the names of the ports that it may concern."""

    def reread(self) -> None:
        """The user asks for it: :meth:`run` shall look at everything anew."""

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when :meth:`run` has something to do."""

    def close(self) -> None:
        """Let go of what is open."""
