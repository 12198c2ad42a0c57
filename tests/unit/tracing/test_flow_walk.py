# SPDX-License-Identifier: Apache-2.0
"""A packet through flows that are on no bridge; tests/switch has the same on one that is."""

from __future__ import annotations

from ovs_dhcpd.controller.tracing.flow_walk import FlowWalk
from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.flow import (
    UDP,
    UNTAGGED,
    Flow,
    Is,
    Load,
    Move,
    OutputInPort,
    Pause,
    Resubmit,
    tagged,
)

from tests.lab.packets import DISCOVER, request

MAC = "fa:16:3e:00:00:01"
FRAME = request(DISCOVER, MAC)
TAGGED = FRAME[:12] + bytes.fromhex("81000064") + FRAME[12:]
HERE = Is(f.IN_PORT, 5)
PAUSE = Pause(b"\1\2")


def flow(priority: int, *match: Is, then: tuple[f.Action, ...], table: int = 0) -> Flow:
    return Flow(table, priority, UDP, match, then)


def priorities(*flows: Flow, frame: bytes = FRAME) -> list[int]:
    return [step.priority for step in FlowWalk(flows, 5).enter(frame).steps]


def test_the_flow_with_the_highest_priority_that_matches_is_met() -> None:
    low, high = flow(1, HERE, then=(PAUSE,)), flow(9, HERE, then=(PAUSE,))
    assert priorities(low, high) == [9]
    assert priorities(low, flow(9, Is(f.IN_PORT, 6), then=(PAUSE,))) == [1]
    assert priorities(low, flow(9, Is(f.ETH_SRC, 0x20000000099), then=(PAUSE,))) == [1]
    assert priorities(low, flow(9, Is(f.ETH_SRC, 0xFA1600000000, 0xFFFF00000000), then=())) == [9]
    assert priorities(low, flow(9, Is(f.ND_TARGET, 0), then=())) == [1]  # it has none
    assert priorities(low, Flow(0, 9, f.ARP, (), ())) == [1]


def test_a_tag_is_matched_or_that_there_is_none() -> None:
    flows = flow(1, UNTAGGED, then=()), flow(2, tagged(100), then=()), flow(3, tagged(7), then=())
    assert priorities(*flows) == [1]
    assert priorities(*flows, frame=TAGGED) == [2]
    zero = FRAME[:12] + bytes.fromhex("81000000") + FRAME[12:]
    assert priorities(*flows, frame=zero) == [1]  # VLAN 0 is none


def test_what_actions_do_is_seen_by_the_next_table() -> None:
    first = flow(
        1,
        Is(f.REG0, 0, 0x10),
        then=(Load(f.REG0, 1, 4, 1), Load(f.METADATA, 7), Resubmit(201)),
    )
    second = flow(
        *(1, Is(f.REG0, 0x10, 0x10), Is(f.METADATA, 7)),
        then=(Move(f.ETH_SRC, f.ETH_DST), Load(f.IP_SRC, 1), OutputInPort()),
        table=201,
    )
    course = FlowWalk([first, second], 5).enter(FRAME)
    assert [step.table for step in course.steps] == [0, 201]
    assert course.steps[0].match == "udp,reg0=0/0x10"
    assert course.steps[0].actions == (
        *("set_field:0x10/0x10->reg0", "set_field:0x7->metadata", "resubmit(,201)"),
    )
    assert course.steps[1].actions == (
        "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
        f"-> NXM_OF_ETH_DST[] is now {MAC}",
        "set_field:0.0.0.1->ip_src",
        "IN_PORT",
    )
    assert course.leaves_by == ("5",)
    assert course.registers == {"reg0": 0x10, "metadata": 7}
    assert (course.fields["dl_dst"], course.fields["nw_src"]) == (MAC, "0.0.0.1")
    assert course.steps[0].cookie == first.cookie


def test_a_pause_ends_the_course() -> None:
    paused = flow(1, then=(Load(f.METADATA, 7), PAUSE, Resubmit(201)))
    course = FlowWalk([paused], 5).enter(FRAME)
    assert course.userdata == b"\1\2"
    assert course.leaves_by == ()
    assert course.steps[0].actions[-1] == "controller(userdata=01.02,pause)"


def test_a_packet_that_is_handed_back_has_its_registers() -> None:
    answered = flow(*(2, Is(f.REG0, 8, 8), Is(f.METADATA, 7)), then=(OutputInPort(),), table=201)
    walk = FlowWalk([answered, flow(1, then=(), table=201)], 5)
    assert walk.resume(FRAME, {"reg0": 8, "metadata": 7}).leaves_by == ("5",)
    dropped = walk.resume(FRAME, {"metadata": 7})
    assert (dropped.leaves_by, dropped.steps[0].actions) == ((), ("drop",))


def test_where_nothing_matches_the_course_says_so() -> None:
    course = FlowWalk([], 5).enter(FRAME)
    assert [(step.table, step.match, step.actions) for step in course.steps] == [
        (0, "No match.", ())
    ]


def test_a_circle_ends() -> None:
    assert len(priorities(flow(1, then=(Resubmit(0),)))) == 64
