# SPDX-License-Identifier: Apache-2.0
"""A clustered Northbound database: servers that fail and come back."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
from functools import partial
from pathlib import Path

from tests.lab.northbound import SCHEMA, Northbound
from tests.lab.process import LabError, Process, run, wait_until
from tests.lab.underlay import Underlay

CLIENTS, PEERS = 6641, 6643  # TCP ports


class Raft:
    """One OVN_Northbound, an ovsdb-server of it on each host; a context manager."""

    def __init__(self, underlay: Underlay) -> None:
        # Not $TMPDIR, which may be deep: a Unix socket's path has at most 107 characters.
        self.directory = Path(tempfile.mkdtemp(prefix="ovsraft-", dir="/tmp"))
        self.servers: dict[int, Process] = {}
        self.underlay = underlay
        self.numbers = list(underlay.hosts)
        self.northbound = Northbound(
            ",".join(self._remote(number, CLIENTS) for number in self.numbers),
            {"OVN_RUNDIR": str(self.directory), "OVS_RUNDIR": str(self.directory)},
            underlay.hosts[self.numbers[0]].namespace,
        )

    def __enter__(self) -> Raft:
        first, *others = self.numbers
        run(["ovsdb-tool", "create-cluster", self._path(first, "db"), SCHEMA,
             self._remote(first, PEERS)])  # fmt: skip
        for number in others:
            run(["ovsdb-tool", "join-cluster", self._path(number, "db"), "OVN_Northbound",
                 self._remote(number, PEERS), self._remote(first, PEERS)])  # fmt: skip
        self.start(*self.numbers)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill(*self.servers)
        shutil.rmtree(self.directory)

    def start(self, *numbers: int) -> None:
        """Start these servers, and wait until each is part of the cluster."""
        for number in numbers:
            self._path(number, "ctl").unlink(missing_ok=True)
            self.servers[number] = Process(
                self.underlay.hosts[number].namespace.command(
                    "ovsdb-server", self._path(number, "db"), "--no-chdir",
                    f"--remote=ptcp:{CLIENTS}:{self.underlay.address(number)}",
                    f"--unixctl={self._path(number, 'ctl')}",
                ),
                self._path(number, "log"),
            )  # fmt: skip
        for number in numbers:
            wait_until(partial(self._status, number, "Status: cluster member"), "the cluster")
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

    def wait_without_majority(self) -> None:
        """Wait until the servers that are left know that they are too few."""
        for number in self.servers:
            wait_until(
                partial(self._status, number, "Status: disconnected from the cluster"),
                f"server {number} to find itself alone",
                20,
            )

    def add_switch(self, number: int, name: str) -> None:
        """Tell this very server, and no other, to add a logical switch; LabError after 3 s."""
        insert = {"op": "insert", "table": "Logical_Switch", "row": {"name": name}}
        self.underlay.hosts[number].namespace.run(
            "ovsdb-client", "--timeout=3", "--no-leader-only", "transact",
            self._remote(number, CLIENTS), json.dumps(["OVN_Northbound", insert]),
        )  # fmt: skip

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

    def _remote(self, number: int, port: int) -> str:
        return f"tcp:{self.underlay.address(number)}:{port}"
