# SPDX-License-Identifier: Apache-2.0
"""Questions to a switch about what it has counted, and whose answer is whose."""

from __future__ import annotations

from ovs_dhcpd.controller.bridges.counting import MAX_OPEN, Counting
from ovs_dhcpd.controller.wire.events import FlowStats
from ovs_dhcpd.controller.wire.flow_stats import FlowCounts, flow_stats_request
from ovs_dhcpd.controller.wire.openflow import OFP15

ONE, TWO = (FlowCounts(packets, 1.0, None) for packets in (1, 2))


def test_each_gets_its_own_answer_once_and_whole() -> None:
    counting = Counting()
    first, question = counting.ask(OFP15, 7)
    second, _ = counting.ask(OFP15)
    assert question == flow_stats_request(OFP15, first, 7)
    counting.heard(FlowStats(second, {1: ONE}, True))
    counting.heard(FlowStats(first, {}, False))
    assert (counting.answer(first), counting.answer(second)) == ({}, None)
    counting.heard(FlowStats(second, {2: TWO}, False))
    assert counting.answer(second) == {1: ONE, 2: TWO}
    assert counting.answer(second) is None


def test_nobody_has_asked_for_it_or_the_connection_has_ended() -> None:
    counting = Counting()
    number, _ = counting.ask(OFP15)
    counting.heard(FlowStats(number + 1, {1: ONE}, False))
    assert counting.answer(number + 1) is None
    counting.forget()
    counting.heard(FlowStats(number, {1: ONE}, False))
    assert counting.answer(number) is None


def test_who_asks_and_never_takes_the_answer_costs_no_more_than_others() -> None:
    counting = Counting()
    numbers = [counting.ask(OFP15)[0] for _ in range(MAX_OPEN + 1)]
    for number in numbers:
        counting.heard(FlowStats(number, {1: ONE}, False))
    answered = [number for number in numbers if counting.answer(number)]
    assert answered == numbers[1:]
