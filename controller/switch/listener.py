# SPDX-License-Identifier: Apache-2.0
"""The switches that connect to us (``--listen``), until each has shown its datapath id.

Anybody who reaches the port can connect, so that costs little here: one thread accepts, and
makes the handshakes of all, TLS's too.  A connection has HANDSHAKE_S for that.  There are at
most MAX_WAITING, and MAX_OF_SOURCE from one address; one more, and of these the one is closed
that has waited longest, of those that have said nothing if there is such a one: a switch needs
a millisecond.  Nothing ends the thread: what it lacks (descriptors, memory, threads) it says, and
goes on.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ovs.vlog import Vlog
from ovs_dhcpd.controller.switch.line_limit import LineLimit
from ovs_dhcpd.controller.wire.handshake import Handshake

vlog = Vlog("listener")

HANDSHAKE_S = 5.0
MAX_WAITING = 64
MAX_OF_SOURCE = 8
ACCEPT_AT_ONCE = 16  # between two looks at those that wait
PAUSE_S = 0.1  # after something was lacking
READ_SIZE = 4096

Accepted = Callable[[socket.socket, str, Handshake], None]


@dataclass(frozen=True)
class ListenOn:
    """Where switches may connect to, and how, if with TLS."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    @property
    def protocol(self) -> str:
        """What Open vSwitch writes in front of an address."""
        return "ssl" if self.tls else "tcp"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.protocol}:{host}:{self.port}"


class Listener:
    """Listens on ``where``; the constructor raises :exc:`OSError` where that cannot be.

    ``versions`` are OpenFlow's, on the wire. ``accepted`` is called, in the listener's thread, with
    a connection whose handshake is done, its address and that handshake.
    """

    def __init__(self, where: ListenOn, versions: Collection[int], accepted: Accepted) -> None:
        self._where = where
        self._versions = versions
        self._accepted = accepted
        ipv6 = ":" in where.host
        try:
            self._server = socket.create_server(
                (where.host, where.port),
                family=socket.AF_INET6 if ipv6 else socket.AF_INET,
                backlog=128,
                dualstack_ipv6=ipv6 and socket.has_dualstack_ipv6(),
            )
        except OSError as error:  # Python says what it did, in more words than who reads it
            why = str(error.strerror).partition(" (while ")[0]
            raise OSError(error.errno, why, f"--listen {where}") from None
        self._server.setblocking(False)
        self._poll = select.poll()
        self._waiting: dict[int, Waiting] = {}  # by descriptor, in the order of their coming
        self._paused_s = 0.0
        self._stopped = False
        self._endings, self._shortages = LineLimit(1, 20), LineLimit(1 / 60, 1)

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="listener", daemon=True).start()

    def stop(self) -> None:
        """End the thread, and the handshakes that are not done."""
        self._stopped = True
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # which wakes it

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._run_once()
            except Exception as error:  # whatever it is, others are still to be let in
                self._lack(error)
        for waiting in self._waiting.values():
            waiting.connection.close()
        self._server.close()

    def _run_once(self) -> None:
        now_s = time.monotonic()
        for waiting in list(self._waiting.values()):
            if now_s >= waiting.deadline_s:
                self._end(waiting, f"no handshake within {HANDSHAKE_S:g} s")
        times = [waiting.deadline_s for waiting in self._waiting.values()]
        if now_s >= self._paused_s:
            self._poll.register(self._server, select.POLLIN)
        else:
            self._poll_unregister(self._server.fileno())
            times.append(self._paused_s)
        timeout_ms = max(0, min(times) - now_s) * 1000 + 1 if times else None
        for descriptor, _ in self._poll.poll(timeout_ms):
            if waiting_one := self._waiting.get(descriptor):
                self._advance(waiting_one)
            elif not self._stopped:
                self._accept()

    def _accept(self) -> None:
        for _ in range(ACCEPT_AT_ONCE):
            try:
                connection, (source, port, *_) = self._server.accept()
            except BlockingIOError:
                return
            except ConnectionError:  # it has gone again
                continue
            self._take(connection, source, port)

    def _take(self, connection: socket.socket, source: str, port: int) -> None:
        self._make_room(source)
        shown = f"[{source}]" if ":" in source else source
        address = f"{self._where.protocol}:{shown}:{port}"
        connection.setblocking(False)
        if self._where.tls:
            try:
                connection = self._where.tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
            except (OSError, ValueError):  # it has gone again
                connection.close()
                return
        deadline_s = time.monotonic() + HANDSHAKE_S
        handshake = Handshake(self._versions)
        waiting = Waiting(connection, source, address, deadline_s, handshake)
        self._waiting[connection.fileno()] = waiting
        self._advance(waiting)

    def _make_room(self, source: str) -> None:
        """Close one of those that wait, if there are too many for another one from ``source``."""
        of_source = [each for each in self._waiting.values() if each.source == source]
        if len(of_source) >= MAX_OF_SOURCE:
            candidates, many = of_source, f"{MAX_OF_SOURCE} others of {source}"
        elif len(self._waiting) >= MAX_WAITING:
            candidates, many = list(self._waiting.values()), f"{MAX_WAITING} others"
        else:
            return
        silent = [each for each in candidates if not each.handshake.version]
        self._end((silent or candidates)[0], f"closed without a handshake, like {many} it waits")

    def _advance(self, waiting: Waiting) -> None:
        """Have the handshake go on as far as it does now."""
        try:
            events = waiting.advance()
        except (OSError, ValueError) as error:
            self._end(waiting, getattr(error, "strerror", None) or str(error))
            return
        if events:
            self._poll.register(waiting.connection, events)
            return
        self._forget(waiting)
        try:
            self._accepted(waiting.connection, waiting.address, waiting.handshake)
        except OSError:  # it has gone again
            waiting.connection.close()
        except Exception:
            waiting.connection.close()
            raise

    def _end(self, waiting: Waiting, why: str) -> None:
        self._forget(waiting)
        waiting.connection.close()
        if line := self._endings.line(f"{waiting.address}: {why}", time.monotonic()):
            vlog.info(line)

    def _forget(self, waiting: Waiting) -> None:
        descriptor = waiting.connection.fileno()
        self._waiting.pop(descriptor, None)
        self._poll_unregister(descriptor)

    def _poll_unregister(self, descriptor: int) -> None:
        with contextlib.suppress(KeyError):
            self._poll.unregister(descriptor)

    def _lack(self, error: Exception) -> None:
        """Something is lacking: say so, and accept nothing for a moment."""
        self._paused_s = time.monotonic() + PAUSE_S
        what = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        if line := self._shortages.line(f"{self._where}: {what}, going on", self._paused_s):
            vlog.err(line)


@dataclass(eq=False)
class Waiting:
    """A connection whose handshake is not done; `source` is where it is from, without the port."""

    connection: socket.socket
    source: str
    address: str
    deadline_s: float
    handshake: Handshake
    unsent: bytes = b""
    begun: bool = False

    def advance(self) -> int:
        """Go on; returns what to poll for, 0 once the handshake is done.

        Raises :exc:`OSError` and :exc:`ValueError`: the connection is to be closed.
        """
        try:
            if not self.begun:
                if isinstance(self.connection, ssl.SSLSocket):
                    self.connection.do_handshake()
                self.begun = True
                self.unsent = self.handshake.begin()
            while True:
                if self.unsent:
                    self.unsent = self.unsent[self.connection.send(self.unsent) :]
                if self.handshake.features:
                    return 0
                received = self.connection.recv(READ_SIZE)
                if not received:
                    reported = self.handshake.error and f", and reports {self.handshake.error}"
                    raise ValueError(f"closed before the handshake was done{reported}")
                self.unsent += self.handshake.receive(received)
        except ssl.SSLWantReadError:
            return select.POLLIN
        except ssl.SSLWantWriteError:
            return select.POLLOUT
        except BlockingIOError:
            return select.POLLOUT if self.unsent else select.POLLIN
