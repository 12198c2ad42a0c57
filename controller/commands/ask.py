# SPDX-License-Identifier: Apache-2.0
"""Asking the daemon that runs: what a command line has to say to its control socket.

A request and its answer are JSON-RPC 1.0, a JSON object each, as ``ovs-appctl`` sends and gets them
(ovs-appctl(8), unixctl).  python-ovs has that too, and takes longer to import than to answer.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovs_dhcpd import PROGRAM

if TYPE_CHECKING:
    import socket

# Where distributions have Open vSwitch put its sockets; a python-ovs from elsewhere does not know.
RUNDIR = "/var/run/openvswitch"
# Where the unit of the service is if it is installed, and how a daemon is started with and without.
UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system")
CONFIGURATION = f"/etc/{PROGRAM}/config.yaml"  # that the service serves
MAKE_CONFIGURATION = f"{PROGRAM} init > {CONFIGURATION}"
START_SERVICE = f"{PROGRAM} check {CONFIGURATION} && systemctl start {PROGRAM}"
START = f"{PROGRAM} run --config FILE --detach --pidfile --log-file"
ANSWER_S = 30.0  # a daemon that reads a large configuration is busy for seconds
READ_SIZE = 256 * 1024


class AskError(Exception):
    """There is no answer: what it says is a line for the user."""


class NobodyError(AskError):
    """There is no daemon in `rundir` that could be asked.

    `is_denied`: perhaps there is one, and we may not ask it.
    """

    def __init__(self, why: str, rundir: Path, *, is_denied: bool = False) -> None:
        super().__init__(why)
        self._rundir = rundir
        self._is_denied = is_denied

    def mend(self, words: Sequence[str]) -> str:
        """What is to be typed for the command line ``words`` to be answered."""
        if self._is_denied:
            import shlex

            return shlex.join(["sudo", PROGRAM, *words])
        is_here = self._rundir.resolve() == Path(RUNDIR).resolve()
        if is_here and any(Path(unit, f"{PROGRAM}.service").exists() for unit in UNITS):
            return START_SERVICE if Path(CONFIGURATION).exists() else MAKE_CONFIGURATION
        return START

    def with_mend(self, words: Sequence[str]) -> str:
        """What it says, and :meth:`mend`."""
        return f"{self}; type: {self.mend(words)}"


def default_rundir() -> Path:
    """Where the sockets of this host's Open vSwitch are, if nobody says otherwise."""
    return Path(os.environ.get("OVS_RUNDIR", RUNDIR))


def add_rundir(
    parser: argparse.ArgumentParser, what: str = "the daemon that is asked has its socket there"
) -> None:
    """Let a command line say which daemon is asked, as ``ovs-dhcpd run`` was told."""
    parser.add_argument(
        "--ovs-rundir",
        metavar="DIR",
        type=Path,
        default=default_rundir(),
        help=f"{what} (default: OVS_RUNDIR, else %(default)s)",
    )


def ask_for_json(rundir: Path, command: str, *words: str) -> Any:
    """What the daemon answers to such a command when it is told ``-f json``.  As :func:`ask`."""
    import json

    return json.loads(ask(rundir, command, "-f", "json", *words))


def ask(rundir: Path, command: str, *words: str) -> str:
    """What the daemon in ``rundir`` answers to a command of ``ovs-appctl``.

    Where several run there it is one that has the turn on a bridge, and else the one that was
    started last.  Raises :exc:`AskError`, and
    :exc:`NobodyError` where none runs, or none lets us ask.
    """
    with _connect(rundir, sockets(rundir), PROGRAM) as connection:
        return _ask(connection, command, words)


def ask_switch(rundir: Path, command: str, *words: str) -> str:
    """What the ovs-vswitchd in ``rundir`` answers.  Raises :exc:`AskError`."""
    paths = sorted(rundir.glob("ovs-vswitchd*.ctl"), reverse=True)
    with _connect(rundir, paths, "ovs-vswitchd") as connection:
        return _ask(connection, command, words)


def sockets(rundir: Path) -> list[Path]:
    """The control sockets in ``rundir``, in the order in which they are tried.

    Those of daemons that have died are among them.
    """
    found = []
    for path in rundir.glob(f"{PROGRAM}.*.ctl"):
        with contextlib.suppress(OSError):  # it has just ended
            found.append((path.stat().st_mtime_ns, path))
    paths = [path for _, path in sorted(found, reverse=True)]
    if len(paths) < 2:
        return paths
    active = {f"{PROGRAM}.{pid}.ctl" for pid in _active(rundir)}
    return sorted(paths, key=lambda path: path.name not in active)


def _active(rundir: Path) -> Iterator[int]:
    """The pids of those who have the turn on some bridge."""
    from ovs_dhcpd.controller.switch.lock import holder

    for path in rundir.glob(f"{PROGRAM}.*.lock"):
        with contextlib.suppress(OSError):  # it is not for us to look at
            if pid := holder(path):
                yield pid


def _connect(rundir: Path, paths: list[Path], program: str) -> socket.socket:
    """A connection to the first of ``paths`` that somebody listens at."""
    import socket

    why, is_denied = "", False
    try:
        os.listdir(rundir)
    except PermissionError as error:
        why, is_denied = f"{rundir}: {error.strerror}", True
    except OSError:
        pass  # nobody runs there
    for path in paths:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(ANSWER_S)
        try:
            connection.connect(str(path))
        except ConnectionRefusedError:  # it has been killed
            connection.close()
        except OSError as error:
            connection.close()
            is_denied = is_denied or isinstance(error, PermissionError)
            why = why or f"{path}: {error.strerror}"
        else:
            return connection
    what = f"expected the socket of a running {program} there (--ovs-rundir DIR)"
    raise NobodyError(why or f"{rundir}: nobody to ask, {what}", rundir, is_denied=is_denied)


def _ask(connection: socket.socket, command: str, words: tuple[str, ...]) -> str:
    import json

    request = {"method": command, "params": words, "id": 0}
    try:
        connection.sendall(json.dumps(request).encode())
        data = bytearray()
        while some := connection.recv(READ_SIZE):
            data += some
            if not some.endswith(b"}"):
                continue
            try:
                answer = json.loads(data)
            except ValueError:
                continue  # that was not the end
            if answer["error"] is not None:
                raise AskError(answer["error"].rstrip("\n"))
            return str(answer["result"])
    except TimeoutError:
        raise AskError(f"{command}: no answer within {ANSWER_S:g} s") from None
    except OSError as error:
        raise AskError(f"{command}: {error.strerror}") from None
    raise AskError(f"{command}: the daemon has closed the connection without an answer")
