# SPDX-License-Identifier: Apache-2.0
"""Whether files that change are being written still: they are taken once they are still."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

STILL_S = 0.25
LONG_S = 10.0  # who changes files for longer than this is told that they are not taken

# Of each file what changes when the file does: mtime and ctime in ns, size, inode; None: no file.
# ctime is there because who writes a file can set its mtime, as rsync and tar do.
Stamp = tuple[int, int, int, int] | None


def read_stamps(paths: Sequence[Path]) -> tuple[Stamp, ...]:
    """The stamp of each file as it is now."""
    return tuple(map(_stamp, paths))


class Stillness:
    """Compares what files look like with what they looked like when they were taken."""

    def __init__(self, stamps: tuple[Stamp, ...]) -> None:
        """For files that are taken with these stamps."""
        self._taken = self._seen = stamps
        self._seen_s = self._changed_s = 0.0  # since when they look like this, and not as taken
        self._told = False

    def ripe(self, stamps: tuple[Stamp, ...], now_s: float) -> bool:
        """Whether the files, which look like this now, have changed and are still since."""
        if stamps != self._seen:
            if not self._changed:
                self._changed_s = now_s
            self._seen, self._seen_s = stamps, now_s
        return self._changed and now_s - self._seen_s >= STILL_S

    def take(self, stamps: tuple[Stamp, ...]) -> None:
        """The files are taken as they are with these stamps."""
        self._taken = self._seen = stamps
        self._told = False

    def restless(self, now_s: float) -> bool:
        """Whether they have been changing for long; said once."""
        told, self._told = self._told, self._changed and now_s - self._changed_s >= LONG_S
        return self._told and not told

    def wait_s(self, now_s: float) -> float | None:
        """How long until they may be ripe; None: until one of them changes."""
        return max(0.0, self._seen_s + STILL_S - now_s) if self._changed else None

    @property
    def _changed(self) -> bool:
        return self._seen != self._taken


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
