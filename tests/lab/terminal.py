# SPDX-License-Identifier: Apache-2.0
"""Terminal: a program at a terminal of its own, and a user who types."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tests.lab.process import LabError, environment, wait_until

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on


class Terminal:
    """A context manager; `text` is all that has been shown."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self._argv = argv
        self._env = environment(env)
        self._shown = b""
        self._pid = self._fd = 0

    def __enter__(self) -> Self:
        with warnings.catch_warnings():  # of threads that another test has left: nothing waits here
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid, self._fd = pty.fork()
        if not self._pid:
            os.execvpe(self._argv[0], [*self._argv], self._env)
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.close(self._fd)
        os.waitpid(self._pid, 0)

    @property
    def text(self) -> str:
        """What has been shown by now."""
        with contextlib.suppress(OSError):  # it has ended
            while select.select([self._fd], [], [], 0)[0]:
                self._shown += os.read(self._fd, 65536)
        return self._shown.decode(errors="replace")

    def type(self, keys: str, until: str, timeout_s: float = 30) -> str:
        """Type, and return what is shown from then on until `until` is."""
        before = len(self.text)
        os.write(self._fd, keys.encode())
        try:
            wait_until(lambda: until in self.text[before:], f"{until!r} after {keys!r}", timeout_s)
        except LabError as error:
            raise LabError(f"{error}; shown is:\n{self.text[before:]}") from None
        return self.text[before:]
