# SPDX-License-Identifier: Apache-2.0
"""Other processes that have locks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What Open vSwitch's daemons do with their pidfiles: F_SETLK, and then they run.
OWNER = """
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""

NOTED = b"the last packet-in"

# What we do: argv[2:] are those that it has, argv[1] is one that it waits for if it is not "".
HOLDER = """
import sys, threading
from pathlib import Path
from ovs_dhcpd.controller.switch.lock import Lock
locks = [Lock(Path(name)) for name in sys.argv[2:]]
for lock in locks:
    assert lock.take(wait=False)
    lock.note(b"the last packet-in")
if sys.argv[1]:
    waiting = Lock(Path(sys.argv[1]))
    threading.Thread(target=waiting.take, kwargs={"wait": True}, daemon=True).start()
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def process(program: str, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has said that it has its locks; it is killed."""
    argv = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"locked\n"
        yield process
        process.kill()


@contextmanager
def owner(pidfile: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon of Open vSwitch, which has `pidfile` locked."""
    with process(OWNER, pidfile) as owning:
        yield owning


@contextmanager
def holders(*paths: Path, waits_for: Path | str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A process that has our locks on `paths`, and waits for another."""
    with process(HOLDER, waits_for, *paths) as holding:
        yield holding
