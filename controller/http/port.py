# SPDX-License-Identifier: Apache-2.0
"""The port of ``--http``: of several daemons one has it, the others take it when that ends.

Whose it is tells a lock in Open vSwitch's run directory (:mod:`controller.switch.lock`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from socket import socket

from ovs.vlog import Vlog
from ovs_dhcpd.controller.http.server import PortTaken, Where, listen
from ovs_dhcpd.controller.switch.lock import Lock, lock_path

vlog = Vlog("http")

SOON_S = 0.02  # what has ended lets go of its lock a little before its port
SOON_TIMES = 50
AGAIN_S = 1.0  # if another program has taken it


class HttpPort:
    """Listens there now, or waits for the daemon that does.

    Raises :exc:`OSError` where there is no listening, as where another program listens.
    """

    def __init__(self, where: Where, rundir: Path) -> None:
        self._where = where
        try:
            self._lock: Lock | None = Lock(lock_path(rundir, str(where), "http"))
            is_ours = self._lock.take(wait=False)
        except OSError:  # whatever it is, others say it
            self._lock, is_ours = None, True
        self._listener: socket | None = None
        try:
            self._listener = listen(where)
        except PortTaken:
            if is_ours:
                raise

    def serve(self, start: Callable[[socket], object]) -> None:
        """Call ``start`` with what listens, now or later, in another thread."""
        if self._listener:
            start(self._listener)
        else:
            vlog.info(f"{self._where}: another daemon listens there, we shall when it ends")
            threading.Thread(
                target=lambda: start(self._wait()), name="http port", daemon=True
            ).start()

    def _wait(self) -> socket:
        tries = 0
        while True:
            try:
                assert self._lock
                self._lock.take(wait=True)
                listener = listen(self._where)
            except OSError as error:
                tries += 1
                if tries == SOON_TIMES:
                    vlog.warn(f"{error}")
                time.sleep(SOON_S if tries < SOON_TIMES else AGAIN_S)
            else:
                vlog.info(f"{self._where}: the other daemon has ended, we listen there")
                return listener
