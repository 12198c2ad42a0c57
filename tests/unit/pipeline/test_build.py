# SPDX-License-Identifier: Apache-2.0
"""Flows and logical flows of a network in IPv6, line by line.

That the bridge takes and shows these lines is seen in tests/switch/test_ipv6.py.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address, IPv6Network

import pytest
from ovs_dhcpd.flows.bindings.network import Dhcpv6, Network, Port, Ra
from ovs_dhcpd.flows.pipeline import build as pipeline
from ovs_dhcpd.flows.pipeline import logical_flow as stage
from ovs_dhcpd.flows.userdata.action_text import format_action
from ovs_dhcpd.flows.userdata.codec import PutNdNa, encode_userdata

from tests.unit.advertisement import MESSAGE

SERVER_MAC, ROUTER_MAC = bytes.fromhex("0a0000000001"), bytes.fromhex("ae0102030405")
SERVER, ROUTER = "fe80::800:ff:fe00:1", "fe80::ac01:2ff:fe03:405"
SERVER_LOW, ROUTER_LOW = "0x80000fffe000001", "0xac0102fffe030405"
PORT = Port("vm1", bytes.fromhex("020000000001"), (IPv6Address("fd00::5"),), {})
NETWORK = Network(
    "red",
    None,
    (PORT,),
    False,
    Dhcpv6(IPv6Network("fd00::/64"), SERVER_MAC, {"server_id": SERVER_MAC}),
    Ra(MESSAGE, ROUTER_MAC),
)
KEY = f"{stage.network_key(NETWORK):#x}"

DHCPV6, RA = NETWORK.put_dhcpv6_opts(PORT), NETWORK.put_nd_ra_opts()
assert DHCPV6
assert RA
PUT_DHCPV6, PUT_RA = format_action(DHCPV6), format_action(RA)


def pause(opts: object) -> str:
    userdata = encode_userdata(opts).hex(".")  # type: ignore[arg-type]
    return (
        f"meter:{0x64680009},load:{KEY}->OXM_OF_METADATA[],"
        f"controller(userdata={userdata},pause),resubmit(,201)"
    )


def ipv6_src(low: str) -> str:
    return f"load:{low}->NXM_NX_IPV6_SRC[0..63],load:0xfe80000000000000->NXM_NX_IPV6_SRC[64..127]"


FROM_PORT = "reg0=0/0x10,in_port=9,vlan_tci=0x0000/0x0fff,dl_src=02:00:00:00:00:01"
ROUND = "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]"
ROUND6 = "move:NXM_NX_IPV6_SRC[]->NXM_NX_IPV6_DST[]"
MAC, R_MAC = SERVER_MAC.hex(":"), ROUTER_MAC.hex(":")
SERVER_NA = PutNdNa.of(IPv6Address(SERVER), SERVER_MAC, is_router=False)
ROUTER_NA = PutNdNa.of(IPv6Address(ROUTER), ROUTER_MAC, is_router=True)
PORT_FLOWS = [
    f"priority=100,udp6,{FROM_PORT},ipv6_dst=ff02::1:2,tp_dst=547 actions={pause(DHCPV6)}",
    f"priority=100,udp6,{FROM_PORT},ipv6_dst={SERVER},tp_dst=547 actions={pause(DHCPV6)}",
    f"priority=100,icmp6,{FROM_PORT},ipv6_dst=ff02::2,nw_ttl=255,icmp_type=133,icmp_code=0 "
    f"actions={pause(RA)}",
    "priority=100,icmp6,reg0=0/0x10,in_port=9,vlan_tci=0x0000/0x0fff,nw_ttl=255,icmp_type=135,icmp_code=0,"
    f"nd_target={SERVER} actions={pause(SERVER_NA)}",
    "priority=100,icmp6,reg0=0/0x10,in_port=9,vlan_tci=0x0000/0x0fff,nw_ttl=255,icmp_type=135,icmp_code=0,"
    f"nd_target={ROUTER} actions={pause(ROUTER_NA)}",
]
NETWORK_FLOWS = [
    f"table=201, priority=100,udp6,reg0=0x8/0x8,metadata={KEY} actions={ROUND},mod_dl_src:{MAC},"
    f"{ROUND6},{ipv6_src(SERVER_LOW)},mod_tp_src:547,mod_tp_dst:546,IN_PORT",
    f"table=201, priority=100,icmp6,reg0=0x20/0x20,metadata={KEY} "
    f"actions={ROUND},mod_dl_src:{R_MAC},{ROUND6},{ipv6_src(ROUTER_LOW)},IN_PORT",
    f"table=201, priority=101,icmp6,reg0=0x20/0x20,metadata={KEY},icmp_type=136,icmp_code=0 "
    "actions=IN_PORT",
]


def test_the_flows_of_a_port() -> None:
    assert [flow.content for flow in pipeline.port_flows(NETWORK, PORT, 9)] == PORT_FLOWS


def test_a_port_without_a_mac_serves_whoever_is_behind_it() -> None:
    anybody = replace(PORT, mac=None)
    found = [flow.content for flow in pipeline.port_flows(NETWORK, anybody, 9)]
    assert found == [text.replace(",dl_src=02:00:00:00:00:01", "") for text in PORT_FLOWS]
    lflows = "\n".join(map(str, pipeline.port_lflows(NETWORK, PORT)))
    of_anybody = "\n".join(map(str, pipeline.port_lflows(NETWORK, anybody)))
    assert of_anybody == lflows.replace(" && eth.src == 02:00:00:00:00:01", "")


def test_without_a_rate_limit_or_a_switch_with_meters_there_is_none() -> None:
    without = [text.replace(f"meter:{0x64680009},", "") for text in PORT_FLOWS]
    unlimited = replace(NETWORK, rate_limit=None)
    assert [flow.content for flow in pipeline.port_flows(unlimited, PORT, 9)] == without
    unmetered = pipeline.port_flows(NETWORK, PORT, 9, metered=False)
    assert [flow.content for flow in unmetered] == without


def test_the_flows_of_a_network() -> None:
    assert [flow.content for flow in pipeline.network_flows(NETWORK)] == NETWORK_FLOWS


def test_a_router_that_is_the_dhcpv6_server_is_one_neighbour_and_a_router() -> None:
    network = replace(NETWORK, ra=Ra(MESSAGE, SERVER_MAC))
    asked = [flow for flow in pipeline.port_flows(network, PORT, 9) if "nd_target" in str(flow)]
    assert [flow.content.partition("actions=")[2] for flow in asked] == [
        pause(PutNdNa.of(IPv6Address(SERVER), SERVER_MAC, is_router=True))
    ]
    assert len(list(pipeline.port_flows(network, PORT, 9))) == 4


@pytest.mark.parametrize(
    ("changes", "of_port", "of_network"),
    [({"ra": None}, 3, 2), ({"dhcpv6": None}, 2, 2), ({"ra": None, "dhcpv6": None}, 0, 0)],
)
def test_a_network_has_the_flows_of_what_it_serves(
    changes: dict[str, None], of_port: int, of_network: int
) -> None:
    network = replace(NETWORK, **changes)  # type: ignore[arg-type]
    assert len(list(pipeline.port_flows(network, PORT, 9))) == of_port
    assert len(list(pipeline.network_flows(network))) == of_network


def test_two_networks_with_the_same_server_have_no_flow_in_common() -> None:
    other = replace(NETWORK, name="blue")
    both = [*pipeline.network_flows(NETWORK), *pipeline.network_flows(other)]
    assert len({flow.cookie for flow in both}) == 6
    assert len({(flow.table, flow.priority, flow.match) for flow in both}) == 6


def test_the_logical_flows_say_the_same_in_ovns_words() -> None:
    lflows = [*pipeline.port_lflows(NETWORK, PORT), *pipeline.network_lflows(NETWORK)]
    inport = 'inport == "vm1"'
    output = "outport = inport; flags.loopback = 1; output;"
    assert [(flow.stage.name, flow.match, flow.action) for flow in lflows] == [
        (
            "ls_in_dhcp_options",
            f"{inport} && eth.src == 02:00:00:00:00:01 && "
            f"ip6.dst == {{{SERVER}, ff02::1:2}} && udp.dst == 547",
            f"{PUT_DHCPV6} next;",
        ),
        (
            "lr_in_nd_ra_options",
            f"{inport} && eth.src == 02:00:00:00:00:01 && ip6.dst == ff02::2 && nd_rs",
            f"{PUT_RA} next;",
        ),
        (
            "ls_in_arp_rsp",
            f"{inport} && nd_ns && nd.target == {SERVER}",
            f"nd_na {{ eth.src = {MAC}; ip6.src = {SERVER}; nd.target = {SERVER}; "
            f"nd.tll = {MAC}; {output} }};",
        ),
        (
            "ls_in_arp_rsp",
            f"{inport} && nd_ns && nd.target == {ROUTER}",
            f"nd_na_router {{ eth.src = {R_MAC}; ip6.src = {ROUTER}; nd.target = {ROUTER}; "
            f"nd.tll = {R_MAC}; {output} }};",
        ),
        (
            "ls_in_dhcp_response",
            f"reg0[3] && ip6 && udp && metadata == {KEY}",
            f"eth.dst = eth.src; eth.src = {MAC}; ip6.dst = ip6.src; ip6.src = {SERVER}; "
            f"udp.src = 547; udp.dst = 546; {output}",
        ),
        (
            "lr_in_nd_ra_response",
            f"reg0[5] && icmp6 && metadata == {KEY}",
            f"eth.dst = eth.src; eth.src = {R_MAC}; ip6.dst = ip6.src; ip6.src = {ROUTER}; "
            f"{output}",
        ),
    ]
