# SPDX-License-Identifier: Apache-2.0
"""A thousand hosts that lose a server at one time, and when each of them calls the next one."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from ovs.reconnect import CONNECT, Reconnect
from ovs_dhcpd.controller.ovsdb.idl import Idl
from ovs_dhcpd.controller.ovsdb.open_vswitch import SCHEMA
from ovs_dhcpd.controller.ovsdb.spread import SPREAD_MS, SpreadReconnect

HOSTS, START_MS, LOST_MS = 1000, 1000, 60_000
REFUSED = 111  # ECONNREFUSED
MOST = HOSTS * 1000 // SPREAD_MS * 3 // 2  # in one second, where 200 are expected


def host(seed: int, remote: str = "tcp:10.1.0.1:6641", servers: int = 3) -> SpreadReconnect:
    """A host that has long been connected."""
    reconnect = SpreadReconnect(START_MS, random.Random(seed).randrange)
    reconnect.set_name(remote)
    reconnect.set_quiet(True)
    reconnect.set_backoff_free_tries(servers)
    reconnect.enable(START_MS)
    reconnect.connected(START_MS)
    reconnect.activity(LOST_MS)
    return reconnect


def calls_ms(reconnect: Reconnect, now_ms: int) -> int:
    """When it calls a server."""
    wait_ms = reconnect.timeout(now_ms)
    assert wait_ms is not None
    assert wait_ms == 0 or reconnect.run(now_ms + wait_ms - 1) is None
    assert reconnect.run(now_ms + wait_ms) == CONNECT
    return int(now_ms + wait_ms)


def at_once(times_ms: list[int]) -> int:
    """How many calls there are in the second that has the most of them."""
    return max(Counter(time_ms // 1000 for time_ms in times_ms).values())


@pytest.mark.parametrize("told_to_go", [False, True])
def test_who_loses_a_server_calls_the_next_at_a_time_of_its_own(told_to_go: bool) -> None:
    """Told to go: by a server that has lost its cluster."""
    times_ms = []
    for seed in range(HOSTS):
        reconnect = host(seed)
        if told_to_go:
            reconnect.force_reconnect(LOST_MS)
        reconnect.disconnected(LOST_MS, 0)
        times_ms.append(calls_ms(reconnect, LOST_MS))
    assert at_once(times_ms) < MOST
    assert max(times_ms) - LOST_MS < SPREAD_MS


def test_while_no_server_is_there_they_stay_apart() -> None:
    attempts: dict[int, list[int]] = {}
    for seed in range(HOSTS):
        reconnect = host(seed)
        now_ms = LOST_MS
        reconnect.disconnected(now_ms, 0)
        for attempt in range(8):
            now_ms = calls_ms(reconnect, now_ms)
            attempts.setdefault(attempt, []).append(now_ms)
            reconnect.connect_failed(now_ms, REFUSED)
    assert [attempt for attempt, each in attempts.items() if at_once(each) >= MOST] == []
    waits = [later - sooner for sooner, later in zip(attempts[6], attempts[7], strict=True)]
    assert min(waits) >= 4000
    assert max(waits) <= 8000


def test_a_server_that_is_not_there_delays_nobody_at_the_start() -> None:
    reconnect = SpreadReconnect(START_MS)
    reconnect.set_name("tcp:10.1.0.1:6641")
    reconnect.set_backoff_free_tries(2)
    reconnect.enable(START_MS)
    assert calls_ms(reconnect, START_MS) == START_MS
    reconnect.connect_failed(START_MS, REFUSED)
    assert calls_ms(reconnect, START_MS) == START_MS


def test_a_server_that_has_no_database_delays_nobody_either() -> None:
    """It tells its clients to go; those who had it for long go one after the other."""
    reconnect = host(0)
    reconnect.disconnected(LOST_MS, 0)
    now_ms = calls_ms(reconnect, LOST_MS)
    reconnect.connected(now_ms)
    reconnect.set_backoff_free_tries(2)
    reconnect.force_reconnect(now_ms + 10)
    reconnect.disconnected(now_ms + 10, 0)
    assert calls_ms(reconnect, now_ms + 10) == now_ms + 10


def test_a_server_of_this_host_is_called_as_ever() -> None:
    for seed in range(20):
        reconnect = host(seed, "unix:/var/run/openvswitch/db.sock", servers=1)
        reconnect.disconnected(LOST_MS, 0)
        assert calls_ms(reconnect, LOST_MS) == LOST_MS + 1000


def test_each_host_has_an_order_of_its_own_and_its_own_times() -> None:
    remotes = [f"tcp:192.0.2.{number}:6641" for number in (1, 2, 3)]
    replicas = [Idl(",".join(remotes), SCHEMA, leader_only=False) for _ in range(100)]
    assert {replica.session_name() for replica in replicas} == {*remotes}
    assert {type(replica._session.reconnect) for replica in replicas} == {SpreadReconnect}
