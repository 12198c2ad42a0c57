# SPDX-License-Identifier: Apache-2.0
"""Who connects to us: real sockets on the loopback interface."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from ovs_dhcpd.controller.switch import listener
from ovs_dhcpd.controller.switch.listener import (
    MAX_OF_SOURCE,
    MAX_WAITING,
    Listener,
    ListenOn,
)
from ovs_dhcpd.controller.wire.handshake import Handshake
from ovs_dhcpd.controller.wire.openflow import OFP15

from tests.lab.openflow_peer import DATAPATH_ID, Peer
from tests.lab.process import wait_until


def test_an_address_of_ipv6_is_in_brackets() -> None:
    assert str(ListenOn("::1", 6653)) == "tcp:[::1]:6653"


class Reception:
    """A listener on a free port, and those whose handshake is done."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.done: list[tuple[socket.socket, str, Handshake]] = []
        self.lacking: Exception | None = None
        self._opened: list[socket.socket] = []
        self.listener = Listener(ListenOn("127.0.0.1", self.port), [OFP15], self._accepted)
        self.listener.start()

    def _accepted(self, connection: socket.socket, address: str, handshake: Handshake) -> None:
        if self.lacking:
            raise self.lacking
        self.done.append((connection, address, handshake))

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port), 20, (source, 0))
        self._opened.append(opened)
        return opened

    def switch(self, source: str = "127.0.0.1") -> Peer:
        """One that shakes hands."""
        peer = Peer(self.connect(source))
        peer.shake_hands()
        return peer

    def is_served(self) -> bool:
        """Whether a switch that comes now is let in."""
        before = len(self.done)
        self.switch()
        wait_until(lambda: len(self.done) > before, "the handshake")
        return True

    def close(self) -> None:
        self.listener.stop()
        for each in (*self._opened, *(connection for connection, *_ in self.done)):
            each.close()


@pytest.fixture
def reception() -> Iterator[Reception]:
    reception = Reception()
    yield reception
    reception.close()


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has closed it; what it has said is passed over."""
    connection.settimeout(0)
    try:
        while connection.recv(4096):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


def test_a_switch_is_handed_on_once_it_has_shown_its_datapath_id(reception: Reception) -> None:
    connection = reception.connect()
    peer = Peer(connection)
    assert not reception.done
    peer.shake_hands()
    wait_until(lambda: reception.done, "the handshake")
    _, address, handshake = reception.done[0]
    assert address == f"tcp:127.0.0.1:{connection.getsockname()[1]}"
    assert (handshake.version, handshake.datapath_id) == (OFP15, DATAPATH_ID)


def test_a_source_has_few_that_wait_and_the_oldest_has_to_go(reception: Reception) -> None:
    idle = [reception.connect() for _ in range(MAX_OF_SOURCE + 2)]
    other = reception.connect("127.0.0.2")
    wait_until(lambda: is_closed(idle[1]), "the second to be closed")
    assert [is_closed(each) for each in (*idle, other)] == [
        *([True] * 2),
        *([False] * MAX_OF_SOURCE),
        False,
    ]
    assert reception.is_served()


def test_all_together_have_a_limit(reception: Reception) -> None:
    sources = [f"127.0.1.{number + 1}" for number in range(MAX_WAITING // MAX_OF_SOURCE + 2)]
    idle = [reception.connect(source) for source in sources for _ in range(MAX_OF_SOURCE)]
    surplus = len(idle) - MAX_WAITING
    wait_until(lambda: is_closed(idle[surplus - 1]), "those too many to be closed")
    assert [is_closed(each) for each in idle] == [*([True] * surplus), *([False] * MAX_WAITING)]
    assert reception.is_served()


def test_who_has_said_hello_stays_longer(reception: Reception) -> None:
    speaking = Peer(reception.connect())
    assert speaking.receive()[0] == 0
    speaking.send(0)
    assert speaking.receive()[0] == 5  # we have its hello
    idle = [reception.connect() for _ in range(MAX_OF_SOURCE)]
    wait_until(lambda: is_closed(idle[0]), "the oldest that has said nothing to be closed")
    assert not is_closed(speaking.connection)


def test_thousands_of_idle_connections_are_no_threads_and_let_others_in(
    reception: Reception,
) -> None:
    threads = threading.active_count()
    for _ in range(2000):
        reception.connect().close()
    for _ in range(300):
        reception.connect()
    assert threading.active_count() <= threads
    assert reception.is_served()


def test_a_handshake_has_an_end(reception: Reception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HANDSHAKE_S", 0.3)
    start_s = time.monotonic()
    idle = reception.connect()
    wait_until(lambda: is_closed(idle), "the end of the handshake")
    assert time.monotonic() - start_s >= 0.3


@pytest.mark.parametrize(
    "said",
    [
        "0600000c00000000 00010000",  # a HELLO with an element of length 0
        "0600000400000000",
        "0600000800000000 0606000800000000",  # a FEATURES_REPLY without a datapath id
        "0100000800000000",  # OpenFlow 1.0
    ],
)
def test_nonsense_ends_its_connection(reception: Reception, said: str) -> None:
    peer = reception.connect()
    peer.sendall(bytes.fromhex(said))
    wait_until(lambda: is_closed(peer), "the end of the connection")
    assert reception.is_served()
    assert len(reception.done) == 1


def test_who_asks_without_reading_costs_nothing(reception: Reception) -> None:
    peer = reception.connect()
    peer.settimeout(5)
    echo = bytes.fromhex("0602ffff00000000") + bytes(65527)
    with pytest.raises(OSError, match=r"."):
        peer.sendall(echo * 1000)
    assert reception.is_served()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.ENOBUFS])
def test_a_shortage_is_said_once_and_survived(
    reception: Reception, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    said: list[str] = []
    monkeypatch.setattr(listener.vlog, "err", said.append)
    server = reception.listener._server

    class Short:
        """Accepts nothing five times."""

        times = 5

        def accept(self) -> tuple[socket.socket, tuple[str, int]]:
            self.times -= 1
            if self.times >= 0:
                raise OSError(number, os.strerror(number))
            return server.accept()

        def fileno(self) -> int:
            return server.fileno()

        def shutdown(self, how: int) -> None:
            server.shutdown(how)

        def close(self) -> None:
            server.close()

    short = Short()
    monkeypatch.setattr(reception.listener, "_server", short)
    assert reception.is_served()
    assert short.times < 0
    where = f"tcp:127.0.0.1:{reception.port}"
    assert said == [f"{where}: {os.strerror(number)}, going on"]


def test_a_shortage_of_threads_is_survived_too(
    reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(listener.vlog, "err", said.append)
    reception.lacking = RuntimeError("can't start new thread")
    for _ in range(3):
        peer = reception.switch()
        wait_until(lambda peer=peer: is_closed(peer.connection), "the end")  # type: ignore[misc]
    reception.lacking = None
    assert reception.is_served()
    assert said == [
        f"tcp:127.0.0.1:{reception.port}: RuntimeError: can't start new thread, going on"
    ]


def test_stopping_ends_it(reception: Reception) -> None:
    idle = reception.connect()
    reception.listener.stop()
    wait_until(lambda: is_closed(idle), "the end")
    with pytest.raises(ConnectionError):
        reception.connect()
