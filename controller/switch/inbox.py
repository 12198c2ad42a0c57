# SPDX-License-Identifier: Apache-2.0
"""How the threads of the connections, and signals, reach the daemon's thread."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from ovs_dhcpd.controller.wire.events import Event

Sender = TypeVar("Sender")


MAX_SIZE = 4 * 1024 * 1024  # bytes that wait of one sender; in memory they are a few times that
EVENT_SIZE = 200  # what an event costs besides
WAIT_S = 1.0


class Inbox(Generic[Sender]):
    """What the connections have heard, in order, each event with the connection it is from.

    ``fd`` is readable while there is something, or somebody has called :meth:`wake`.
    """

    def __init__(self) -> None:
        self._events: deque[tuple[Sender, Event, int]] = deque()
        self._sizes: Counter[Sender] = Counter()
        self._kinds: Counter[tuple[Sender, type]] = Counter()
        self._room = threading.Condition()
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def post(
        self, sender: Sender, event: Event, size: int = 0, *, at_most: int | None = None
    ) -> None:
        """Have :meth:`take` yield this, which was ``size`` bytes on the wire; from any thread.

        It is left out where ``at_most`` of its kind and sender wait.
        """
        size += EVENT_SIZE
        kind = sender, type(event)
        with self._room:
            if at_most is not None and self._kinds[kind] >= at_most:
                return
            self._kinds[kind] += 1
            self._sizes[sender] += size
            self._events.append((sender, event, size))
        self.wake()

    def wait_for_room(self, sender: Sender) -> None:
        """Wait while MAX_SIZE of ``sender`` or more wait: who says too much is not listened to."""
        with self._room:
            while self._sizes[sender] >= MAX_SIZE:
                self._room.wait(WAIT_S)

    def wake(self) -> None:
        """Make ``fd`` readable; from any thread or signal handler."""
        os.eventfd_write(self.fd, 1)

    def take(self) -> Iterator[tuple[Sender, Event]]:
        """What has been posted by now, each once."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fd)
        for _ in range(len(self._events)):
            with self._room:
                sender, event, size = self._events.popleft()
                self._sizes[sender] -= size
                if self._sizes[sender] <= 0:
                    del self._sizes[sender]
                kind = sender, type(event)
                self._kinds[kind] -= 1
                if not self._kinds[kind]:
                    del self._kinds[kind]
                self._room.notify_all()
            yield sender, event
