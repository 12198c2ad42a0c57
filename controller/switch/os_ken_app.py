# SPDX-License-Identifier: Apache-2.0
"""The os-ken application: it hears of each switch, and has the daemon hear of it.

To import os-ken takes longer than all else that an answer needs, and no answer needs it: this
module is imported once packets are answered.  os-ken's own way with a connection (objects, a
queue, a second thread) costs more for a packet-in than answering it, and its parsers believe what
they read: of what comes on a connection (:mod:`controller.switch.channel`) os-ken sees the
FEATURES_REPLY alone, which has been looked at by then.  Nothing but this module knows os-ken.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from os_ken.base.app_manager import AppManager, OSKenApp
from os_ken.controller import controller, ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_handler
from os_ken.ofproto import ofproto_parser
from ovs_dhcpd.controller.switch.channel import Channel
from ovs_dhcpd.controller.wire.connection import Connected
from ovs_dhcpd.controller.wire.openflow import HEADER


class DhcpApp(OSKenApp):
    """The one os-ken application.

    It stands in for os-ken's own ``ofp_event``, whose handshake and parsers trust a peer.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = ofp_event.NAME  # by which os-ken finds it

    def start(self) -> None:
        """Start nothing: os-ken would start an event loop."""

    def hear_of(self, channel: Channel) -> None:
        """Have the handlers called, in this thread, for a channel whose handshake is done."""
        features = channel.handshake.features
        datapath = Datapath(channel)
        parsed = ofproto_parser.msg(datapath, *HEADER.unpack_from(features), features)
        event = ofp_event.ofp_msg_to_ev(parsed)
        for handler in self.get_handlers(event, datapath.state):
            handler(event)

    @set_ev_handler(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def switch_features_handler(self, ev: Any) -> None:
        """The switch has said who it is."""
        datapath = ev.msg.datapath
        datapath.id = ev.msg.datapath_id
        datapath.set_state(MAIN_DISPATCHER)
        datapath.channel.introduce(Connected(datapath.ofproto.OFP_VERSION, datapath.id))


class Datapath(controller.Datapath):
    """A connection as os-ken has it: what it sends and closes, ``channel`` does."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(_Socket(), channel.address)
        self.channel = channel
        self.set_version(channel.handshake.version)
        self.set_state(CONFIG_DISPATCHER)

    def send(self, buf: bytes, close_socket: bool = False) -> bool:
        """Send whole messages; os-ken's ``send_msg`` too."""
        sent = self.channel.send(buf)
        if close_socket:
            self.close()
        return sent and not close_socket

    def close(self) -> None:
        """End the connection."""
        self.channel.close()


class _Socket:
    """In the place of the channel's socket, which os-ken is to leave as it is."""

    def setsockopt(self, *_: int) -> None:
        """Do nothing."""

    def settimeout(self, _: float | None) -> None:
        """Do nothing."""


def start(versions: Collection[int]) -> DhcpApp:
    """Have os-ken run its application, which speaks these OpenFlow versions (on the wire)."""
    DhcpApp.OFP_VERSIONS = list(versions)
    app: DhcpApp = AppManager.get_instance().instantiate(DhcpApp)
    return app


def stop() -> None:
    """End it."""
    AppManager.get_instance().close()
