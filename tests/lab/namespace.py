# SPDX-License-Identifier: Apache-2.0
"""Network namespaces, and raw sockets opened inside them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator

from tests.lab.process import LabError, run

ETH_P_ALL = 3


class Namespace:
    """One named network namespace with its loopback up."""

    def __init__(self, name: str) -> None:
        self.name = name
        run(["ip", "netns", "add", name])
        run(["ip", "-n", name, "link", "set", "lo", "up"])

    def command(self, *argv: object) -> list[object]:
        """The argv that runs a command inside.

        `ip netns exec` gives the command a mount namespace too, so what it
        mounts is gone with it.
        """
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, *argv: object) -> str:
        """Run a command inside and return its standard output."""
        return run(self.command(*argv))

    def ip(self, *arguments: object) -> str:
        """Run `ip` on the namespace."""
        return run(["ip", "-n", self.name, *arguments])

    def end_processes(self) -> None:
        """End what still runs inside."""
        for pid in run(["ip", "netns", "pids", self.name]).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def delete(self) -> None:
        """Delete the namespace with what runs inside and the interfaces in it."""
        self.end_processes()
        run(["ip", "netns", "del", self.name])

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Put the calling thread inside: sockets opened meanwhile stay there."""
        libc = ctypes.CDLL(None, use_errno=True)  # os.setns came with Python 3.12
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            if libc.setns(there, 0):
                raise LabError(f"setns {self.name}: {os.strerror(ctypes.get_errno())}")
            yield
        finally:
            libc.setns(home, 0)
            os.close(home)
            os.close(there)


class RawSocket:
    """Sends and receives whole Ethernet frames on one interface of a namespace.

    Linux takes the outer VLAN tag off what is received (packet(7), PACKET_AUXDATA).
    """

    def __init__(self, namespace: Namespace, interface: str = "eth0") -> None:
        with namespace.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.bind((interface, 0))

    def __enter__(self) -> RawSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, frame: bytes) -> None:
        """Send one frame."""
        self._socket.send(frame)

    def receive(
        self, timeout_s: float = 1.0, want: Callable[[bytes], object] = lambda frame: True
    ) -> bytes | None:
        """The next received frame that `want` accepts, or None when the time is over."""
        end = time.monotonic() + timeout_s
        while (left_s := end - time.monotonic()) > 0:
            self._socket.settimeout(left_s)
            try:
                frame, address = self._socket.recvfrom(65535)
            except TimeoutError:
                return None
            if address[2] != socket.PACKET_OUTGOING and want(frame):
                return frame
        return None
