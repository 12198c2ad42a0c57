# SPDX-License-Identifier: Apache-2.0
"""`ovs-dhcpd init` where no database answers; with a real switch: tests/switch/test_init.py."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ovs_dhcpd.controller.commands import cli, init_command

WAIT_S = 60.0  # more than anything here takes
ECHO = b'{"id":"echo","method":"echo","params":[]}'


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "db.sock"))
        listener.listen()
        yield listener


def say_nothing(_: socket.socket, end: threading.Event) -> None:
    end.wait(WAIT_S)


def say_something_else(connection: socket.socket, end: threading.Event) -> None:
    while not end.wait(0.05):
        connection.sendall(ECHO)


def end_at_once(connection: socket.socket, _: threading.Event) -> None:
    connection.recv(1)


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (say_nothing, "no answer within 0.3 s"),
        (say_something_else, "no answer within 0.3 s"),
        (end_at_once, "no answer"),
    ],
)
def test_a_database_that_does_not_answer_is_one_line(
    listener: socket.socket,
    server: Callable[[socket.socket, threading.Event], None],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(init_command, "ANSWER_S", 0.3)
    end = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            server(connection, end)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    path = listener.getsockname()
    assert cli.main(["init", "--db", f"unix:{path}"]) == 1
    end.set()
    thread.join(WAIT_S)
    said = f"ovs-dhcpd: {path}: {why}, expected the Open_vSwitch database\n"
    assert capsys.readouterr() == ("", said)


def test_where_nobody_is_it_is_said_what_was_expected_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "db.sock"
    for argv, where, expected in (
        (
            ["--ovs-rundir", str(tmp_path)],
            str(path),
            "No such file or directory, expected Open "
            "vSwitch to run here (--ovs-rundir DIR); type: systemctl start openvswitch-switch",
        ),
        (
            ["--db", "tcp:127.0.0.1:1"],
            "tcp:127.0.0.1:1",
            "Connection refused, expected Open vSwitch's database (--db REMOTE)",
        ),
    ):
        assert cli.main(["init", *argv]) == 1
        assert capsys.readouterr()[1] == f"ovs-dhcpd: {where}: {expected}\n"
