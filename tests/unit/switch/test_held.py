# SPDX-License-Identifier: Apache-2.0
"""Which packet-ins are still to be answered, and which another process has answered."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.switch.held import HOLD_MAX, HOLD_S, LAG_S, Held, Mark, checksum

NOW_S = 1000.0
FIRST, SECOND, THIRD = (bytes(8) + name for name in (b"first", b"second", b"third"))


def mark(message: bytes, answered_s: float) -> Mark:
    return Mark(answered_s, checksum(message))


def held(*messages: bytes, since_s: float = 0.0) -> Held:
    """These came one after the other, the last of them now."""
    held = Held(since_s)
    for before, message in enumerate(reversed(messages)):
        held._held.appendleft((NOW_S - before * 0.01, message))
    return held


def test_what_has_come_since_the_last_answer_is_to_be_answered() -> None:
    messages = (FIRST, SECOND, THIRD)
    for at, answered in enumerate(messages):
        left = held(*messages).take_unanswered(mark(answered, NOW_S), NOW_S)
        assert left == list(messages[at + 1 :])


def test_all_is_to_be_answered_if_nothing_was() -> None:
    assert held(FIRST, SECOND).take_unanswered(None, NOW_S) == [FIRST, SECOND]
    assert held(FIRST, SECOND).take_unanswered(mark(THIRD, NOW_S - 1), NOW_S) == [FIRST, SECOND]


def test_what_is_taken_is_taken_once() -> None:
    both = held(FIRST, SECOND)
    both.take_unanswered(None, NOW_S)
    assert both.take_unanswered(None, NOW_S) == []


def test_the_header_does_not_count() -> None:
    other = b"\x04" + FIRST[1:]
    assert held(FIRST, SECOND).take_unanswered(mark(other, NOW_S), NOW_S) == [SECOND]


@pytest.mark.parametrize("answered_s", [NOW_S - 1.0, NOW_S])
def test_of_equal_ones_that_was_answered_which_came_then(answered_s: float) -> None:
    both = Held(0.0)
    both.add(FIRST, NOW_S - 1.001)
    both.add(FIRST, NOW_S - 0.001)
    left = both.take_unanswered(mark(FIRST, answered_s), NOW_S)
    assert left == ([FIRST] if answered_s < NOW_S else [])


def test_an_equal_one_that_came_much_later_was_not_answered() -> None:
    both = Held(0.0)
    both.add(FIRST, NOW_S)
    assert both.take_unanswered(mark(FIRST, NOW_S - LAG_S), NOW_S) == [FIRST]


def test_what_is_too_old_is_held_no_longer() -> None:
    both = Held(0.0)
    both.add(FIRST, NOW_S - HOLD_S - 0.1)
    both.add(SECOND, NOW_S)
    assert len(both._held) == 1
    assert both.take_unanswered(None, NOW_S + HOLD_S + 0.1) == []


def test_no_more_than_so_many_are_held() -> None:
    many = Held(0.0)
    for number in range(HOLD_MAX + 5):
        many.add(bytes(8) + number.to_bytes(4, "big"), NOW_S)
    left = many.take_unanswered(None, NOW_S)
    assert len(left) == HOLD_MAX
    assert left[0] == bytes(8) + b"\0\0\0\5"


def test_what_was_answered_just_now_is_waited_for_if_it_can_come() -> None:
    assert not held(FIRST).has_heard(mark(SECOND, NOW_S), NOW_S)
    assert held(FIRST, SECOND).has_heard(mark(SECOND, NOW_S), NOW_S)
    assert held(FIRST).has_heard(None, NOW_S)
    assert held(FIRST).has_heard(mark(SECOND, NOW_S - HOLD_S - 0.1), NOW_S)
    assert held(since_s=NOW_S).has_heard(mark(SECOND, NOW_S - 0.1), NOW_S)
