# SPDX-License-Identifier: Apache-2.0
"""The os-ken side: connections come and go, and what is to be known of them.

os-ken shakes hands, answers echo requests and parses what is not a packet-in, each
connection in a thread of its own.  What the application hears goes to the daemon's
thread, which alone decides; here is no logic to test.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from os_ken.base.app_manager import AppManager, OSKenApp
from os_ken.controller import ofp_event, ofp_handler
from os_ken.controller.handler import (
    CONFIG_DISPATCHER,
    DEAD_DISPATCHER,
    MAIN_DISPATCHER,
    set_ev_cls,
    set_ev_handler,
)
from os_ken.lib import hub
from os_ken.ofproto import ofproto_v1_3, ofproto_v1_5
from ovs.vlog import Vlog

from controller.channel import Channel, SwitchEvents, connect
from controller.inbox import Inbox
from controller.journal import Journal
from controller.openflow import BUNDLE_COMMIT_REPLY
from controller.responders.dispatch import Dispatcher, Resumer

vlog = Vlog("app")

VERSIONS = {"1.3": ofproto_v1_3.OFP_VERSION, "1.5": ofproto_v1_5.OFP_VERSION}
MIN_BACKOFF_S, MAX_BACKOFF_S = 0.1, 8.0
SWITCH_INTERVAL_S = 0.0005  # the longest that a packet waits for another thread, unless in C code


@dataclass(frozen=True)
class ListenOn:
    """Where switches may connect to; ``tls`` is what os-ken's StreamServer wants for TLS."""

    host: str
    port: int
    tls: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{'ssl' if self.tls else 'tcp'}:{self.host}:{self.port}"


class Handshake(ofp_handler.OFPHandler):
    """os-ken's handshake, without what nobody here needs.

    That is the TCP server it starts by itself, and the list of ports it asks for:
    with thousands of them that takes longer than all the rest of a start.
    """

    def start(self) -> None:
        """Start the event loop and nothing else."""
        OSKenApp.start(self)

    @set_ev_handler(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def switch_features_handler(self, ev: Any) -> None:
        """The switch has said who it is: the handshake is done."""
        ev.msg.datapath.id = ev.msg.datapath_id
        ev.msg.datapath.set_state(MAIN_DISPATCHER)

    @set_ev_handler(ofp_event.EventOFPPortStatus, MAIN_DISPATCHER)
    def port_status_handler(self, ev: Any) -> None:
        """os-ken would keep its list of ports."""


class DhcpApp(OSKenApp):
    """Has each connection tell what happens on it."""

    @set_ev_cls(ofp_event.EventOFPStateChange, [MAIN_DISPATCHER, DEAD_DISPATCHER])
    def state_change(self, ev: Any) -> None:
        """A handshake is done, or a connection has ended."""
        channel = ev.datapath
        if ev.state == MAIN_DISPATCHER:
            channel.tell(lambda events: events.connected(channel))
        else:
            channel.tell(lambda events: events.disconnected(channel))

    @set_ev_cls(ofp_event.EventOFPPortStatus, MAIN_DISPATCHER)
    def port_status(self, ev: Any) -> None:
        """A port has come, gone or changed."""
        msg = ev.msg
        if msg.reason == msg.datapath.ofproto.OFPPR_ADD:
            name = msg.desc.name.decode(errors="replace")
            channel, ofport = msg.datapath, msg.desc.port_no
            channel.tell(lambda events: events.port_added(channel, name, ofport))

    @set_ev_cls(ofp_event.EventOFPErrorMsg, MAIN_DISPATCHER)
    def error(self, ev: Any) -> None:
        """The switch has refused a message."""
        channel, xid = ev.msg.datapath, ev.msg.xid
        name = f"{channel.ofproto.ofp_error_type_to_str(ev.msg.type)} code {ev.msg.code}"
        channel.tell(lambda events: events.failed(channel, xid, name))

    @set_ev_cls([ofp_event.EventOFPBundleCtrlMsg, ofp_event.EventONFBundleCtrlMsg], MAIN_DISPATCHER)
    def bundle_control(self, ev: Any) -> None:
        """A bundle reply, of OpenFlow 1.5 or of 1.3's extension."""
        if ev.msg.type == BUNDLE_COMMIT_REPLY:
            channel, xid = ev.msg.datapath, ev.msg.xid
            channel.tell(lambda events: events.bundle_committed(channel, xid))


class Switches:
    """The connections: out to Unix sockets, or in from ``ovs-vsctl set-controller``.

    Each has a dispatcher of its own, made by ``dispatcher``.
    """

    def __init__(
        self,
        inbox: Inbox,
        journal: Journal,
        version: str,
        dispatcher: Callable[[], Resumer] = Dispatcher,
    ) -> None:
        self._inbox, self._journal = inbox, journal
        self._dispatcher = dispatcher
        self._stopped = threading.Event()
        self._channels: set[Channel] = set()
        self._wanted: set[SwitchEvents] = set()  # who wants to keep a connection
        self._started = False
        DhcpApp.OFP_VERSIONS = [VERSIONS[version]]

    def connect(self, path: str, events: SwitchEvents) -> None:
        """Keep a connection to the Unix socket ``path``, until :meth:`disconnect`."""
        self._wanted.add(events)
        self._start_os_ken()
        threading.Thread(target=self._connect_loop, args=(path, events), daemon=True).start()

    def listen(self, where: ListenOn, events: SwitchEvents) -> None:
        """Let switches connect.  Raises :exc:`OSError`, and has then done nothing."""
        server = hub.StreamServer(
            (where.host, where.port), lambda sock, _: self._serve(sock, where, events), **where.tls
        )
        self._start_os_ken()
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def disconnect(self, events: SwitchEvents) -> None:
        """Close the connection that tells ``events``, and have no other in its place."""
        self._wanted.discard(events)
        for channel in list(self._channels):
            if channel.events is events:
                channel.close()

    def _start_os_ken(self) -> None:
        if self._started:
            return
        self._started = True
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        manager = AppManager.get_instance()
        manager.instantiate(Handshake).start()
        manager.instantiate(DhcpApp).start()

    def stop(self) -> None:
        """Close all connections and end os-ken."""
        self._stopped.set()
        for channel in list(self._channels):
            channel.close()
        AppManager.get_instance().close()

    def _connect_loop(self, path: str, events: SwitchEvents) -> None:
        backoff_s = MIN_BACKOFF_S
        while events in self._wanted and not self._stopped.is_set():
            try:
                connection = connect(path)
            except OSError as error:
                if backoff_s == MIN_BACKOFF_S:
                    vlog.info(f"{path}: {error.strerror}, trying again")
            else:
                if self._serve(connection, path, events):
                    backoff_s = MIN_BACKOFF_S
            self._stopped.wait(backoff_s)
            backoff_s = min(2 * backoff_s, MAX_BACKOFF_S)

    def _serve(self, connection: socket.socket, address: object, events: SwitchEvents) -> bool:
        """Serve one connection until it ends; whether its handshake was ever done."""
        threading.current_thread().name = "channel"  # in the log, as ovn-controller's pinctrl
        dispatcher = self._dispatcher()
        channel = Channel(connection, address, self._journal, dispatcher, self._inbox, events)
        self._channels.add(channel)
        try:
            channel.serve()
        except Exception:  # a fault of ours: it costs this connection, not the daemon
            vlog.exception(f"{address}: connection closed")
        finally:
            self._channels.discard(channel)
        return channel.id is not None
