# SPDX-License-Identifier: Apache-2.0
"""Record locks: who has one, and one that a process holds until it ends, however it ends.

Ours are "open file description" locks (fcntl(2), F_OFD_SETLKW), not those that Open vSwitch's
daemons hold on their pidfiles: with the latter two processes that have one bridge each and wait
for the other's are refused by the kernel as a deadlock (EDEADLK), and closing any descriptor of
the file drops them.  To look (:func:`holder`) is the same for both, and disturbs nobody.

The file has 36 bytes: the holder's pid as text and a newline, in 16; then the
:class:`~controller.switch.held.Mark` of the packet-in that it answered last, in 16; then the owner,
a number that tells processes of different command lines apart, 0 where there is none.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from contextlib import suppress
from pathlib import Path

from ovs_dhcpd.controller.switch.held import Mark, checksum

from ovs_dhcpd import PROGRAM

FLOCK = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, pid
MARK = struct.Struct("=dI4x")  # time_s, checksum
OWNER = struct.Struct("=I")
PID_SIZE = 16
MARK_AT, OWNER_AT = PID_SIZE, PID_SIZE + MARK.size

HOLDER, WAITER = 0, 1  # the byte that one has locked, and the one that all share who wait for it


def lock_path(rundir: Path, bridge: str, kind: str = "") -> Path:
    """The file that is locked by who serves ``bridge``; each ``kind`` of daemon has its own."""
    return rundir / ".".join(filter(None, (PROGRAM, bridge, kind, "lock")))


def holder(path: Path) -> int | None:
    """The pid of the process that has ``path`` locked, as a daemon its pidfile; None: nobody has.

    It is 0 where the file does not say it.  Raises :exc:`OSError` where it cannot be looked at.
    """
    try:
        with path.open("rb", buffering=0) as file:
            asked = FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, HOLDER, 1, 0)
            kind, _, _, _, pid = FLOCK.unpack(fcntl.fcntl(file, fcntl.F_GETLK, asked))
            if kind == fcntl.F_UNLCK:
                return None
            if pid > 0:
                return int(pid)
            with suppress(ValueError):  # the kernel does not know it of a lock of ours
                return int(file.read(PID_SIZE))
            return 0
    except FileNotFoundError:
        return None


def owner_of(path: Path) -> int:
    """The owner of who has ``path`` locked, or had.  Raises :exc:`OSError`."""
    with path.open("rb", buffering=0) as file:
        found = os.pread(file.fileno(), OWNER.size, OWNER_AT)
    return int(OWNER.unpack(found)[0]) if len(found) == OWNER.size else 0


class Lock:
    """The lock on ``path``, which is made if it is not there.  Raises :exc:`OSError`."""

    def __init__(self, path: Path, owner: int = 0) -> None:
        self._path = path
        self._owner = owner
        # Who may read a file may lock it against writers: nobody else may.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, *, wait: bool) -> bool:
        """Take it; False if another process has it, unless that is to be waited for.

        Raises :exc:`OSError` where there can be no lock.  On a full disk others do not know whose
        it is.
        """
        command = fcntl.F_OFD_SETLK
        if wait:
            self._set(command, fcntl.F_RDLCK, WAITER)
            command = fcntl.F_OFD_SETLKW
        try:
            self._set(command, fcntl.F_WRLCK, HOLDER)
        except BlockingIOError:
            return False
        self.leave_line()
        with suppress(OSError):
            os.pwrite(self._file, b"%-*d\n" % (PID_SIZE - 1, os.getpid()), 0)
            self._write_owner(self._owner)
        return True

    def disown(self) -> None:
        """Leave behind no owner.  It must have been taken."""
        with suppress(OSError):
            self._write_owner(0)

    def leave_line(self) -> None:
        """Be no longer seen to wait."""
        self._set(fcntl.F_OFD_SETLK, fcntl.F_UNLCK, WAITER)

    @property
    def is_waited_for(self) -> bool:
        """Whether another process waits for it."""
        asked = FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, WAITER, 1, 0)
        kind, *_ = FLOCK.unpack(fcntl.fcntl(self._file, fcntl.F_OFD_GETLK, asked))
        return bool(kind != fcntl.F_UNLCK)

    @property
    def is_in_place(self) -> bool:
        """Whether ``path`` still is the file that is locked, so that others meet the lock."""
        try:
            there = os.stat(self._path)
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self._file))

    def note(self, packet_in: bytes) -> None:
        """Let who takes it next know that this has been answered now, and all before it."""
        try:  # noqa: SIM105 - suppress() costs as much as the write
            os.pwrite(self._file, MARK.pack(time.monotonic(), checksum(packet_in)), MARK_AT)
        except OSError:  # a full disk costs no more than a second answer when we end
            pass

    def noted(self) -> Mark | None:
        """What has been answered last."""
        found = os.pread(self._file, MARK.size, MARK_AT)
        mark = Mark(*MARK.unpack(found)) if len(found) == MARK.size else None
        return mark if mark and mark.time_s else None

    def close(self) -> None:
        """Release it."""
        os.close(self._file)

    def _write_owner(self, owner: int) -> None:
        os.pwrite(self._file, OWNER.pack(owner), OWNER_AT)

    def _set(self, command: int, kind: int, byte: int) -> None:
        fcntl.fcntl(self._file, command, FLOCK.pack(kind, os.SEEK_SET, byte, 1, 0))
