# SPDX-License-Identifier: Apache-2.0
"""When a file that changes is taken: times are arguments here."""

from __future__ import annotations

import os
from pathlib import Path

from ovs_dhcpd.controller.sources.stillness import LONG_S, STILL_S, Stillness, read_stamps

OLD, NEW, NEWER = ((1, 1, 1, 1),), ((2, 2, 2, 1),), ((3, 3, 3, 1),)


def test_what_has_not_changed_is_not_taken_again() -> None:
    files = Stillness(OLD)
    assert not files.ripe(OLD, 1000.0)
    assert files.wait_s(1000.0) is None


def test_what_has_changed_is_taken_once_it_is_still() -> None:
    files = Stillness(OLD)
    assert not files.ripe(NEW, 1.0)
    assert files.wait_s(1.125) == STILL_S - 0.125
    assert not files.ripe(NEWER, 1.2)  # it goes on
    assert not files.ripe(NEWER, 1.2 + STILL_S - 0.01)
    assert files.ripe(NEWER, 1.2 + STILL_S)
    files.take(NEWER)
    assert not files.ripe(NEWER, 2.0)


def test_what_changed_while_it_was_read_is_not_taken() -> None:
    files = Stillness(OLD)
    files.ripe(NEW, 1.0)
    assert files.ripe(NEW, 2.0)  # it is read, and looks like NEWER then: nobody calls take()
    assert not files.ripe(NEWER, 2.1)
    assert files.ripe(NEWER, 2.1 + STILL_S)


def test_a_file_that_is_missing_for_a_moment_is_no_change() -> None:
    files = Stillness(OLD)
    assert not files.ripe((None,), 1.0)
    assert not files.ripe(OLD, 1.1)
    assert files.wait_s(1.1) is None


def test_who_never_stops_changing_them_is_told_so_once() -> None:
    files = Stillness(OLD)
    told = []
    for tick in range(200):  # 0.1 s each
        assert not files.ripe(((tick, tick, tick, 2),), tick / 10)
        if files.restless(tick / 10):
            told.append(tick / 10)
    assert told == [LONG_S]


def test_a_change_that_hides_its_mtime_is_one(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("old")
    os.utime(file, ns=(1, 1))
    before = read_stamps([file, tmp_path / "no"])
    assert before[1] is None
    file.write_text("new")
    os.utime(file, ns=(1, 1))
    assert read_stamps([file, tmp_path / "no"]) != before
