# SPDX-License-Identifier: Apache-2.0
"""The switches that have connected to us (``--listen``), until it is known which bridge each is.

What they ask meanwhile their connections hold (:mod:`controller.switch.held`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ovs.vlog import Vlog
from ovs_dhcpd.controller.bridges.whose import Stranger
from ovs_dhcpd.controller.switch.channel import Channel
from ovs_dhcpd.controller.switch.line_limit import LineLimit
from ovs_dhcpd.controller.wire.connection import Connected, Disconnected
from ovs_dhcpd.controller.wire.events import Event

vlog = Vlog("daemon")


class Strangers:
    """The switches of which it is not known yet which bridge they are; all in the daemon's thread.

    ``whose`` has the name of the bridge with a datapath id (:mod:`controller.bridges.whose`), and
    ``receive`` is called with that, the channel and what it has heard first.
    """

    def __init__(
        self,
        whose: Callable[[int], str | None],
        receive: Callable[[str, Channel, Connected], object],
    ) -> None:
        self._whose = whose
        self._receive = receive
        self._waiting: dict[Channel, Connected] = {}
        self._lines = LineLimit(1, 20)

    def hear(self, channel: Channel, event: Event) -> None:
        """``channel``, which is no bridge's so far, has heard ``event``."""
        if isinstance(event, Connected):
            self._waiting[channel] = event
            self._look_at(channel)
            if channel in self._waiting:
                self._say(channel, f"datapath {event.datapath_id:016x} is not known yet")
        elif isinstance(event, Disconnected) and channel in self._waiting:
            del self._waiting[channel]
            self._say(channel, event.why or "connection ended")

    def run(self) -> None:
        """Hand over those of which it is known by now, and send away who is no bridge of ours."""
        for channel in list(self._waiting):
            self._look_at(channel)

    def _look_at(self, channel: Channel) -> None:
        connected = self._waiting[channel]
        try:
            bridge = self._whose(connected.datapath_id)
        except Stranger as error:
            self._say(channel, str(error))
            channel.close()
            del self._waiting[channel]
            return
        if bridge:
            del self._waiting[channel]
            self._receive(bridge, channel, connected)

    def _say(self, channel: Channel, text: str) -> None:
        if line := self._lines.line(f"{channel.address}: {text}", time.monotonic()):
            vlog.warn(line)
