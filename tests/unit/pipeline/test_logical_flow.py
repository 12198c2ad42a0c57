# SPDX-License-Identifier: Apache-2.0
"""A logical flow and its flows: one list of terms, two forms."""

from __future__ import annotations

from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.flow import Is, Load, OutputInPort, Resubmit
from ovs_dhcpd.flows.pipeline.logical_flow import LogicalFlow, network_key
from ovs_dhcpd.flows.pipeline.tables import DHCP_OPTIONS, DHCP_RESPONSE
from ovs_dhcpd.flows.pipeline.terms import From, OneOf

from tests.unit.pipeline.networks import NETWORKS


def test_a_set_is_one_logical_flow_and_a_flow_for_each_of_its_values() -> None:
    lflow = LogicalFlow(
        DHCP_OPTIONS,
        when=(f.UDP, From("vm1"), OneOf(f.IP_DST, (1, 2)), Is(f.UDP_DST, 67)),
        then=(Load(f.ETH_SRC, 3), Resubmit(201)),
    )
    assert str(lflow) == (
        '  table=0 (ls_in_dhcp_options ), priority=100, match=(inport == "vm1" && '
        "ip4.dst == {0.0.0.1, 0.0.0.2} && udp.dst == 67), "
        "action=(eth.src = 00:00:00:00:00:03; next;)"
    )
    assert [flow.content for flow in lflow.flows(9)] == [
        f"priority=100,udp,in_port=9,vlan_tci=0x0000/0x0fff,nw_dst=0.0.0.{value},tp_dst=67 "
        "actions=mod_dl_src:00:00:00:00:00:03,resubmit(,201)"
        for value in (2, 1)
    ]


def test_the_table_and_the_priority_are_the_logical_flows() -> None:
    lflow = LogicalFlow(DHCP_RESPONSE, (f.UDP,), (OutputInPort(),), priority=7)
    assert str(lflow).startswith("  table=201(ls_in_dhcp_response), priority=7, match=(ip4 && udp)")
    assert [flow.content for flow in lflow.flows()] == ["table=201, priority=7,udp actions=IN_PORT"]


def test_a_network_has_one_key_and_no_two_have_the_same() -> None:
    names = {network.name for network in NETWORKS}
    assert len({network_key(network) for network in NETWORKS}) == len(names)
    # As it is in the flows on every bridge.
    assert network_key(NETWORKS[0]) == 0x46288FB3
