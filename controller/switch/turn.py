# SPDX-License-Identifier: Apache-2.0
"""Whose turn it is on a bridge: of several daemons one answers, the others stand by.

It is the turn of the process that has the bridge's lock file locked
(:mod:`controller.switch.lock`).  The others wait for the lock in a thread, and hold what they
hear meanwhile (:mod:`controller.switch.held`): who gets the lock first answers what the one
before it has left, in that same thread, and has the daemon's thread do the rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ovs.vlog import Vlog
from ovs_dhcpd.controller.switch.held import Mark
from ovs_dhcpd.controller.switch.lock import Lock, holder

vlog = Vlog("turn")

AGAIN_S = 1.0  # after there could be no lock
LATE_S = 0.2  # what has not come here then does not come any more
LOOK_S = 0.002  # while what the one before us answered last has not come here yet


Note = Callable[[bytes], None]


class Answerer(Protocol):
    """A connection to the bridge."""

    def hold(self) -> None:
        """Answer nothing from now on; when this returns, nothing is being answered."""

    def answer(self, note: Note | None, last: Mark | None) -> None:
        """Answer from now on, and first what has been held since ``last``.

        After each write ``note`` is called with the packet-in that was answered last.
        """

    def has_heard(self, last: Mark | None) -> bool:
        """Whether ``last`` has come here too."""


class Turn:
    """Whose turn it is on the bridge whose lock is ``path``; None: nobody else can be there.

    ``wake`` is called, from any thread, when it has become ours.  Once it has been :meth:`end`-ed
    it stays another's.  ``owner`` is left in the lock's file.
    """

    def __init__(
        self, path: Path | None = None, wake: Callable[[], None] = lambda: None, owner: int = 0
    ) -> None:
        self.ours = path is None
        self.trouble = ""  # why there can be no lock
        self._path = path
        self._wake = wake
        self._owner = owner
        self._ended = False
        self._guard = threading.Lock()
        self._channels: set[Answerer] = set()
        self._lock: Lock | None = None
        self._lost: list[Lock] = []  # on files that are no longer in place; others may wait there
        if path and not self._try(path):
            self._wait(path)

    @property
    def status(self) -> str:
        """ "active", or for whom we stand by."""
        if self.ours:
            return "active"
        if self.trouble:
            return f"standby: {self.trouble}"
        try:
            pid = self.holder
        except OSError as error:  # the file is another's now, as after the directory was emptied
            return f"standby: {self._path}: {error.strerror}"
        return f"standby for pid {pid}" if pid else "standby"

    @property
    def holder(self) -> int | None:
        """The pid of the process for which we stand by, if that is known.  Raises OSError."""
        return None if self.ours or not self._path else holder(self._path)

    @property
    def is_waited_for(self) -> bool:
        """Whether another process stands by."""
        return self._lock is not None and self._lock.is_waited_for

    def add(self, channel: Answerer) -> None:
        """There is another connection to the bridge; so far it holds all."""
        with self._guard:
            self._channels.add(channel)
            if self.ours:
                channel.answer(self._lock.note if self._lock else None, None)

    def remove(self, channel: Answerer) -> None:
        """The connection has ended."""
        with self._guard:
            self._channels.discard(channel)

    def look(self) -> None:
        """Have the lock where others meet it: somebody may have taken the file away."""
        path, lock = self._path, self._lock
        if not (path and lock and self.ours) or lock.is_in_place:
            return
        try:
            anew = Lock(path, self._owner)
            taken = anew.take(wait=False)
        except OSError:
            return  # there is no place for it: nobody meets us there
        if taken:
            self._lost.append(lock)
            with self._guard:
                self._lock = anew
                self._answer(anew, None)
            return
        anew.close()
        vlog.warn(f"{path}: was taken away, and another process has it now")
        self._give_up()
        self._wait(path)

    def end(self, *, for_good: bool = False) -> None:
        """Let another have its turn: answer nothing more, then release the lock.

        With ``for_good`` the lock's file no longer says that it was ours.
        """
        self._ended = True
        self._give_up(for_good=for_good)

    def _give_up(self, *, for_good: bool = False) -> None:
        with self._guard:
            was_ours, self.ours = self.ours, False
            for channel in self._channels:
                channel.hold()
            if not self._lock:
                return
            if was_ours:
                if for_good:
                    self._lock.disown()
                for lock in (self._lock, *self._lost):
                    lock.close()
                self._lock, self._lost = None, []
            else:
                self._lock.leave_line()  # the thread that waits closes it

    def _answer(self, lock: Lock, last: Mark | None) -> None:
        for channel in self._channels:
            try:
                channel.answer(lock.note, last)
            except Exception:  # a fault of ours: it costs what this connection held
                vlog.exception("what was held is not answered")

    def _try(self, path: Path) -> bool:
        """Take the lock if nobody has it."""
        try:
            lock = Lock(path, self._owner)
            taken = lock.take(wait=False)
        except OSError as error:
            self._cannot(path, error)
            return False
        if taken:
            self._lock = lock
            self.ours = True
        else:
            lock.close()
        return taken

    def _cannot(self, path: Path, error: OSError) -> None:
        trouble = f"{path}: {error.strerror}"
        if trouble != self.trouble:
            vlog.err(trouble)
        self.trouble = trouble

    def _wait(self, path: Path) -> None:
        threading.Thread(target=self._wait_loop, args=(path,), name="turn", daemon=True).start()

    def _wait_loop(self, path: Path) -> None:
        """The thread: wait for the lock, and then answer."""
        while not self._ended:
            try:
                lock = Lock(path, self._owner)
            except OSError as error:
                self._cannot(path, error)
                time.sleep(AGAIN_S)
                continue
            with self._guard:
                self._lock = lock
            try:
                lock.take(wait=True)
                self.trouble = ""
                if lock.is_in_place and self._begin(lock):
                    return
            except OSError as error:
                self._cannot(path, error)
                time.sleep(AGAIN_S)
            with self._guard:
                self._lock = None
                lock.close()

    def _begin(self, lock: Lock) -> bool:
        """We have the lock; False if we no longer want it."""
        last = lock.noted()
        end_s = time.monotonic() + LATE_S
        while True:
            with self._guard:
                if self._ended:
                    return False
                late = time.monotonic() > end_s
                if late or all(channel.has_heard(last) for channel in self._channels):
                    self.ours = True
                    self._answer(lock, last)
                    break
            time.sleep(LOOK_S)
        self._wake()
        return True
