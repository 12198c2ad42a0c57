# SPDX-License-Identifier: Apache-2.0
"""What the service manager is told: when we are ready, and how it goes, in a line.

Ready is who stands by or has all flows in place, on each bridge that there is.  Nobody waits for a
bridge that does not exist or cannot be spoken to, nor for a switch that has to connect to us.

Who runs us as another user than Open vSwitch's gives us access to each of its sockets when that is
made (debian/ovs-dhcpd-access.path), and systemd may miss one while it does that for another.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from ovs_dhcpd.controller.first_look import is_denied
from ovs_dhcpd.controller.inside import Inside
from ovs_dhcpd.controller.keeper import Keeper
from ovs_dhcpd.controller.notify import Notifier
from ovs_dhcpd.flows.options.wording import escape

LOOK_S = 5.0  # between two counts of what may be many
ASK_S = 0.2  # between two times to ask for access


class ManagerKeeper:
    """Tells ``notifier`` of what is ``inside``; Open vSwitch's sockets are in ``rundir``.

    With ``listening`` switches connect to us.
    """

    def __init__(
        self, inside: Inside, notifier: Notifier, rundir: Path, *, listening: bool
    ) -> None:
        self._inside = inside
        self._rundir = rundir
        self._ask_s = 0.0
        self._notifier = notifier
        self._listening = listening
        self._said: list[str] = []
        self._look_s = 0.0

    def run(self, now_s: float, *, is_read: bool) -> None:
        """Tell what is new.  ``is_read``: the databases and configurations have been read."""
        if not self._notifier:
            return
        self._ask_for_access(now_s)
        said = [f"waiting for {self._waiting_for()}"]
        if is_read:
            said = [*self._bridges(), *self._mistakes()]
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

    def _ask_for_access(self, now_s: float) -> None:
        """Touch the directory of a socket that we may not open: who watches it looks again."""
        if now_s < self._ask_s:
            return
        self._ask_s = now_s + ASK_S
        if any(map(is_denied, self._unconnected())):
            with contextlib.suppress(OSError):
                os.utime(self._rundir)

    def _unconnected(self) -> Iterator[Path]:
        """The sockets to which there is no connection."""
        if not self._inside.database.is_current:
            yield self._rundir / "db.sock"
        if not self._listening:
            for name, keeper in self._inside.keepers.items():
                if not keeper.connection:
                    yield self._rundir / f"{name}.mgmt"

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

    def _mistakes(self) -> Iterator[str]:
        """The first of each source that is not in force as it is now."""
        for source in self._inside.source.sources:
            if source.mistakes:
                yield f"{source.mistakes[0]}; what was read before is in force"

    def _counts(self) -> Iterator[str]:
        served = sum(bool(each.bindings) for each in self._inside.binder.served.values())
        yield f"{served} ports served, {self._inside.leases.counts().get('bound', 0)} leases bound"
