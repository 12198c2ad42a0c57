# SPDX-License-Identifier: Apache-2.0
"""``ovs-dhcpd run``: the loop that keeps bridges in step with their configuration.

One thread decides everything but the answers to packet-ins.  In each round (:meth:`Daemon.loop`)

* ``ovs-appctl`` is answered;
* what the Open_vSwitch database says is taken in, whose turn it is on each bridge, and which bridge
  a switch is that has connected to us;
* what the sources say is taken in: which bridges are to be served, and what their ports may have;
* what the switches say is taken in (:mod:`controller.switch.inbox`);
* addresses come free that were parked, or turn out to be nobody's;
* the switches are told what is missing there (:meth:`Keeper.run`), rows are written, and who looks
  on is told of it and answered;
* it is waited until something happens, or is due.

Whatever has happened, names of ports come of it: :class:`Binder` decides of these, and
:meth:`Daemon._bind` carries it out.
"""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ovs.daemon
import ovs.poller
from ovs.vlog import Vlog
from ovs_dhcpd.controller import log
from ovs_dhcpd.controller.answers import Answers
from ovs_dhcpd.controller.bridges.reachable import unreachable
from ovs_dhcpd.controller.bridges.whose import whose
from ovs_dhcpd.controller.connections import Connections
from ovs_dhcpd.controller.control import (
    Answer,
    CommandError,
    ControlSocket,
    add_command,
    add_slow_query,
    open_control_socket,
)
from ovs_dhcpd.controller.faults import Faults
from ovs_dhcpd.controller.first_look import why_no_database
from ovs_dhcpd.controller.inside import Inside
from ovs_dhcpd.controller.keeper import Keeper
from ovs_dhcpd.controller.manager_keeper import ManagerKeeper
from ovs_dhcpd.controller.notify import Notifier
from ovs_dhcpd.controller.onlookers.lease_keeper import LeaseKeeper, Publish
from ovs_dhcpd.controller.onlookers.watch_keeper import WatchKeeper
from ovs_dhcpd.controller.ovsdb.open_vswitch import OpenVSwitch
from ovs_dhcpd.controller.parking import Parking
from ovs_dhcpd.controller.ports.binder import Binder, Decision
from ovs_dhcpd.controller.ports.fault import INTERNAL_ERROR, Fault
from ovs_dhcpd.controller.ports.world import World
from ovs_dhcpd.controller.sources.combined import Combined
from ovs_dhcpd.controller.strangers import Strangers
from ovs_dhcpd.controller.switch.channel import Channel
from ovs_dhcpd.controller.switch.line_limit import LineLimit
from ovs_dhcpd.controller.wire.connection import Connected
from ovs_dhcpd.controller.wire.declined import Declined
from ovs_dhcpd.controller.wire.events import PortAdded
from ovs_dhcpd.controller.wire.probe import Heard
from ovs_dhcpd.flows.options.wording import escape, printable_lines
from ovs_dhcpd.flows.pipeline.flow import show_port

from ovs_dhcpd import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

    from ovs_dhcpd.controller.explainer import Explainer
    from ovs_dhcpd.controller.http.port import HttpPort
    from ovs_dhcpd.controller.http.server import Page, Questions
    from ovs_dhcpd.controller.onlookers.hosts_file import HostsFile

vlog = Vlog("daemon")

MAX_WAIT_S = 3600.0  # poll() knows no more than 2**31 ms
CLEAN_UP_S = 5.0  # how long --cleanup waits for the switch


@dataclass(frozen=True)
class Settings:
    """What the command line says."""

    database: str
    openflow: tuple[str, ...]  # versions, the best first
    clean_up: bool
    write_state: bool  # of leases, into interfaces' rows
    on_change: tuple[str, ...]  # the command to run when a lease has changed; empty: none
    hosts_file: Path | None
    http: HttpPort | None  # for who looks on
    listening: bool  # switches connect to us
    notifier: Notifier


def run(settings: Settings, open_source: Callable[[], Combined], connections: Connections) -> int:
    """Run until told to stop; returns the exit status.

    On ``connections`` packets may be answered already, without os-ken and with the collector of
    garbage off.  It is on again once the first configuration is in force: what that is made of
    stays.

    Raises what ``open_source`` does before anything is changed, and :exc:`OSError` where it has no
    control socket.
    """
    connections.switches.start_os_ken()
    source = open_source()
    if why := why_no_database(settings.database):
        vlog.warn(why)
    faults = Faults()
    daemon = Daemon(settings, source, connections, faults, open_control_socket(faults))
    ovs.daemon.daemonize_complete()
    try:
        daemon.loop()
    except Exception:  # a fault of ours
        vlog.exception("giving up")
        connections.journal.write()
        os.abort()  # so that --monitor starts another one
    return 0


class Daemon:
    """The daemon's thread."""

    def __init__(
        self,
        settings: Settings,
        source: Combined,
        connections: Connections,
        faults: Faults,
        unixctl: ControlSocket,
    ) -> None:
        self._settings = settings
        self._unixctl = unixctl
        self._stopping = self._reloading = self._started = False
        self._clean_up = settings.clean_up
        self._source = source
        self._refused: dict[str, tuple[str, ...]] = {}
        self._refusals = LineLimit(1, 20)  # lines in the log
        self._bridges: Set[str] = frozenset()  # that are to be served
        self._unreachable: dict[str, str] = {}  # why, if it is so
        self._keepers: dict[str, Keeper] = {}  # of these, and of those that are not clean yet
        self._connections = connections
        self._journal = connections.journal
        log.on_change.append(self._journal.look_at_level)
        self._faults = faults
        self._database = OpenVSwitch(settings.database)
        self._binder = Binder(os.urandom(8))
        self._world = World(self._database, source.sources)
        self._inbox = connections.inbox
        self._strangers = Strangers(self._whose, self._receive)

        self._parking = Parking(
            self._database,
            self._binder,
            self._world,
            lambda: [keeper.name for keeper in self._active()],
            lambda bridge, heard, mac: self._keepers[bridge].answer(heard, mac),
        )
        self._hosts: HostsFile | None = None
        if settings.hosts_file:
            from ovs_dhcpd.controller.onlookers.hosts_file import HostsFile

            self._hosts = HostsFile(settings.hosts_file)
            self._hosts.check()
        self._leases = LeaseKeeper(
            self._database, self._journal, self._keepers, self._inbox.wake, self._publishers()
        )
        self._journal.names = self._leases.names
        self._watch = WatchKeeper(self._journal, self._leases.whose)
        self._switches = connections.switches
        self._inside = Inside(
            remote=settings.database,
            database=self._database,
            source=self._source,
            world=self._world,
            binder=self._binder,
            keepers=self._keepers,
            refused=self._refused,
            unreachable=lambda bridge: self._unreachable.get(bridge, ""),
            trouble=self._switches.trouble,
            dial_error=self._switches.dial_error,
            listens_on=self._switches.listens_on,
            leases=self._leases,
        )
        self._answers = Answers(self._inside, self._journal, self._faults)
        self._answers.add_commands()
        self._manager = ManagerKeeper(
            self._inside, settings.notifier, connections.rundir, listening=settings.listening
        )
        self._add_commands()
        self._explainer: Explainer | None = None  # once somebody asks
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())
        signal.signal(signal.SIGHUP, lambda *_: self._reload_soon())

        self._keep_bridges()
        self._leave_bridges()
        self._questions = self._look_on(settings.http) if settings.http else None

    def _publishers(self) -> list[Publish]:
        """Those who are to be told of leases."""
        publishers: list[Publish] = []
        if self._settings.write_state:
            from ovs_dhcpd.controller.onlookers.row_states import RowStates

            publishers.append(RowStates(self._database).publish)
        if self._settings.on_change:
            from ovs_dhcpd.controller.onlookers.hook import Hook

            publishers.append(Hook(self._settings.on_change, self._database.place).publish)
        return publishers

    def _write_hosts(self) -> None:
        """Keep the names of the ports in their file, once all are known."""
        if self._hosts and self._started and self._active():
            active = {keeper.name for keeper in self._active()}
            served = self._binder.served.items()
            self._hosts.run([each for each in served if each[1].bridge in active])

    def loop(self) -> None:
        """Run until stopped."""
        while not self._stopping:
            self._answers.loops += 1
            self._unixctl.run()
            self._bind(self._database.run())
            self._note_rows()
            self._take_turns()
            self._strangers.run()
            if self._reloading:
                self._reread()
            self._run_sources()
            self._hear()
            if self._parking.run():
                self._bind(frozenset())
            self._end_probes()
            self._database.flush()
            keepers = self._active() if self._partly_ready else ()
            self._synchronize(keepers)
            self._leases.run()
            self._write_hosts()
            if self._explainer:
                self._explainer.run()
            if self._questions:
                self._questions.run()
            self._database.flush()
            self._manager.run(time.monotonic(), is_read=self._partly_ready)
            self._wait(keepers)
        self._manager.stop()
        if self._clean_up:
            self._delete_flows()
        self._source.close()
        self._database.close()
        self._unixctl.close()

    def _look_on(self, port: HttpPort) -> Questions:
        """Answer who looks on over HTTP; returns what there is to be asked of this thread."""
        from ovs_dhcpd.controller.http.pages import Known, Pages
        from ovs_dhcpd.controller.http.server import HttpServer, Questions
        from ovs_dhcpd.controller.onlookers.history_keeper import HistoryKeeper

        questions = Questions(self._inbox.wake)
        known = Known(
            leases=self._leases,
            watch=self._watch,
            history=HistoryKeeper(self._journal),
            status=self._answers.status,
            why=self._why,
            metrics=self._metrics(questions),
        )
        pages = Pages(known, questions).by_path()
        note = self._faults.note
        port.serve(lambda listener: HttpServer(listener, pages, note).start())
        return questions

    def _metrics(self, questions: Questions) -> Page:
        """What answers Prometheus, or says what to install for that."""
        from importlib.util import find_spec

        from ovs_dhcpd.controller.http.pages import missing

        if find_spec("prometheus_client") is None:
            what = "/metrics: prometheus_client is not installed, expected Debian's "
            what += "python3-prometheus-client, or pip install 'ovs-dhcpd[http]'"
            vlog.warn(what)
            return lambda _: missing(what)

        from ovs_dhcpd.controller.http.metrics_keeper import MetricsKeeper, expose

        metrics = MetricsKeeper(
            self._journal,
            self._keepers,
            self._leases,
            self._parking,
            lambda: self._faults.count,
            self._answers.refused_lines,
            lambda: self._source.mistakes,
        )
        return lambda request: expose(questions.ask(metrics.measure), request)

    def _run_sources(self) -> None:
        if self._database.ready:  # before, no port would seem to be plugged in
            touched = self._source.run()
            self._keep_bridges()
            self._note_bridges()
            self._bind(touched)
            self._leave_bridges()

    def _end_probes(self) -> None:
        """Give ports the addresses for which nobody has answered."""
        now_s = time.monotonic()
        ended = [each for keeper in self._active() for each in keeper.bridge.unanswered(now_s)]
        names = {name for name, probe in ended if self._binder.unanswered(name, probe)}
        if names:
            self._bind(names)

    def _reread(self) -> None:
        """Have all looked at anew: what sources say, and what is on the bridges."""
        self._reloading = False
        for keeper in self._keepers.values():
            keeper.reread()
        self._source.reread()

    def _note_rows(self) -> None:
        """Say what of the databases cannot be read."""
        for row, lines in self._database.mistakes.take().items():
            self._refuse(f"row {row}", lines)
        faults, self._database.faults = self._database.faults, []
        for fault in [*faults, *self._source.take_faults(), *self._leases.take_faults()]:
            self._faults.note(fault)

    def _note_bridges(self) -> None:
        """Say which bridges cannot be served."""
        known = self._database.protocols, self._settings.openflow, self._database.unmade
        now = {name: unreachable(name, *known) for name in self._bridges}
        before, self._unreachable = self._unreachable, now
        for name in before.keys() | now.keys() if before != now else ():
            line = now.get(name)
            self._refuse(f"bridge {name}", (line,) if line else ())

    def _active(self) -> list[Keeper]:
        """The keepers of the bridges on which it is our turn."""
        return [keeper for keeper in self._keepers.values() if keeper.is_active]

    def _take_turns(self) -> None:
        """Where it has become our turn, decide anew: what another wrote down is known now."""
        for keeper in self._keepers.values():
            if keeper.take_turn():
                names = self._database.names(keeper.name)
                self._binder.take_over(names)
                self._bind(names)

    @property
    def _partly_ready(self) -> bool:
        """Whether the Open_vSwitch database and at least one source have been read."""
        return self._database.ready and self._source.partly_ready

    def _synchronize(self, keepers: Collection[Keeper]) -> None:
        """Tell the switches what is missing there."""
        stand_by = any(not keeper.is_active for keeper in self._keepers.values())
        in_step = stand_by and self._partly_ready
        for keeper in keepers:
            all_known = self._world.ready_for(keeper.name)
            keeper.run(all_known=all_known)
            in_step = keeper.bridge.in_step or in_step
        if in_step and not self._started:
            from ovs_dhcpd.controller.warm_up import prepare

            self._started = True
            prepare()

    def _wait(self, keepers: Collection[Keeper]) -> None:
        """Until there is something to do."""
        now_s = time.monotonic()
        waits_s = [
            *(keeper.next_s() - now_s for keeper in keepers),
            self._parking.wait_s(),
            self._leases.wait_s(),
            self._explainer.wait_s() if self._explainer else None,
            self._hosts.wait_s() if self._hosts and self._started and keepers else None,
        ]
        wait_s = min((each for each in waits_s if each is not None), default=MAX_WAIT_S)
        poller = ovs.poller.Poller()
        poller.timer_wait(math.ceil(min(max(0.0, wait_s), MAX_WAIT_S) * 1000))
        poller.fd_wait(self._inbox.fd, ovs.poller.POLLIN)
        self._database.wait(poller)
        self._source.wait(poller)
        self._unixctl.wait(poller)
        if not self._stopping:
            poller.block()

    def _delete_flows(self) -> None:
        """Leave the bridges as they were before us, but to those who stand by as they are."""
        keepers = []
        for keeper in self._active():
            if keeper.turn.is_waited_for:
                vlog.info(f"{keeper.name}: not cleaned up, another process stands by")
            else:
                keepers.append(keeper)
        for keeper in keepers:
            keeper.bridge.leave()
        deadline_s = time.monotonic() + CLEAN_UP_S
        while time.monotonic() < deadline_s:
            self._hear()
            for keeper in keepers:
                keeper.run(all_known=True)
            bridges = [keeper.bridge for keeper in keepers]
            if not any(bridge.is_connected and not bridge.synchronized for bridge in bridges):
                break
            poller = ovs.poller.Poller()
            poller.timer_wait(100)
            poller.fd_wait(self._inbox.fd, ovs.poller.POLLIN)
            poller.block()

    # Bridges and bindings.

    def _keep_bridges(self) -> None:
        """Serve the bridges that the source names now."""
        before, self._bridges = self._bridges, frozenset(self._source.bridges)
        self._database.bridges = self._bridges
        for name in self._bridges - self._keepers.keys():
            turn = self._connections.join(name)
            self._keepers[name] = Keeper(name, self._journal, turn, self._faults)
        for name in before ^ self._bridges:
            self._keepers[name].bridge.want(name in self._bridges)

    def _leave_bridges(self) -> None:
        """Let go of the other bridges, on which no port is served any more, once they are clean."""
        for name in self._keepers.keys() - self._bridges:
            keeper = self._keepers[name]
            done = keeper.bridge.synchronized or not keeper.is_active
            if done or name not in self._database.datapath_ids:
                del self._keepers[name]
                keeper.let_go()
        for name in self._connections.bridges - self._keepers.keys():
            self._connections.leave(name)

    def _hear(self) -> None:
        """Take in what the switches say."""
        for channel, event in self._inbox.take():
            if channel.bridge is None:
                self._strangers.hear(channel, event)
                continue
            keeper = self._keepers.get(channel.bridge)
            ours = keeper is not None and keeper.hear(channel, event)
            # ovs-vswitchd tells the database of a port later, and may then be busy with that for
            # tens of milliseconds before it hears us again.
            if ours and isinstance(event, PortAdded) and not self._stopping:
                heard = self._database.hear_of(channel.bridge, event.name, event.ofport)
                self._bind(heard)
            if ours and isinstance(event, Declined | Heard) and keeper and keeper.is_active:
                self._bind(self._parking.hear(channel.bridge, event))

    def _whose(self, datapath_id: int) -> str | None:
        """As :func:`whose`, of the bridges that are kept."""
        bridges = {name: self._database.datapath_ids.get(name) for name in self._keepers}
        return whose(datapath_id, bridges, complete=self._database.ready)

    def _receive(self, bridge: str, channel: Channel, connected: Connected) -> None:
        """The switch that has connected to us by ``channel`` is this bridge."""
        keeper = self._keepers[bridge]
        channel.bridge = bridge
        channel.join(keeper.turn)
        keeper.hear(channel, connected)

    def _bind(self, names: Set[str]) -> None:
        """Something about these ports may have changed: carry out what is decided of them."""
        decision = self._binder.decide(names, self._world)
        if self._hosts and (decision.serve or decision.stop):
            self._hosts.touch()
        self._source.watch(decision.plugged)
        for (row, tag), memory in decision.remember.items():
            keeper = self._keepers.get(self._database.bridge_of(row))
            if keeper and keeper.is_active:
                self._database.remember(row, memory, tag)
        refused = dict(decision.refused)
        for name, bridge in decision.stop.items():
            self._leases.stop(name)
            self._keepers[bridge].unplug(name)
        for name, served in decision.serve.items():
            keeper = self._keepers[served.bridge]
            try:
                if served.bindings:
                    self._leases.serve(name, served)
                else:
                    self._leases.stop(name)
                keeper.plug(name, served.ofport, served.bindings, served.probes)
            except Exception as error:  # a fault of ours: it costs this port
                self._leases.stop(name)
                keeper.unplug(name)
                self._binder.let_go(name)
                self._faults.note(Fault(f"port {name}", error))
                refused[name] = (*refused[name], f"port {name}: {INTERNAL_ERROR}")
        for name, lines in refused.items():
            self._refuse(name, lines)
        if vlog.dbg_is_enabled():
            for line in _debug_lines(decision, self._binder.unserved):
                vlog.dbg(line)
        for fault in decision.faults:
            self._faults.note(fault)

    def _refuse(self, name: str, refused: tuple[str, ...]) -> None:
        """Say what of the binding is left out, once."""
        before = self._refused.pop(name, ())
        if refused:
            self._refused[name] = refused
        for line in refused:
            if line not in before and self._refusals.admit(time.monotonic()) is not None:
                vlog.warn(f"{line} (ovs-appctl -t {PROGRAM} bindings/refused has all)")

    def _reload(self) -> None:
        """``reload``: as SIGHUP, but now; raises CommandError with the mistakes in what is read."""
        self._reread()
        self._run_sources()
        if not self._database.ready:
            self._reload_soon()
            raise CommandError("the Open_vSwitch database has not been read yet, reloading then")
        if self._source.mistakes:
            raise CommandError(printable_lines(self._source.mistakes))

    def _reload_soon(self) -> None:
        """SIGHUP: have the sources read again, and what is on the bridges."""
        self._reloading = True
        self._inbox.wake()

    # Commands of ovs-appctl that do something, and the end.

    def _add_commands(self) -> None:
        add_command("exit", "[cleanup]", 0, 1, self._exit_command)
        add_command("reload", "", 0, 0, lambda _: self._reload())
        add_slow_query("why", "PORT|MAC|ADDRESS", 1, self._why, _show_chain)

    def _why(self, words: list[str], answer: Answer) -> None:
        """``why``: explain a port, with what no start of the daemon needs."""
        from ovs_dhcpd.controller.explainer import Explainer

        self._explainer = self._explainer or Explainer(self._inside)
        self._explainer.begin(words, answer)

    def _exit_command(self, argv: list[str]) -> None:
        if argv and argv != ["cleanup"]:
            raise CommandError(f"{argv[0]}: expected cleanup")
        self._stop(clean_up=bool(argv))

    def _stop(self, clean_up: bool = False) -> None:
        self._stopping = True
        self._clean_up = self._clean_up or clean_up
        self._inbox.wake()


def _show_chain(chain: Mapping[str, Any]) -> str:
    from ovs_dhcpd.controller.texts.why_text import to_text

    return "\n".join(to_text(chain))


def _debug_lines(decision: Decision, unserved: Mapping[str, str]) -> Iterator[str]:
    """What has been decided of each port, a line each; ``unserved`` is the binder's."""
    for name, is_plugged in decision.plugged.items():
        what = "is served nothing" if is_plugged else "is not plugged in"
        if why := unserved.get(name):
            what += f": {why}"
        if (served := decision.serve.get(name)) and served.bindings:
            has = [
                f"{', '.join(map(str, port.addresses)) or 'no address'} of {escape(network.name)}"
                for network, port in served.bindings
            ]
            where = f"{escape(served.bridge)} port {show_port(served.ofport)}"
            what = f"is served {' and '.join(has)} on {where}"
        yield f"port {escape(name)}: {what}"
