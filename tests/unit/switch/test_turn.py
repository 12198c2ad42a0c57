# SPDX-License-Identifier: Apache-2.0
"""Whose turn it is, between real processes."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ovs_dhcpd.controller.switch.held import Mark, checksum
from ovs_dhcpd.controller.switch.lock import Lock, holder
from ovs_dhcpd.controller.switch.turn import Note, Turn

from tests.lab.process import wait_until
from tests.unit.switch.processes import NOTED, holders


class Connection:
    """What it was told, in order; `heard` is what :meth:`has_heard` says."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.heard = True

    def hold(self) -> None:
        self.told.append("hold")

    def answer(self, note: Note | None, last: Mark | None) -> None:
        self.told.append(last.checksum if last else None)
        assert note
        note(b"ours")

    def has_heard(self, last: Mark | None) -> bool:
        return self.heard


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ovs-dhcpd.br-int.lock"


def test_who_is_alone_answers_at_once_and_others_know_its_pid(path: Path) -> None:
    turn, connection = Turn(path), Connection()
    assert turn.ours
    assert turn.status == "active"
    assert holder(path) == os.getpid()
    turn.add(connection)
    assert connection.told == [None]


def test_a_bridge_that_nobody_else_can_reach_has_no_file() -> None:
    turn = Turn()
    turn.look()
    assert turn.ours
    assert not turn.is_waited_for
    assert turn.status == "active"


def test_who_stands_by_says_for_whom_and_takes_over_at_his_end(path: Path) -> None:
    woken = threading.Event()
    with holders(path) as process:
        turn, connection = Turn(path, woken.set), Connection()
        turn.add(connection)
        assert not turn.ours
        assert turn.status == f"standby for pid {process.pid}"
        assert connection.told == []
        assert not woken.is_set()
        process.kill()
        assert woken.wait(10)
    assert turn.ours
    assert connection.told == [checksum(NOTED)]
    assert holder(path) == os.getpid()
    other = Lock(path)
    noted = other.noted()
    assert noted
    assert noted.checksum == checksum(b"ours")


def test_what_was_answered_last_is_waited_for_but_not_for_ever(path: Path) -> None:
    with holders(path) as process:
        turn, connection = Turn(path), Connection()
        turn.add(connection)
        connection.heard = False
        process.kill()
        wait_until(lambda: turn.ours, "the turn")
    assert connection.told == [checksum(NOTED)]


def test_who_ends_stops_to_answer_and_then_lets_go(path: Path) -> None:
    turn, connection = Turn(path), Connection()
    turn.add(connection)
    gone = Connection()
    turn.add(gone)
    turn.remove(gone)
    turn.end()
    assert connection.told == [None, "hold"]
    assert gone.told == [None]
    assert holder(path) is None
    turn.end()


def test_who_ends_while_it_stands_by_does_not_get_it(path: Path) -> None:
    with holders(path) as process:
        turn = Turn(path)
        wait_until(lambda: threads() == 1, "the thread that waits")
        turn.end()
        process.kill()
        process.wait()
        wait_until(lambda: not threads(), "the thread to end")
    assert not turn.ours
    assert holder(path) is None


def threads() -> int:
    return sum(thread.name == "turn" for thread in threading.enumerate())


def test_a_file_that_is_taken_away_comes_again(path: Path) -> None:
    turn, connection = Turn(path), Connection()
    turn.add(connection)
    path.unlink()
    turn.look()
    assert turn.ours
    assert connection.told == [None, None]
    assert holder(path) == os.getpid()
    turn.look()
    turn.end()
    assert holder(path) is None


def test_who_waits_on_a_file_that_was_taken_away_meets_the_holder_of_the_new_one(
    path: Path,
) -> None:
    turn = Turn(path)
    old = os.open(path, os.O_RDWR)
    woken = threading.Event()
    second = Turn(path, woken.set)
    assert not second.ours
    wait_until(lambda: turn.is_waited_for, "the second to wait")
    path.unlink()
    turn.look()
    assert not woken.is_set()
    turn.end()
    assert woken.wait(10)
    assert second.ours
    assert os.fstat(old).st_ino != path.stat().st_ino
    os.close(old)
    second.end()


def test_of_two_that_would_answer_who_was_first_steps_back(path: Path) -> None:
    turn, connection = Turn(path), Connection()
    turn.add(connection)
    path.unlink()
    with holders(path) as process:
        turn.look()
        assert not turn.ours
        assert connection.told == [None, "hold"]
        assert turn.status == f"standby for pid {process.pid}"
    wait_until(lambda: turn.ours, "the turn")
    turn.end()


def test_who_cannot_look_for_whom_it_stands_by_says_why(path: Path) -> None:
    with holders(path):
        turn = Turn(path)
        # In one go: its thread makes the file where there is none.
        path.with_name("other").symlink_to(path.parent)
        path.with_name("other").replace(path)
        assert turn.status == f"standby: {path}: Is a directory"
        path.unlink()
    wait_until(lambda: turn.ours, "the turn")
    turn.end()


def test_where_there_can_be_no_lock_it_says_why_and_answers_once_there_can(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lock"
    turn = Turn(path)
    assert not turn.ours
    assert turn.status == f"standby: {path}: No such file or directory"
    path.parent.mkdir()
    wait_until(lambda: turn.ours, "the turn")
    assert turn.status == "active"
    turn.end()


@contextmanager
def full_disk() -> Iterator[None]:
    """No file grows meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_where_the_disk_is_full_it_answers_all_the_same(path: Path) -> None:
    with full_disk():
        turn = Turn(path)
        ours, status = turn.ours, turn.status
    assert (ours, status) == (True, "active")
    assert holder(path) == 0
    turn.end()


def test_a_file_that_is_taken_away_while_the_disk_is_full_comes_again(path: Path) -> None:
    turn, connection = Turn(path), Connection()
    turn.add(connection)
    path.unlink()
    with full_disk():
        turn.look()
        turn.look()
    turn.look()
    assert turn.ours
    assert "hold" not in connection.told
    turn.end()
    assert holder(path) is None
