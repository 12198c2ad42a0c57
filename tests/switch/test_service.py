# SPDX-License-Identifier: Apache-2.0
"""The daemon under a service manager: what it is told, and what stands in the journal.

The other end of the socket is ours here.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import reference
from tests.lab.daemon import Dhcpd, ServeOnly
from tests.lab.guest import Guest
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")


class Manager(threading.Thread):
    """Who listens at NOTIFY_SOCKET; a context manager.  `said` has the lines, in order."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.said: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def __enter__(self) -> Manager:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RD)
        self.join()
        self._socket.close()

    def run(self) -> None:
        """The thread."""
        while data := self._socket.recv(4096):
            self.said += data.decode().split("\n")

    def wait_for(self, pattern: str) -> None:
        """Wait until a line is so."""
        wait_until(lambda: any(re.fullmatch(pattern, line) for line in self.said), pattern, 20)


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """It is that of what is started from now on."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with Manager(tmp_path / "notify") as manager:
        yield manager


def test_ready_is_who_serves(switch: PrivateOvs, guest: Guest, manager: Manager) -> None:
    with Dhcpd(switch, reference.configuration()) as dhcpd:
        manager.wait_for("READY=1")
        assert dhcpd.serves(guest)
        assert "STATUS=br-int: active; 1 ports served, 0 leases bound" in manager.said
        dhcpd.configuration_file.write_text("oops: 1\n")
        manager.wait_for(r"STATUS=br-int: active; .*:1: oops: .*; what was read before is .*")
        dhcpd.stop()
        manager.wait_for("STOPPING=1")


def test_ready_is_who_stands_by(
    switch: PrivateOvs, guest: Guest, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.delenv("NOTIFY_SOCKET")
        active = Dhcpd(switch, reference.configuration())
        active.start()
    active.wait_for_flows(guest)
    with Dhcpd(switch, reference.configuration(), label="-2"):
        manager.wait_for("READY=1")
        manager.wait_for(rf"STATUS=br-int: standby for pid {active.process.pid}; .*")
        active.stop()
        manager.wait_for("STATUS=br-int: active; .*")


def test_a_bridge_that_does_not_exist_is_not_waited_for(
    switch: PrivateOvs, manager: Manager
) -> None:
    with Dhcpd(switch, reference.configuration(), "--bridge", "br-none"):
        manager.wait_for("READY=1")
        manager.wait_for("STATUS=bridge br-none: does not exist.*; 0 ports served, .*")


def test_a_bridge_that_the_switch_cannot_make_is_not_waited_for(
    switch: PrivateOvs, manager: Manager
) -> None:
    """As without the kernel's module."""
    nonsense = ("--", "set", "bridge", "br-none", "datapath_type=nonsense")
    switch.vsctl("--no-wait", "add-br", "br-none", *nonsense)  # a new ovs-vsctl says that it failed
    try:
        with Dhcpd(switch, reference.configuration(), "--bridge", "br-none"):
            manager.wait_for("READY=1")
            manager.wait_for("STATUS=bridge br-none: ovs-vswitchd cannot make it, .*")
    finally:
        switch.vsctl("del-br", "br-none")


def test_a_database_is_waited_for(switch: PrivateOvs, manager: Manager, tmp_path: Path) -> None:
    nobody = f"unix:{tmp_path / 'nobody.sock'}"
    with Dhcpd(switch, reference.configuration(), "--db", nobody) as dhcpd:
        manager.wait_for(f"STATUS=waiting for {nobody}")
        dhcpd.stop()
        manager.wait_for("STOPPING=1")
    assert "READY=1" not in manager.said


def test_ready_is_who_serves_only(switch: PrivateOvs, manager: Manager, tmp_path: Path) -> None:
    with ServeOnly(switch, "--ovn-rundir", str(tmp_path)):
        manager.wait_for("READY=1")
        manager.wait_for("STATUS=br-int: active")


def test_the_journal_finds_warnings(
    switch: PrivateOvs, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    dhcpd = Dhcpd(switch, reference.configuration(), label="-journal")
    path = switch.log_dir / "ovs-dhcpd-journal.log"
    path.touch()
    monkeypatch.setenv("JOURNAL_STREAM", f"{path.stat().st_dev}:{path.stat().st_ino}")
    with dhcpd:
        dhcpd.wait_for_flows(guest)
        switch.ofctl("add-flow", switch.bridge, "priority=300,udp,tp_dst=67,actions=drop")
        wait_until(lambda: "<4>" in dhcpd.log(), "a warning")
        assert [line for line in dhcpd.log().splitlines() if not re.match("<[3467]>", line)] == []
