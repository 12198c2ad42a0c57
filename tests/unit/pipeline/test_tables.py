# SPDX-License-Identifier: Apache-2.0
"""Where packets go: all flows against the rows of the tables, and no packet in a circle.

A packet is followed by what is known of it: bits of fields, from the matches of the flows that
it has met and from what they set.  Whatever flow it may meet, by that, it meets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_address

import pytest
from ovs_dhcpd.flows.pipeline import build as pipeline
from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.flow import Field, Flow, Is, Load, Move, Pause, Resubmit
from ovs_dhcpd.flows.pipeline.guard import PASSED
from ovs_dhcpd.flows.pipeline.logical_flow import (
    DHCP_ANSWERED,
    FIRST_TIME,
    RA_ANSWERED,
    SEEN,
    LogicalFlow,
)
from ovs_dhcpd.flows.pipeline.probe import daemon_flow, probe_flows
from ovs_dhcpd.flows.pipeline.tables import GUARD, GUARD_ND, OPTIONS, RESPONSE, TABLES

from tests.unit.pipeline.networks import NETWORKS

ROWS = {table.number: table for table in TABLES}
PORTS = [(network, port) for network in NETWORKS for port in network.ports]
FLOWS = [
    *pipeline.bridge_flows(),
    *(flow for network in NETWORKS for flow in pipeline.network_flows(network)),
    *(
        flow
        for ofport, (network, port) in enumerate(PORTS, 1)
        for flow in pipeline.port_flows(network, port, ofport)
    ),
    *(flow for address in ("10.0.0.5", "fd00::5") for flow in probe_flows(ip_address(address))),
    *map(daemon_flow, (4, 6)),
]
# What a packet keeps while the controller has it, except for the bits that say what came of it.
KEPT = {f.IN_PORT, f.METADATA, f.REG0, f.ETH_TYPE, f.IP_PROTO}
RESULTS = (DHCP_ANSWERED.mask or 0) | (RA_ANSWERED.mask or 0)

Known = dict[Field, tuple[int, int]]  # of each field the value, in the bits of the mask


def whole(field: Field) -> int:
    return (1 << 8 * field.size) - 1


def meet(flow: Flow, known: Known) -> Known | None:
    """What is known of a packet that the flow matches; None: it cannot match."""
    known = dict(known)
    protocol = [Is(*each) for each in flow.protocol.fields] if flow.protocol else []
    for term in (*protocol, *flow.match):
        value, mask = known.get(term.field, (0, 0))
        new = whole(term.field) if term.mask is None else term.mask
        if (value ^ term.value) & mask & new:
            return None
        known[term.field] = (value | term.value, mask | new)
    return known


def carry_out(flow: Flow, known: Known) -> Iterator[tuple[int, Known]]:
    """The tables that the flow hands a packet to, and what is known of it then."""
    known = dict(known)
    for action in flow.actions:
        if isinstance(action, Load):
            bits = ((1 << action.n_bits) - 1) << action.offset or whole(action.field)
            value, mask = known.get(action.field, (0, 0))
            known[action.field] = (value & ~bits | action.value << action.offset, mask | bits)
        elif isinstance(action, Move):
            known[action.target] = known.get(action.source, (0, 0))
        elif isinstance(action, Pause):
            known = {field: bits for field, bits in known.items() if field in KEPT}
            value, mask = known.get(f.REG0, (0, 0))
            known[f.REG0] = (value & ~RESULTS, mask & ~RESULTS)
        elif isinstance(action, Resubmit):
            yield action.table, dict(known)


def circles(flows: Iterable[Flow]) -> list[list[Flow]]:
    """The ways of a packet that come back to a flow with nothing changed since."""
    by_table: dict[int, list[Flow]] = {}
    for flow in flows:
        by_table.setdefault(flow.table, []).append(flow)
    found: list[list[Flow]] = []

    def follow(table: int, known: Known, way: list[tuple[Flow, Known]]) -> None:
        for flow in by_table.get(table, ()):
            met = meet(flow, known)
            if met is None:
                continue
            if (flow, met) in way:
                found.append([*(each for each, _ in way), flow])
                continue
            for next_table, then in carry_out(flow, met):
                follow(next_table, then, [*way, (flow, met)])

    follow(OPTIONS.number, {}, [])
    return found


def without_mark(flow: Flow) -> Flow:
    return replace(flow, actions=tuple(action for action in flow.actions if action != SEEN))


def test_each_table_has_one_row_and_goes_on_to_tables_that_have_one() -> None:
    assert len(ROWS) == len(TABLES)
    assert {number for table in TABLES for number in table.goes_on_to} <= ROWS.keys()


def test_there_are_flows_of_all_services_in_each_table() -> None:
    assert {flow.table for flow in FLOWS} == ROWS.keys()
    protocols = [f.ARP, f.ICMP6, f.UDP, f.UDP6]
    in_options = {flow.protocol for flow in FLOWS if flow.table == OPTIONS.number}
    assert in_options == {None, *protocols}
    in_response = {flow.protocol for flow in FLOWS if flow.table == RESPONSE.number}
    assert in_response == {None, *protocols} - {f.ARP}


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: f"{flow.cookie:x}")
def test_a_flow_is_in_a_table_that_has_a_row_and_goes_on_where_that_says(flow: Flow) -> None:
    resubmits = {action.table for action in flow.actions if isinstance(action, Resubmit)}
    assert resubmits <= ROWS[flow.table].goes_on_to


def test_each_way_on_that_a_table_has_is_taken() -> None:
    taken = {(flow.table, a.table) for flow in FLOWS for a in flow.actions if type(a) is Resubmit}
    assert taken == {(table.number, number) for table in TABLES for number in table.goes_on_to}


def test_the_stages_of_the_logical_flows_are_those_of_their_tables() -> None:
    lflows: list[LogicalFlow] = []
    for network in NETWORKS:
        lflows += pipeline.network_lflows(network)
    for network, port in PORTS:
        lflows += pipeline.port_lflows(network, port)
    used = {(lflow.stage.table, lflow.stage.name) for lflow in lflows}
    stages = [(table, name) for table in TABLES for name in table.stages]
    assert used == {*stages}
    assert len(used) == len(stages)


def test_no_packet_goes_in_a_circle() -> None:
    assert circles(FLOWS) == []


def test_without_the_mark_each_packet_that_was_paused_would() -> None:
    asking = {flow for flow in FLOWS if any(isinstance(a, Pause) for a in flow.actions)}
    found = circles(map(without_mark, FLOWS))
    assert {flow for way in found for flow in way} >= asking


def test_without_the_mark_each_packet_that_has_passed_the_guard_would() -> None:
    passing = {flow for flow in FLOWS if PASSED in flow.actions}
    unmarked = [
        replace(flow, actions=tuple(each for each in flow.actions if each != PASSED))
        for flow in FLOWS
    ]
    found = circles(unmarked)
    assert len({flow for way in found for flow in way if flow.table == GUARD.number}) > 10
    assert {flow.table for flow in passing} == {GUARD.number, GUARD_ND.number}


def test_a_packet_goes_back_with_the_mark_and_is_not_asked_about_again() -> None:
    in_response = [flow for flow in FLOWS if flow.table == RESPONSE.number]
    back = [flow for flow in in_response if Resubmit(OPTIONS.number) in flow.actions]
    asking = [flow for flow in FLOWS if any(isinstance(a, Pause) for a in flow.actions)]
    assert back
    assert asking
    assert all(SEEN in flow.actions for flow in back)
    assert all(FIRST_TIME.term in flow.match for flow in asking)
