# SPDX-License-Identifier: Apache-2.0
"""A command line gets its answer, or one line that says why there is none."""

from __future__ import annotations

import argparse
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from ovs_dhcpd.controller.commands import ask as asking
from ovs_dhcpd.controller.commands.ask import (
    AskError,
    NobodyError,
    add_rundir,
    ask,
    ask_for_json,
    ask_switch,
    sockets,
)
from ovs_dhcpd.controller.switch.lock import Lock, lock_path

Answer = Callable[[dict[str, object]], bytes]


class Server:
    """A control socket in `rundir` whose daemon has this `pid`; `answer` makes its bytes."""

    def __init__(self, rundir: Path, pid: int, answer: Answer, program: str = "ovs-dhcpd") -> None:
        self.path = rundir / f"{program}.{pid}.ctl"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError, ValueError):  # it is closed, or its client is
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    if data := connection.recv(65536):
                        connection.sendall(self._answer(json.loads(data)))

    def close(self) -> None:
        """Listen no more; as after a kill the file stays."""
        with suppress(OSError):  # it is closed already
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def reply(result: object = None, error: object = None) -> bytes:
    return json.dumps({"id": 0, "result": result, "error": error}).encode()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[int, Answer], Server]]:
    opened: list[Server] = []

    def start(pid: int, answer: Answer) -> Server:
        opened.append(Server(tmp_path, pid, answer))
        return opened[-1]

    yield start
    for server in opened:
        server.close()


Serve = Callable[[int, Answer], Server]


def test_the_answer_is_what_the_daemon_says(tmp_path: Path, serve: Serve) -> None:
    serve(7, lambda asked: reply(f"{asked['method']} {asked['params']}\n"))
    assert ask(tmp_path, "leases/show", "a", "b") == "leases/show ['a', 'b']\n"


def test_json_is_asked_for_and_understood(tmp_path: Path, serve: Serve) -> None:
    serve(7, lambda asked: reply(json.dumps({"asked": asked["params"]})))
    assert ask_for_json(tmp_path, "leases/show", "a") == {"asked": ["-f", "json", "a"]}


def test_a_long_answer_is_read_to_its_end(tmp_path: Path, serve: Serve) -> None:
    long = "}" * 1_000_000
    serve(7, lambda _: reply(long))
    assert ask(tmp_path, "x") == long


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (reply(error="no such port\n"), "no such port"),
        (b"", "x: the daemon has closed the connection without an answer"),
        (b'{"id": 0', "x: the daemon has closed the connection without an answer"),
    ],
)
def test_no_answer_is_one_line(answer: bytes, line: str, tmp_path: Path, serve: Serve) -> None:
    serve(7, lambda _: answer)
    with pytest.raises(AskError) as error:
        ask(tmp_path, "x")
    assert str(error.value) == line


def test_a_daemon_that_says_nothing_is_not_waited_for_for_ever(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ANSWER_S", 0.05)
    asked_for = threading.Event()

    def silent(_: object) -> bytes:
        asked_for.wait(60)
        return b""

    serve(7, silent)
    with pytest.raises(AskError, match=r"^x: no answer within 0.05 s$"):
        ask(tmp_path, "x")
    asked_for.set()


def test_where_nobody_runs_it_says_so(tmp_path: Path, serve: Serve) -> None:
    what = "nobody to ask, expected the socket of a running ovs-dhcpd there (--ovs-rundir DIR)"
    with pytest.raises(AskError) as error:
        ask(tmp_path, "x")
    assert str(error.value) == f"{tmp_path}: {what}"
    serve(7, lambda _: reply("")).close()
    with pytest.raises(AskError) as error:
        ask(tmp_path, "x")
    assert str(error.value) == f"{tmp_path}: {what}"


def test_of_several_who_has_a_turn_is_asked_else_the_newest(tmp_path: Path, serve: Serve) -> None:
    for age, pid in enumerate((3, os.getpid(), 8, 9)):
        server = serve(pid, lambda _, pid=pid: reply(str(pid)))  # type: ignore[misc]
        os.utime(server.path, (1e9 + age, 1e9 + age))
    server.close()  # the newest one has died
    assert ask(tmp_path, "x") == "8"
    lock = Lock(lock_path(tmp_path, "br-int"))
    assert lock.take(wait=False)
    assert sockets(tmp_path)[0].name == f"ovs-dhcpd.{os.getpid()}.ctl"
    assert ask(tmp_path, "x") == str(os.getpid())
    lock.close()


def test_the_command_line_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVS_RUNDIR", "/run/there")
    parser = argparse.ArgumentParser()
    add_rundir(parser)
    assert parser.parse_args([]).ovs_rundir == Path("/run/there")
    assert parser.parse_args(["--ovs-rundir", "/x"]).ovs_rundir == Path("/x")


def test_the_switch_is_asked_at_its_own_socket(tmp_path: Path, serve: Serve) -> None:
    serve(7, lambda _: reply("the daemon"))
    with pytest.raises(AskError, match="expected the socket of a running ovs-vswitchd there"):
        ask_switch(tmp_path, "ofproto/trace", "br-int")
    server = Server(tmp_path, 8, lambda asked: reply(f"{asked['params']}"), "ovs-vswitchd")
    assert ask_switch(tmp_path, "ofproto/trace", "br-int", "in_port=1") == "['br-int', 'in_port=1']"
    server.close()


def test_what_starts_a_daemon_is_the_service_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "UNITS", [str(tmp_path)])
    error = NobodyError("nobody", Path(asking.RUNDIR))
    assert error.mend([]) == "ovs-dhcpd run --config FILE --detach --pidfile --log-file"
    (tmp_path / "ovs-dhcpd.service").touch()
    monkeypatch.setattr(asking, "CONFIGURATION", str(tmp_path / "config.yaml"))
    assert error.mend([]) == "ovs-dhcpd init > /etc/ovs-dhcpd/config.yaml"
    (tmp_path / "config.yaml").touch()
    started = "ovs-dhcpd check /etc/ovs-dhcpd/config.yaml && systemctl start ovs-dhcpd"
    assert error.mend([]) == started
    assert NobodyError("nobody", tmp_path).mend([]).startswith("ovs-dhcpd run ")
    denied = NobodyError("nobody", tmp_path, is_denied=True)
    assert denied.mend(["why", "vm 1"]) == "sudo ovs-dhcpd why 'vm 1'"
