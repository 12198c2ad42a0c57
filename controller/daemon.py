# SPDX-License-Identifier: Apache-2.0
"""``ovs-dhcpd run``: the loop that keeps bridges in step with their configuration.

One thread decides everything but the answers to packet-ins: it hears the
Open_vSwitch database, the sources of bindings, the signals, ``ovs-appctl`` and, through
the :class:`~controller.inbox.Inbox`, the connections to the switches.
"""

from __future__ import annotations

import gc
import math
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Set
from dataclasses import dataclass
from pathlib import Path

import ovs.daemon
import ovs.poller
import ovs.unixctl.server
from ovs.vlog import Vlog

from controller.app import ListenOn, Switches
from controller.control import add_command, open_control_socket
from controller.dynamic import Dynamic
from controller.inbox import Inbox
from controller.journal import Journal, RateLimit
from controller.keeper import Keeper, Served
from controller.reception import Reception
from controller.sources.open_vswitch import Interface, OpenVSwitch
from controller.sources.several import Several
from flows.bindings import Binding
from flows.flow import show_port

vlog = Vlog("daemon")

CLEAN_UP_S = 5.0  # how long --cleanup waits for the switch


@dataclass(frozen=True)
class Settings:
    """What the command line says."""

    rundir: Path
    database: str
    listen: ListenOn | None
    openflow: str
    clean_up: bool


def run(settings: Settings, open_source: Callable[[], Several]) -> int:
    """Run until told to stop; returns the exit status.

    Raises what ``open_source`` does before anything is changed, and :exc:`OSError` where it
    cannot listen or has no control socket.
    """
    gc.disable()  # until the first configuration is in force: what it is made of stays
    source = open_source()
    daemon = Daemon(settings, source, open_control_socket())
    ovs.daemon.daemonize_complete()
    try:
        daemon.loop()
    except Exception:  # a fault of ours: os-ken's threads would keep a headless process alive
        vlog.exception("giving up")
        os.abort()  # so that --monitor starts another one
    return 0


@dataclass(frozen=True)
class Plugged:
    """A port that is served something, and where it is plugged in."""

    bridge: str
    ofport: int
    served: Served

    def lines(self, name: str) -> Iterator[str]:
        """For ``ovs-appctl bindings/show``."""
        for network, port in self.served:
            mac = port.mac.hex(":") if port.mac else "any MAC"
            where = f"{self.bridge:<15} {show_port(self.ofport):>5}"
            addresses = " ".join(map(str, port.addresses)) or "no address"
            yield f"{name:<36} {where}  {mac:<17}  {network.name}: {addresses}"


class Daemon:
    """The daemon's thread."""

    def __init__(
        self,
        settings: Settings,
        source: Several,
        unixctl: ovs.unixctl.server.UnixctlServer,
    ) -> None:
        self._settings = settings
        self._unixctl = unixctl
        self._stopping = self._reloading = self._started = self._were_ready = False
        self._clean_up = settings.clean_up
        self._source = source
        self._refused: dict[str, tuple[str, ...]] = {}
        self._refusals = RateLimit(1, 20)  # lines in the log
        self._bridges: Set[str] = frozenset()  # that are to be served
        self._keepers: dict[str, Keeper] = {}  # of these, and of those that were
        self._served: dict[str, Plugged] = {}  # by port
        self._journal = Journal()
        self._database = OpenVSwitch(settings.database)
        self._dynamic = Dynamic(self._database, source)
        self._inbox = Inbox()

        self._add_commands()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())
        signal.signal(signal.SIGHUP, lambda *_: self._reload_soon())

        self._switches = Switches(self._inbox, self._journal, settings.openflow)
        self._reception = Reception(self._database, self._keepers)
        if settings.listen:
            self._switches.listen(settings.listen, self._reception)
            vlog.info(f"listening on {settings.listen}")
        self._keep_bridges()

    def loop(self) -> None:
        """Run until stopped."""
        while not self._stopping:
            self._unixctl.run()
            self._plug_all(self._database.run())
            self._reception.run()
            if self._reloading:
                self._reloading = False
                for keeper in self._keepers.values():
                    keeper.read_again()
                self._source.read_again()
            if self._database.ready:  # before, no port would seem to be plugged in
                touched = self._source.run()
                self._keep_bridges()
                self._plug_all(touched)
            self._inbox.run()
            self._database.flush()
            keepers = self._keepers.values() if self._partly_ready else ()
            self._synchronize(keepers)
            self._wait(keepers)
        if self._clean_up:
            self._delete_flows()
        self._switches.stop()
        self._source.close()
        self._database.close()
        self._unixctl.close()

    @property
    def _partly_ready(self) -> bool:
        """Whether it is known what is plugged in, and of some of it what that is to be served."""
        return self._database.ready and self._source.partly_ready

    def _synchronize(self, keepers: Collection[Keeper]) -> None:
        """Tell the switches what is missing there."""
        in_step = False
        for keeper in keepers:
            all_known = self._source.ready_for(keeper.name)
            keeper.run(all_known=all_known)
            in_step = keeper.announce(all_known=all_known) or in_step
        if in_step and not self._started:
            # The collector shall not walk through all bindings while packets wait.
            self._started = True
            gc.freeze()
            gc.enable()

    def _wait(self, keepers: Collection[Keeper]) -> None:
        poller = ovs.poller.Poller()
        for keeper in keepers:
            poller.timer_wait(max(0, math.ceil((keeper.next_s() - time.monotonic()) * 1000)))
        poller.fd_wait(self._inbox.fd, ovs.poller.POLLIN)
        self._database.wait(poller)
        self._source.wait(poller)
        self._unixctl.wait(poller)
        if not self._stopping:
            poller.block()

    def _delete_flows(self) -> None:
        """Leave the bridges as they were before us."""
        keepers = self._keepers.values()
        for keeper in keepers:
            keeper.leave()
        deadline_s = time.monotonic() + CLEAN_UP_S
        while time.monotonic() < deadline_s:
            self._inbox.run()
            for keeper in keepers:
                keeper.run(all_known=True)
            if not any(keeper.is_connected and not keeper.synchronized for keeper in keepers):
                break
            poller = ovs.poller.Poller()
            poller.timer_wait(100)
            poller.fd_wait(self._inbox.fd, ovs.poller.POLLIN)
            poller.block()

    # Bridges and bindings.

    def _keep_bridges(self) -> None:
        """Serve the bridges that the source names now, and let go of others once they are clean."""
        before, self._bridges = self._bridges, frozenset(self._source.bridges)
        self._database.bridges = self._bridges
        for name in self._bridges - self._keepers.keys():
            self._keepers[name] = keeper = Keeper(name, self._journal, self._hear_of_port)
            if not self._settings.listen:
                self._switches.connect(str(self._settings.rundir / f"{name}.mgmt"), keeper)
        for name in before ^ self._bridges:
            self._keepers[name].serve(name in self._bridges)
        for name in self._keepers.keys() - self._bridges:
            keeper = self._keepers[name]
            if keeper.synchronized or name not in self._database.datapath_ids:
                del self._keepers[name]  # others may use it now; we shall not answer for them
                self._switches.disconnect(keeper)

    def _hear_of_port(self, name: str, ofport: int) -> None:
        if not self._stopping:
            self._plug_all(self._database.hear_of(name, ofport))

    def _plug_all(self, names: Set[str]) -> None:
        """Look at these ports, by all of their names, and at who waits for what they had."""
        interfaces = [*filter(None, map(self._database.plugged, names))]
        aliases = {name for interface in interfaces for name in (interface.name, interface.key)}
        self._plug_each({*names, *aliases})
        ready, self._were_ready = self._were_ready, self._source.ready
        self._plug_each(self._dynamic.take_waiting(even_so=ready != self._were_ready))

    def _plug_each(self, names: Set[str]) -> None:
        # What one of them no longer has may be another's, whoever comes first.
        for name in names:
            self._dynamic.release(name)
        for name in sorted(names, key=self._rank):
            self._plug(name)

    def _rank(self, name: str) -> tuple[bool, str]:
        """Who has been served before a restart comes before who wants the same."""
        interface = self._database.plugged(name)
        return interface is None or interface.memory.owner is None, name

    def _plug(self, name: str) -> None:
        """Serve port ``name`` where it has a binding and is plugged in, else no longer."""
        interface = self._database.plugged(name)
        self._source.watch(name, interface is not None)
        binding = self._binding(name, interface) if interface else Binding()
        refused = [*binding.refused]
        if interface and binding.served:
            for twin in self._database.twins(interface):
                what = f"is plugged in as {interface.name} and as {twin}, expected one of them"
                refused.append(f"port {name}: {what}; {interface.name} is served")
        served = []
        for network, port in binding.served:
            assert interface
            if network.bridge == interface.bridge:
                served.append((network, port))
            else:
                what = f"is plugged into {interface.bridge}, expected {network.bridge}"
                refused.append(f"port {name}: {what}")
        before = self._served.pop(name, None)
        if before and not (interface and served and interface.bridge == before.bridge):
            self._keepers[before.bridge].unplug(name)
        if interface and served:
            assert interface.ofport
            self._served[name] = Plugged(interface.bridge, interface.ofport, served)
            self._keepers[interface.bridge].plug(name, interface.ofport, served)
        self._refuse(name, tuple(refused))

    def _binding(self, name: str, interface: Interface) -> Binding:
        """What the port is served; an interface that is named twice is served by its iface-id."""
        if name == interface.key or not self._source.names(interface.key):
            return self._dynamic.binding(name, interface)
        if not self._source.names(name):
            return Binding()
        what = f"is port {interface.key} too, by its iface-id, expected one of the two names"
        return Binding(refused=(f"port {name}: {what}",))

    def _refuse(self, name: str, refused: tuple[str, ...]) -> None:
        """Say what of the binding is left out, once."""
        before = self._refused.pop(name, ())
        if refused:
            self._refused[name] = refused
        for line in refused:
            if line not in before and self._refusals.admit(time.monotonic()) is not None:
                vlog.warn(f"{line} (ovs-appctl bindings/refused has all)")

    def _reload_soon(self) -> None:
        """SIGHUP and ``reload``: read the source again, and what is on the bridges."""
        self._reloading = True
        self._inbox.wake()

    # Commands of ovs-appctl, and the end.

    def _add_commands(self) -> None:
        add_command("bindings/refused", "", 0, 0, lambda _: "\n".join(self._refused_lines()))
        add_command("bindings/show", "", 0, 0, lambda _: "\n".join(self._binding_lines()))
        add_command("exit", "[cleanup]", 0, 1, self._exit_command)
        add_command("reload", "", 0, 0, lambda _: self._reload_soon())
        add_command("stats/show", "", 0, 0, lambda _: "\n".join(self._journal.lines()))

    def _binding_lines(self) -> list[str]:
        return [line for name in sorted(self._served) for line in self._served[name].lines(name)]

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
