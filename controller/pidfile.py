# SPDX-License-Identifier: Apache-2.0
"""The pidfile, made again where somebody has deleted it while the daemon runs."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


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
