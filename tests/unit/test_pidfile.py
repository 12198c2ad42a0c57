# SPDX-License-Identifier: Apache-2.0
"""A pidfile that has been deleted; that it is locked, tests/unit/test_control.py asks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ovs_dhcpd.controller.pidfile import Pidfile


def test_it_is_made_only_where_nothing_is(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("another's\n")
    pidfile = Pidfile(path)
    assert not pidfile.restore()
    assert path.read_text() == "another's\n"
    path.unlink()
    assert pidfile.restore()
    assert path.read_text() == f"{os.getpid()}\n"
    assert not pidfile.restore()
    assert [*tmp_path.iterdir()] == [path]


def test_without_its_directory_it_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Pidfile(tmp_path / "gone" / "pid").restore()
