# SPDX-License-Identifier: Apache-2.0
"""What the service manager is told: when we are ready, and how it goes, in a line.

Ready is who stands by or has all flows in place, on each bridge that there is.  Nobody waits for a
bridge that does not exist or cannot be spoken to, nor for a switch that has to connect to us.
"""

from __future__ import annotations

from collections.abc import Iterator

from ovs_dhcpd.controller.inside import Inside
from ovs_dhcpd.controller.keeper import Keeper
from ovs_dhcpd.controller.notify import Notifier
from ovs_dhcpd.flows.options.wording import escape

LOOK_S = 5.0  # between two counts of what may be many


class ManagerKeeper:
    """Tells ``notifier`` of what is ``inside``; with ``listening`` switches connect to us."""

    def __init__(self, inside: Inside, notifier: Notifier, *, listening: bool) -> None:
        self._inside = inside
        self._notifier = notifier
        self._listening = listening
        self._said: list[str] = []
        self._look_s = 0.0

    def run(self, now_s: float, *, is_read: bool) -> None:
        """Tell what is new.  ``is_read``: the databases and configurations have been read."""
        if not self._notifier:
            return
        said = [*self._bridges()] if is_read else [f"waiting for {self._waiting_for()}"]
        is_ready = is_read and all(map(self._is_settled, self._inside.keepers.values()))
        is_new = said != self._said or (is_ready and not self._notifier.is_ready)
        if now_s < self._look_s and not is_new:
            return
        self._said, self._look_s = said, now_s + LOOK_S
        status = "; ".join([*said, *(self._counts() if is_read else ())])
        self._notifier.tell(status, is_ready=is_ready)

    def stop(self) -> None:
        """Tell that this is the end."""
        self._notifier.stopping()

    def _is_settled(self, keeper: Keeper) -> bool:
        if not keeper.is_active:
            return not keeper.turn.trouble
        if self._listening and not keeper.connection:
            return True
        return keeper.bridge.in_step or bool(self._inside.unreachable(keeper.name))

    def _waiting_for(self) -> str:
        if not self._inside.database.ready:
            return self._inside.remote
        unread = [str(each) for each in self._inside.source.sources if not each.ready]
        return ", ".join(unread)

    def _bridges(self) -> Iterator[str]:
        """Each bridge: whose turn it is, or what is wrong."""
        for name, keeper in sorted(self._inside.keepers.items()):
            trouble = self._inside.trouble(name)
            wrong = keeper.trouble(self._inside.unreachable(name), trouble)
            yield wrong or f"{escape(name)}: {keeper.turn.status}"
        if not self._inside.keepers:
            yield "no bridge is configured"

    def _counts(self) -> Iterator[str]:
        served = sum(bool(each.bindings) for each in self._inside.binder.served.values())
        yield f"{served} ports served, {self._inside.leases.counts().get('bound', 0)} leases bound"
