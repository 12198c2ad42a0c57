# SPDX-License-Identifier: Apache-2.0
"""One bridge: its connection, and all that is to be on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import uniform

from ovs.vlog import Vlog

from controller.bridge import Bridge
from controller.channel import Channel
from controller.journal import Journal
from controller.openflow import encode_packet_out, is_flow_dump_reply
from controller.ra_schedule import Advertisement, RaSchedule
from flows import pipeline
from flows.bindings import Network, Port
from flows.flow import Flow

vlog = Vlog("keeper")

READ_AGAIN_S = 5.0  # after the switch refused a bundle
COUNT_S = 5.0  # between two looks whether all flows are still there

Served = Sequence[tuple[Network, Port]]


class Keeper:
    """Keeps the bridge ``name`` as its ports want it.

    Everything happens in the daemon's thread.  ``hear_of_port(name, ofport)`` is called when
    the switch has a new port.
    """

    def __init__(
        self, name: str, journal: Journal, hear_of_port: Callable[[str, int], None]
    ) -> None:
        self.name = name
        self._announced = False
        self._journal = journal
        self._hear_of_port = hear_of_port
        self._bridge = Bridge(name)
        self._networks = Networks()
        self._advertisements = RaSchedule(uniform)
        self._channel: Channel | None = None
        self._read_again_s: float | None = None
        self._count_s = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._channel is not None

    @property
    def synchronized(self) -> bool:
        """Whether the switch has confirmed all that is wanted."""
        return self._bridge.synchronized

    def serve(self, wanted: bool) -> None:
        """Have the flows that every bridge has which is served, or no longer."""
        self._bridge.want("bridge", pipeline.bridge_flows() if wanted else ())

    def plug(self, name: str, ofport: int, served: Served) -> None:
        """Serve the port ``name``, which is the bridge's port ``ofport``, just this."""
        flows: list[Flow] = []
        advertisement = None
        for network, port in served:
            flows += pipeline.port_flows(network, port, ofport)
            advertisement = advertisement or Advertisement.of(network, ofport)
        self._bridge.want(f"port {name}", flows)
        for owner, shared in self._networks.use(name, [network for network, _ in served]):
            self._bridge.want(f"network {owner}", shared)
        self._advertisements.want(name, advertisement, time.monotonic())

    def unplug(self, name: str) -> None:
        """Serve the port ``name`` nothing."""
        self.plug(name, 0, ())

    def leave(self) -> None:
        """Have the bridge as it was before us."""
        self._bridge.want_nothing()

    def read_again(self) -> None:
        """Look at what is on the bridge."""
        self._send(self._bridge.read_again())

    def run(self, *, all_known: bool) -> None:
        """Tell the switch what is missing there, and with ``all_known`` what is too much."""
        if self._read_again_s is not None and time.monotonic() >= self._read_again_s:
            self._read_again_s = None
            self.read_again()
        if time.monotonic() >= self._count_s:
            self._count_s = time.monotonic() + COUNT_S
            self._send(self._bridge.count())
        self._send(self._bridge.reconcile(deleting=all_known))
        self._advertise()

    def announce(self, *, all_known: bool) -> bool:
        """Say once, after each connection, that the bridge is in step; returns whether it is."""
        in_step = all_known and self.synchronized
        if in_step and not self._announced:
            vlog.info(f"{self.name}: ready, {len(self._bridge)} flows")
        self._announced = in_step
        return in_step

    def next_s(self) -> float:
        """When :meth:`run` has something to do at the latest (:func:`time.monotonic`)."""
        times = (self._advertisements.next_s(), self._read_again_s, self._count_s)
        return min(each for each in times if each is not None)

    # What the connection reports (controller.channel.SwitchEvents).

    def connected(self, channel: Channel) -> None:
        """The handshake is done."""
        version = channel.ofproto.OFP_VERSION
        vlog.info(f"{self.name}: connected, OpenFlow 1.{version - 1}")
        if self._channel:
            self._channel.close()
        self._channel = channel
        self._send(self._bridge.connected(version))

    def disconnected(self, channel: Channel) -> None:
        """The connection has ended."""
        if channel is self._channel:
            vlog.info(f"{self.name}: connection ended")
            self._channel = None
            self._bridge.disconnected()

    def flow_reply(self, channel: Channel, reply: bytes) -> None:
        """The switch says which flows it has, or how many."""
        if channel is not self._channel:
            return
        try:
            if is_flow_dump_reply(reply):
                self._bridge.flow_dump(reply)
            else:
                self._send(self._bridge.flow_count(reply))
        except ValueError as error:
            vlog.err(f"{self.name}: {error}")
            channel.close()

    def port_added(self, channel: Channel, name: str, ofport: int) -> None:
        """The bridge has a new port.

        ovs-vswitchd tells the database of it later, and may then be busy with that
        for tens of milliseconds before it hears us again.
        """
        if channel is self._channel:
            self._hear_of_port(name, ofport)

    def bundle_committed(self, channel: Channel, xid: int) -> None:
        """The switch has carried out a bundle."""
        if channel is self._channel:
            self._bridge.bundle_committed(xid)

    def failed(self, channel: Channel, xid: int, error: str) -> None:
        """The switch has refused a message."""
        if channel is self._channel and self._bridge.failed(xid, error):
            self._read_again_s = time.monotonic() + READ_AGAIN_S
        else:
            vlog.warn(f"{self.name}: the switch reports {error} (xid {xid})")

    def _send(self, messages: Iterable[bytes]) -> None:
        if self._channel:
            self._channel.send_all(messages)

    def _advertise(self) -> None:
        """Send the router advertisements whose time has come; without a switch they are lost."""
        due = self._advertisements.due(time.monotonic())
        if self._channel:
            version = self._channel.ofproto.OFP_VERSION
            self._send(encode_packet_out(version, each.ofport, each.frame) for each in due)
            self._journal.advertised(len(due))


class Networks:
    """The networks that have a port plugged in, and so flows on the bridge."""

    def __init__(self) -> None:
        self._used: dict[str, tuple[str, ...]] = {}  # names of networks, by port
        self._users: dict[str, set[str]] = {}
        self._known: dict[str, Network] = {}

    def use(self, port: str, networks: list[Network]) -> Iterator[tuple[str, Iterable[Flow]]]:
        """``port`` uses these from now on, and no others.

        Yields the name and the flows of each network whose flows are other ones by this.
        """
        before = self._used.pop(port, ())
        if networks:
            self._used[port] = tuple(network.name for network in networks)
        for network in networks:
            self._users.setdefault(network.name, set()).add(port)
            before_it = self._known.get(network.name)
            self._known[network.name] = network  # even if equal: the same is compared at once
            if before_it is not network and before_it != network:
                yield network.name, pipeline.network_flows(network)
        for name in {*before} - {network.name for network in networks}:
            self._users[name].remove(port)
            if not self._users[name]:
                del self._users[name], self._known[name]
                yield name, ()
