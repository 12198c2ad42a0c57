# SPDX-License-Identifier: Apache-2.0
"""Whether ovn-controller runs is read from the lock on its pidfile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controller.serve_only import Deputy, is_locked
from tests.unit.test_dispatch import packet_in

# What Open vSwitch's daemons do: F_SETLK, and then they run.
OWNER = """
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def owner(pidfile: Path) -> Iterator[None]:
    """A process that has `pidfile` locked, and is killed."""
    argv = [sys.executable, "-c", OWNER, str(pidfile)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"locked\n"
        yield
        process.kill()


def test_only_a_locked_pidfile_is_a_running_daemon(tmp_path):
    pidfile = tmp_path / "ovn-controller.pid"
    assert not is_locked(pidfile)
    with owner(pidfile):
        assert is_locked(pidfile)
    assert pidfile.exists()
    assert not is_locked(pidfile)


def test_nothing_is_resumed_while_ovn_controller_runs(tmp_path):
    pidfile = tmp_path / "ovn-controller.pid"
    deputy = Deputy(pidfile)
    assert deputy.resume(packet_in())
    with owner(pidfile):
        assert deputy.resume(packet_in()) is None
    assert deputy.resume(packet_in())
