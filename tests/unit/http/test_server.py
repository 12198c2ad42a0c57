# SPDX-License-Identifier: Apache-2.0
"""The server on the loopback: one answer for each connection, and nobody keeps others waiting."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from typing import Any

import pytest
from ovs_dhcpd.controller.http import server as http_server
from ovs_dhcpd.controller.http.messages import MAX_HEAD, Refusal, Request, Response
from ovs_dhcpd.controller.http.server import (
    MAX_CONNECTIONS,
    MAX_OF_SOURCE,
    MAX_THREADS,
    HttpServer,
    Page,
    PortTaken,
    Questions,
    Where,
    listen,
)
from ovs_dhcpd.controller.ports.fault import Fault

GET = b"GET /here HTTP/1.1\r\nHost: localhost\r\n\r\n"
WAIT_S = 60.0  # more than anything here takes


def here(request: Request) -> Response:
    return Response(200, "text/plain", b"here")


def fails(request: Request) -> Response:
    raise ValueError("a fault")


class Slow:
    """A page that says when it is `asked`, and answers once it is `told` to."""

    def __init__(self) -> None:
        self.told, self.asked = threading.Event(), threading.Semaphore(0)

    def __call__(self, request: Request) -> Response:
        self.asked.release()
        assert self.told.wait(WAIT_S)
        return here(request)


@contextmanager
def serving(
    pages: Mapping[str, Page],
    note: Callable[[Fault], None] = lambda _: None,
    address: str = "127.0.0.1",
) -> Iterator[tuple[str, int]]:
    """A server with these pages, and where it listens."""
    listener = listen(Where(ip_address(address), 0))
    server = HttpServer(listener, pages, note)
    server.start()
    yield listener.getsockname()[:2]
    server.stop()


@pytest.fixture(params=["127.0.0.1", "::1"])
def where(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    with ExitStack() as stack:
        pages = {"/here": here, "/fails": fails}
        try:
            where = stack.enter_context(serving(pages, address=request.param))
        except OSError as error:
            pytest.skip(str(error))
        yield where


def read_all(connection: socket.socket) -> bytes:
    said = b""
    while more := connection.recv(4096):
        said += more
    return said


def ask(where: tuple[str, int], request: bytes) -> bytes:
    with socket.create_connection(where, timeout=WAIT_S) as connection:
        connection.sendall(request)
        return read_all(connection)


def test_a_page_is_answered_with(where: tuple[str, int]) -> None:
    assert ask(where, GET).startswith(b"HTTP/1.1 200 OK\r\n")
    assert ask(where, GET).endswith(b"\r\n\r\nhere")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (GET.replace(b"here", b"there"), b"404 Not Found"),
        (GET.replace(b"GET", b"POST") + b"body", b"405 Method Not Allowed"),
        (GET.replace(b"here", b"fails"), b"500 Internal Server Error"),
        (b"GET /" + b"x" * 2 * MAX_HEAD, b"431 Request Header Fields Too Large"),
        (b"\x16\x03\x01\r\n\r\n", b"400 Bad Request"),
    ],
)
def test_what_is_none_is_told_so(where: tuple[str, int], request_: bytes, answer: bytes) -> None:
    assert ask(where, request_).startswith(b"HTTP/1.1 " + answer)
    assert ask(where, GET).endswith(b"here")


def test_a_fault_in_a_page_is_noted() -> None:
    noted: list[Fault] = []
    with serving({"/fails": fails}, noted.append) as where:
        asked = ask(where, GET.replace(b"here", b"fails"))
    assert asked.endswith(b"\r\n\r\ninternal error (the log has more)\n")
    (fault,) = noted
    assert (fault.where, str(fault.error)) == ("/fails", "a fault")


def test_who_ends_early_is_no_harm(where: tuple[str, int]) -> None:
    with socket.create_connection(where, timeout=WAIT_S) as connection:
        connection.sendall(b"GET /")
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).startswith(b"HTTP/1.1 400 ")


def test_those_that_say_nothing_keep_nobody_waiting(
    where: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "LIMIT_S", WAIT_S)
    silent = [socket.create_connection(where, timeout=WAIT_S) for _ in range(MAX_CONNECTIONS)]
    assert ask(where, GET).endswith(b"here")
    assert read_all(silent[0]) == b""
    for connection in silent:
        connection.close()


def connect_from(
    source: str, where: tuple[str, int], said: bytes = b"", timeout_s: float = WAIT_S
) -> socket.socket:
    connection = socket.create_connection(where, timeout_s, source_address=(source, 0))
    connection.sendall(said)
    return connection


def test_who_has_most_connections_is_ended_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "LIMIT_S", WAIT_S)
    with serving({"/here": here}) as where:
        slow = connect_from("127.0.0.1", where, GET[:10])
        many = [connect_from("127.0.0.2", where) for _ in range(MAX_CONNECTIONS)]
        assert read_all(many[0]) == b""
        slow.sendall(GET[10:])
        assert read_all(slow).endswith(b"here")
    for connection in (slow, *many):
        connection.close()


def test_one_address_does_not_take_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "LIMIT_S", WAIT_S)
    slow = Slow()
    some = []
    with serving({"/slow": slow, "/here": here}) as where:
        for number in range(MAX_THREADS):
            some.append(connect_from("127.0.0.2", where, GET.replace(b"here", b"slow")))
            if number < MAX_OF_SOURCE:
                assert slow.asked.acquire(timeout=WAIT_S)
        last = connect_from("127.0.0.1", where, GET, timeout_s=10)
        assert read_all(last).endswith(b"here")
        slow.told.set()
    for connection in (last, *some):
        connection.close()


def test_who_is_slow_is_ended(where: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "LIMIT_S", 0.2)
    with socket.create_connection(where, timeout=WAIT_S) as connection:
        connection.sendall(b"GET ")
        assert read_all(connection) == b""


def test_those_that_take_long_are_not_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page waits for the others' end: more connections make no more threads."""
    monkeypatch.setattr(http_server, "LIMIT_S", WAIT_S)
    slow = Slow()
    some = []
    with serving({"/here": slow}) as where:
        for number in range(MAX_THREADS + 3):
            some.append(connect_from(f"127.0.0.{1 + number % 3}", where, GET))
            assert slow.asked.acquire(timeout=WAIT_S if number < MAX_THREADS else 0.1) == (
                number < MAX_THREADS
            )
        slow.told.set()
        assert read_all(some[-1]).endswith(b"here")
    for connection in some:
        connection.close()


def test_who_waits_for_a_thread_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "LIMIT_S", 0.5)
    slow = Slow()
    some = []
    with serving({"/here": slow}) as where:
        for number in range(MAX_THREADS):
            some.append(connect_from(f"127.0.0.{1 + number % 3}", where, GET))
            assert slow.asked.acquire(timeout=WAIT_S)
        with socket.create_connection(where, timeout=10) as last:
            assert read_all(last) == b""
        slow.told.set()
    for connection in some:
        connection.close()


def test_a_port_that_is_taken_is_one_line() -> None:
    with listen(Where(ip_address("127.0.0.1"), 0)) as listener:
        taken = Where(ip_address("127.0.0.1"), listener.getsockname()[1])
        with pytest.raises(
            PortTaken, match=r"^--http 127\.0\.0\.1:\d+: Address already in use, ex"
        ):
            listen(taken)


@pytest.mark.parametrize("text", ["127.0.0.1:9167", "[::1]:1", "0.0.0.0:65535"])
def test_where_to_listen(text: str) -> None:
    assert str(Where.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "9167", ":9167", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:9167"),
        *("[127.0.0.1]:1", "localhost:9167", "127.0.0.256:1", "127.0.0.1:x", "127.0.0.1:1 "),
    ],
)
def test_where_nobody_can_listen(text: str) -> None:
    with pytest.raises(ValueError, match=r", expected ADDR:PORT, as 127\.0\.0\.1:9167 or \["):
        Where.parse(text)


class Asking:
    """Somebody who asks in a thread of its own."""

    def __init__(
        self, questions: Questions, question: Callable[..., Any], *, slowly: bool = False
    ) -> None:
        self.found: object = None
        ask = questions.ask_slowly if slowly else questions.ask
        self._thread = threading.Thread(target=self._ask, args=(ask, question))
        self._thread.start()

    def _ask(self, ask: Callable[[Any], object], question: Callable[..., Any]) -> None:
        try:
            self.found = ask(question)
        except Exception as error:
            self.found = error

    def end(self) -> object:
        self._thread.join(WAIT_S)
        return self.found


def test_a_question_is_answered_by_another_thread() -> None:
    asked = threading.Event()
    questions = Questions(asked.set)
    asking = Asking(questions, threading.get_ident)
    assert asked.wait(WAIT_S)
    questions.run()
    assert asking.end() == threading.get_ident()
    questions.run()


def test_what_it_raises_is_raised_where_it_was_asked() -> None:
    asked = threading.Event()
    questions = Questions(asked.set)
    asking = Asking(questions, lambda: [][0])
    assert asked.wait(WAIT_S)
    questions.run()
    assert isinstance(asking.end(), IndexError)


@pytest.mark.parametrize("at_once", [True, False])
def test_what_takes_time_is_answered_later(at_once: bool) -> None:
    asked = threading.Event()
    questions = Questions(asked.set)
    later: list[Callable[[], None]] = []

    def begin(answer: Callable[[Callable[[], int]], None]) -> None:
        later.append(lambda: answer(lambda: 7))
        if at_once:
            later.pop()()

    asking = Asking(questions, begin, slowly=True)
    assert asked.wait(WAIT_S)
    questions.run()
    for each in later:
        each()
    assert asking.end() == 7


def test_what_fails_to_begin_is_raised_where_it_was_asked() -> None:
    asked = threading.Event()
    questions = Questions(asked.set)

    def begin(answer: Callable[[Callable[[], int]], None]) -> None:
        raise LookupError

    asking = Asking(questions, begin, slowly=True)
    assert asked.wait(WAIT_S)
    questions.run()
    assert isinstance(asking.end(), LookupError)


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "LIMIT_S", 0.01)
    questions = Questions(lambda: None)
    with pytest.raises(Refusal, match="busy"):
        questions.ask(lambda: pytest.fail("nobody waits for it"))
    questions.run()
    answers: list[Callable[..., None]] = []
    soon = Questions(lambda: soon.run())
    with pytest.raises(Refusal, match="busy"):
        soon.ask_slowly(answers.append)
    answers[0](lambda: pytest.fail("nobody waits for it"))
