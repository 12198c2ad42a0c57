# SPDX-License-Identifier: Apache-2.0
"""The server of ``--http``: reads one request of each connection, answers it, and closes.

Each connection has a thread, and no part in answering packets.  It ends after LIMIT_S, whatever it
waits for.  There are MAX_CONNECTIONS; with one more, the one that came first is ended, of those of
the address that has most.
"""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent import futures
from ipaddress import IPv4Address, IPv6Address, ip_address
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from ovs_dhcpd.controller.http.messages import (
    HEAD_END,
    MAX_HEAD,
    Refusal,
    Request,
    Response,
    decode_request,
    encode_response,
)
from ovs_dhcpd.controller.ports.fault import INTERNAL_ERROR, Fault

MAX_CONNECTIONS = 8
MAX_THREADS = 2 * MAX_CONNECTIONS  # also of those that were ended and do not know it yet
LIMIT_S = 5.0  # for a connection, from its beginning to its end
MAX_OF_SOURCE = 12  # threads for one address
PAUSE_S = 0.1  # after something was lacking
BACKLOG = 16

Page = Callable[[Request], Response]
_T = TypeVar("_T")
# When the connection is over that a thread serves, and who is at the other end.
_thread = threading.local()


def left_s() -> float:
    """How long the connection may last that this thread serves; LIMIT_S where that is none."""
    end_s: float | None = getattr(_thread, "end_s", None)
    return LIMIT_S if end_s is None else max(0.0, end_s - time.monotonic())


def source() -> str:
    """The address from which the connection comes that this thread serves; empty: there is none."""
    found: str = getattr(_thread, "source", "")
    return found


class PortTaken(OSError):
    """Somebody listens there."""


class Where(NamedTuple):
    """Where to listen."""

    address: IPv4Address | IPv6Address
    port: int

    @classmethod
    def parse(cls, text: str) -> Where:
        """From "127.0.0.1:9167" or "[::1]:9167".  Raises :exc:`ValueError`."""
        found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})", text)
        try:
            if not found or not 0 < int(found[3]) < 65536:
                raise ValueError
            address = IPv6Address(found[1]) if found[1] else IPv4Address(found[2])
        except ValueError:
            what = "expected ADDR:PORT, as 127.0.0.1:9167 or [::1]:9167"
            raise ValueError(f"{text!r}, {what}") from None
        return cls(address, int(found[3]))

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{host}:{self.port}"


def listen(where: Where) -> socket.socket:
    """A socket that listens there.  Raises :exc:`OSError`, with a text for users."""
    family = socket.AF_INET6 if where.address.version == 6 else socket.AF_INET
    try:
        return socket.create_server(
            (str(where.address), where.port), family=family, backlog=BACKLOG
        )
    except OSError as error:
        what = "expected an address of this machine, and a port that nobody listens on"
        kind = PortTaken if error.errno == errno.EADDRINUSE else OSError
        raise kind(f"--http {where}: {_reason(error)}, {what}") from error


def _reason(error: OSError) -> str:
    """Without what create_server() adds."""
    return (error.strerror or str(error)).partition(" (")[0]


class HttpServer:
    """Answers on ``listener``, which it takes, with ``pages``, by their paths; in its threads.

    ``note`` is told of faults there.
    """

    def __init__(
        self, listener: socket.socket, pages: Mapping[str, Page], note: Callable[[Fault], None]
    ) -> None:
        self._listener = listener
        self._pages = pages
        self._note = note
        self._address = ip_address(listener.getsockname()[0])
        self._connections: dict[socket.socket, str] = {}  # sources, in the order of their coming
        self._busy: Counter[str] = Counter()  # threads by source, and who waits for one
        self._guard = threading.Lock()
        self._threads = threading.Semaphore(MAX_THREADS)
        self._stopped = False

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self._run, name="http", daemon=True).start()

    def stop(self) -> None:
        """End."""
        self._stopped = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _run(self) -> None:
        while not self._stopped:
            try:
                connection, (source, *_) = self._listener.accept()
                end_s = time.monotonic() + LIMIT_S
                if not self._admit(connection, source):
                    connection.close()
                    continue
                if not self._threads.acquire(timeout=LIMIT_S):
                    self._end(connection, source)
                    continue
                try:
                    threading.Thread(
                        target=self._run_one,
                        args=(connection, source, end_s),
                        name="http",
                        daemon=True,
                    ).start()
                except RuntimeError:
                    self._end(connection, source)
                    self._threads.release()
                    raise
            except (OSError, RuntimeError):  # descriptors or threads are lacking, or it is the end
                time.sleep(PAUSE_S)

    def _admit(self, connection: socket.socket, source: str) -> bool:
        """Take it in, and make room for it; or not, if ``source`` has all that it may have."""
        with self._guard:
            if self._busy[source] >= MAX_OF_SOURCE:
                return False
            self._busy[source] += 1
            self._connections[connection] = source
            if len(self._connections) > MAX_CONNECTIONS:
                ((most, _),) = Counter(self._connections.values()).most_common(1)
                first = next(each for each, its in self._connections.items() if its == most)
                del self._connections[first]
                with contextlib.suppress(OSError):
                    first.shutdown(socket.SHUT_RDWR)
        return True

    def _end(self, connection: socket.socket, source: str) -> None:
        connection.close()
        with self._guard:
            self._connections.pop(connection, None)
            self._busy[source] -= 1
            if not self._busy[source]:
                del self._busy[source]

    def _run_one(self, connection: socket.socket, source: str, end_s: float) -> None:
        _thread.end_s, _thread.source = end_s, source
        try:
            self._serve(connection, end_s)
        finally:
            self._end(connection, source)
            self._threads.release()

    def _serve(self, connection: socket.socket, end_s: float) -> None:
        with contextlib.suppress(OSError):
            response = self._answer(connection, end_s)
            connection.settimeout(max(0.01, end_s - time.monotonic()))
            connection.sendall(encode_response(response))
            # What is not read yet would have the answer thrown away (RST).
            connection.shutdown(socket.SHUT_WR)
            while _receive(connection, end_s):
                pass

    def _answer(self, connection: socket.socket, end_s: float) -> Response:
        path = "a request"
        try:
            head = b""
            while HEAD_END not in head:
                if len(head) > MAX_HEAD:
                    raise Refusal(431, f"expected no more than {MAX_HEAD} bytes")
                more = _receive(connection, end_s)
                if not more:
                    raise Refusal(400, "expected a request")
                head += more
            head = head[: head.index(HEAD_END) + len(HEAD_END)]
            request = decode_request(head, self._address)
            path = request.path
            if path not in self._pages:
                raise Refusal(404, f"expected one of {', '.join(self._pages)}")
            return self._pages[path](request)
        except Refusal as refusal:
            return refusal.response
        except OSError:
            raise
        except Exception as error:  # a fault of ours
            self._note(Fault(path, error))
            return Refusal(500, INTERNAL_ERROR).response


def _receive(connection: socket.socket, end_s: float) -> bytes:
    """Some bytes, none at the end of what is sent.  Raises :exc:`OSError` when time is up."""
    connection.settimeout(max(0.01, end_s - time.monotonic()))
    if time.monotonic() > end_s:
        raise TimeoutError
    return connection.recv(4096)


class Questions:
    """What these threads ask the daemon's thread, which ``wake`` wakes."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._asked: SimpleQueue[tuple[futures.Future[Any], Callable[[], Any]]] = SimpleQueue()

    def ask(self, question: Callable[[], _T]) -> _T:
        """Have the daemon's thread call it, and return or raise what that does.

        Raises :exc:`Refusal` if it does not come to that.
        """
        future: futures.Future[_T] = futures.Future()
        self._asked.put((future, question))
        self._wake()
        return _wait(future)

    def ask_slowly(self, begin: Callable[[Callable[[Callable[[], _T]], None]], None]) -> _T:
        """As :meth:`ask`, of what takes time.

        ``begin`` calls what it is given, at once or later, with what makes the answer.
        """
        future: futures.Future[_T] = futures.Future()
        self.ask(lambda: begin(lambda make: _answer(future, make)))
        return _wait(future)

    def run(self) -> None:
        """Answer what has been asked; in the daemon's thread."""
        with contextlib.suppress(Empty):
            while True:
                _answer(*self._asked.get_nowait())


def _wait(future: futures.Future[_T]) -> _T:
    try:
        return future.result(left_s())
    except futures.TimeoutError:  # another one than TimeoutError until 3.10
        future.cancel()
        raise Refusal(503, "busy") from None


def _answer(future: futures.Future[_T], make: Callable[[], _T]) -> None:
    """Have what waits for it get what ``make`` returns or raises, if something still waits."""
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(make())
        except Exception as error:
            future.set_exception(error)
