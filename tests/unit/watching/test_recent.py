# SPDX-License-Identifier: Apache-2.0
"""Who reads the last exchanges gets each once, in order, or hears how many it has missed."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.responders.exchange import Exchange, Read
from ovs_dhcpd.controller.responders.verdict import Reason, Silence
from ovs_dhcpd.controller.watching.recent import AT_ONCE, KEPT, MAX_SIZE, Recent

READ = Read("br-int", 0.0, 0.0)


def recent(count: int) -> Recent:
    found = Recent()
    for number in range(count):
        found.add([Exchange(b"%d" % number, Silence(Reason.DNS), READ)])
    return found


def numbers(exchanges: tuple[Exchange, ...]) -> list[int]:
    return [int(exchange.message) for exchange in exchanges]


def test_a_reader_begins_with_what_comes_next() -> None:
    reading = recent(3).read(None)
    assert (reading.next, reading.exchanges, reading.missed) == (3, (), 0)


def test_each_is_read_once_and_in_order() -> None:
    found = recent(AT_ONCE + 2)
    first = found.read(0)
    assert numbers(first.exchanges) == [*range(AT_ONCE)]
    second = found.read(first.next)
    assert numbers(second.exchanges) == [AT_ONCE, AT_ONCE + 1]
    assert found.read(second.next).exchanges == ()


def test_a_slow_reader_is_told_how_many_it_has_missed() -> None:
    reading = recent(KEPT + 7).read(0)
    assert (reading.missed, reading.first, numbers(reading.exchanges)[0]) == (7, 7, 7)


def test_of_great_packets_fewer_are_kept() -> None:
    found = Recent()
    great = Exchange(bytes(MAX_SIZE // 8), Silence(Reason.DNS), READ)
    for _ in range(2):
        found.add([great] * 20)
        reading = found.read(0)
        assert (len(reading.exchanges), reading.missed + 8) == (8, reading.next)
        found.forget()


def test_what_was_not_kept_is_missed() -> None:
    found = recent(5)
    found.forget()
    assert found.read(2) == (5, (), 3)


def test_who_would_rather_miss_some_gets_the_last() -> None:
    reading = recent(KEPT + 7).read(7, last=3)
    assert (reading.missed, numbers(reading.exchanges)) == (
        KEPT - 3,
        [KEPT + 4, KEPT + 5, KEPT + 6],
    )
    assert recent(3).read(1, last=9).missed == 0
    assert recent(3).read(0, last=0) == (3, (), 3)


@pytest.mark.parametrize("number", [6, 10**30])
def test_a_number_of_another_daemon_begins_anew(number: int) -> None:
    assert recent(5).read(number) == (5, (), 0)
