# SPDX-License-Identifier: Apache-2.0
"""When unsolicited router advertisements are sent (RFC 4861 §6.2.1, §6.2.4)."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.bridges.ra_schedule import Advertisement, RaSchedule
from ovs_dhcpd.flows.bindings.network import Network, Ra

from tests.lab import nd
from tests.lab.packets6 import mac_bytes
from tests.unit.advertisement import MESSAGE, ROUTER_LLA, ROUTER_MAC

SELDOM = Advertisement(5, b"frame", 200.0, 600.0)
OFTEN = Advertisement(5, b"frame", 3.0, 4.0)


def longest(shortest_s: float, longest_s: float) -> float:
    return longest_s


def sent(schedule: RaSchedule, until_s: float) -> list[tuple[float, Advertisement]]:
    """What is sent, and when, by one who looks exactly when there is something."""
    log = []
    while (now_s := schedule.next_s()) is not None and now_s <= until_s:
        log += [(now_s, advertisement) for advertisement in schedule.due(now_s)]
    return log


def times(schedule: RaSchedule, until_s: float) -> list[float]:
    return [now_s for now_s, _ in sent(schedule, until_s)]


def test_nothing_is_due_without_a_port() -> None:
    schedule = RaSchedule(longest)
    assert schedule.next_s() is None
    assert schedule.due(1e9) == []


def test_the_first_three_are_quick_and_then_it_is_the_interval() -> None:
    schedule = RaSchedule(longest)
    schedule.want("vm1", SELDOM, 100.0)
    # First within 3 s, then at most 16 s apart until three are sent.
    assert times(schedule, 2000) == [103, 119, 135, 735, 1335, 1935]


@given(st.integers(0, 2**32), st.floats(3, 1350), st.floats(0, 450))
def test_the_delays_are_random_within_the_bounds(seed: int, min_s: float, more_s: float) -> None:
    advertisement = Advertisement(1, b"", min_s, max(4.0, min_s + more_s))
    schedule = RaSchedule(random.Random(seed).uniform)
    schedule.want("vm1", advertisement, 0.0)
    at = times(schedule, 20 * advertisement.max_s)
    delays = [later - earlier for earlier, later in pairwise(at)]
    assert 0 <= at[0] <= 3
    assert all(3 - 1e-6 <= delay <= 16 + 1e-6 for delay in delays[:2])
    assert all(
        advertisement.min_s - 1e-6 <= delay <= advertisement.max_s + 1e-6 for delay in delays[2:]
    )


def test_a_delay_is_never_less_than_three_seconds() -> None:
    # What RFC 4861 has by default for 9 seconds: 0.33 of it.
    schedule = RaSchedule(lambda shortest_s, longest_s: shortest_s)
    schedule.want("vm1", Advertisement(1, b"", 2.97, 9.0), 0.0)
    assert times(schedule, 13) == [0, 3, 6, 9, 12]


def test_ports_are_not_sent_theirs_at_once() -> None:
    schedule = RaSchedule(random.Random(1).uniform)
    for number in range(100):
        schedule.want(f"vm{number}", replace(SELDOM, ofport=number), 0.0)
    log = sent(schedule, 3.0)
    assert sorted(advertisement.ofport for _, advertisement in log) == list(range(100))
    assert len({now_s for now_s, _ in log}) == 100


def test_a_port_that_goes_is_sent_nothing_more() -> None:
    schedule = RaSchedule(longest)
    schedule.want("vm1", SELDOM, 0.0)
    schedule.want("vm2", OFTEN, 0.0)
    schedule.want("vm1", None, 1.0)
    assert {advertisement for _, advertisement in sent(schedule, 50)} == {OFTEN}
    schedule.want("vm2", None, 50.0)
    assert schedule.due(1e9) == []
    assert schedule.next_s() is None


def test_a_port_that_comes_back_at_another_number_begins_anew_there() -> None:
    schedule = RaSchedule(longest)
    schedule.want("vm1", SELDOM, 0.0)
    sent(schedule, 700)
    schedule.want("vm1", None, 700.0)
    moved = replace(SELDOM, ofport=9)
    schedule.want("vm1", moved, 701.0)
    assert sent(schedule, 740) == [(704, moved), (720, moved), (736, moved)]


def test_wanting_the_same_again_changes_nothing() -> None:
    schedule = RaSchedule(longest)
    schedule.want("vm1", SELDOM, 0.0)
    schedule.want("vm1", SELDOM, 2.0)
    assert times(schedule, 40) == [3, 19, 35]
    schedule.want("vm1", SELDOM, 36.0)
    assert times(schedule, 700) == [635]


def test_a_change_is_told_soon_but_not_within_three_seconds() -> None:
    schedule = RaSchedule(lambda shortest_s, longest_s: shortest_s)
    schedule.want("vm1", SELDOM, 0.0)
    assert times(schedule, 1) == [0]
    changed = replace(SELDOM, frame=b"other")
    schedule.want("vm1", changed, 1.0)
    again = replace(SELDOM, frame=b"yet another")
    schedule.want("vm1", again, 2.0)
    assert sent(schedule, 20) == [(3, again), (19, again)]


def test_who_looks_late_is_not_sent_what_was_missed() -> None:
    schedule = RaSchedule(longest)
    schedule.want("vm1", OFTEN, 0.0)
    assert schedule.due(1000.0) == [OFTEN]
    assert schedule.next_s() == 1004.0


@pytest.mark.parametrize("interval", [None, (200.0, 600.0)])
def test_a_network_is_advertised_if_it_says_how_often(interval: tuple[float, float] | None) -> None:
    ra = Ra(MESSAGE, mac_bytes(ROUTER_MAC), interval)
    network = Network("n", None, (), False, ra=ra)
    frame = nd.icmp6(
        MESSAGE, eth_src=ROUTER_MAC, eth_dst=nd.ALL_NODES_MAC,
        ip_src=ROUTER_LLA, ip_dst=nd.ALL_NODES,
    )  # fmt: skip
    expected = Advertisement(7, frame, 200.0, 600.0) if interval else None
    assert Advertisement.of(network, 7) == expected
    assert Advertisement.of(replace(network, ra=None), 7) is None
