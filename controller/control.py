# SPDX-License-Identifier: Apache-2.0
"""The control socket: how ``ovs-appctl`` talks to the daemon.

Nothing that is sent to it ends the daemon, python-ovs's own commands included.
"""

from __future__ import annotations

import errno
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ovs.daemon
import ovs.jsonrpc
import ovs.poller
import ovs.stream
import ovs.unixctl
import ovs.unixctl.server
import ovs.util
from ovs.vlog import Vlog
from ovs_dhcpd.controller import log
from ovs_dhcpd.controller.faults import Faults
from ovs_dhcpd.controller.pidfile import Pidfile
from ovs_dhcpd.controller.ports.fault import Fault
from ovs_dhcpd.controller.switch.line_limit import LineLimit
from ovs_dhcpd.controller.texts.json_text import to_json
from ovs_dhcpd.flows.options.wording import printable, printable_lines, trouble

from ovs_dhcpd import __version__

vlog = Vlog("control")

MAX_CONNECTIONS = 16  # with one more, the oldest is closed
MAX_REQUEST = 64 * 1024  # bytes
LOOK_S = 1.0  # between two looks whether socket and pidfile are there


Answer = Callable[[Callable[[], Mapping[str, object]]], None]  # what to call when there is one


class CommandError(Exception):
    """A command that cannot be carried out, by no fault of ours: the answer says why."""


def open_control_socket(faults: Faults) -> ControlSocket:
    """Open the socket; ``faults`` are told of those in commands.

    It answers ``version`` with the program's name and version, as ``--version`` does.
    Raises :exc:`OSError`.
    """
    with _for_our_user_alone():
        error, server = ovs.unixctl.server.UnixctlServer.create(None)
    if error:
        raise OSError(error, f"control socket: {os.strerror(error)}")
    add_command("version", "", 0, 0, lambda _: f"{ovs.util.PROGRAM_NAME} {__version__}")
    add_command("vlog/close", "", 0, 0, lambda _: log.close())
    add_command("vlog/reopen", "", 0, 0, lambda _: log.reopen())
    add_command("vlog/set", "spec", 1, MAX_REQUEST, _set_log_levels)
    pidfile = ovs.daemon._pidfile
    return ControlSocket(server._listener, Pidfile(Path(pidfile)) if pidfile else None, faults)


@contextmanager
def _for_our_user_alone() -> Iterator[None]:
    """What is made meanwhile can be opened by root and our user alone.

    python-ovs means to have it so of a socket, and says it too late: once a socket has its name,
    fchmod(2) changes nothing on Linux.
    """
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def add_command(
    name: str, usage: str, min_args: int, max_args: int, call: Callable[[list[str]], str | None]
) -> None:
    """Let ``ovs-appctl NAME`` answer with what ``call`` returns, or with the error it raises.

    It takes the place of a command of python-ovs's that has the same name.
    """

    def answer(conn: Any, argv: list[str], _: object) -> None:
        text = call(argv)
        conn.reply(f"{text}\n" if text else None)

    _register(name, usage, min_args, max_args, answer)


def _register(
    name: str,
    usage: str,
    min_args: int,
    max_args: int,
    answer: Callable[[Any, list[str], object], None],
) -> None:
    """Have ``answer`` answer, or what it raises be the answer."""

    def answer_or_fail(conn: Any, argv: list[str], aux: object) -> None:
        try:
            answer(conn, argv, aux)
        except CommandError as error:
            conn.reply_error(str(error))
        except OSError as error:
            conn.reply_error(
                f"{error.filename}: {error.strerror}" if error.filename else str(error)
            )

    ovs.unixctl.commands.pop(name, None)
    usage = usage.rstrip()
    ovs.unixctl.command_register(name, usage, min_args, max_args, answer_or_fail, None)


def add_query(
    name: str,
    usage: str,
    max_args: int,
    query: Callable[[list[str]], Mapping[str, object]],
    show: Callable[[Any], str],
) -> None:
    """Let ``ovs-appctl NAME [-f json]`` answer with what ``query`` returns, as ``show`` has it.

    With ``-f json`` it is as JSON, and to ``ovs-appctl --format json`` the JSON itself.
    """

    def answer(conn: Any, argv: list[str], _: object) -> None:
        as_json, words = split_format(argv)
        _reply(conn, query(words), as_json, show)

    _register(name, f"[-f json] {usage}", 0, max_args + 2, answer)


def add_slow_query(
    name: str,
    usage: str,
    args: int,
    begin: Callable[[list[str], Answer], None],
    show: Callable[[Any], str],
) -> None:
    """As :func:`add_query`, for what takes time, and has just so many arguments.

    ``begin`` calls what it is given, at once or later, with what makes the answer.
    """

    def answer(conn: _Connection, argv: list[str], _: object) -> None:
        as_json, words = split_format(argv)
        if len(words) != args:
            raise CommandError(f"{len(words)} arguments, expected {name} {usage}")
        begin(words, lambda query: conn.later(name, lambda: _reply(conn, query(), as_json, show)))

    _register(name, f"[-f json] {usage}", args, args + 2, answer)


def _reply(
    conn: Any, found: Mapping[str, object], as_json: bool, show: Callable[[Any], str]
) -> None:
    if wants_json(conn):
        conn.reply_json(found)
    else:
        conn.reply(f"{to_json(found) if as_json else show(found)}\n")


def split_format(words: list[str]) -> tuple[bool, list[str]]:
    """Whether a command is told ``-f json``, and its other words.  Raises :exc:`CommandError`."""
    if "-f" not in words:
        return False, words
    at = words.index("-f")
    if words[at + 1 : at + 2] != ["json"]:
        raise CommandError(f"{' '.join(words[at : at + 2])}: expected -f json")
    return True, words[:at] + words[at + 2 :]


def wants_json(conn: Any) -> bool:
    """Whether the other end has set its connection to JSON, as Open vSwitch 3.4's does."""
    return getattr(getattr(conn, "_fmt", None), "name", "") == "JSON"


def _set_log_levels(words: list[str]) -> None:
    try:
        log.set_levels(words)
    except ValueError as error:
        raise CommandError(str(error)) from None


class ControlSocket(ovs.unixctl.server.UnixctlServer):
    """The socket that ``listener`` is, and the pidfile by which ``ovs-appctl`` finds it.

    Both are made again where somebody has deleted them, as who empties the run directory does.
    """

    _listener: Any

    def __init__(
        self, listener: ovs.stream.PassiveStream, pidfile: Pidfile | None, faults: Faults
    ) -> None:
        super().__init__(listener)
        self._faults = faults
        self._lines = LineLimit(*log.PEER_LINES)
        self._pidfile = pidfile
        self._look_s = 0.0
        self._accepting = True
        self._trouble = ""  # what has been said of it

    def run(self) -> None:
        """Take in connections, and answer what they ask."""
        now_s = time.monotonic()
        if now_s >= self._look_s:
            self._look_s = now_s + LOOK_S
            self._accepting = True
            self._look()
        self._accept()
        for connection in list(self._conns):
            error = connection.run()
            if error and error != errno.EAGAIN:
                self._drop(connection)

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when :meth:`run` has something to do."""
        if self._accepting:
            self._listener.wait(poller)
        for connection in self._conns:
            connection._wait(poller)
        poller.timer_wait(math.ceil(LOOK_S * 1000))

    def _accept(self) -> None:
        for _ in range(MAX_CONNECTIONS):
            error, stream = self._listener.accept()
            if error:
                self._accepting = error == errno.EAGAIN  # else too few descriptors: not at once
                return
            self._conns.append(_Connection(stream, self._faults, self._lines))
            if len(self._conns) > MAX_CONNECTIONS:
                self._drop(self._conns[0])

    def _drop(self, connection: _Connection) -> None:
        connection._close()
        self._conns.remove(connection)

    def _look(self) -> None:
        """Make again what has been deleted."""
        try:
            if self._restore_socket():
                vlog.warn(f"{self._listener.bind_path} was deleted, and is made again")
            if self._pidfile and self._pidfile.restore():
                vlog.warn(f"{self._pidfile} was deleted, and is made again")
        except OSError as error:
            what = trouble(error)
            if what != self._trouble:
                vlog.warn(f"{what}, expected to make it again; trying again")
            self._trouble = what
        else:
            self._trouble = ""

    def _restore_socket(self) -> bool:
        path = self._listener.bind_path
        if os.path.lexists(path):
            return False
        with _for_our_user_alone():
            error, listener = ovs.stream.PassiveStream.open(self._listener.name)
        if error:
            raise OSError(error, os.strerror(error), path)
        self._listener.bind_path = None  # is not to be deleted with it
        self._listener.close()
        self._listener = listener
        return True


class _Connection(ovs.unixctl.server.UnixctlConnection):
    """A client's connection: what it sends costs this connection at the most."""

    _request_id: Any
    _rpc: _Requests

    def __init__(self, stream: ovs.stream.Stream, faults: Faults, lines: LineLimit) -> None:
        super().__init__(_Requests(stream))
        self._faults = faults
        self._lines = lines

    def run(self) -> int:
        """Answer what is asked; returns an errno where the connection is to be closed."""
        try:
            error: int = super().run()
        except Exception as fault:  # of what JSON is: too deep, for one
            text = f"connection closed: {type(fault).__name__}: {fault}"
            if line := self._lines.line(text, time.monotonic()):
                vlog.warn(line)
            return errno.EPROTO
        return error

    def _process_command(self, request: ovs.jsonrpc.Message) -> None:
        try:
            super()._process_command(request)
        except SystemExit:  # the end of argparse where it does not understand its arguments
            command = ovs.unixctl.commands[request.method]
            self._fail(f"expected {request.method} {command.usage}")
        except Exception as error:  # a fault of ours, or python-ovs's
            self._fault(request.method, error)

    def later(self, command: str, reply: Callable[[], None]) -> None:
        """Answer by ``reply``, unless nobody waits for it any more."""
        if self._request_id is None:
            return
        try:
            reply()
        except Exception as error:  # a fault of ours
            self._fault(command, error)

    def reply(self, body: str | None) -> None:
        """Answer with this text, each line of it printable."""
        lines = map(printable, (body or "").split("\n"))
        if wants_json(self):
            super().reply("\n".join(lines))
            return
        # As JSON, but line by line: in one go a long text would hold up other threads.
        text = "\\n".join(json.dumps(line)[1:-1] for line in lines)
        request = json.dumps(self._request_id)
        self._request_id = None
        self._rpc.send_text(f'{{"id":{request},"result":"{text}","error":null}}')

    def reply_error(self, body: str | None) -> None:
        """Answer that it cannot be done, and why: ``ovs-appctl`` goes on in the same line."""
        lines = printable_lines((body or "").rstrip("\n").split("\n"))
        super().reply_error(f"{lines}\n")

    def _fault(self, command: str, error: Exception) -> None:
        self._faults.note(Fault(command, error))
        self._fail(f"internal error: {type(error).__name__}: {error}")

    def _fail(self, why: str) -> None:
        if self._request_id is not None:
            self.reply_error(why)


class _Requests(ovs.jsonrpc.Connection):
    """JSON-RPC of requests that are no longer than MAX_REQUEST."""

    def __init__(self, stream: ovs.stream.Stream) -> None:
        super().__init__(stream)
        self._before = 0  # bytes that belong to earlier requests
        receive = stream.recv

        def receive_some(size: int) -> tuple[int, bytes]:
            if self.received_bytes - self._before > MAX_REQUEST:
                return errno.EMSGSIZE, b""
            some: tuple[int, bytes] = receive(size)
            return some

        stream.recv = receive_some

    def send_text(self, message: str) -> None:
        """As :meth:`send`, of what is JSON already."""
        if self.status:
            return
        was_empty = not self.output
        self.output += message
        if was_empty:
            self.run()

    def recv(self) -> tuple[int, ovs.jsonrpc.Message | None]:
        """As the base class; EMSGSIZE for what is too long."""
        error, message = super().recv()
        if message:
            self._before = self.received_bytes
        return error, message
