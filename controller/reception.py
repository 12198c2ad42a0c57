# SPDX-License-Identifier: Apache-2.0
"""Where switches that connect to us say which bridge they are."""

from __future__ import annotations

from ovs.vlog import Vlog

from controller.channel import Channel
from controller.keeper import Keeper
from controller.sources.open_vswitch import OpenVSwitch

vlog = Vlog("reception")


class Reception:
    """Hands each connection to the keeper of its bridge, once the database says which that is.

    Implements :class:`controller.channel.SwitchEvents` for connections without a keeper.
    """

    def __init__(self, database: OpenVSwitch, keepers: dict[str, Keeper]) -> None:
        self._database = database
        self._keepers = keepers
        self._waiting: list[Channel] = []

    def run(self) -> None:
        """Look whether the database has said something of those who wait."""
        waiting, self._waiting = self._waiting, []
        for channel in waiting:
            self._receive(channel, again=True)

    def connected(self, channel: Channel) -> None:
        """The handshake is done."""
        self._receive(channel, again=False)

    def _receive(self, channel: Channel, *, again: bool) -> None:
        expected = {}
        for name, keeper in self._keepers.items():
            datapath_id = self._database.datapath_ids.get(name)
            if channel.id == datapath_id:
                channel.events = keeper
                keeper.connected(channel)
                return
            expected[name] = f"{datapath_id:016x}" if datapath_id is not None else None
        if None in expected.values() or not self._database.ready:
            if not again:
                vlog.info(f"{channel.address}: datapath {channel.id:016x} is not known yet")
            self._waiting.append(channel)
            return
        known = ", ".join(f"{datapath_id} of {name}" for name, datapath_id in expected.items())
        vlog.warn(f"{channel.address}: datapath {channel.id:016x}, expected {known}")
        channel.close()

    def disconnected(self, channel: Channel) -> None:
        """The connection has ended."""
        if channel in self._waiting:
            self._waiting.remove(channel)

    # Nothing else happens before a keeper has asked for it, but for new ports, of which the
    # database will tell.

    def flow_reply(self, channel: Channel, reply: bytes) -> None:
        """None is asked for."""

    def port_added(self, channel: Channel, name: str, ofport: int) -> None:
        """The database will tell."""

    def bundle_committed(self, channel: Channel, xid: int) -> None:
        """None is sent."""

    def failed(self, channel: Channel, xid: int, error: str) -> None:
        """Nothing is sent."""
