# SPDX-License-Identifier: Apache-2.0
"""Locks between real processes."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from ovs_dhcpd.controller.switch.held import checksum
from ovs_dhcpd.controller.switch.lock import Lock, holder

from tests.lab.process import wait_until
from tests.unit.switch.processes import NOTED, holders, owner


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ovs-dhcpd.br-int.lock"


def noted(lock: Lock) -> int:
    found = lock.noted()
    assert found
    return found.checksum


def test_only_a_locked_pidfile_is_a_running_daemon(path: Path) -> None:
    assert holder(path) is None
    with owner(path) as process:
        assert holder(path) == process.pid
    assert path.exists()
    assert holder(path) is None


def test_who_has_our_lock_is_known_by_its_pid(path: Path) -> None:
    with holders(path) as process:
        assert holder(path) == process.pid
        assert path.read_bytes().splitlines()[0].strip() == str(process.pid).encode()
    assert holder(path) is None


def test_to_look_takes_nothing_from_who_has_it(path: Path) -> None:
    lock = Lock(path)
    assert lock.take(wait=False)
    assert holder(path)
    other = Lock(path)
    assert not other.take(wait=False)
    other.close()
    assert holder(path)
    lock.close()
    assert holder(path) is None


def test_who_waits_gets_it_when_the_holder_is_killed(path: Path) -> None:
    lock = Lock(path)
    with holders(path) as process:
        assert not lock.take(wait=False)
        took: list[float] = []

        def take() -> None:
            lock.take(wait=True)
            took.append(time.monotonic())

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        time.sleep(0.1)
        assert not took
        process.kill()
        process.wait()
        ended_s = time.monotonic()
        thread.join(10)
        print(f"taken {(took[0] - ended_s) * 1000:.1f} ms after the end was known")
    assert noted(lock) == checksum(NOTED)


def test_who_waits_is_seen(path: Path) -> None:
    lock = Lock(path)
    assert lock.take(wait=False)
    assert not lock.is_waited_for
    with holders(waits_for=path):
        wait_until(lambda: lock.is_waited_for, "it to be seen")
    assert not lock.is_waited_for


def test_two_that_wait_for_each_other_are_no_deadlock(tmp_path: Path) -> None:
    """Each has one bridge: the kernel would refuse this to locks as those on pidfiles."""
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    lock, waiting = Lock(mine), Lock(theirs)
    assert lock.take(wait=False)
    with holders(theirs, waits_for=mine) as process:
        wait_until(lambda: lock.is_waited_for, "the other one to wait")
        thread = threading.Thread(target=lambda: waiting.take(wait=True), daemon=True)
        thread.start()
        process.kill()
        thread.join(10)
    assert not thread.is_alive()
    assert holder(theirs)


def test_a_file_that_was_taken_away_is_noticed(path: Path) -> None:
    lock = Lock(path)
    assert lock.is_in_place
    path.unlink()
    assert not lock.is_in_place
    path.touch()
    assert not lock.is_in_place


def test_before_anything_was_noted_there_is_nothing(path: Path) -> None:
    lock = Lock(path)
    assert lock.take(wait=False)
    assert lock.noted() is None
    before_s = time.monotonic()
    lock.note(b"a packet-in")
    found = lock.noted()
    assert found
    assert found.checksum == checksum(b"a packet-in")
    assert before_s <= found.time_s <= time.monotonic()


def test_where_there_is_no_place_for_a_lock_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Lock(tmp_path / "nowhere" / "lock")


def test_nobody_else_may_lock_it(path: Path) -> None:
    Lock(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
