# SPDX-License-Identifier: Apache-2.0
"""A flow's text and cookie, and the difference between two sets of flows."""

from __future__ import annotations

from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.flow import Flow, Is, Load, Pause, Resubmit


def a_flow(port: int, userdata: bytes = b"\1") -> Flow:
    return Flow(0, 100, f.UDP, (Is(f.IN_PORT, port),), (Pause(userdata), Resubmit(201)))


def test_the_text_is_what_ovs_ofctl_prints() -> None:
    flow = Flow(
        201,
        100,
        f.UDP,
        (Is(f.REG0, 8, 8), Is(f.METADATA, 0x12)),
        (Load(f.ETH_SRC, 0xA), Load(f.REG0, 1, offset=4, n_bits=1), Load(f.METADATA, 0)),
    )
    assert str(flow) == (
        f"cookie={flow.cookie:#x}, table=201, priority=100,udp,reg0=0x8/0x8,metadata=0x12 "
        "actions=mod_dl_src:00:00:00:00:00:0a,load:0x1->NXM_NX_REG0[4],load:0->OXM_OF_METADATA[]"
    )


def test_what_openflow_1_0_cannot_load_at_once_is_shown_as_two_loads() -> None:
    flow = Flow(
        0,
        1,
        f.ICMP6,
        (Is(f.IPV6_SRC, 0), Is(f.IP_TTL, 255), Is(f.ICMPV6_TYPE, 136), Is(f.ND_TARGET, 1)),
        (Load(f.IPV6_DST, 0xFE80 << 112), Load(f.ND_TLL, 5)),
    )
    assert flow.content == (
        "priority=1,icmp6,ipv6_src=::,nw_ttl=255,icmp_type=136,nd_target=::1 "
        "actions=load:0->NXM_NX_IPV6_DST[0..63],load:0xfe80000000000000->NXM_NX_IPV6_DST[64..127],"
        "load:0x5->NXM_NX_ND_TLL[]"
    )


def test_a_cookie_is_our_prefix_over_a_hash_of_the_content() -> None:
    first, again, other = a_flow(1), a_flow(1), a_flow(1, b"\2")
    assert first.cookie >> 48 == 0x6468
    assert first.cookie == again.cookie
    assert len({a_flow(1).cookie, a_flow(2).cookie, other.cookie}) == 3


def test_the_cookie_of_a_given_flow_never_changes() -> None:
    # A change here makes every running bridge replace its flows at the next start.
    assert f"{a_flow(1).cookie:#x}" == "0x64683bee668ed5b6"
