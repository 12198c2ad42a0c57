# SPDX-License-Identifier: Apache-2.0
"""Commands, child processes and waiting, with errors that say what happened."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# dhclient, dhcpcd and the Open vSwitch daemons live in sbin, which a plain user's PATH lacks.
PATH = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin" + os.pathsep + "/sbin"

# How many times as long everything may take: the machine of `make test-kernel` has no KVM, in CI
# jobs run side by side.
PATIENCE = int(os.environ.get("OVS_DHCPD_PATIENCE", "1"))


class LabError(Exception):
    """The lab itself did not do what it was told."""


def missing(*programs: str) -> list[str]:
    """The programs, and the files given with their path, that are not installed."""
    return [
        name
        for name in programs
        if not (Path(name).is_file() if "/" in name else shutil.which(name, path=PATH))
    ]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with sbin in PATH and `extra` on top."""
    return {**os.environ, "PATH": PATH, **(extra or {})}


def run(
    argv: Sequence[object],
    *,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout_s: float = 60,
) -> str:
    """Run a command and return its standard output; LabError if it fails."""
    words = [str(word) for word in argv]
    done = subprocess.run(
        words,
        env=environment(env),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        text=True,
        capture_output=True,
        timeout=timeout_s * PATIENCE,
        check=False,
    )
    if done.returncode:
        raise LabError(f"{' '.join(words)}: exit {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 10) -> None:
    """Poll until `condition` is true; LabError naming `what` when it never is."""
    timeout_s *= PATIENCE
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise LabError(f"waited {timeout_s:g} s in vain for {what}")
        time.sleep(0.02)


class Process:
    """A child process in a session of its own that writes to one log file."""

    def __init__(
        self, argv: Sequence[object], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self._log = log
        with log.open("ab") as out:
            self._log_start = out.tell()
            self._child = subprocess.Popen(
                [str(word) for word in argv],
                env=environment(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    @property
    def status(self) -> int | None:
        """The exit status, None while it runs."""
        return self._child.poll()

    def cpu_s(self) -> float:
        """The processor time that it has taken by now, in all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Its resident memory, in megabytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def text(self) -> str:
        """Everything that this child has written so far."""
        return self._log.read_bytes()[self._log_start :].decode(errors="replace")

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to the child, if it still runs."""
        if self.status is None:
            self._child.send_signal(number)

    def wait(self, timeout_s: float = 10) -> int:
        """Wait for its end and return the exit status."""
        return self._child.wait(timeout_s * PATIENCE)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, insist after five seconds; return the exit status."""
        self.kill(number)
        try:
            return self._child.wait(5 * PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait(5 * PATIENCE)
