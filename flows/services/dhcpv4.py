# SPDX-License-Identifier: Apache-2.0
"""DHCPv4, and ARP for the server's address.

OPTIONS has a flow for the broadcast address and one for the server's.  The responder leaves
the reply's destination in the *source* fields, as OVN's pinctrl does, because only RESPONSE
knows ``server_mac``.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from flows.action_text import format_action
from flows.bindings import Dhcpv4, Network, Port
from flows.flow import (
    ARP,
    ARP_OP,
    ARP_SHA,
    ARP_SPA,
    ARP_THA,
    ARP_TPA,
    ETH_DST,
    ETH_SRC,
    IN_PORT,
    IP_DST,
    IP_SRC,
    UDP,
    UDP_DST,
    UDP_SRC,
    Action,
    Flow,
    Is,
    Load,
    Move,
    OutputInPort,
)
from flows.stage import (
    DHCP_ANSWERED,
    PRIORITY,
    SEND_BACK,
    LogicalFlow,
    comes_from,
    is_from,
    is_of,
    network_key,
    number,
    pause,
)
from flows.tables import NEIGHBOUR, OPTIONS, RESPONSE

BROADCAST = IPv4Address("255.255.255.255")
SERVER_PORT = 67


def port_lflows(network: Network, port: Port) -> Iterator[LogicalFlow]:
    """The logical flows that serve ``port``."""
    dhcp = network.dhcpv4
    opts = network.put_dhcp_opts(port)
    if dhcp is None or opts is None:
        return
    yield LogicalFlow(
        OPTIONS,
        f"{comes_from(port)} && "
        f"ip4.dst == {{{dhcp.server_id}, {BROADCAST}}} && udp.dst == {SERVER_PORT}",
        f"{format_action(opts)} next;",
    )
    if network.arp_responder:
        mac = dhcp.server_mac.hex(":")
        yield LogicalFlow(
            NEIGHBOUR,
            f'inport == "{port.name}" && arp.tpa == {dhcp.server_id} && arp.op == 1',
            f"eth.dst = eth.src; eth.src = {mac}; arp.op = 2; arp.tha = arp.sha; "
            f"arp.sha = {mac}; arp.tpa = arp.spa; arp.spa = {dhcp.server_id}; "
            f"{SEND_BACK}",
        )


def network_lflows(network: Network) -> Iterator[LogicalFlow]:
    """The logical flows that all ports of ``network`` share."""
    if dhcp := network.dhcpv4:
        yield LogicalFlow(
            RESPONSE,
            f"reg0[3] && ip4 && udp && metadata == {network_key(network):#x}",
            f"eth.dst = eth.src; eth.src = {dhcp.server_mac.hex(':')}; ip4.src = {dhcp.server_id}; "
            f"udp.dst = udp.src; udp.src = {SERVER_PORT}; "
            f"{SEND_BACK}",
        )


def port_flows(network: Network, port: Port, ofport: int) -> Iterator[Flow]:
    """The flows that serve ``port`` while it is the bridge's port ``ofport``."""
    dhcp = network.dhcpv4
    opts = network.put_dhcp_opts(port)
    if dhcp is None or opts is None:
        return
    actions = pause(network, opts)
    for destination in (BROADCAST, dhcp.server_id):
        to = (Is(IP_DST, int(destination)), Is(UDP_DST, SERVER_PORT))
        yield Flow(OPTIONS.number, PRIORITY, UDP, (*is_from(port, ofport), *to), actions)
    if network.arp_responder:
        asks = (Is(IN_PORT, ofport), Is(ARP_TPA, int(dhcp.server_id)), Is(ARP_OP, 1))
        yield Flow(NEIGHBOUR.number, PRIORITY, ARP, asks, _arp_reply(dhcp))


def network_flows(network: Network) -> Iterator[Flow]:
    """The flows that all ports of ``network`` share."""
    if dhcp := network.dhcpv4:
        yield Flow(
            RESPONSE.number,
            PRIORITY,
            UDP,
            (DHCP_ANSWERED, is_of(network)),
            (
                Move(ETH_SRC, ETH_DST),
                Load(ETH_SRC, number(dhcp.server_mac)),
                Load(IP_SRC, int(dhcp.server_id)),
                Move(UDP_SRC, UDP_DST),
                Load(UDP_SRC, SERVER_PORT),
                OutputInPort(),
            ),
        )


def _arp_reply(dhcp: Dhcpv4) -> tuple[Action, ...]:
    """The actions that turn an ARP request for server_id into its reply (RFC 826)."""
    mac = number(dhcp.server_mac)
    return (
        Move(ETH_SRC, ETH_DST),
        Load(ETH_SRC, mac),
        Load(ARP_OP, 2),
        Move(ARP_SHA, ARP_THA),
        Load(ARP_SHA, mac),
        Move(ARP_SPA, ARP_TPA),
        Load(ARP_SPA, int(dhcp.server_id)),
        OutputInPort(),
    )
