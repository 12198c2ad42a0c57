# SPDX-License-Identifier: Apache-2.0
"""What is mended of python-ovs's log; tests/unit/test_control.py has its commands."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime, timezone

import ovs.vlog
import pytest
from ovs_dhcpd.controller import log


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [(0, "31.000"), (999, "31.000"), (5_000, "31.005"), (97_123, "31.097"), (976_543, "31.976")],
)
def test_a_fraction_of_a_second_has_all_its_digits(microsecond: int, text: str) -> None:
    now = datetime(2026, 11, 24, 13, 32, 31, microsecond, timezone.utc)
    assert log.show_time(now, "%Y-%m-%dT%H:%M:%S.###Z") == f"2026-11-24T13:32:{text}Z"


def test_without_a_layout_it_is_that_of_iso_8601() -> None:
    now = datetime(2026, 11, 24, 13, 32, 31, 97_000, timezone.utc)
    assert log.show_time(now, None) == "2026-11-24T13:32:31"


def test_a_line_has_the_time_where_its_pattern_says() -> None:
    line = log._format_time(log.vlog, "<%D{%S.###}>|%m")
    assert re.fullmatch(r"< \d\d\.\d{3} >\|%m", line)
    assert log._format_time(log.vlog, "|%m") == "|%m"


@pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning")
@pytest.mark.parametrize("words", [["FACILITY"], ["pattern:file:%D{\ud800}"], ["dhcp:nothing"]])
def test_what_is_not_understood_changes_no_pattern(words: list[str]) -> None:
    before = dict(ovs.vlog.PATTERNS)
    with pytest.raises(ValueError):  # noqa: PT011
        log.set_levels(["pattern:file:%m", *words])
    assert before == ovs.vlog.PATTERNS


def test_modules_that_log_and_are_imported_late_are_known() -> None:
    program = """
import sys
sys.modules["eventlet"] = None
from ovs.vlog import Vlog
from ovs_dhcpd.controller import connections, log
from ovs_dhcpd.controller.commands import run_command
import ovs.daemon
before = {*Vlog._Vlog__mfl}
from ovs_dhcpd.controller import daemon
from ovs_dhcpd.controller.onlookers import hook, hosts_file
from ovs_dhcpd.controller.http import port as http_port
from ovs_dhcpd.controller.sources import files, northbound
from ovs_dhcpd.controller.switch import listener
print(*sorted({*Vlog._Vlog__mfl} - before))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == sorted(log.LATE_MODULES)


def test_a_module_that_is_imported_late_logs_at_the_level_that_was_set() -> None:
    program = """
from ovs.vlog import Vlog
from ovs_dhcpd.controller import log
log.admit_late_modules()
Vlog.init()
log.set_levels(["any:console:off", "bridge:console:dbg"])
for name in ("bridge", "idl"):
    Vlog(name).dbg(f"of {name}")
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    assert "of bridge" in done.stderr
    assert "of idl" not in done.stderr
