# SPDX-License-Identifier: Apache-2.0
"""How often a line may be logged."""

from __future__ import annotations

from ovs_dhcpd.controller.switch.rate_limit import RateLimit, dropped_lines


def test_tokens_come_back_at_the_rate_and_up_to_the_burst() -> None:
    limit = RateLimit(2, 3)
    assert [limit.admit(10.0) for _ in range(5)] == [0, 0, 0, None, None]
    assert [limit.admit(10.5) for _ in range(2)] == [2, None]
    assert [limit.admit(100.0) for _ in range(4)] == [1, 0, 0, None]


def test_what_was_dropped_is_said_behind_the_next_line() -> None:
    assert dropped_lines(0) == ""
    assert dropped_lines(2) == " (dropped 2 log messages like this)"
