# SPDX-License-Identifier: Apache-2.0
"""How the threads of the connections, and signals, reach the daemon's thread."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any


class Inbox:
    """Calls from the connections' threads to be made in the daemon's.

    ``fd`` is readable while there are some.
    """

    def __init__(self) -> None:
        self._calls: deque[Callable[[], None]] = deque()
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def post(self, call: Callable[..., None], *args: Any) -> None:
        """Have ``call(*args)`` made by :meth:`run`; from any thread."""
        self._calls.append(partial(call, *args))
        self.wake()

    def wake(self) -> None:
        """Make ``fd`` readable; from any thread or signal handler."""
        os.eventfd_write(self.fd, 1)

    def run(self) -> None:
        """Make the calls that have been posted."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fd)
        while self._calls:
            self._calls.popleft()()
