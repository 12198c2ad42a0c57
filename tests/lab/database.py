# SPDX-License-Identifier: Apache-2.0
"""Database: one ovsdb-server on a Unix socket, without a switch, a namespace or root."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from tests.lab.process import Process, run, wait_until

PROGRAMS = ("ovsdb-server", "ovsdb-tool", "ovs-appctl")


def listening_port(server: Process) -> int:
    """The TCP port that an ovsdb-server has been given, whose remote names port 0."""
    found: list[str] = []

    def has_one() -> object:
        found[:] = re.findall(r"listening on port (\d+)", server.text())
        return found

    wait_until(has_one, "a port")
    return int(found[-1])


class Database:
    """An empty database of a schema, served in `directory`; a context manager.

    It is as its last clients left it when it is stopped and started again.  `options` are further
    ones of ovsdb-server.
    """

    def __init__(self, directory: Path, schema: str, *options: str) -> None:
        self._options = options
        self._file = directory / "db"
        self._control = directory / "ctl"
        self._log = directory / "log"
        self.socket = directory / "sock"
        self._process: Process | None = None
        self.remote = f"unix:{self.socket}"
        run(["ovsdb-tool", "create", self._file, schema])

    def __enter__(self) -> Database:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve it; returns when clients are answered."""
        for left in (self.socket, self._control):
            left.unlink(missing_ok=True)
        self._process = Process(
            ["ovsdb-server", self._file, f"--remote=p{self.remote}",
             f"--unixctl={self._control}", *self._options],
            self._log,
        )  # fmt: skip
        wait_until(lambda: self.socket.exists() and self._control.exists(), str(self.socket))

    @property
    def process(self) -> Process:
        """The server's process."""
        assert self._process, "not started"
        return self._process

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the server; its clients lose their connection."""
        if self._process:
            self._process.stop(number)
            self._process = None

    @property
    def port(self) -> int:
        """The TCP port on which it is served, if a remote of the options names port 0."""
        return listening_port(self.process)

    def refuse_changes(self) -> None:
        """Make it the backup of a server that is not there: it takes no transaction any more."""
        self._appctl("ovsdb-server/set-active-ovsdb-server", f"{self.remote}.none")
        self._appctl("ovsdb-server/connect-active-ovsdb-server")

    def accept_changes(self) -> None:
        """Undo `refuse_changes`."""
        self._appctl("ovsdb-server/disconnect-active-ovsdb-server")

    def _appctl(self, *arguments: str) -> None:
        run(["ovs-appctl", "-t", self._control, *arguments])

    def vsctl(self, *arguments: str) -> str:
        """Run ovs-vsctl on it; nobody carries out what it is told."""
        return run(["ovs-vsctl", "--no-wait", "--timeout=20", f"--db={self.remote}", *arguments])

    def nbctl(self, *arguments: str) -> str:
        """Run ovn-nbctl on it."""
        return run(["ovn-nbctl", "--no-leader-only", "--timeout=20", f"--db={self.remote}",
                    *arguments])  # fmt: skip


class Relay:
    """An ovsdb-server that has nothing of its own and passes on what `source` has.

    `options` are further ones of ovsdb-server.
    """

    def __init__(self, directory: Path, name: str, source: str, *options: str) -> None:
        socket, control = directory / f"{name}.sock", directory / f"{name}.ctl"
        self.remote = f"unix:{socket}"
        self.process = Process(
            ["ovsdb-server", f"relay:OVN_Northbound:{source}",
             f"--remote=p{self.remote}", f"--unixctl={control}", *options],
            directory / f"{name}.log",
        )  # fmt: skip
        wait_until(socket.exists, str(socket))
