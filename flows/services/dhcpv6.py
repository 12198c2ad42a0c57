# SPDX-License-Identifier: Apache-2.0
"""DHCPv6.

OPTIONS has a flow for the address of all servers and one for this server's link-local
address.  The source fields of an answered packet are the client's, and RESPONSE turns the
packet round (see :mod:`controller.responders.dhcpv6`).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address

from flows.action_text import format_action
from flows.bindings import Network, Port, link_local_address
from flows.flow import (
    ETH_DST,
    ETH_SRC,
    IPV6_DST,
    IPV6_SRC,
    UDP6,
    UDP_DST,
    UDP_SRC,
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
from flows.tables import OPTIONS, RESPONSE

ALL_SERVERS = IPv6Address("ff02::1:2")  # All_DHCP_Relay_Agents_and_Servers, RFC 8415 §7.1
CLIENT_PORT, SERVER_PORT = 546, 547


def port_lflows(network: Network, port: Port) -> Iterator[LogicalFlow]:
    """The logical flows that serve ``port``."""
    dhcp = network.dhcpv6
    opts = network.put_dhcpv6_opts(port)
    if dhcp and opts:
        yield LogicalFlow(
            OPTIONS,
            f"{comes_from(port)} && "
            f"ip6.dst == {{{link_local_address(dhcp.server_id)}, {ALL_SERVERS}}} && "
            f"udp.dst == {SERVER_PORT}",
            f"{format_action(opts)} next;",
        )


def network_lflows(network: Network) -> Iterator[LogicalFlow]:
    """The logical flows that all ports of ``network`` share."""
    if dhcp := network.dhcpv6:
        yield LogicalFlow(
            RESPONSE,
            f"reg0[3] && ip6 && udp && metadata == {network_key(network):#x}",
            f"eth.dst = eth.src; eth.src = {dhcp.server_id.hex(':')}; ip6.dst = ip6.src; "
            f"ip6.src = {link_local_address(dhcp.server_id)}; "
            f"udp.src = {SERVER_PORT}; udp.dst = {CLIENT_PORT}; "
            f"{SEND_BACK}",
        )


def port_flows(network: Network, port: Port, ofport: int) -> Iterator[Flow]:
    """The flows that serve ``port`` while it is the bridge's port ``ofport``."""
    dhcp = network.dhcpv6
    opts = network.put_dhcpv6_opts(port)
    if dhcp and opts:
        actions = pause(network, opts)
        for destination in (ALL_SERVERS, link_local_address(dhcp.server_id)):
            to = (Is(IPV6_DST, int(destination)), Is(UDP_DST, SERVER_PORT))
            yield Flow(OPTIONS.number, PRIORITY, UDP6, (*is_from(port, ofport), *to), actions)


def network_flows(network: Network) -> Iterator[Flow]:
    """The flows that all ports of ``network`` share."""
    if dhcp := network.dhcpv6:
        yield Flow(
            RESPONSE.number,
            PRIORITY,
            UDP6,
            (DHCP_ANSWERED, is_of(network)),
            (
                Move(ETH_SRC, ETH_DST),
                Load(ETH_SRC, number(dhcp.server_id)),
                Move(IPV6_SRC, IPV6_DST),
                Load(IPV6_SRC, int(link_local_address(dhcp.server_id))),
                Load(UDP_SRC, SERVER_PORT),
                Load(UDP_DST, CLIENT_PORT),
                OutputInPort(),
            ),
        )
