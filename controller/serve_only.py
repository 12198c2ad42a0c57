# SPDX-License-Identifier: Apache-2.0
"""``ovs-dhcpd run --serve-only``: answer for ovn-controller while it is away.

Nothing is installed and nothing is configured: the flows are those that ovn-controller
left on the bridge.  Every connection gets each packet-in, and Open vSwitch carries out
each resume it is sent, so two who answer would send two replies.  Hence the rule:
while ovn-controller runs, all is left to it.  It holds a lock on its pidfile from before
its first connection to the switch until it ends, however it ends (Open vSwitch's
lib/daemon-unix.c), and to look for that lock does not disturb it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import struct
from dataclasses import dataclass
from pathlib import Path

import ovs.daemon
import ovs.poller
import ovs.unixctl.server
from ovs.vlog import Vlog

from controller.app import Switches
from controller.channel import Channel
from controller.control import add_command, open_control_socket
from controller.inbox import Inbox
from controller.journal import Journal
from controller.openflow import ask_for_packet_ins
from controller.responders.dispatch import Dispatcher
from controller.responders.verdict import Verdict

vlog = Vlog("serve_only")

LOOK_MS = 500  # for the log alone: who answers is decided at each packet
FLOCK = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, pid


@dataclass(frozen=True)
class Settings:
    """What the command line says."""

    bridge: str
    rundir: Path
    pidfile: Path  # ovn-controller's
    openflow: str


def run(settings: Settings) -> int:
    """Run until told to stop; returns the exit status.

    Raises :exc:`OSError` where ovn-controller's pidfile cannot be or cannot be read: we
    would not see it come.
    """
    os.stat(settings.pidfile.parent)
    is_locked(settings.pidfile)
    daemon = ServeOnly(settings, open_control_socket())
    ovs.daemon.daemonize_complete()
    daemon.loop()
    return 0


def is_locked(pidfile: Path) -> bool:
    """Whether the daemon that wrote ``pidfile`` runs."""
    try:
        with pidfile.open("rb", buffering=0) as file:
            asked = FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            found = fcntl.fcntl(file, fcntl.F_GETLK, asked)
    except FileNotFoundError:
        return False
    kind: int = FLOCK.unpack(found)[0]
    return kind != fcntl.F_UNLCK


class Deputy:
    """A Dispatcher that leaves alone what is not ours, and all while ovn-controller runs."""

    def __init__(self, pidfile: Path) -> None:
        self._pidfile = pidfile
        self._dispatcher = Dispatcher(only_ours=True)

    def resume(self, message: bytes) -> tuple[bytes, Verdict] | None:
        """As :meth:`Dispatcher.resume`; None for what is not to be resumed by us."""
        return None if is_locked(self._pidfile) else self._dispatcher.resume(message)


class ServeOnly:
    """The daemon's thread: it has the connection made, and says in the log who answers."""

    def __init__(self, settings: Settings, unixctl: ovs.unixctl.server.UnixctlServer) -> None:
        self._settings = settings
        self._unixctl = unixctl
        self._stopping = False
        self._serving: bool | None = None
        self._inbox = Inbox()
        journal = Journal()
        add_command("exit", "", 0, 0, lambda _: self._stop())
        add_command("stats/show", "", 0, 0, lambda _: "\n".join(journal.lines()))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())
        self._switches = Switches(
            self._inbox, journal, settings.openflow, lambda: Deputy(settings.pidfile)
        )
        self._switches.connect(str(settings.rundir / f"{settings.bridge}.mgmt"), self)

    def loop(self) -> None:
        """Run until stopped."""
        while not self._stopping:
            self._unixctl.run()
            self._inbox.run()
            self._look()
            poller = ovs.poller.Poller()
            poller.timer_wait(LOOK_MS)
            poller.fd_wait(self._inbox.fd, ovs.poller.POLLIN)
            self._unixctl.wait(poller)
            if not self._stopping:
                poller.block()
        self._switches.stop()
        self._unixctl.close()

    # What the connections report (controller.channel.SwitchEvents).

    def connected(self, channel: Channel) -> None:
        """The handshake is done."""
        channel.send(ask_for_packet_ins(channel.ofproto.OFP_VERSION))
        vlog.info(f"{self._settings.bridge}: connected, OpenFlow {self._settings.openflow}")

    def disconnected(self, channel: Channel) -> None:
        """The connection has ended."""
        vlog.info(f"{self._settings.bridge}: connection ended")

    def flow_reply(self, channel: Channel, reply: bytes) -> None:
        """None is asked for."""

    def port_added(self, channel: Channel, name: str, ofport: int) -> None:
        """Its flows are ovn-controller's."""

    def bundle_committed(self, channel: Channel, xid: int) -> None:
        """None is sent."""

    def failed(self, channel: Channel, xid: int, error: str) -> None:
        """The switch has refused a message."""
        vlog.warn(f"{self._settings.bridge}: the switch reports {error} (xid {xid})")

    def _look(self) -> None:
        serving = not is_locked(self._settings.pidfile)
        if serving != self._serving:
            state = "is away: serving" if serving else "runs: all is left to it"
            vlog.info(f"ovn-controller ({self._settings.pidfile}) {state}")
            self._serving = serving

    def _stop(self) -> None:
        self._stopping = True
        self._inbox.wake()
