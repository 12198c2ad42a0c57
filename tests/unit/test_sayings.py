# SPDX-License-Identifier: Apache-2.0
"""What a bridge has said in the log, and what not any more."""

from __future__ import annotations

from ovs_dhcpd.controller.sayings import MAX_LINES, Sayings


def test_while_a_bridge_does_not_get_ready_each_line_is_said_once() -> None:
    sayings = Sayings()
    assert sayings.admit("info", "connected", 1.0)
    assert sayings.admit("info", "2 flows of ours are there", 1.0)
    assert sayings.failed()
    for _ in range(9):
        assert not sayings.admit("info", "connected", 1.0)
        assert not sayings.admit("info", "30 flows of ours are there", 1.0)
        assert not sayings.failed()
    assert sayings.admit("warn", "something else", 1.0) == "something else"
    sayings.ready()
    assert sayings.admit("info", "connected", 1.0)
    assert sayings.failed()


def test_other_lines_do_not_go_on_for_ever() -> None:
    sayings = Sayings()
    sayings.failed()
    lines = [chr(ord("a") + number // 26) + chr(ord("a") + number % 26) for number in range(500)]
    assert sum(sayings.admit("info", line, 1.0) is not None for line in lines) == MAX_LINES


def test_lines_have_a_rate_for_each_level() -> None:
    sayings = Sayings()
    said = [sayings.admit("warn", "the switch reports what", 1.0) for _ in range(20_000)]
    assert said == ["the switch reports what"] * 10 + [None] * 19_990
    assert sayings.admit("info", "ready", 1.0) == "ready"
    again = sayings.admit("warn", "the switch reports what", 2.0)
    assert again == "the switch reports what (dropped 19990 log messages like this)"
