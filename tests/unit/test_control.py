# SPDX-License-Identifier: Apache-2.0
"""The control socket of a daemon that has no switch yet: nothing that it is sent ends it."""

from __future__ import annotations

import fcntl
import json
import shutil
import socket as sockets
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import ovs.unixctl.client
import pytest
from ovs_dhcpd.controller.control import MAX_CONNECTIONS, MAX_REQUEST

from ovs_dhcpd import __version__
from tests.lab.process import Process, wait_until

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "examples" / "finance-network1.yaml"
VERSION = (0, None, f"ovs-dhcpd {__version__}\n")


class Daemon:
    """A daemon whose run directory is ``directory``, in which no database and no bridge is."""

    def __init__(self, directory: Path) -> None:
        self.run_dir = directory / "run"
        self.log_file = directory / "log" / "dhcpd.log"
        for path in (self.run_dir, self.log_file.parent):
            path.mkdir()
        self.configuration = directory / "c.yaml"
        shutil.copy(EXAMPLE, self.configuration)
        argv = [sys.executable, "-m", "ovs_dhcpd", "run", "--config", self.configuration]
        argv += [f"--log-file={self.log_file}", f"--pidfile={self.run_dir / 'pid'}"]
        self.process = Process([*argv, "--ovs-rundir", self.run_dir], directory / "output")
        self.socket = self.run_dir / f"ovs-dhcpd.{self.process.pid}.ctl"
        wait_until(lambda: self._listens() or self.process.status is not None, "the socket", 20)
        assert self.process.status is None, self.process.text()

    def _listens(self) -> bool:
        """Whether the socket takes connections: its name is there a moment before it does."""
        with sockets.socket(sockets.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0

    def ask(self, command: str, *words: str) -> tuple[int, str | None, str | None]:
        """An errno, the error and the answer of a command."""
        error, client = ovs.unixctl.client.UnixctlClient.create(str(self.socket))
        assert error == 0
        status, mistake, answer = client.transact(command, list(words))
        client.close()
        if mistake is not None:
            assert mistake.endswith("\n")  # ovs-appctl goes on behind it
            mistake = mistake[:-1]
        return status, mistake, answer

    def open_files(self) -> Iterator[Path]:
        """What its descriptors refer to."""
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # a connection that has just been closed
                yield descriptor.readlink()

    def send(self, data: bytes) -> bytes:
        """What comes of these bytes until the daemon closes the connection, or has answered."""
        with sockets.socket(sockets.AF_UNIX) as client:
            client.connect(str(self.socket))
            client.settimeout(20)
            with suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(data)
                return client.recv(65536)
        return b""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("control"))
    try:
        yield daemon
        assert daemon.process.status is None, daemon.process.text()
    finally:
        daemon.process.stop()


@pytest.fixture(autouse=True)
def _lives(daemon: Daemon) -> Iterator[None]:
    """After each test the daemon is there, and has had no fault."""
    yield
    assert daemon.ask("version") == VERSION
    assert "Traceback" not in daemon.process.text()


def test_version_is_that_of_the_command(daemon: Daemon) -> None:
    assert daemon.ask("version") == VERSION
    command = [sys.executable, "-m", "ovs_dhcpd", "--version"]
    assert subprocess.check_output(command, text=True) == f"ovs-dhcpd {__version__}\n"


def test_a_log_that_cannot_be_opened_again_is_an_error(daemon: Daemon) -> None:
    file = daemon.log_file
    elsewhere = file.parent.with_name("elsewhere")
    file.parent.rename(elsewhere)
    error = f"{file}: No such file or directory"
    assert daemon.ask("vlog/reopen") == (0, error, None)
    before = (elsewhere / file.name).stat().st_size
    daemon.ask("vlog/set", "any:dbg")  # a line for each command
    daemon.ask("list-commands")
    daemon.ask("vlog/set", "any:info")
    assert (elsewhere / file.name).stat().st_size > before  # the old one is written to meanwhile
    elsewhere.rename(file.parent)
    rotated = file.with_suffix(".1")
    file.rename(rotated)
    assert daemon.ask("vlog/reopen") == (0, None, "")
    assert file.exists()
    assert rotated not in set(daemon.open_files())
    assert daemon.ask("vlog/close") == (0, None, "")
    assert daemon.ask("vlog/reopen") == (0, None, "")


@pytest.mark.parametrize(
    "words",
    [
        ["FACILITY"], ["FACILITY:nobody"], ["FACILITY:daemon", "FACILITY:"],
        ["nobody:dbg"], ["pattern"], ["pattern:console"], ["pattern:nobody:%m"],
        ["dhcp:dbg:info"],
    ],
)  # fmt: skip
def test_levels_that_are_none_are_an_error(daemon: Daemon, words: list[str]) -> None:
    status, error, answer = daemon.ask("vlog/set", *words)
    assert (status, answer) == (0, None)
    assert error


def test_any_pattern_that_can_be_written_may_be_set(daemon: Daemon) -> None:
    for pattern in ("%D{(}[%m", "\\1%m\\g<0>", "%d%D%m%%%P%r%t%T%A%n"):
        assert daemon.ask("vlog/set", f"pattern:file:{pattern}") == (0, None, "")
        assert daemon.ask("vlog/reopen") == (0, None, "")
    assert daemon.ask("vlog/set", "pattern:file:%D{%H%M%S.###}|%05N|%c%T|%p|%m") == (0, None, "")


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        ("nobody", [], '"nobody" is not a valid command'),
        ("exit", ["foo"], "foo: expected cleanup"),
        ("version", ["foo"], '"version" command takes at most 0 arguments'),
        ("vlog/set", [], '"vlog/set" command requires at least 1 arguments'),
        ("why", ["a", "b"], "2 arguments, expected why PORT|MAC|ADDRESS"),
        ("why", ["-f", "xml", "a"], "-f xml: expected -f json"),
    ],
)
def test_wrong_usage_is_answered(daemon: Daemon, command: str, words: list[str], said: str) -> None:
    assert daemon.ask(command, *words) == (0, said, None)


@pytest.mark.parametrize("command", ["help", "list-commands", "vlog/list", "bindings/show",
                                     "bindings/refused", "stats/show", "status",
                                     "memory/show", "coverage/show"])  # fmt: skip
def test_each_command_answers(daemon: Daemon, command: str) -> None:
    assert daemon.ask(command)[0] == 0


def test_leases_are_shown_as_text_and_as_json(daemon: Daemon) -> None:
    _, _, text = daemon.ask("leases/show")
    assert text
    assert text.startswith("PORT")
    _, _, answer = daemon.ask("leases/show", "-f", "json")
    assert answer
    assert json.loads(answer)["leases"] == []
    error, client = ovs.unixctl.client.UnixctlClient.create(str(daemon.socket))
    assert error == 0
    if client.transact("set-options", ["--format", "json"])[1] is None:  # since Open vSwitch 3.4
        assert client.transact("leases/show", [])[2]["version"] == 1
        assert client.transact("version", [])[2]["reply-format"] == "plain"
    client.close()


def test_who_lists_no_leases_is_told_that_there_are_none(daemon: Daemon) -> None:
    argv = [sys.executable, "-m", "ovs_dhcpd", "leases", "--ovs-rundir", str(daemon.run_dir)]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split()[0] == "PORT"
    assert done.stderr == "ovs-dhcpd: no port is served; type: ovs-dhcpd status\n"


def test_why_is_answered_as_text_and_as_json(daemon: Daemon) -> None:
    what = "the Open_vSwitch database is not read yet"
    _, _, text = daemon.ask("why", "vm1")
    assert text
    assert text.splitlines()[0].endswith(what)
    _, _, answer = daemon.ask("why", "-f", "json", "vm1")
    assert answer
    assert json.loads(answer)["headline"] == text.splitlines()[0]
    error, client = ovs.unixctl.client.UnixctlClient.create(str(daemon.socket))
    assert error == 0
    if client.transact("set-options", ["--format", "json"])[1] is None:  # since Open vSwitch 3.4
        assert client.transact("why", ["vm1"])[2]["version"] == 1
        assert client.transact("status", [])[2]["healthy"] is False
    client.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody"], "'nobody': nobody's, expected a port, MAC, address or network that is served"),
        (["-f", "xml"], "-f xml: expected -f json"),
        (["-f"], "-f: expected -f json"),
    ],
)
def test_leases_that_there_are_not_are_an_error(
    daemon: Daemon, words: list[str], said: str
) -> None:
    assert daemon.ask("leases/show", *words) == (0, said, None)


def request(**fields: object) -> bytes:
    return json.dumps({"id": 0, "method": "version", "params": [], **fields}).encode()


@pytest.mark.parametrize(
    ("data", "answered"),
    [
        (request(), True),
        (request(id={"a": []}), True),
        (request(method="set-options", params=["--format", "nobody"]), True),
        (request(method="set-options", params=["-h"]), True),
        (request(params=[1, None]), True),
        (request(method="nobody"), True),
        (request(method=1), False),
        (request(params={}), False),
        (request(id=None), False),
        (request(id=None, result=1), False),
        (b"[" * (MAX_REQUEST - 9) + b"}", False),
        (b'{"a":' * 10000 + b"1" + b"}" * 10000, False),
        (b"\xff\xfe{}", False),
        (b"{]}", False),
        (b'{"id": ' + b"9" * 9999 + b"}", False),
        (b'"' + b"x" * 100_000_000, False),
        (b'{"method": "' + b"x" * 1_000_000, False),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_whatever_a_client_sends_costs_its_connection_only(
    daemon: Daemon, data: bytes, answered: bool
) -> None:
    assert bool(daemon.send(data)) == answered
    assert memory_kb(daemon) < 300_000


@pytest.mark.parametrize("data", [b"[" * 9999 + b"}", b"{]}", request(id=None)])
def test_what_clients_send_does_not_fill_the_log(daemon: Daemon, data: bytes) -> None:
    """A fault in reading it, no JSON, and what is no request."""
    before = len(daemon.log_file.read_text().splitlines())
    for _ in range(300):
        daemon.send(data)
    lines = daemon.log_file.read_text().splitlines()[before:]
    assert 0 < len(lines) < 200


def memory_kb(daemon: Daemon) -> int:
    """The most memory that the daemon has ever had."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def test_who_hangs_up_or_never_reads_is_let_go(daemon: Daemon) -> None:
    """With half a request, without one, and with answers that fill the socket."""
    clients = []
    for data in (b"", b'{"id": 1', request(method="help") * 5000):
        for hang_up in (True, False):
            client = sockets.socket(sockets.AF_UNIX)
            client.connect(str(daemon.socket))
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.send(data)
            if hang_up:
                client.close()
            else:
                clients.append(client)
    assert daemon.ask("version") == VERSION
    for client in clients:
        client.close()


def test_the_oldest_of_too_many_connections_is_closed(daemon: Daemon) -> None:
    clients = []
    for _ in range(3 * MAX_CONNECTIONS):
        client = sockets.socket(sockets.AF_UNIX)
        client.settimeout(20)
        client.connect(str(daemon.socket))
        clients.append(client)
        if len(clients) % MAX_CONNECTIONS == 0:
            assert daemon.ask("version") == VERSION
    assert clients[0].recv(1) == b""
    clients[-1].sendall(request())
    assert clients[-1].recv(1) == b"{"
    open_sockets = len(list(Path(f"/proc/{daemon.process.pid}/fd").iterdir()))
    assert open_sockets < 2 * MAX_CONNECTIONS + 20
    for client in clients:
        client.close()


def is_of_its_user_alone(path: Path) -> bool:
    return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_nobody_else_may_open_the_socket(daemon: Daemon) -> None:
    assert is_of_its_user_alone(daemon.socket)


def test_socket_and_pidfile_come_back(daemon: Daemon) -> None:
    pidfile = daemon.run_dir / "pid"
    shutil.rmtree(daemon.run_dir)
    wait_until(lambda: f"{daemon.socket}: No such file" in daemon.process.text(), "a line", 20)
    daemon.run_dir.mkdir()
    wait_until(lambda: daemon.socket.exists() and pidfile.exists(), "the run directory", 20)
    assert daemon.ask("version") == VERSION
    assert is_of_its_user_alone(daemon.socket)
    assert not [*daemon.run_dir.glob("*tmp*")]
    assert int(pidfile.read_text()) == daemon.process.pid
    assert holder_of_the_lock(pidfile) == daemon.process.pid
    assert daemon.process.text().count("is made again") == 2
    pidfile.unlink()  # and once more, only this
    wait_until(pidfile.exists, "the pidfile", 20)
    assert holder_of_the_lock(pidfile) == daemon.process.pid


def holder_of_the_lock(path: Path) -> int:
    """Who has the file locked, as those find out who look for a pidfile's daemon."""
    with path.open("r+b") as file, pytest.raises(OSError):  # noqa: PT011
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    inode = str(path.stat().st_ino)
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return next(int(lock[4]) for lock in locks if lock[5].endswith(f":{inode}"))


def test_at_the_end_socket_and_pidfile_are_gone(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    shutil.rmtree(daemon.run_dir)
    daemon.run_dir.mkdir()
    mine = {daemon.socket, daemon.run_dir / "pid"}
    wait_until(lambda: mine <= {*daemon.run_dir.iterdir()}, "socket and pidfile", 20)
    assert daemon.ask("exit") == (0, None, "")
    assert daemon.process.wait(20) == 0
    assert not mine & {*daemon.run_dir.iterdir()}
