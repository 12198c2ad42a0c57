# SPDX-License-Identifier: Apache-2.0
"""Which ports are guarded, and the flows by which it is counted what they may not do.

What passes is held against OVN's port security in tests/ovn/test_port_security.py.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from ovs_dhcpd.flows.bindings.network import Dhcpv4, Dhcpv6, Guarded, Network, Parent, Port
from ovs_dhcpd.flows.pipeline.guard import GuardService
from ovs_dhcpd.flows.pipeline.tables import GUARD, GUARD_ND, OPTIONS

MAC = bytes.fromhex("020000000005")
PORT = Port("vm1", MAC, (IPv4Address("10.0.0.5"), IPv6Address("fd00::5")), {})
DHCPV4 = Dhcpv4(IPv4Network("10.0.0.0/24"), IPv4Address("10.0.0.1"), MAC, {})
DHCPV6 = Dhcpv6(IPv6Network("fd00::/64"), MAC, {})
PLAIN = Network("red", DHCPV4, (PORT,), False, DHCPV6)
GUARDED = replace(PLAIN, guard=True)
HERE = ",in_port=7,vlan_tci=0x0000/0x0fff"
ENTRY = "priority=65535,reg0=0/0x40,in_port=7,vlan_tci=0x0000/0x0fff actions=resubmit(,202)"


def flows(network: Network, port: Port = PORT) -> list[str]:
    return [
        flow.content
        for lflow in GuardService().port_lflows(network, port)
        for flow in lflow.flows(7)
    ]


def dropped(network: Network, port: Port = PORT) -> list[str]:
    """The matches of what is dropped, without what is common to them."""
    matches = [
        each.split(" actions=")[0] for each in flows(network, port) if each.endswith("actions=drop")
    ]
    return [each.replace(HERE, "").replace(f",dl_src={MAC.hex(':')}", "") for each in matches]


def test_nothing_is_guarded_unless_it_is_asked_for() -> None:
    assert flows(PLAIN) == []
    assert list(GuardService().network_lflows(GUARDED)) == []


def test_every_packet_of_the_port_is_looked_at_first_and_once() -> None:
    first, *rest = flows(GUARDED)
    assert first == ENTRY
    assert all(each.startswith(("table=202, ", "table=203, ")) for each in rest)
    assert all(HERE in each for each in rest)
    back = f"load:0x1->NXM_NX_REG0[6],resubmit(,{OPTIONS.number})"
    ends = {each.split(" actions=")[1] for each in rest}
    assert ends == {"drop", back, f"resubmit(,{GUARD_ND.number})"}


def test_each_reason_is_counted_by_itself() -> None:
    assert dropped(GUARDED) == [
        "table=202, priority=10",
        "table=202, priority=60,udp,tp_src=67",
        "table=202, priority=60,udp6,tp_src=547",
        "table=202, priority=60,icmp6,icmp_type=134,icmp_code=0",
        "table=202, priority=20",
        "table=202, priority=30,arp",
        "table=202, priority=30,ip",
        "table=202, priority=30,ipv6",
        "table=203, priority=30,icmp6,icmp_type=135",
        "table=203, priority=30,icmp6,icmp_type=136",
    ]


def test_without_a_mac_a_port_is_only_no_server() -> None:
    anybody = replace(PORT, mac=None)
    assert dropped(GUARDED, anybody) == [
        "table=202, priority=60,udp,tp_src=67",
        "table=202, priority=60,udp6,tp_src=547",
        "table=202, priority=60,icmp6,icmp_type=134,icmp_code=0",
    ]
    passing = f"table={GUARD.number}, priority=10{HERE} actions=load:0x1->NXM_NX_REG0[6],"
    assert any(each.startswith(passing) for each in flows(GUARDED, anybody))


def test_a_port_that_the_database_holds_to_its_addresses_may_be_a_server() -> None:
    held = replace(PORT, guard=(Guarded(MAC, (IPv4Network("10.0.0.0/28"),)),))
    assert dropped(PLAIN, held) == [
        "table=202, priority=10",
        "table=202, priority=20",
        "table=202, priority=30,arp",
        "table=202, priority=30,ip",
        "table=202, priority=30,ipv6",
    ]
    assert any("nw_src=10.0.0.0/28 " in each for each in flows(PLAIN, held))


def test_a_mac_without_addresses_may_have_any() -> None:
    held = replace(PORT, guard=(Guarded(MAC),))
    assert dropped(PLAIN, held) == [
        "table=202, priority=10",
        "table=202, priority=30,arp",
        "table=203, priority=30,icmp6,icmp_type=135",
        "table=203, priority=30,icmp6,icmp_type=136",
    ]


def test_where_ipv6_is_served_the_link_local_address_is_the_ports_too() -> None:
    own = "ipv6_src=fe80::ff:fe00:5"
    ipv4 = replace(PORT, addresses=PORT.addresses[:1])
    assert any(own in each for each in flows(GUARDED, ipv4))
    assert not any("ipv6_src" in each for each in flows(replace(GUARDED, dhcpv6=None), ipv4))


def test_what_is_delegated_may_be_sent_from() -> None:
    router = replace(PORT, delegated_prefixes=(IPv6Network("fd00:a::/56"),))
    assert any("ipv6_src=fd00:a::/56 " in each for each in flows(GUARDED, router))


def test_its_logical_flows_are_those_of_ovns_stage() -> None:
    lflows = [str(each) for each in GuardService().port_lflows(GUARDED, PORT)]
    assert lflows[0] == (
        '  table=0 (ls_in_check_port_sec), priority=65535, match=(inport == "vm1"), action=(next;)'
    )
    assert (
        '  table=202(ls_in_check_port_sec), priority=40, match=(inport == "vm1" && '
        "eth.src == 02:00:00:00:00:05 && arp.spa == 10.0.0.5 && arp.sha == 02:00:00:00:00:05), "
        "action=(next;)"
    ) in lflows
    assert (
        '  table=202(ls_in_check_port_sec), priority=10, match=(inport == "vm1"), action=(drop;)'
        in lflows
    )


def test_a_sub_port_is_guarded_by_itself() -> None:
    behind = replace(PORT, parent=Parent("vm0", 30))
    here = ",in_port=7,dl_vlan=30"
    assert flows(GUARDED, behind) == [each.replace(HERE, here) for each in flows(GUARDED)]


def test_of_packets_with_a_tag_those_of_its_sub_ports_pass() -> None:
    own = flows(GUARDED)
    assert [
        each for each in flows(GUARDED, replace(PORT, vlans=frozenset({30, 20}))) if each not in own
    ] == [
        "priority=65534,reg0=0/0x40,in_port=7,vlan_tci=0x1000/0x1000 actions=resubmit(,202)",
        "table=202, priority=1,in_port=7,vlan_tci=0x1000/0x1000 actions=drop",
        *(
            f"table=202, priority=5,in_port=7,dl_vlan={vlan} "
            "actions=load:0x1->NXM_NX_REG0[6],resubmit(,0)"
            for vlan in (20, 30)
        ),
    ]
    assert flows(PLAIN, replace(PORT, vlans=frozenset())) == []


def test_the_logical_flow_for_other_vlans_is_ovns() -> None:
    lflows = map(str, GuardService().port_lflows(GUARDED, replace(PORT, vlans=frozenset())))
    match = 'match=(inport == "vm1" && vlan.present)'
    assert f"  table=202(ls_in_check_port_sec), priority=1, {match}, action=(drop;)" in [*lflows]
