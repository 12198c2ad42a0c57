# SPDX-License-Identifier: Apache-2.0
"""How often a line may be logged."""

from __future__ import annotations

from ovs_dhcpd.controller.switch.line_limit import LineLimit


def test_tokens_come_back_at_the_rate_and_up_to_the_burst() -> None:
    limit = LineLimit(2, 3)
    assert [limit.admit(10.0) for _ in range(5)] == [0, 0, 0, None, None]
    assert [limit.admit(10.5) for _ in range(2)] == [2, None]
    assert [limit.admit(100.0) for _ in range(4)] == [1, 0, 0, None]


def test_what_was_dropped_is_said_behind_the_next_line() -> None:
    limit = LineLimit(1, 1)
    assert [limit.line("text", now_s) for now_s in (1.0, 1.0, 1.0, 2.0, 3.0)] == [
        *("text", None, None),
        *("text (dropped 2 log messages like this)", "text"),
    ]


def test_what_is_not_written_for_another_reason_is_counted_too() -> None:
    limit = LineLimit(1, 1)
    limit.drop()
    assert limit.line("text", 1.0) == "text (dropped 1 log messages like this)"
