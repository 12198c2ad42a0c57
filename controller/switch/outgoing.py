# SPDX-License-Identifier: Apache-2.0
"""What is still to be written to one socket: who sends never waits for who reads.

Nearly always the kernel takes all that is sent, at once, in the sender's own thread.  What
it does not take waits here, and a thread that lives as long as there is something to wait
for writes it.  A peer that takes nothing for STALLED_S, or leaves more than LIMIT, is given
up.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

# A flow is about 300 bytes on the wire: 4,000 are 1.2 MB, and the greatest start that a host
# is known to have, tens of thousands, is less than 20 MB.  It comes at once, in one bundle, and
# must pass; what is beyond 200,000 flows is a peer that takes less than it asks for.
LIMIT = 64 * 1024 * 1024
STALLED_S = 10.0
PIECE_SIZE = 64 * 1024  # bulk is written in such pieces, so that answers come between
RETRY_MS = 1000  # poll() calls a Unix socket writable only once most of it has been read

_EMPTY = memoryview(b"")


class Outgoing:
    """The writing half of ``connection``, a stream socket, with TLS or without.

    ``lock`` is held while the socket is written, which takes no time: with TLS, who reads it has
    to hold it too, and the socket must be non-blocking.  ``give_up(why)`` is called once, from
    any thread and with ``lock`` held, when the peer is given up or the socket has failed (``why``
    is then empty); afterwards nothing is written any more.
    """

    def __init__(self, connection: socket.socket, give_up: Callable[[str], None]) -> None:
        self._socket = connection
        # A TLS socket takes no flags.
        self._flags = 0 if isinstance(connection, ssl.SSLSocket) else socket.MSG_DONTWAIT
        self._give_up = give_up
        self.lock = threading.Lock()
        self._progress = threading.Condition(self.lock)
        self._current = _EMPTY  # begun, or at least offered to the socket: to be ended first
        self._urgent: list[bytes] = []
        self._bulk: deque[bytes] = deque()
        self._size = 0  # of these three
        self._writing = False  # whether there is a thread that does
        self._closed = False
        self.waiting = False  # whether something of :meth:`send` has not been written

    def send(self, data: bytes) -> bool:
        """Send whole messages before all that :meth:`send_all` has left; False once closed."""
        with self.lock:
            if not self._size:
                sent = self._write(data)
                if sent == len(data):
                    return True
                if self._closed:
                    return False
                self._current = memoryview(data)[sent:]
                self._size = len(self._current)
            else:
                self._urgent.append(data)
                self._size += len(data)
            self.waiting = True
            self._leave_to_thread()
            return not self._closed

    def send_all(self, messages: Iterable[bytes]) -> None:
        """Send whole messages in this order; what :meth:`send` is given may come between."""
        for piece in _pieces(messages):
            with self.lock:
                if self._closed:
                    return
                self._bulk.append(piece)
                self._size += len(piece)
                if not self._writing:
                    self._write_piece()
                if self._size:
                    self._leave_to_thread()

    def wait_until_sent(self) -> None:
        """Wait until nothing of :meth:`send` is left.

        Who answers a peer that asks without reading does so before reading on: else the answers
        that nobody fetches would pile up here.
        """
        with self.lock:
            while self.waiting and not self._closed:
                self._progress.wait()

    def close(self) -> None:
        """Write nothing more."""
        with self.lock:
            self._end()

    def _end(self) -> None:
        self._closed = True
        self._current = _EMPTY
        self._urgent.clear()
        self._bulk.clear()
        self._size = 0
        self._progress.notify_all()

    def _fail(self, why: str) -> None:
        if not self._closed:
            self._end()
            self._give_up(why)

    # Whoever calls what follows has the lock.

    def _write(self, data: bytes | memoryview) -> int:
        """Offer ``data`` to the socket; returns how much of it the socket took."""
        if self._closed:
            return 0
        try:
            return self._socket.send(data, self._flags)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return 0
        except OSError:
            self._fail("")
            return 0

    def _write_piece(self) -> bool:
        """Offer the next piece to the socket; whether the socket took something."""
        if not self._current:
            self._current = memoryview(self._next())
        sent = self._write(self._current)
        if self._closed or not sent:
            return False
        self._size -= sent
        # A TLS socket wants to be offered the same bytes again: they stay in front.
        self._current = self._current[sent:]
        if self.waiting and not self._current and not self._urgent:
            self.waiting = False
            self._progress.notify_all()
        return True

    def _next(self) -> bytes:
        if self._urgent:
            urgent, self._urgent = self._urgent, []
            return b"".join(urgent)
        return self._bulk.popleft()

    def _leave_to_thread(self) -> None:
        if self._closed:
            return
        if self._size > LIMIT:
            self._fail(f"leaves more than {LIMIT >> 20} MB unread")
        elif not self._writing:
            self._writing = True
            try:
                threading.Thread(target=self._write_all, name="channel", daemon=True).start()
            except RuntimeError:
                self._writing = False
                self._fail("reads too slowly, and there is no thread to wait for it")

    def _write_all(self) -> None:
        """The thread: write what is there as the peer reads it, then end."""
        poll = select.poll()
        with contextlib.suppress(ValueError):  # closed by now: there is nothing to write
            poll.register(self._socket, select.POLLOUT)
        last_s = time.monotonic()
        while True:
            ready = poll.poll(RETRY_MS)
            with self.lock:
                if self._size and self._write_piece():
                    last_s, ready = time.monotonic(), []
                elif self._size and time.monotonic() - last_s >= STALLED_S:
                    self._fail(f"has read nothing for {STALLED_S:g} s")
                if not self._size:
                    self._writing = False
                    return
            if ready:  # TLS first wants to read: the thread that reads does that
                time.sleep(0.01)


def _pieces(messages: Iterable[bytes]) -> Iterator[bytes]:
    """``messages`` in order, put together to pieces of PIECE_SIZE or little more."""
    piece: list[bytes] = []
    size = 0
    for message in messages:
        piece.append(message)
        size += len(message)
        if size >= PIECE_SIZE:
            yield b"".join(piece)
            piece, size = [], 0
    if piece:
        yield b"".join(piece)
