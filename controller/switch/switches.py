# SPDX-License-Identifier: Apache-2.0
"""The connections to the switches: made, kept, and taken.

Each is served in a thread of its own.  Of what is heard there, all but packets becomes an event
(:mod:`controller.wire.events`) in the inbox of the daemon's thread, which alone decides.
"""

from __future__ import annotations

import math
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from ovs.vlog import Vlog
from ovs_dhcpd.controller.responders.dispatch import Dispatcher, Resumer
from ovs_dhcpd.controller.switch.channel import Channel, connect
from ovs_dhcpd.controller.switch.inbox import Inbox
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.switch.line_limit import LineLimit
from ovs_dhcpd.controller.switch.turn import Turn
from ovs_dhcpd.controller.wire.connection import Disconnected
from ovs_dhcpd.controller.wire.handshake import Handshake
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP14, OFP15

if TYPE_CHECKING:
    from ovs_dhcpd.controller.switch.listener import Listener, ListenOn
    from ovs_dhcpd.controller.switch.os_ken_app import DhcpApp

vlog = Vlog("switch")

# The best first: of those that the switch speaks too, the greatest is taken.
VERSIONS = {"1.5": OFP15, "1.4": OFP14, "1.3": OFP13}
MIN_BACKOFF_S, MAX_BACKOFF_S = 0.1, 8.0
LOOK_S = 0.1  # between two looks for a socket that is not there, or is another one
# For so long after a good connection it is looked for more often: when ovs-ctl restarts
# ovs-vswitchd it then puts back the flows that it has saved, all or none, and those of ours need
# their meters, which it does not save.
SOON_S, LOOK_SOON_S = 10.0, 0.005
MAX_STRANGERS = 64  # connections to us of which it is not known whose they are
NO_HANDSHAKE = "the handshake is not done yet"
SWITCH_INTERVAL_S = 0.0005  # the longest that a packet waits for another thread, unless in C code


class _Line:
    """A wish to be connected to the Unix socket `path` of the bridge `bridge`, until it ends."""

    def __init__(self, bridge: str, path: str, turn: Turn) -> None:
        self.bridge = bridge
        self.path = path
        self.turn = turn
        self.ended = threading.Event()
        self.trouble = NO_HANDSHAKE  # why there is no connection, if there is none
        self.error = 0  # of connect(2)
        self.said = ""  # of that, in the log
        self.good_s = -math.inf  # when a connection that had got ready ended

    @property
    def look_s(self) -> float:
        """The time between two looks for the socket, now."""
        return LOOK_SOON_S if time.monotonic() < self.good_s + SOON_S else LOOK_S

    def fail(self, why: str) -> None:
        """There is no connection: say why, if that has not just been said."""
        self.trouble = f"{self.path}: {why}"
        if self.said != why and not self.ended.is_set():
            vlog.info(f"{self.trouble}, trying again")
        self.said = why

    def wait(self, until_s: float, dialled: tuple[int, int, int] | None) -> None:
        """Wait until then, or until there is another socket in the place of ``dialled``."""
        while (left_s := until_s - time.monotonic()) > 0 and self.socket() == dialled:
            if self.ended.wait(min(left_s, self.look_s)):
                return

    def socket(self) -> tuple[int, int, int] | None:
        """What tells the socket that is there now from any other; None if there is none."""
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_ctime_ns


class Switches:
    """The connections: out to Unix sockets, or in from ``ovs-vsctl set-controller``.

    They speak one of ``versions``.  Each has a dispatcher of its own, made by ``dispatcher``.

    Packets are answered at once; nothing else is heard of a connection before
    :meth:`start_os_ken`.
    """

    def __init__(
        self,
        inbox: Inbox[Channel],
        journal: Journal,
        versions: Collection[str],
        dispatcher: Callable[[], Resumer] = Dispatcher,
    ) -> None:
        self._inbox, self._journal = inbox, journal
        self._dispatcher = dispatcher
        # The oldest first; in any thread, so it is copied before it is gone through.
        self._channels: dict[Channel, None] = {}
        self._lines: dict[str, _Line] = {}  # by bridge
        self._app: DhcpApp | None = None
        self._unheard: list[Channel] = []  # of which the application is to hear yet
        self._guard = threading.Lock()  # of these two
        self._listener: Listener | None = None
        self.listens_on = ""  # where switches connect to us, as ovs-vsctl wants it
        self._faults = LineLimit(1, 5)
        self._versions = [VERSIONS[version] for version in versions]
        sys.setswitchinterval(SWITCH_INTERVAL_S)

    def start_os_ken(self) -> None:
        """Import os-ken, and have its application hear of the connections."""
        from ovs_dhcpd.controller.switch import os_ken_app

        with self._guard:
            self._app = os_ken_app.start(self._versions)
            for channel in self._unheard:
                try:
                    self._app.hear_of(channel)
                except Exception:
                    self._fail(channel)
            self._unheard.clear()

    def connect(self, bridge: str, path: str, turn: Turn | None = None) -> None:
        """Keep a connection to ``bridge`` by the Unix socket ``path``, until :meth:`disconnect`.

        Its packet-ins are answered while it is our ``turn``; without one, always.
        """
        self._lines[bridge] = line = _Line(bridge, path, turn or Turn())
        threading.Thread(target=self._connect_loop, args=(line,), daemon=True).start()

    def listen(self, where: ListenOn) -> None:
        """Let switches connect.  Raises :exc:`OSError`, and has then done nothing."""
        from ovs_dhcpd.controller.switch.listener import Listener

        self._listener = Listener(where, self._versions, self._accepted)
        self._listener.start()
        self.listens_on = str(where)
        vlog.info(f"listening on {where}")

    def trouble(self, bridge: str) -> str:
        """Why ``bridge`` has no connection, if it has none."""
        line = self._lines.get(bridge)
        return line.trouble if line else f"its switch has not connected to {self.listens_on}"

    def dial_error(self, bridge: str) -> int:
        """The number of the error with which ``bridge`` cannot be dialled; 0: there is none."""
        line = self._lines.get(bridge)
        return line.error if line else 0

    def disconnect(self, bridge: str) -> None:
        """Close the connection to ``bridge``, and make no other in its place."""
        if line := self._lines.pop(bridge, None):
            line.ended.set()
        for channel in list(self._channels):
            if channel.bridge == bridge:
                channel.close()

    def stop(self) -> None:
        """Close all connections and end os-ken."""
        if self._listener:
            self._listener.stop()
        for line in self._lines.values():
            line.ended.set()
        for channel in list(self._channels):
            channel.close()
        if self._app:
            from ovs_dhcpd.controller.switch import os_ken_app

            os_ken_app.stop()
        self._journal.write()

    def _connect_loop(self, line: _Line) -> None:
        """Dial as soon as there is a socket; who does not get ready is dialled ever more rarely."""
        backoff_s = MIN_BACKOFF_S
        while not line.ended.is_set():
            dialled, dialled_s = line.socket(), time.monotonic()
            try:
                connection = connect(line.path)
            except OSError as error:
                line.error = error.errno or 0
                line.fail(error.strerror or str(error))
                backoff_s = MIN_BACKOFF_S
                line.ended.wait(line.look_s)
                continue
            line.trouble, line.error = NO_HANDSHAKE, 0
            handshake = Handshake(self._versions)
            channel = self._channel(connection, line.path, handshake, line.bridge)
            channel.join(line.turn)
            if line.ended.is_set():
                channel.close()  # who ended it may not have seen it
            self._serve(channel)
            if channel.ready:
                line.said = ""
                line.good_s = time.monotonic()
                backoff_s = MIN_BACKOFF_S
            if not handshake.features:
                line.fail(channel.why)
            elif not channel.ready:
                line.trouble = channel.why or "it ends before the bridge is ready"
            line.wait(dialled_s + backoff_s, dialled)
            backoff_s = min(2 * backoff_s, MAX_BACKOFF_S)

    def _accepted(self, connection: socket.socket, address: str, handshake: Handshake) -> None:
        """Serve a switch that has connected to us.  Raises :exc:`RuntimeError` without threads."""
        strangers = [channel for channel in list(self._channels) if channel.bridge is None]
        if len(strangers) >= MAX_STRANGERS:
            strangers[0].close()
        channel = self._channel(connection, address, handshake, None)
        try:
            threading.Thread(target=self._serve, args=(channel,), daemon=True).start()
        except RuntimeError:
            del self._channels[channel]
            raise

    def _channel(
        self, connection: socket.socket, address: str, handshake: Handshake, bridge: str | None
    ) -> Channel:
        dispatcher = self._dispatcher()
        channel = Channel(
            connection, address, self._journal, dispatcher, self._inbox, bridge, handshake
        )
        self._channels[channel] = None
        return channel

    def _serve(self, channel: Channel) -> None:
        """Serve a connection until it ends."""
        threading.current_thread().name = "channel"  # in the log, as ovn-controller's pinctrl
        try:
            channel.serve(self._introduce)
        except Exception:
            self._fail(channel)
        finally:
            with self._guard:
                if channel in self._unheard:
                    self._unheard.remove(channel)
                channel.tell(Disconnected(channel.why))
            del self._channels[channel]

    def _introduce(self, channel: Channel) -> None:
        """Have os-ken's application hear of a connection, if not now then when it is there."""
        with self._guard:
            if self._app:
                self._app.hear_of(channel)
            else:
                self._unheard.append(channel)

    def _fail(self, channel: Channel) -> None:
        """There was a fault of ours: it costs this connection, not the daemon."""
        channel.close()
        if line := self._faults.line(f"{channel.address}: connection closed", time.monotonic()):
            vlog.exception(line)
