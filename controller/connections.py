# SPDX-License-Identifier: Apache-2.0
"""The connections to the bridges, and whose turn it is on each: all that it takes to answer.

Everything an answer needs is in the packet-in.  So a process answers before it has read a
configuration or a database: on the bridges that one with the same command line has answered on,
as their lock files tell, where nobody does now.  Those that turn out not to be its own are left
again.  There is neither os-ken nor a rate limit before the daemon's thread sees to it
(:meth:`Switches.start_os_ken`, :meth:`Channel.limit`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from pathlib import Path
from typing import TYPE_CHECKING

from ovs_dhcpd.controller.switch.channel import Channel
from ovs_dhcpd.controller.switch.inbox import Inbox
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.switch.lock import holder, lock_path, owner_of
from ovs_dhcpd.controller.switch.switches import Switches
from ovs_dhcpd.controller.switch.turn import Turn

from ovs_dhcpd import PROGRAM

if TYPE_CHECKING:
    from ovs_dhcpd.controller.switch.listener import ListenOn
    from typing_extensions import Self  # in typing from Python 3.11 on


class Connections:
    """The connections of one process with the command line ``owner`` (:func:`owner_of`).

    Sockets and locks are in ``rundir``, ``openflow`` are versions, the best first.  With ``listen``
    nothing is dialled: switches connect to us.  What they say is in the ``inbox``.  To be used in a
    ``with`` statement, at whose end all are closed.
    """

    def __init__(
        self,
        rundir: Path,
        openflow: Collection[str],
        owner: int,
        listen: ListenOn | None = None,
    ) -> None:
        self.inbox: Inbox[Channel] = Inbox()
        self.journal = Journal()
        self.switches = Switches(self.inbox, self.journal, openflow)
        self.rundir = rundir
        self._owner = owner
        self._listen = listen
        self._turns: dict[str, Turn] = {}  # by bridge

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let others answer, and close all connections."""
        for turn in self._turns.values():
            turn.end()
        self.switches.stop()

    @property
    def bridges(self) -> Set[str]:
        """The bridges that have been joined."""
        return self._turns.keys()

    def resume(self) -> None:
        """Answer at once where a process like this one did; to be called first.

        Who connects to us is let in at once, and what it asks is held until it is known whose it
        is.  Raises :exc:`OSError` where we cannot listen.
        """
        if self._listen:
            self.switches.listen(self._listen)
        else:
            for bridge in bridges_left(self.rundir, self._owner):
                self.join(bridge)

    def join(self, bridge: str) -> Turn:
        """Whose turn it is on ``bridge``, which is connected to from now on."""
        if bridge not in self._turns:
            path = lock_path(self.rundir, bridge)
            self._turns[bridge] = turn = Turn(path, self.inbox.wake, self._owner)
            if not self._listen:
                self.switches.connect(bridge, str(self.rundir / f"{bridge}.mgmt"), turn)
        return self._turns[bridge]

    def leave(self, bridge: str) -> None:
        """Let go of ``bridge``, which is not ours: others may have it, we do not answer there."""
        self._turns.pop(bridge).end(for_good=True)
        self.switches.disconnect(bridge)


def bridges_left(rundir: Path, owner: int) -> Iterator[str]:
    """The bridges that an ``owner`` like this has served, that are there and nobody serves now."""
    for path in rundir.glob(f"{PROGRAM}.*.lock"):
        bridge = path.name.removeprefix(f"{PROGRAM}.").removesuffix(".lock")
        try:
            if (
                owner_of(path) == owner
                and (rundir / f"{bridge}.mgmt").exists()
                and holder(path) is None
            ):
                yield bridge
        except OSError:
            continue  # it cannot be ours: we could not lock it
