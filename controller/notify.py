# SPDX-License-Identifier: Apache-2.0
"""Telling the service manager how it goes: sd_notify(3), which is a datagram."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import MutableMapping

from ovs_dhcpd.flows.options.wording import printable

SOCKET = "NOTIFY_SOCKET"


class Notifier:
    """Tells whoever listens at ``address``; there may be nobody, and then there is no address."""

    def __init__(self, address: str = "") -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._is_ready = False
        self._status = ""

    @classmethod
    def of(cls, environment: MutableMapping[str, str] = os.environ) -> Notifier:
        """The one that ``environment`` names, which our children are not to know."""
        return cls(environment.pop(SOCKET, ""))

    def __bool__(self) -> bool:
        return bool(self._address)

    @property
    def is_ready(self) -> bool:
        """Whether it has been told that we are ready."""
        return self._is_ready

    def tell(self, status: str, *, is_ready: bool) -> None:
        """Tell what is new of these; ``status`` is a line for people.  Ready is for good."""
        status = printable(status)
        lines = []
        if is_ready and not self._is_ready:
            lines.append("READY=1")
        if status != self._status:
            lines.append(f"STATUS={status}")
        if lines and self._send(lines):
            self._is_ready = self._is_ready or is_ready
            self._status = status

    def stopping(self) -> None:
        """Tell that we are about to end."""
        self._send(["STOPPING=1"])

    def _send(self, lines: list[str]) -> bool:
        """Send these; whether they have been taken.  Nobody is waited for."""
        if self._address:
            with (
                contextlib.suppress(OSError),
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as ours,
            ):
                ours.sendto("\n".join(lines).encode(), self._address)
                return True
        return False
