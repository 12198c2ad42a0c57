# SPDX-License-Identifier: Apache-2.0
"""The command that is run when a lease has changed: a real one, which may fail as it likes."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ovs_dhcpd.controller.leases.document import Clock
from ovs_dhcpd.controller.leases.leases import Leases
from ovs_dhcpd.controller.onlookers import hook as hooks
from ovs_dhcpd.controller.onlookers.hook import Hook

from tests.lab.packets import DISCOVER, INFORM, RELEASE, REQUEST, option
from tests.lab.process import wait_until
from tests.unit.leases.exchanges import ALL, BRIDGE, OFPORT, Switch

CLOCK = Clock(1_800_000_000)


def place(name: str) -> tuple[str, int | None]:
    return f"tap-{name}", None


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines in the log."""
    lines: list[str] = []
    monkeypatch.setattr(hooks.vlog, "warn", lines.append)
    return lines


def start(*argv: str, limit_s: float = 60.0) -> Hook:
    return Hook(argv, place, limit_s)


class Port:
    """vm2, whose leases `hook` is told of."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        self._leases = Leases()
        self._leases.serve("vm2", BRIDGE, OFPORT, [ALL["vm2"]], 0.0)
        self._switch = Switch(*ALL["vm2"])
        self.publish()

    def publish(self, now_s: float = 10.0) -> None:
        self._hook.publish("vm2", [*self._leases.rows(now_s, ["vm2"])], CLOCK)

    def asks(self, message: int, *options: bytes, **fields: Any) -> None:
        self._leases.note(self._switch.ask(message, *options, **fields), 10.0)
        self.publish()


def writes(file: Path) -> list[str]:
    """A command that appends what it is told to a file."""
    return [sys.executable, "-c", f"import sys; open({str(file)!r}, 'a').write(sys.stdin.read())"]


def told(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def states(changes: Sequence[dict[str, Any]]) -> list[tuple[str | None, str]]:
    return [(change["before"], change["lease"]["state"]) for change in changes]


def test_each_change_is_told_once_and_in_order(tmp_path: Path, said: list[str]) -> None:
    file = tmp_path / "told"
    port = Port(start(*writes(file)))
    port.asks(DISCOVER)
    port.asks(REQUEST, option(50, "10.0.0.6"))
    port.asks(REQUEST, option(50, "10.0.0.6"))  # which changes when it expires, and no more
    port.asks(INFORM, ciaddr="10.0.0.6")
    port.publish(3610.0)
    port.asks(RELEASE, ciaddr="10.0.0.6")
    expected = [
        ("assigned", "offered"),
        ("offered", "bound"),
        ("bound", "expired"),
        ("expired", "released"),
    ]
    wait_until(lambda: len(told(file)) >= len(expected), "all changes", 30)
    assert states(told(file)) == expected
    lease = told(file)[1]["lease"]
    assert (told(file)[1]["version"], lease["interface"]) == (1, "tap-vm2")
    assert (lease["address"], lease["mac"]) == ("10.0.0.6", "02:00:00:00:00:02")
    assert said == []


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["/nowhere/at/all"], "/nowhere/at/all: No such file or directory"),
        (["sh", "-c", "exit 3"], "sh -c exit 3: exit status 3"),
        (["sh", "-c", "kill -9 $$"], "sh -c kill -9 $$: ended by signal 9"),
        (["sh", "-c", "cat >&- <&-; exec true"], None),  # it does not read
    ],
)
def test_a_failure_is_said_and_harms_nothing(
    argv: list[str], line: str | None, said: list[str]
) -> None:
    hook = start(*argv)
    Port(hook).asks(DISCOVER)
    if line:
        wait_until(lambda: said, "a line", 30)
        assert said == [f"--on-change: {line}"]
    else:
        wait_until(lambda: not hook._waiting, "the command to be run", 30)
    assert not hook._waiting


def test_what_takes_too_long_is_killed_with_its_children(tmp_path: Path, said: list[str]) -> None:
    file = tmp_path / "pid"
    hook = start("sh", "-c", f"sleep 600 & echo $! > {file}; wait", limit_s=3.0)
    Port(hook).asks(DISCOVER)
    wait_until(lambda: said, "a line", 30)
    assert said[0].endswith(": killed, expected it to end within 3 s")
    wait_until(lambda: not Path(f"/proc/{file.read_text().strip()}/cmdline").exists(), "its end")


def test_of_too_many_that_wait_the_oldest_are_left_out(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "MAX_WAITING", 2)
    file, gate = tmp_path / "told", tmp_path / "gate"
    code = f"while [ ! -e {gate} ]; do sleep 0.05; done; cat >> {file}"
    hook = start("sh", "-c", code)
    port = Port(hook)
    port.asks(DISCOVER)
    wait_until(lambda: not hook._waiting, "the first to be run", 30)
    for _ in range(2):
        port.asks(REQUEST, option(50, "10.0.0.6"))
        port.asks(DISCOVER)
    gate.touch()
    wait_until(lambda: len(told(file)) == 3, "those that are left", 30)
    assert states(told(file)) == [
        ("assigned", "offered"),
        ("offered", "bound"),
        ("bound", "offered"),
    ]
    assert said == ["--on-change: 2 changes left out, expected it to keep up"]


def test_many_that_are_left_out_do_not_fill_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setattr(hooks, "MAX_WAITING", 1)
    hook = start("true")
    port = Port(hook)
    for _ in range(60):
        with hook._filled:  # all of these before one is run
            for message in (DISCOVER, REQUEST, DISCOVER, REQUEST):
                port.asks(message, *([option(50, "10.0.0.6")] if message == REQUEST else []))
        wait_until(lambda: not hook._waiting, "the last of them to be run", 30)
    assert 0 < len(said) < 50
