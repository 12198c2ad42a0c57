# SPDX-License-Identifier: Apache-2.0
"""Lines for systemd's journal, and only for it."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ovs_dhcpd.controller import journald

PROGRAM = """
import sys
from ovs.vlog import Vlog
from ovs_dhcpd.controller import log
vlog = Vlog("test")
Vlog.init()
for destination in ("file", "syslog"):
    Vlog.set_level("any", destination, "off")
print(log.write_to_the_journal())
vlog.info("information")
vlog.warn("a warning\\nof two lines")
try:
    1 / 0
except ZeroDivisionError:
    vlog.exception("a fault")
"""


def test_the_journal_is_what_the_manager_says_it_is(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as file:
        found = os.fstat(file.fileno())
        stream = {journald.STREAM: f"{found.st_dev}:{found.st_ino}"}
        assert journald.is_there(stream, file.fileno())
        assert not journald.is_there({}, file.fileno())
        assert not journald.is_there({journald.STREAM: f"{found.st_dev}:1"}, file.fileno())
        closed = file.fileno()
    assert not journald.is_there(stream, closed)


@pytest.mark.parametrize(
    ("level", "text"),
    [
        (logging.CRITICAL, "<2>a\n<2>b"),
        (logging.ERROR, "<3>a\n<3>b"),
        (logging.WARNING, "<4>a\n<4>b"),
        (logging.INFO, "<6>a\n<6>b"),
        (logging.DEBUG, "<7>a\n<7>b"),
    ],
)
def test_each_line_says_how_bad_it_is(level: int, text: str) -> None:
    assert journald.marked("a\nb", level) == text


def run(path: Path, environment: dict[str, str]) -> tuple[str, list[str]]:
    """What PROGRAM says of its standard error, which is ``path``, and what it writes there."""
    with path.open("w") as file:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            check=True,
        )
    return done.stdout, path.read_text().splitlines()


def test_the_log_in_the_journal_has_priorities_and_no_time(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.touch()
    stream = {journald.STREAM: f"{path.stat().st_dev}:{path.stat().st_ino}"}
    said, lines = run(path, stream)
    assert said == "True\n"
    assert lines[:4] == [
        "<6>test | INFO | information",
        "<4>test | WARN | a warning",
        "<4>of two lines",
        "<3>test | ERR | a fault",
    ]
    assert lines[4] == "<3>Traceback (most recent call last):"
    assert all(line.startswith("<3>") for line in lines[4:])
    assert lines[-1] == "<3>ZeroDivisionError: division by zero"


def test_elsewhere_the_log_is_open_vswitchs(tmp_path: Path) -> None:
    said, lines = run(tmp_path / "file", {journald.STREAM: ""})
    assert said == "False\n"
    assert re.match(r" ?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lines[0])
