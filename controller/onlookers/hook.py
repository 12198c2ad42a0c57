# SPDX-License-Identifier: Apache-2.0
"""``--on-change``: a command that is run when a lease has changed.

It is run without a shell, once for each change, one at a time and in order, with JSON on its
standard input: ``{"version": 1, "before": STATE, "lease": {…}}``, the lease as in
:mod:`controller.leases.document`.  A change is another state or address; ``before`` is null for who
was not known.  How it fares matters to nobody else: what fails, or takes longer than LIMIT_S and is
killed, is logged, and of more than MAX_WAITING changes that wait the oldest is left out.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from ovs.vlog import Vlog
from ovs_dhcpd.controller.leases.document import Clock, Lease, Plugged, to_lease
from ovs_dhcpd.controller.leases.fields import VERSION
from ovs_dhcpd.controller.leases.lease import ASSIGNED
from ovs_dhcpd.controller.leases.leases import Row
from ovs_dhcpd.controller.responders.token_bucket import TokenBucket
from ovs_dhcpd.controller.switch.line_limit import LineLimit
from ovs_dhcpd.flows.options.wording import escape

vlog = Vlog("hook")

LIMIT_S = 10.0
MAX_WAITING = 1024

_Client = tuple[int, str | None]  # family and MAC
_Seen = tuple[str | None, str | None]  # state and address


class Hook:
    """Has ``argv`` run for each change that is published; ``plugged`` as in ``document()``."""

    def __init__(self, argv: Sequence[str], plugged: Plugged, limit_s: float = LIMIT_S) -> None:
        self._argv = [*argv]
        self._plugged = plugged
        self._limit_s = limit_s
        self._seen: dict[str, dict[_Client, _Seen]] = {}  # by port
        self._waiting: deque[bytes] = deque()
        self._lost = 0
        self._filled = threading.Condition()
        self._limit, self._losses = LineLimit(1, 5), TokenBucket(1, 5)  # lines in the log
        threading.Thread(target=self._run, daemon=True).start()

    def publish(self, name: str, rows: Sequence[Row], clock: Clock) -> None:
        """Have the command told of what is new of the port; without rows it is served no more."""
        before = self._seen.pop(name, {})
        now: dict[_Client, _Seen] = {}
        for row in rows:
            if row.state is None:  # nobody knows
                continue
            lease = to_lease(row, self._plugged, clock)
            client = row.family, lease["mac"]
            now[client] = seen = lease["state"], lease["address"]
            if before.get(client, (ASSIGNED, seen[1])) != seen:
                self._put(before.get(client, (None, None))[0], lease)
        if now:
            self._seen[name] = now

    def _put(self, before: str | None, lease: Lease) -> None:
        change = {"version": VERSION, "before": before, "lease": lease}
        with self._filled:
            self._waiting.append(json.dumps(change).encode() + b"\n")
            if len(self._waiting) > MAX_WAITING:
                self._waiting.popleft()
                self._lost += 1
            self._filled.notify()

    def _run(self) -> None:
        lost = 0
        while True:
            with self._filled:
                self._filled.wait_for(lambda: self._waiting)
                change = self._waiting.popleft()
                lost, self._lost = lost + self._lost, 0
            if lost and self._losses.admit(time.monotonic()):
                vlog.warn(f"--on-change: {lost} changes left out, expected it to keep up")
                lost = 0
            if why := self._call(change):
                text = f"--on-change: {escape(' '.join(self._argv))}: {why}"
                if line := self._limit.line(text, time.monotonic()):
                    vlog.warn(line)

    def _call(self, change: bytes) -> str:
        """Run the command; returns what is wrong with how it went."""
        try:
            child = subprocess.Popen(
                self._argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            return error.strerror or str(error)
        try:
            child.communicate(change, timeout=self._limit_s)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return f"killed, expected it to end within {self._limit_s:g} s"
        if child.returncode < 0:
            return f"ended by signal {-child.returncode}"
        return f"exit status {child.returncode}" if child.returncode else ""
