# SPDX-License-Identifier: Apache-2.0
"""``ovs-dhcpd run``: the loop that keeps a bridge in step with its configuration.

One thread decides everything but the answers to packet-ins: it hears the
Open_vSwitch database, the source of bindings, the signals, ``ovs-appctl`` and, through
the :class:`~controller.app.Inbox`, the connections to the switch.
"""

from __future__ import annotations

import gc
import math
import random
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import ovs.daemon
import ovs.poller
import ovs.unixctl.server
from ovs.vlog import Vlog

from controller.app import Inbox, ListenOn, Switches
from controller.bridge import Bridge
from controller.channel import Channel
from controller.control import add_command, open_control_socket
from controller.journal import Journal, RateLimit
from controller.openflow import encode_packet_out
from controller.ra_schedule import Advertisement, RaSchedule
from controller.sources.open_vswitch import OpenVSwitch
from controller.sources.source import Source
from flows import pipeline
from flows.bindings import Binding, Network
from flows.flow import Flow

vlog = Vlog("daemon")

READ_AGAIN_S = 5.0  # after the switch refused a bundle
CLEAN_UP_S = 5.0  # how long --cleanup waits for the switch


@dataclass(frozen=True)
class Settings:
    """What the command line says."""

    rundir: Path
    database: str
    listen: ListenOn | None
    openflow: str
    clean_up: bool


def run(settings: Settings, open_source: Callable[[], Source]) -> int:
    """Run until told to stop; returns the exit status.

    Raises what ``open_source`` does before anything is changed, and :exc:`OSError` where it
    cannot listen or has no control socket.
    """
    gc.disable()  # until the first configuration is in force: what it is made of stays
    source = open_source()
    daemon = Daemon(settings, source, open_control_socket())
    ovs.daemon.daemonize_complete()
    daemon.loop()
    return 0


class Daemon:
    """The daemon's thread."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        unixctl: ovs.unixctl.server.UnixctlServer,
    ) -> None:
        self._settings = settings
        self._unixctl = unixctl
        self._stopping = self._reloading = False
        self._clean_up = settings.clean_up
        self._source = source
        self._networks = Networks()
        self._refused: dict[str, tuple[str, ...]] = {}
        self._refusals = RateLimit(1, 20)  # lines in the log
        name = source.bridge
        self._bridge = Bridge(name)
        self._advertisements = RaSchedule(random.uniform)
        self._channel: Channel | None = None
        self._read_again_s: float | None = None
        self._announced = False
        self._journal = Journal()
        self._database = OpenVSwitch(settings.database, name)
        self._inbox = Inbox()

        self._bridge.want("bridge", pipeline.bridge_flows())
        self._add_commands()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())
        signal.signal(signal.SIGHUP, lambda *_: self._reload_soon())

        self._switches = Switches(self._inbox, self, self._journal, settings.openflow)
        if settings.listen:
            self._switches.listen(settings.listen)
            vlog.info(f"listening on {settings.listen}")
        else:
            self._switches.connect(str(settings.rundir / f"{name}.mgmt"))

    def loop(self) -> None:
        """Run until stopped."""
        while not self._stopping:
            self._unixctl.run()
            for name in self._database.run():
                self._plug(name)
            if self._reloading:
                self._reloading = False
                self._send(self._bridge.read_again())
                self._source.read_again()
            if self._database.ready:  # before, no port would seem to be plugged in
                for name in self._source.run():
                    self._plug(name)
            self._synchronize()
            self._announce()
            self._advertise()
            self._wait()
        if self._clean_up:
            self._delete_flows()
        self._switches.stop()
        self._source.close()
        self._database.close()
        self._unixctl.close()

    def _synchronize(self) -> None:
        """Hear the switch, and tell it what is missing there."""
        self._inbox.run()
        if self._read_again_s is not None and time.monotonic() >= self._read_again_s:
            self._read_again_s = None
            self._send(self._bridge.read_again())
        if self._ready:
            self._send(self._bridge.reconcile())

    def _wait(self) -> None:
        poller = ovs.poller.Poller()
        next_s = self._advertisements.next_s()
        if next_s is not None:
            poller.timer_wait(max(0, math.ceil((next_s - time.monotonic()) * 1000)))
        poller.fd_wait(self._inbox.fd, ovs.poller.POLLIN)
        self._database.wait(poller)
        self._source.wait(poller)
        self._unixctl.wait(poller)
        if not self._stopping:
            poller.block()

    def _delete_flows(self) -> None:
        """Leave the bridge as it was before us."""
        self._bridge.want_nothing()
        deadline_s = time.monotonic() + CLEAN_UP_S
        while self._channel and not self._bridge.synchronized and time.monotonic() < deadline_s:
            self._synchronize()
            poller = ovs.poller.Poller()
            poller.timer_wait(100)
            poller.fd_wait(self._inbox.fd, ovs.poller.POLLIN)
            poller.block()

    # What the connections report (controller.app.SwitchEvents).

    def connected(self, channel: Channel) -> None:
        """The handshake is done."""
        expected = self._database.datapath_id
        if self._settings.listen and expected is not None and channel.id != expected:
            vlog.warn(f"{channel.address}: datapath {channel.id:016x}, expected {expected:016x}")
            channel.close()
            return
        vlog.info(f"{self._bridge.name}: connected, OpenFlow {self._settings.openflow}")
        if self._channel:
            self._channel.close()
        self._channel = channel
        self._send(self._bridge.connected(channel.ofproto.OFP_VERSION))

    def disconnected(self, channel: Channel) -> None:
        """The connection has ended."""
        if channel is self._channel:
            vlog.info(f"{self._bridge.name}: connection ended")
            self._channel = None
            self._bridge.disconnected()

    def flow_dump(self, channel: Channel, reply: bytes) -> None:
        """A part of the answer to a flow dump request has come."""
        if channel is self._channel:
            try:
                self._bridge.flow_dump(reply)
            except ValueError as error:
                vlog.err(f"{self._bridge.name}: {error}")
                channel.close()

    def port_added(self, channel: Channel, name: str, ofport: int) -> None:
        """The bridge has a new port.

        ovs-vswitchd tells the database of it later, and may then be busy with that
        for tens of milliseconds before it hears us again.
        """
        if channel is self._channel:
            for touched in self._database.hear_of(name, ofport):
                self._plug(touched)

    def bundle_committed(self, channel: Channel, xid: int) -> None:
        """The switch has carried out a bundle."""
        if channel is self._channel:
            self._bridge.bundle_committed(xid)

    def failed(self, channel: Channel, xid: int, error: str) -> None:
        """The switch has refused a message."""
        if channel is self._channel and self._bridge.failed(xid, error):
            self._read_again_s = time.monotonic() + READ_AGAIN_S
        else:
            vlog.warn(f"{self._bridge.name}: the switch reports {error} (xid {xid})")

    # Bindings.

    @property
    def _ready(self) -> bool:
        """Whether it is known what is plugged in, and what that is to be served."""
        return self._database.ready and self._source.ready

    def _plug(self, name: str) -> None:
        """Serve port ``name`` where it has a binding and is plugged in, else no longer."""
        ofport = self._database.ofport(name)
        self._source.watch(name, ofport is not None)
        binding = Binding() if ofport is None else self._source.binding(name)
        flows: list[Flow] = []
        advertisement = None
        for network, port in binding.served:
            assert ofport is not None
            flows += pipeline.port_flows(network, port, ofport)
            advertisement = advertisement or Advertisement.of(network, ofport)
        self._bridge.want(f"port {name}", flows)
        for owner, shared in self._networks.use(name, [network for network, _ in binding.served]):
            self._bridge.want(f"network {owner}", shared)
        self._advertisements.want(name, advertisement, time.monotonic())
        self._refuse(name, binding.refused)

    def _refuse(self, name: str, refused: tuple[str, ...]) -> None:
        """Say what of the binding is left out, once."""
        before = self._refused.pop(name, ())
        if refused:
            self._refused[name] = refused
        for line in refused:
            if line not in before and self._refusals.admit(time.monotonic()) is not None:
                vlog.warn(f"{line} (ovs-appctl bindings/refused has all)")

    def _reload_soon(self) -> None:
        """SIGHUP and ``reload``: read the source again, and what is on the bridge."""
        self._reloading = True
        self._inbox.wake()

    # The switch.

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

    def _announce(self) -> None:
        """Say once, after each connection, that the bridge is in step."""
        in_step = self._ready and self._bridge.synchronized
        if in_step and not self._announced:
            # The collector shall not walk through all bindings while packets wait.
            gc.freeze()
            gc.enable()
            vlog.info(f"{self._bridge.name}: ready, {len(self._bridge)} flows")
        self._announced = in_step

    # Commands of ovs-appctl, and the end.

    def _add_commands(self) -> None:
        add_command("bindings/refused", "", 0, 0, lambda _: "\n".join(self._refused_lines()))
        add_command("exit", "[cleanup]", 0, 1, self._exit_command)
        add_command("reload", "", 0, 0, lambda _: self._reload_soon())
        add_command("stats/show", "", 0, 0, lambda _: "\n".join(self._journal.lines()))

    def _refused_lines(self) -> list[str]:
        lines = [line for name in sorted(self._refused) for line in self._refused[name]]
        return [*self._source.mistakes, *lines]

    def _exit_command(self, argv: list[str]) -> None:
        if argv and argv != ["cleanup"]:
            raise ValueError(f"{argv[0]}: expected cleanup")
        self._stop(clean_up=bool(argv))

    def _stop(self, clean_up: bool = False) -> None:
        self._stopping = True
        self._clean_up = self._clean_up or clean_up
        self._inbox.wake()


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
            if self._known.get(network.name) != network:
                self._known[network.name] = network
                yield network.name, pipeline.network_flows(network)
        for name in {*before} - {network.name for network in networks}:
            self._users[name].remove(port)
            if not self._users[name]:
                del self._users[name], self._known[name]
                yield name, ()
