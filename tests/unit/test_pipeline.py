# SPDX-License-Identifier: Apache-2.0
"""Flows and logical flows of a network in IPv6, line by line.

That the bridge takes and shows these lines is seen in tests/switch/test_ipv6.py.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address, IPv6Network

import pytest

from flows import pipeline, stage
from flows.action_text import format_action
from flows.bindings import Dhcpv6, Network, Place, Port, Ra
from flows.userdata import encode_userdata
from tests.unit.test_nd_ra import MESSAGE

PLACE = Place("c.yaml", 1)
SERVER_MAC, ROUTER_MAC = bytes.fromhex("0a0000000001"), bytes.fromhex("ae0102030405")
SERVER, ROUTER = "fe80::800:ff:fe00:1", "fe80::ac01:2ff:fe03:405"
SERVER_LOW, ROUTER_LOW = "0x80000fffe000001", "0xac0102fffe030405"
PORT = Port("vm1", bytes.fromhex("020000000001"), (IPv6Address("fd00::5"),), {}, PLACE)
NETWORK = Network(
    "red",
    None,
    (PORT,),
    False,
    PLACE,
    Dhcpv6(IPv6Network("fd00::/64"), SERVER_MAC, {"server_id": SERVER_MAC}),
    Ra(MESSAGE, ROUTER_MAC),
)
KEY = f"{stage.network_key(NETWORK):#x}"

DHCPV6, RA = NETWORK.put_dhcpv6_opts(PORT), NETWORK.put_nd_ra_opts()
assert DHCPV6
assert RA


def pause(opts: object) -> str:
    userdata = encode_userdata(opts).hex(".")  # type: ignore[arg-type]
    return f"load:{KEY}->OXM_OF_METADATA[],controller(userdata={userdata},pause),resubmit(,201)"


def ipv6_src(low: str) -> str:
    return f"load:{low}->NXM_NX_IPV6_SRC[0..63],load:0xfe80000000000000->NXM_NX_IPV6_SRC[64..127]"


FROM_PORT = "reg0=0/0x10,in_port=9,dl_src=02:00:00:00:00:01"
ROUND = "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]"
ROUND6 = "move:NXM_NX_IPV6_SRC[]->NXM_NX_IPV6_DST[]"
ALL_NODES = (
    "mod_dl_dst:33:33:00:00:00:01,"
    "load:0x1->NXM_NX_IPV6_DST[0..63],load:0xff02000000000000->NXM_NX_IPV6_DST[64..127]"
)


def advertise(mac: str, low: str, flags: str) -> str:
    return (
        f"mod_dl_src:{mac},{ipv6_src(low)},load:{flags}->ERICOXM_OF_ICMPV6_ND_RESERVED[],"
        "load:0x2->ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE[],"
        f"load:0x{mac.replace(':', '').lstrip('0')}->NXM_NX_ND_TLL[],IN_PORT"
    )


MAC, R_MAC = SERVER_MAC.hex(":"), ROUTER_MAC.hex(":")
NEIGHBOUR = f"load:{KEY}->OXM_OF_METADATA[],load:0x88->NXM_NX_ICMPV6_TYPE[],resubmit(,201)"
PORT_FLOWS = [
    f"priority=100,udp6,{FROM_PORT},ipv6_dst=ff02::1:2,tp_dst=547 actions={pause(DHCPV6)}",
    f"priority=100,udp6,{FROM_PORT},ipv6_dst={SERVER},tp_dst=547 actions={pause(DHCPV6)}",
    f"priority=100,icmp6,{FROM_PORT},ipv6_dst=ff02::2,nw_ttl=255,icmp_type=133,icmp_code=0 "
    f"actions={pause(RA)}",
    "priority=100,icmp6,in_port=9,nw_ttl=255,icmp_type=135,icmp_code=0,"
    f"nd_target={SERVER} actions={NEIGHBOUR}",
    "priority=100,icmp6,in_port=9,nw_ttl=255,icmp_type=135,icmp_code=0,"
    f"nd_target={ROUTER} actions={NEIGHBOUR}",
]
NA = "icmp_type=136,icmp_code=0,nd_target"
NETWORK_FLOWS = [
    f"table=201, priority=100,udp6,reg0=0x8/0x8,metadata={KEY} actions={ROUND},mod_dl_src:{MAC},"
    f"{ROUND6},{ipv6_src(SERVER_LOW)},mod_tp_src:547,mod_tp_dst:546,IN_PORT",
    f"table=201, priority=100,icmp6,reg0=0x20/0x20,metadata={KEY} "
    f"actions={ROUND},mod_dl_src:{R_MAC},{ROUND6},{ipv6_src(ROUTER_LOW)},IN_PORT",
    f"table=201, priority=101,icmp6,metadata={KEY},ipv6_src=::,{NA}={SERVER} "
    f"actions={ALL_NODES},{advertise(MAC, SERVER_LOW, '0x20000000')}",
    f"table=201, priority=100,icmp6,metadata={KEY},{NA}={SERVER} "
    f"actions={ROUND},{ROUND6},{advertise(MAC, SERVER_LOW, '0x60000000')}",
    f"table=201, priority=101,icmp6,metadata={KEY},ipv6_src=::,{NA}={ROUTER} "
    f"actions={ALL_NODES},{advertise(R_MAC, ROUTER_LOW, '0xa0000000')}",
    f"table=201, priority=100,icmp6,metadata={KEY},{NA}={ROUTER} "
    f"actions={ROUND},{ROUND6},{advertise(R_MAC, ROUTER_LOW, '0xe0000000')}",
]


def test_the_flows_of_a_port():
    assert [flow.content for flow in pipeline.port_flows(NETWORK, PORT, 9)] == PORT_FLOWS


def test_a_port_without_a_mac_serves_whoever_is_behind_it():
    anybody = replace(PORT, mac=None)
    found = [flow.content for flow in pipeline.port_flows(NETWORK, anybody, 9)]
    assert found == [text.replace(",dl_src=02:00:00:00:00:01", "") for text in PORT_FLOWS]
    lflows = "\n".join(map(str, pipeline.port_lflows(NETWORK, PORT)))
    found = "\n".join(map(str, pipeline.port_lflows(NETWORK, anybody)))
    assert found == lflows.replace(" && eth.src == 02:00:00:00:00:01", "")


def test_the_flows_of_a_network():
    assert [flow.content for flow in pipeline.network_flows(NETWORK)] == NETWORK_FLOWS


def test_a_router_that_is_the_dhcpv6_server_is_one_neighbour_and_a_router():
    network = replace(NETWORK, ra=Ra(MESSAGE, SERVER_MAC))
    targets = [flow.content for flow in pipeline.network_flows(network) if "nd_target" in str(flow)]
    assert len(targets) == 2
    assert "load:0xa0000000->" in targets[0]
    assert len(list(pipeline.port_flows(network, PORT, 9))) == 4


@pytest.mark.parametrize(
    ("changes", "of_port", "of_network"),
    [({"ra": None}, 3, 3), ({"dhcpv6": None}, 2, 3), ({"ra": None, "dhcpv6": None}, 0, 0)],
)
def test_a_network_has_the_flows_of_what_it_serves(changes, of_port, of_network):
    network = replace(NETWORK, **changes)
    assert len(list(pipeline.port_flows(network, PORT, 9))) == of_port
    assert len(list(pipeline.network_flows(network))) == of_network


def test_two_networks_with_the_same_server_have_no_flow_in_common():
    other = replace(NETWORK, name="blue")
    both = [*pipeline.network_flows(NETWORK), *pipeline.network_flows(other)]
    assert len({flow.cookie for flow in both}) == 12
    assert len({(flow.table, flow.priority, flow.match) for flow in both}) == 12


def test_the_logical_flows_say_the_same_in_ovns_words():
    lflows = [*pipeline.port_lflows(NETWORK, PORT), *pipeline.network_lflows(NETWORK)]
    inport = 'inport == "vm1"'
    output = "outport = inport; flags.loopback = 1; output;"
    assert [(flow.table.stage, flow.match, flow.action) for flow in lflows] == [
        (
            "ls_in_dhcp_options",
            f"{inport} && eth.src == 02:00:00:00:00:01 && "
            f"ip6.dst == {{{SERVER}, ff02::1:2}} && udp.dst == 547",
            f"{format_action(DHCPV6)} next;",
        ),
        (
            "lr_in_nd_ra_options",
            f"{inport} && eth.src == 02:00:00:00:00:01 && ip6.dst == ff02::2 && nd_rs",
            f"{format_action(RA)} next;",
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
