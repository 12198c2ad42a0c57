# SPDX-License-Identifier: Apache-2.0
"""The logical flows of several ports in one list."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from ovs_dhcpd.flows.bindings.network import Dhcpv4, Network, Port
from ovs_dhcpd.flows.pipeline.lflow_list import lflow_list


def network(name: str, cidr: str) -> Network:
    subnet = IPv4Network(cidr)
    server_id = subnet[1]
    options = {"server_id": server_id.packed, "netmask": subnet.netmask.packed}
    return Network(name, Dhcpv4(subnet, server_id, bytes(6), options), (), False)


LAN, LAB = network("lan", "10.0.0.0/24"), network("lab", "10.1.0.0/24")


def served(network: Network, number: int) -> tuple[Network, Port]:
    """A guest of the network."""
    assert network.dhcpv4
    address: IPv4Address = network.dhcpv4.cidr[number]
    return network, Port(f"vm{number}", bytes((2, 0, 0, 0, 0, number)), (address,), {})


def test_each_network_has_a_head_and_the_order_of_the_tables() -> None:
    lines = [*lflow_list([served(LAN, 5), served(LAB, 6), served(LAN, 7)])]
    heads = [line for line in lines if line.startswith("Datapath")]
    assert heads == [f'Datapath: "{name}"  Pipeline: ingress' for name in ("lan", "lab")]
    lan = lines[: lines.index(heads[1])]
    assert ["offerip = 10.0.0." in line for line in lan] == [False] + 4 * [True] + [False]
    assert "(ls_in_dhcp_response)" in lan[-1]


def test_a_network_without_a_port_has_what_its_ports_would_share() -> None:
    assert len([*lflow_list([(LAN, None)])]) == 2
