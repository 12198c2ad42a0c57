# SPDX-License-Identifier: Apache-2.0
"""A clustered Northbound database: servers that fail and come back."""

from __future__ import annotations

import shutil
import signal
import tempfile
from pathlib import Path

from tests.lab.northbound import SCHEMA, Northbound
from tests.lab.process import LabError, Process, run, wait_until


class Raft:
    """Three ovsdb-servers of one OVN_Northbound, on Unix sockets; a context manager."""

    numbers = (1, 2, 3)

    def __init__(self) -> None:
        # Not $TMPDIR, which may be deep: a Unix socket's path has at most 107 characters.
        self.directory = Path(tempfile.mkdtemp(prefix="ovsraft-", dir="/tmp"))
        self.servers: dict[int, Process] = {}
        self.northbound = Northbound(
            ",".join(f"unix:{self._path(number, 'sock')}" for number in self.numbers),
            {"OVN_RUNDIR": str(self.directory), "OVS_RUNDIR": str(self.directory)},
        )

    def __enter__(self) -> Raft:
        first, *others = self.numbers
        run(["ovsdb-tool", "create-cluster", self._path(first, "db"), SCHEMA, self._raft(first)])
        for number in others:
            run(["ovsdb-tool", "join-cluster", self._path(number, "db"), "OVN_Northbound",
                 self._raft(number), self._raft(first)])  # fmt: skip
        self.start(*self.numbers)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill(*self.servers)
        shutil.rmtree(self.directory)

    def start(self, *numbers: int) -> None:
        """Start these servers, and wait until each is part of the cluster."""
        for number in numbers:
            for kind in ("sock", "ctl"):
                self._path(number, kind).unlink(missing_ok=True)
            self.servers[number] = Process(
                ["ovsdb-server", self._path(number, "db"), "--no-chdir",
                 f"--remote=punix:{self._path(number, 'sock')}",
                 f"--unixctl={self._path(number, 'ctl')}"],
                self._path(number, "log"),
            )  # fmt: skip
        for number in numbers:
            wait_until(lambda n=number: self._status(n, "Status: cluster member"), "the cluster")
        wait_until(lambda: self._leaders(), "a leader", 20)

    def kill(self, *numbers: int) -> None:
        """Kill these servers, as a crash does."""
        for number in list(numbers):
            self.servers.pop(number).stop(signal.SIGKILL)

    def compact(self) -> None:
        """Have every server forget how it came to what it has."""
        for number in self.servers:
            run(["ovs-appctl", "-t", self._path(number, "ctl"), "ovsdb-server/compact"])

    def leader(self) -> int:
        """The server that the others follow."""
        (leader,) = self._leaders()
        return leader

    def _leaders(self) -> list[int]:
        return [number for number in self.servers if self._status(number, "Role: leader")]

    def _status(self, number: int, line: str) -> bool:
        control = self._path(number, "ctl")
        try:
            return line in run(["ovs-appctl", "-t", control, "cluster/status", "OVN_Northbound"])
        except LabError:  # it does not listen yet
            return False

    def _path(self, number: int, kind: str) -> Path:
        return self.directory / f"{number}.{kind}"

    def _raft(self, number: int) -> str:
        return f"unix:{self._path(number, 'raft')}"
