# SPDX-License-Identifier: Apache-2.0
"""The pidfile: whether it can be made, and made again where somebody has deleted it meanwhile."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from ovs_dhcpd.controller.first_look import look_at_directory
from ovs_dhcpd.controller.switch.lock import holder


def look_at(path: Path, *, overwrites: bool) -> None:
    """Raise :exc:`OSError`, with what to do, where :mod:`ovs.daemon` could not make ``path``.

    What another process has locked can be made if that ``overwrites`` it.
    """
    look_at_directory(path.parent)
    if not overwrites and (pid := holder(path)) is not None:
        runs = f"already running as pid {pid}" if pid else "already running"
        what = f"{runs}, expected nobody; to stand by for it add --overwrite-pidfile"
        raise OSError(errno.EEXIST, what, str(path))


class Pidfile:
    """The file ``path``, which has been made and locked already (:mod:`ovs.daemon`).

    Such a lock (F_SETLK) belongs to the process and the inode, and closing any descriptor of that
    inode gives it up: so what is there is never opened, only looked at.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None  # open for as long as it is to be locked

    def restore(self) -> bool:
        """Make it if nothing is there: whether that was so.

        It appears locked and with the pid in it.  Raises OSError.
        """
        if os.path.lexists(self._path):
            return False
        temporary = Path(f"{self._path}.tmp{os.getpid()}")
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(file, f"{os.getpid()}\n".encode())
            os.link(temporary, self._path)
        except OSError:
            os.close(file)
            raise
        finally:
            temporary.unlink(missing_ok=True)
        if self._file is not None:
            os.close(self._file)  # of the deleted one
        self._file = file
        return True

    def __str__(self) -> str:
        return str(self._path)
