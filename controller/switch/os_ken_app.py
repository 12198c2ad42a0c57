# SPDX-License-Identifier: Apache-2.0
"""The os-ken application: it shakes hands, and tells the daemon what the switches say.

Each connection is served in a thread of its own, in which os-ken's handlers are called too:
what they hear becomes an event (:mod:`controller.wire.events`) in the inbox of the daemon's
thread, which alone decides.  Nothing but this module and :mod:`controller.switch.channel`
knows os-ken.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from os_ken.base.app_manager import AppManager, OSKenApp
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_handler
from os_ken.ofproto import ofproto_v1_3, ofproto_v1_4, ofproto_v1_5
from ovs.vlog import Vlog
from ovs_dhcpd.controller.responders.dispatch import Dispatcher, Resumer
from ovs_dhcpd.controller.switch.channel import Channel, connect
from ovs_dhcpd.controller.switch.inbox import Inbox
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.switch.rate_limit import RateLimit, dropped_lines
from ovs_dhcpd.controller.switch.turn import Turn
from ovs_dhcpd.controller.wire.connection import Connected
from ovs_dhcpd.controller.wire.handshake import Handshake
from ovs_dhcpd.controller.wire.openflow import ask_for_packet_ins

if TYPE_CHECKING:
    from ovs_dhcpd.controller.switch.listener import Listener, ListenOn

vlog = Vlog("switch")

# The best first: of those that the switch speaks too, the greatest is taken.
VERSIONS = {
    "1.5": ofproto_v1_5.OFP_VERSION,
    "1.4": ofproto_v1_4.OFP_VERSION,
    "1.3": ofproto_v1_3.OFP_VERSION,
}
MIN_BACKOFF_S, MAX_BACKOFF_S = 0.1, 8.0
LOOK_S = 0.1  # between two looks for a socket that is not there, or is another one
MAX_STRANGERS = 64  # connections to us of which it is not known whose they are
NO_HANDSHAKE = "the handshake is not done yet"
SWITCH_INTERVAL_S = 0.0005  # the longest that a packet waits for another thread, unless in C code


class DhcpApp(OSKenApp):
    """The one os-ken application, called in the threads of the connections.

    It stands in for os-ken's own ``ofp_event``, whose handshake and parsers trust a peer.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = ofp_event.NAME  # by which a connection finds it

    def start(self) -> None:
        """Start nothing: os-ken would start an event loop."""

    @set_ev_handler(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def switch_features_handler(self, ev: Any) -> None:
        """The switch has said who it is: the handshake is done, and packets may come."""
        channel = ev.msg.datapath
        channel.id = ev.msg.datapath_id
        channel.set_state(MAIN_DISPATCHER)
        channel.send(ask_for_packet_ins(channel.ofproto.OFP_VERSION))
        channel.tell(Connected(channel.ofproto.OFP_VERSION, channel.id))


class _Line:
    """A wish to be connected to the Unix socket `path` of the bridge `bridge`, until it ends."""

    def __init__(self, bridge: str, path: str, turn: Turn) -> None:
        self.bridge = bridge
        self.path = path
        self.turn = turn
        self.ended = threading.Event()
        self.trouble = NO_HANDSHAKE  # why there is no connection, if there is none
        self.said = ""  # of that, in the log

    def fail(self, why: str) -> None:
        """There is no connection: say why, if that has not just been said."""
        self.trouble = f"{self.path}: {why}"
        if self.said != why and not self.ended.is_set():
            vlog.info(f"{self.trouble}, trying again")
        self.said = why

    def wait(self, until_s: float, dialled: tuple[int, int, int] | None) -> None:
        """Wait until then, or until there is another socket in the place of ``dialled``."""
        while (left_s := until_s - time.monotonic()) > 0 and self.socket() == dialled:
            if self.ended.wait(min(left_s, LOOK_S)):
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
        self._channels: dict[Channel, None] = {}  # the oldest first
        self._lines: dict[str, _Line] = {}  # by bridge
        self._started = False
        self._listener: Listener | None = None
        self._faults = RateLimit(1, 5)
        self._versions = [VERSIONS[version] for version in versions]
        DhcpApp.OFP_VERSIONS = self._versions

    def connect(self, bridge: str, path: str, turn: Turn | None = None) -> None:
        """Keep a connection to ``bridge`` by the Unix socket ``path``, until :meth:`disconnect`.

        Its packet-ins are answered while it is our ``turn``; without one, always.
        """
        self._start_os_ken()
        self._lines[bridge] = line = _Line(bridge, path, turn or Turn())
        threading.Thread(target=self._connect_loop, args=(line,), daemon=True).start()

    def listen(self, where: ListenOn) -> None:
        """Let switches connect.  Raises :exc:`OSError`, and has then done nothing."""
        from ovs_dhcpd.controller.switch.listener import Listener

        self._listener = Listener(where, self._versions, self._accepted)
        self._start_os_ken()
        self._listener.start()

    def trouble(self, bridge: str) -> str:
        """Why ``bridge`` has no connection, if it has none."""
        line = self._lines.get(bridge)
        return line.trouble if line else "its switch has not connected to us"

    def disconnect(self, bridge: str) -> None:
        """Close the connection to ``bridge``, and make no other in its place."""
        if line := self._lines.pop(bridge, None):
            line.ended.set()
        for channel in list(self._channels):
            if channel.bridge == bridge:
                channel.close()

    def _start_os_ken(self) -> None:
        if self._started:
            return
        self._started = True
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        AppManager.get_instance().instantiate(DhcpApp)

    def stop(self) -> None:
        """Close all connections and end os-ken."""
        if self._listener:
            self._listener.stop()
        for line in self._lines.values():
            line.ended.set()
        for channel in list(self._channels):
            channel.close()
        AppManager.get_instance().close()
        self._journal.write()

    def _connect_loop(self, line: _Line) -> None:
        """Dial as soon as there is a socket; who does not get ready is dialled ever more rarely."""
        backoff_s = MIN_BACKOFF_S
        while not line.ended.is_set():
            dialled, dialled_s = line.socket(), time.monotonic()
            try:
                connection = connect(line.path)
            except OSError as error:
                line.fail(error.strerror or str(error))
                backoff_s = MIN_BACKOFF_S
                line.ended.wait(LOOK_S)
                continue
            line.trouble = NO_HANDSHAKE
            channel = self._channel(connection, line.path, Handshake(self._versions), line.bridge)
            channel.join(line.turn)
            if line.ended.is_set():
                channel.close()  # who ended it may not have seen it
            self._serve(channel)
            if channel.ready:
                line.said = ""
                backoff_s = MIN_BACKOFF_S
            if channel.id is None:
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
            channel.serve()
        except Exception:  # a fault of ours: it costs this connection, not the daemon
            dropped = self._faults.admit(time.monotonic())
            if dropped is not None:
                vlog.exception(f"{channel.address}: connection closed{dropped_lines(dropped)}")
        finally:
            del self._channels[channel]
