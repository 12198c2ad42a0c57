# SPDX-License-Identifier: Apache-2.0
"""The connections of a daemon without the daemon, and a switch of a few lines at the other end."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from ovs_dhcpd.controller.switch.channel import Channel
from ovs_dhcpd.controller.switch.inbox import Inbox
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.switch.switches import Switches
from ovs_dhcpd.controller.wire.events import Event

from tests.lab.openflow_peer import Peer
from tests.lab.process import LabError

PATIENCE_S = 20  # for what takes milliseconds


class Lab:
    """`Switches` with its inbox, and one connection's other end."""

    def __init__(self, path: Path, *, os_ken: bool = True) -> None:
        self.path = path
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen()
        self.server.settimeout(PATIENCE_S)
        self.inbox: Inbox[Channel] = Inbox()
        self.journal = Journal()
        self.switches = Switches(self.inbox, self.journal, ["1.5"])
        if os_ken:
            self.switches.start_os_ken()
        self._taken: list[tuple[Channel, Event]] = []
        self._peers: list[Peer] = []

    def accept(self) -> Peer:
        """The other end of the next connection."""
        self._peers.append(Peer(self.server.accept()[0]))
        return self._peers[-1]

    def close(self) -> None:
        """Close all connections, from both ends."""
        self.switches.stop()
        self.server.close()
        for peer in self._peers:
            peer.close()

    def take(self, patience_s: float = PATIENCE_S) -> tuple[Channel, Event]:
        """The next event."""
        end_s = time.monotonic() + patience_s
        while not self._taken:
            self._taken += self.inbox.take()
            if time.monotonic() > end_s:
                raise LabError("waited in vain for an event")
            time.sleep(0.005)
        return self._taken.pop(0)

    def is_quiet(self) -> bool:
        """Whether there is no event, nor within a fifth of a second."""
        time.sleep(0.2)
        self._taken += self.inbox.take()
        return not self._taken
