# SPDX-License-Identifier: Apache-2.0
"""Who sends never waits for who reads: on real sockets, Unix, TCP and TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ovs_dhcpd.controller.switch import outgoing as module
from ovs_dhcpd.controller.switch.outgoing import LIMIT, PIECE_SIZE, Outgoing

from tests.lab.keys import make_keys
from tests.lab.process import wait_until

PATIENCE_S = 20  # for what takes milliseconds
MESSAGE = bytes(range(256)) * 4


class Line:
    """The two ends of a connection, and what `Outgoing` has said of it."""

    def __init__(self, ours: socket.socket, peer: socket.socket) -> None:
        self.ours, self.peer = ours, peer
        self.peer.settimeout(PATIENCE_S)
        if isinstance(ours, ssl.SSLSocket):
            ours.settimeout(0)
        self.given_up: list[str] = []
        self.outgoing = Outgoing(ours, self.given_up.append)

    def read(self, size: int) -> bytes:
        parts = []
        while size:
            parts.append(self.peer.recv(min(size, 1 << 16)))
            assert parts[-1], "the end"
            size -= len(parts[-1])
        return b"".join(parts)


def tcp() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        return ours, server.accept()[0]


def tls(directory: Path) -> tuple[socket.socket, socket.socket]:
    keys = make_keys(directory)
    ours, peer = tcp()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(keys["--certificate"], keys["--private-key"])
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    wrapped: list[socket.socket] = []
    thread = threading.Thread(target=lambda: wrapped.append(client.wrap_socket(peer)))
    thread.start()
    ours = server.wrap_socket(ours, server_side=True)
    thread.join()
    return ours, wrapped[0]


@pytest.fixture(params=["unix", "tcp", pytest.param("tls", marks=pytest.mark.needs("openssl"))])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    ends: dict[str, Callable[[], tuple[socket.socket, socket.socket]]] = {
        "unix": socket.socketpair, "tcp": tcp, "tls": lambda: tls(tmp_path)}  # fmt: skip
    ours, peer = ends[request.param]()
    line = Line(ours, peer)
    yield line
    line.outgoing.close()
    ours.close()
    peer.close()


def bulk(count: int) -> list[bytes]:
    """So many messages of 1 kB, each with its number."""
    return [number.to_bytes(4, "big") + MESSAGE[4:] for number in range(count)]


def test_what_fits_is_on_its_way_at_once(line: Line) -> None:
    assert line.outgoing.send(MESSAGE)
    assert not line.outgoing.waiting
    line.outgoing.send_all(iter(bulk(3)))
    assert line.read(4 * len(MESSAGE)) == MESSAGE + b"".join(bulk(3))


def test_the_sender_does_not_wait_and_all_arrives_in_order(line: Line) -> None:
    messages = bulk(40_000)
    start_s = time.monotonic()
    line.outgoing.send_all(messages)
    took_s = time.monotonic() - start_s
    print(f"send_all of {len(b''.join(messages)) >> 20} MB: {took_s:.3f} s")
    assert took_s < 2
    assert line.read(len(b"".join(messages))) == b"".join(messages)
    assert line.outgoing.send(b"the end")  # whose turn it is now
    assert line.read(7) == b"the end"
    assert line.given_up == []


def test_answers_come_between_the_pieces_of_a_bundle(line: Line) -> None:
    messages = bulk(20_000)
    line.outgoing.send_all(messages)
    assert line.outgoing.send(b"answer 1")
    assert line.outgoing.send(b"answer 2")
    assert line.outgoing.waiting
    stream = line.read(len(b"".join(messages)) + 16)
    at = stream.index(b"answer 1answer 2")
    assert stream[:at] + stream[at + 16 :] == b"".join(messages)
    assert at % len(MESSAGE) == 0
    assert at < len(stream) - 2 * PIECE_SIZE
    line.outgoing.wait_until_sent()
    assert not line.outgoing.waiting


def test_who_waits_for_answers_to_be_read_goes_on_when_they_are(line: Line) -> None:
    while not line.outgoing.waiting:
        line.outgoing.send(MESSAGE * 64)
    passed = threading.Event()

    def wait() -> None:
        line.outgoing.wait_until_sent()
        passed.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not passed.wait(0.2)
    line.peer.settimeout(0.1)
    deadline_s = time.monotonic() + PATIENCE_S
    while not passed.is_set():
        assert time.monotonic() < deadline_s
        with contextlib.suppress(TimeoutError):  # all is read, and the other thread not awake yet
            assert line.peer.recv(1 << 16)
    thread.join()


def test_a_peer_that_reads_nothing_is_given_up(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STALLED_S", 0.3)
    monkeypatch.setattr(module, "RETRY_MS", 50)
    line.outgoing.send_all(bulk(20_000))
    thread = threading.Thread(target=line.outgoing.wait_until_sent)
    line.outgoing.send(MESSAGE)
    thread.start()
    wait_until(lambda: line.given_up, "the peer to be given up")
    assert line.given_up == ["has read nothing for 0.3 s"]
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert not line.outgoing.send(MESSAGE)
    line.outgoing.send_all(bulk(1))
    assert line.given_up == ["has read nothing for 0.3 s"]


def test_a_peer_that_reads_slowly_is_not(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STALLED_S", 1.0)
    monkeypatch.setattr(module, "RETRY_MS", 50)
    messages = bulk(4_000)
    line.outgoing.send_all(messages)
    received = b""
    for _ in range(8):  # 2 s in all
        time.sleep(0.25)
        received += line.read(256 * 1024)
    received += line.read(len(b"".join(messages)) - len(received))
    assert received == b"".join(messages)
    assert line.given_up == []


def test_more_than_the_limit_is_not_kept(line: Line) -> None:
    piece = bytes(1 << 20)
    for _ in range(LIMIT // len(piece)):
        line.outgoing.send_all([piece])
    assert line.given_up == []
    for _ in range(8):  # what the kernel has taken comes on top
        line.outgoing.send_all([piece])
        line.outgoing.send(piece)
    assert line.given_up == ["leaves more than 64 MB unread"]


def test_a_peer_that_goes_ends_the_waiting(line: Line) -> None:
    line.outgoing.send_all(bulk(20_000))
    line.outgoing.send(MESSAGE)
    line.peer.close()
    line.outgoing.wait_until_sent()
    wait_until(lambda: line.given_up, "the error")
    assert line.given_up == [""]


def test_closing_ends_the_waiting(line: Line) -> None:
    line.outgoing.send_all(bulk(20_000))
    line.outgoing.send(MESSAGE)
    thread = threading.Thread(target=line.outgoing.wait_until_sent)
    thread.start()
    line.outgoing.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert line.given_up == []
