# SPDX-License-Identifier: Apache-2.0
"""What fails first is said in one sentence, with what to type: on standard error, and in the log.

Each is made on a real Open vSwitch; commands that only ask are tried as another user too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.daemon import ROOT, Dhcpd, wait_ready
from tests.lab.nobody import UID, as_nobody
from tests.lab.process import Process, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

LAB = "networks: {lab: {dhcpv4: {cidr: 10.0.0.0/24}, pool: 10.0.0.9}}\n"
ELSEWHERE = f"bridge: br-nope\n{LAB}"
START = "ovs-dhcpd run --config FILE --detach --pidfile --log-file"
START_SWITCH = "type: systemctl start openvswitch-switch"
ASKING = {
    "leases": ["leases"],
    "status": ["status"],
    "trace": ["trace", "vm1"],
    "watch": ["watch", "-n", "1"],
    "lflows": ["lflows", "--running"],
}


@pytest.fixture(scope="module", autouse=True)
def _readable(switch: PrivateOvs) -> None:
    switch.directory.chmod(0o755)


def root(*words: object) -> list[str]:
    return [sys.executable, "-m", "ovs_dhcpd", *map(str, words)]


def ask(switch: PrivateOvs, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OVS_RUNDIR": str(switch.run_dir)}
    return subprocess.run(argv, env=env, capture_output=True, text=True, cwd=ROOT, check=False)


class Started:
    """`ovs-dhcpd run`, with what it has written to its terminal and to its log."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self._log = log

    def says(self, sentence: str) -> None:
        """Wait until it is said; it is said once in either place."""
        log = self._log
        wait_until(lambda: sentence in self.process.text(), sentence)
        wait_until(lambda: log.exists() and sentence in log.read_text(), f"{sentence} in the log")
        assert self.process.text().count(sentence) == 1
        assert log.read_text().count(sentence) == 1


@contextmanager
def started(switch: PrivateOvs, argv: Sequence[str], *words: object) -> Iterator[Started]:
    """What is started by this command line, and has a log."""
    log = switch.directory / "first.log"
    log.unlink(missing_ok=True)
    log.touch()
    os.chown(log, UID, UID)
    process = Process(
        [*argv, "--ovs-rundir", str(switch.run_dir), f"--log-file={log}", *map(str, words)],
        switch.directory / "first.out",
        {"PYTHONPATH": str(ROOT)},
    )
    try:
        yield Started(process, log)
    finally:
        process.stop()


def file(switch: PrivateOvs, text: str) -> Path:
    path = switch.directory / "first.yaml"
    path.write_text(text)
    path.chmod(0o644)
    return path


# No Open vSwitch


def test_open_vswitch_has_been_killed() -> None:
    with PrivateOvs() as switch:
        for name in ("ovs-vswitchd", "conf-db"):
            switch.processes[name].kill(signal.SIGKILL)
            switch.processes[name].wait()
        said = f"{switch.run_dir}/db.sock: Open vSwitch does not run here, waiting for it"
        with started(switch, root("run", file(switch, LAB))) as daemon:
            daemon.says(f"{said}; {START_SWITCH}")
        with started(switch, root("run", "--serve-only"), "--ovn-rundir", switch.run_dir) as daemon:
            said = f"{switch.run_dir}/br-int.mgmt: Open vSwitch does not run here, waiting for it"
            daemon.says(f"{said}; {START_SWITCH}")


# No such bridge


def test_no_such_bridge(switch: PrivateOvs) -> None:
    with started(switch, root("run", file(switch, ELSEWHERE))) as daemon:
        daemon.says(
            "bridge br-nope: does not exist, expected br-int; write that, or for a new bridge "
            "type: ovs-vsctl add-br br-nope"
        )


def test_no_such_bridge_to_serve_only(switch: PrivateOvs) -> None:
    words = ["--bridge", "br-nope", "--ovn-rundir", switch.run_dir]
    with started(switch, root("run", "--serve-only"), *words) as daemon:
        daemon.says(
            "bridge br-nope: does not exist, expected br-int (--bridge BRIDGE); write that, or for "
            "a new bridge type: ovs-vsctl add-br br-nope"
        )


# Not allowed


def test_a_user_who_may_not_write_to_the_run_directory(switch: PrivateOvs) -> None:
    what = f"{switch.run_dir}: Permission denied, expected root, or a user that may write there"
    with started(switch, as_nobody("run", file(switch, LAB))) as daemon:
        daemon.says(what)
        assert daemon.process.wait() == 1


def test_a_user_who_may_not_read_the_configuration(switch: PrivateOvs) -> None:
    """As of the service, where root has made the file with an umask of 077."""
    path = file(switch, LAB)
    path.chmod(0o600)
    said = f"{path}: cannot be read: Permission denied, expected that the user nobody may\n"
    done = ask(switch, as_nobody("check", path))
    assert (done.returncode, done.stderr) == (1, said)


def test_a_user_who_may_not_write_the_log(switch: PrivateOvs) -> None:
    log = switch.log_dir / "of-root.log"
    log.touch(0o644)
    done = ask(switch, as_nobody("run", file(switch, LAB), "--pidfile", f"--log-file={log}"))
    what = "Permission denied, expected root, or a user that may write there"
    assert (done.returncode, done.stderr) == (1, f"ovs-dhcpd: {log}: {what}\n")


def test_a_user_who_may_not_open_the_sockets(switch: PrivateOvs) -> None:
    expected = "Permission denied, expected root, or a user that may open it"
    switch.run_dir.chmod(0o777)
    try:
        with started(switch, as_nobody("run", file(switch, LAB))) as daemon:
            daemon.says(f"{switch.run_dir}/db.sock: {expected}")
        words = ["--ovn-rundir", switch.run_dir]
        with started(switch, as_nobody("run", "--serve-only"), *words) as daemon:
            daemon.says(f"{switch.run_dir}/br-int.mgmt: {expected}")
    finally:
        switch.run_dir.chmod(0o755)
        for path in switch.run_dir.glob("ovs-dhcpd*"):
            path.unlink()


@pytest.mark.parametrize("command", ASKING)
def test_a_user_who_may_not_ask_the_daemon(switch: PrivateOvs, command: str) -> None:
    words = ASKING[command]
    with Dhcpd(switch, LAB) as dhcpd:
        wait_ready(dhcpd)
        socket = switch.run_dir / f"ovs-dhcpd.{dhcpd.process.pid}.ctl"
        done = ask(switch, as_nobody(*words))
        sentence = f"{socket}: Permission denied; type: sudo ovs-dhcpd {' '.join(words)}"
        assert_said(done, command, sentence)


def assert_said(done: subprocess.CompletedProcess[str], command: str, sentence: str) -> None:
    assert done.returncode == 1
    if command == "status":
        assert (done.stdout.splitlines()[-1], done.stderr) == (f"not healthy: {sentence}", "")
    else:
        assert (done.stdout, done.stderr) == ("", f"ovs-dhcpd: {sentence}\n")


# Nobody to ask


@pytest.mark.parametrize("command", ASKING)
def test_no_daemon_to_ask(switch: PrivateOvs, command: str) -> None:
    what = "nobody to ask, expected the socket of a running ovs-dhcpd there (--ovs-rundir DIR)"
    sentence = f"{switch.run_dir}: {what}; type: {START}"
    for argv in (root(*ASKING[command]), as_nobody(*ASKING[command])):
        assert_said(ask(switch, argv), command, sentence)


def test_logical_flows_are_told_without_a_pidfile(switch: PrivateOvs) -> None:
    with Dhcpd(switch, LAB) as dhcpd:
        wait_ready(dhcpd)
        done = ask(switch, root("lflows", "--running"))
        assert (done.returncode, done.stderr) == (0, "")


# Nothing configured


def test_nothing_to_serve(switch: PrivateOvs) -> None:
    what = "nothing to serve, expected FILE, --nb REMOTES or --serve-only"
    with started(switch, root("run")) as daemon:
        daemon.says(f"{what}; type: ovs-dhcpd run --help")
        assert daemon.process.wait() == 2
        assert len(daemon.process.text().splitlines()) == 1


def test_a_file_without_networks(switch: PrivateOvs) -> None:
    path = file(switch, "networks: {}\n")
    sentence = f"{path}:1: warning: networks: none, so nothing is served"
    with started(switch, root("run", path)) as daemon:
        daemon.says(sentence)
    done = ask(switch, root("check", path))
    assert (done.returncode, done.stderr) == (0, f"{sentence}\n")
