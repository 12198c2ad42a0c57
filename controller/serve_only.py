# SPDX-License-Identifier: Apache-2.0
"""``ovs-dhcpd run --serve-only``: answer for ovn-controller while it is away.

Nothing is installed and nothing is configured: the flows are those that ovn-controller
left on the bridge.  Every connection gets each packet-in, and Open vSwitch carries out
each resume it is sent, so two who answer would send two replies.  Hence the rule:
while ovn-controller runs, all is left to it.  It holds a lock on its pidfile from before
its first connection to the switch until it ends, however it ends (Open vSwitch's
lib/daemon-unix.c), and to look for that lock does not disturb it.

The same goes for ``ovs-dhcpd run`` with a configuration, which holds the bridge's lock; and
of several that serve only, one has its turn (:mod:`controller.switch.turn`).
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ovs.daemon
import ovs.poller
from ovs.vlog import Vlog
from ovs_dhcpd.controller import log
from ovs_dhcpd.controller.control import (
    ControlSocket,
    add_command,
    add_query,
    open_control_socket,
)
from ovs_dhcpd.controller.faults import Faults
from ovs_dhcpd.controller.first_look import why_no_bridge
from ovs_dhcpd.controller.notify import Notifier
from ovs_dhcpd.controller.responders.dispatch import Dispatcher, Resume
from ovs_dhcpd.controller.sayings import Sayings
from ovs_dhcpd.controller.switch.channel import Channel
from ovs_dhcpd.controller.switch.inbox import Inbox
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.switch.lock import holder, lock_path
from ovs_dhcpd.controller.switch.switches import Switches
from ovs_dhcpd.controller.switch.turn import Turn
from ovs_dhcpd.controller.texts.status import BridgeStatus, as_text, connection_status, status
from ovs_dhcpd.controller.warm_up import prepare
from ovs_dhcpd.controller.wire.connection import Connected, Disconnected
from ovs_dhcpd.controller.wire.events import Refused
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit
from ovs_dhcpd.flows.options.wording import escape

from ovs_dhcpd import PROGRAM

vlog = Vlog("serve_only")

LOOK_MS = 500  # for the log alone: who answers is decided at each packet


@dataclass(frozen=True)
class Settings:
    """What the command line says."""

    bridge: str
    rundir: Path
    pidfile: Path  # ovn-controller's
    openflow: tuple[str, ...]  # versions, the best first
    rate_limit: RateLimit | None  # of each flow
    notifier: Notifier


def run(settings: Settings) -> int:
    """Run until told to stop; returns the exit status.

    Raises :exc:`OSError` where ovn-controller's pidfile cannot be or cannot be read: we
    would not see it come.
    """
    rundir = settings.pidfile.parent
    if not rundir.is_dir():
        what = f"{os.strerror(errno.ENOENT)}, expected ovn-controller's (--ovn-rundir DIR)"
        raise OSError(errno.ENOENT, what, str(rundir))
    holder(settings.pidfile)
    if why := why_no_bridge(settings.rundir, settings.bridge):
        vlog.warn(why)
    daemon = ServeOnly(settings)
    unixctl = open_control_socket(Faults())
    ovs.daemon.daemonize_complete()
    prepare()
    daemon.loop(unixctl)
    return 0


class Deputy(Dispatcher):
    """A Dispatcher that leaves alone what is not ours, and all while one of ``masters`` runs.

    These are the files that each of them has locked while it does.  Each flow has ``rate_limit``.
    """

    def __init__(self, rate_limit: RateLimit | None, *masters: Path) -> None:
        super().__init__(only_ours=True, each=rate_limit)
        self._masters = masters

    def resume(self, message: bytes, now_s: float = 0.0) -> Resume | None:
        """As :meth:`Dispatcher.resume`; None for what is not to be resumed by us."""
        try:
            if any(holder(master) is not None for master in self._masters):
                return None
        except OSError:  # who cannot see them come leaves all to them; the log and status say so
            return None
        return super().resume(message, now_s)


class ServeOnly:
    """The daemon's thread: it has the connection made, and says in the log who answers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = False
        self._said = ""  # whose turn it is
        self._connection = ""  # what there is to say of it, if there is one
        self._channel: Channel | None = None
        self._connected_s = 0.0
        self._sayings = Sayings()
        self._inbox: Inbox[Channel] = Inbox()
        journal = Journal(early=0)  # nobody listens
        log.on_change.append(journal.look_at_level)
        add_command("exit", "", 0, 0, lambda _: self._stop())
        add_query(
            "status", "", 0, lambda _: self._document(), lambda found: "\n".join(as_text(found))
        )
        add_command("stats/show", "", 0, 0, lambda _: "\n".join(journal.lines()))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())
        bridge, rundir = settings.bridge, settings.rundir
        self._masters = {
            "ovn-controller": settings.pidfile,
            PROGRAM: lock_path(rundir, bridge),
        }
        self._switches = Switches(
            self._inbox,
            journal,
            settings.openflow,
            lambda: Deputy(settings.rate_limit, *self._masters.values()),
        )
        self._turn = Turn(lock_path(rundir, bridge, "serve-only"), self._inbox.wake)
        self._switches.connect(bridge, str(rundir / f"{bridge}.mgmt"), self._turn)
        self._switches.start_os_ken()

    def loop(self, unixctl: ControlSocket) -> None:
        """Run until stopped."""
        while not self._stopping:
            unixctl.run()
            self._hear()
            self._look()
            self._tell()
            poller = ovs.poller.Poller()
            poller.timer_wait(LOOK_MS)
            poller.fd_wait(self._inbox.fd, ovs.poller.POLLIN)
            unixctl.wait(poller)
            if not self._stopping:
                poller.block()
        self._settings.notifier.stopping()
        self._turn.end()
        self._switches.stop()
        unixctl.close()

    def _hear(self) -> None:
        """Say what the switch says; its flows are not ours."""
        for channel, event in self._inbox.take():
            match event:
                case Connected(version):
                    self._channel, self._connected_s = channel, time.monotonic()
                    self._connection = connection_status(event)
                    self._say("info", f"connected, OpenFlow 1.{version - 1}")
                case Disconnected(why):
                    self._channel, self._connection = None, ""
                    self._say("info", f"connection ended{why and f': {why}'}")
                    if not channel.ready and self._sayings.failed():
                        self._say("info", "trying again, which is said no more")
                case Refused(xid, error):
                    self._say("warn", f"the switch reports {error} (xid {xid})")

    def _say(self, level: str, text: str) -> None:
        if line := self._sayings.admit(level, text, time.monotonic()):
            getattr(vlog, level)(f"{self._settings.bridge}: {line}")

    def _look(self) -> None:
        # A switch that has been there for a moment is ready: nothing is to be done there.
        if self._channel and time.monotonic() - self._connected_s >= LOOK_MS / 1000:
            self._channel.ready = True
            self._sayings.ready()
        self._turn.look()
        whose = self._whose_turn()
        if whose != self._said:
            vlog.info(f"{self._settings.bridge}: {whose}")
            self._said = whose

    def _tell(self) -> None:
        """Tell the service manager; ready is who stands by, or is connected."""
        is_ready = self._said != "active" or bool(self._connection)
        text = f"{escape(self._settings.bridge)}: {self._said}"
        if self._said == "active" and not self._connection:
            text = f"waiting for bridge {escape(self._settings.bridge)}"
        self._settings.notifier.tell(text, is_ready=is_ready)

    def _whose_turn(self) -> str:
        for name, path in self._masters.items():
            try:
                pid = holder(path)
            except OSError as error:
                return f"standby: {path}: {error.strerror}"
            if pid is not None:
                return f"standby for pid {pid}, {name}"
        return self._turn.status

    def _document(self) -> Mapping[str, object]:
        """What ``status`` answers."""
        name, turn = self._settings.bridge, self._whose_turn()
        trouble = "" if self._connection else f"not connected: {self._switches.trouble(name)}"
        sentences = turn, self._connection or trouble
        wrong = f"bridge {escape(name)}: {trouble}" if trouble else ""
        bridge = BridgeStatus(name, turn == "active", sentences, wrong)
        return status([bridge], last_error=log.last_error)

    def _stop(self) -> None:
        self._stopping = True
        self._inbox.wake()
