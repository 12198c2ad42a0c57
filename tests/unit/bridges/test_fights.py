# SPDX-License-Identifier: Apache-2.0
"""How often what somebody else damages is repaired."""

from __future__ import annotations

from ovs_dhcpd.controller.bridges.fights import Fights


def repairs(period_s: float, until_s: float) -> list[float]:
    """When a thing is repaired that is damaged anew `period_s` after each repair."""
    fights: Fights[str] = Fights()
    now_s, done = 0.0, []
    while now_s < until_s:
        fights.end(now_s, {"flow"})
        if fights.may_repair("flow", now_s):
            fights.repaired("flow", "flow", now_s)
            done.append(now_s)
            now_s += period_s
            fights.end(now_s, ())  # as long as it was well
        else:
            next_s = fights.next_s(now_s)
            assert next_s
            now_s = next_s
    return done


def test_who_goes_on_is_answered_ever_more_seldom() -> None:
    assert repairs(0.2, 300) == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]


def test_who_leaves_it_alone_for_long_begins_anew() -> None:
    assert repairs(2.0, 20) == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]


def test_what_goes_on_is_told_until_it_is_over() -> None:
    fights: Fights[str] = Fights()
    fights.repaired("flow", "the flow", 0)
    assert [*fights.going_on()] == []
    fights.repaired("flow", "the flow", 1)
    ((told),) = fights.going_on()
    assert (told.name, told.times, told.delay_s) == ("the flow", 2, 2)
    assert fights.next_s(1) == 3
    assert fights.next_s(3) == 5
    fights.end(4.9, ())
    assert [*fights.going_on()] == [told]
    fights.end(5, ())
    assert [*fights.going_on()] == []
    assert fights.next_s(5) is None
