# SPDX-License-Identifier: Apache-2.0
"""Each term in both its forms: a logical flow's text, and what flows have for it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.flow import Is, Load, Move, OutputInPort, Pause, Resubmit
from ovs_dhcpd.flows.pipeline.terms import (
    ActionTerm,
    Condition,
    DoInOpenFlow,
    From,
    MatchInOpenFlow,
    MatchTerm,
    OneOf,
    Predicate,
    Put,
    Step,
    action_text,
    match_text,
    openflow_actions,
    openflow_matches,
)
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts, encode_userdata

LOW, HIGH = int(IPv4Address("10.0.0.1")), int(IPv4Address("255.255.255.255"))
ND_NS = Predicate("nd_ns", (Is(f.IP_TTL, 255), Is(f.ICMPV6_TYPE, 135), Is(f.ICMPV6_CODE, 0)))
OPTS = PutDhcpOpts(IPv4Address("10.0.0.7"), ((51, b"\0\0\x0e\x10"),))

MATCHES: list[tuple[MatchTerm, str, list[str]]] = [
    (Is(f.ETH_SRC, 0xA), "eth.src == 00:00:00:00:00:0a", ["dl_src=00:00:00:00:00:0a"]),
    (Is(f.ARP_TPA, LOW), "arp.tpa == 10.0.0.1", ["arp_tpa=10.0.0.1"]),
    (Is(f.IPV6_DST, int(IPv6Address("ff02::2"))), "ip6.dst == ff02::2", ["ipv6_dst=ff02::2"]),
    (Is(f.UDP_DST, 67), "udp.dst == 67", ["tp_dst=67"]),
    (Is(f.METADATA, 0xAB), "metadata == 0xab", ["metadata=0xab"]),
    (Is(f.REG0, 8, 8), "reg0[3]", ["reg0=0x8/0x8"]),
    (Is(f.REG0, 0, 16), "!reg0[4]", ["reg0=0/0x10"]),
    (From("vm1"), 'inport == "vm1"', ["in_port=9,vlan_tci=0x0000/0x0fff"]),
    (From("vm1-7", 7), 'inport == "vm1-7"', ["in_port=9,dl_vlan=7"]),
    (
        OneOf(f.IP_DST, (LOW, HIGH)),
        "ip4.dst == {10.0.0.1, 255.255.255.255}",
        ["nw_dst=255.255.255.255", "nw_dst=10.0.0.1"],
    ),
    (ND_NS, "nd_ns", ["nw_ttl=255,icmp_type=135,icmp_code=0"]),
    (MatchInOpenFlow(Is(f.REG0, 0, 16)), "", ["reg0=0/0x10"]),
]
ACTIONS: list[tuple[ActionTerm, str, str]] = [
    (Load(f.ARP_OP, 2), "arp.op = 2;", "load:0x2->NXM_OF_ARP_OP[]"),
    (Load(f.UDP_SRC, 67), "udp.src = 67;", "mod_tp_src:67"),
    (Load(f.REG0, 1, offset=4, n_bits=1), "reg0[4] = 0x1;", "load:0x1->NXM_NX_REG0[4]"),
    (
        Move(f.ETH_SRC, f.ETH_DST),
        "eth.dst = eth.src;",
        "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
    ),
    (Resubmit(201), "next;", "resubmit(,201)"),
    (OutputInPort(), "outport = inport; flags.loopback = 1; output;", "IN_PORT"),
    (
        Put(OPTS),
        "reg0[3] = put_dhcp_opts(offerip = 10.0.0.7, lease_time = 3600);",
        str(Pause(encode_userdata(OPTS))),
    ),
    (DoInOpenFlow((Load(f.UDP_DST, 68), Load(f.UDP_SRC, 67))), "", "mod_tp_dst:68,mod_tp_src:67"),
]


def text_of(case: object) -> str:
    return case if isinstance(case, str) else ""


def matches(*when: MatchTerm) -> list[str]:
    _, found = openflow_matches(when, 9)
    return [",".join(map(str, terms)) for terms in found]


@pytest.mark.parametrize(("term", "ovn", "openflow"), MATCHES, ids=text_of)
def test_a_term_of_a_match(term: MatchTerm, ovn: str, openflow: list[str]) -> None:
    assert match_text((term,)) == ovn
    assert matches(term) == openflow


@pytest.mark.parametrize(("term", "ovn", "openflow"), ACTIONS, ids=text_of)
def test_a_term_of_the_actions(term: ActionTerm, ovn: str, openflow: str) -> None:
    assert action_text((term,)) == ovn
    assert ",".join(map(str, openflow_actions((term,)))) == openflow


@pytest.mark.parametrize("module", [Condition, Step])
def test_a_term_that_lacks_a_form_cannot_be_made(module: type) -> None:
    with pytest.raises(TypeError, match="abstract"):
        module()


def test_terms_stand_in_their_order_and_one_that_is_not_said_leaves_no_gap() -> None:
    unsaid = MatchInOpenFlow(Is(f.REG0, 0, 16))
    when = (unsaid, From("vm1"), Is(f.ETH_SRC, 1))
    assert match_text(when) == 'inport == "vm1" && eth.src == 00:00:00:00:00:01'
    assert matches(*when) == [
        "reg0=0/0x10,in_port=9,vlan_tci=0x0000/0x0fff,dl_src=00:00:00:00:00:01"
    ]
    then = (DoInOpenFlow((Load(f.METADATA, 1),)), Load(f.ARP_OP, 2), Resubmit(201))
    assert action_text(then) == "arp.op = 2; next;"


def test_of_two_sets_each_choice_is_a_match() -> None:
    assert sorted(matches(OneOf(f.UDP_SRC, (1, 2)), OneOf(f.UDP_DST, (3, 4)))) == [
        "tp_src=1,tp_dst=3",
        "tp_src=1,tp_dst=4",
        "tp_src=2,tp_dst=3",
        "tp_src=2,tp_dst=4",
    ]


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ((f.UDP,), "ip4 && udp"),
        ((f.UDP6, Is(f.METADATA, 1)), "ip6 && udp && metadata == 0x1"),
        ((f.UDP, Is(f.UDP_DST, 67)), "ip4 && udp.dst == 67"),
        (
            (f.UDP, OneOf(f.IP_DST, (LOW,)), Is(f.UDP_DST, 67)),
            "ip4.dst == {10.0.0.1} && udp.dst == 67",
        ),
        ((f.ICMP6, ND_NS), "nd_ns"),
        ((f.ICMP6, MatchInOpenFlow(Is(f.ICMPV6_TYPE, 135))), "icmp6"),
        ((), ""),
    ],
)
def test_a_protocol_is_named_where_no_field_says_it(when: tuple[MatchTerm, ...], text: str) -> None:
    assert match_text(when) == text


def test_the_protocol_of_the_flows_is_that_of_the_match() -> None:
    assert openflow_matches((Is(f.REG0, 8, 8), f.UDP), 9) == (f.UDP, [[Is(f.REG0, 8, 8)]])
    assert openflow_matches((), 9) == (None, [[]])


def test_flows_of_a_port_are_not_made_without_its_number() -> None:
    with pytest.raises(AssertionError, match="number"):
        openflow_matches((From("vm1"),), 0)
