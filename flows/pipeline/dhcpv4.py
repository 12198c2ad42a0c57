# SPDX-License-Identifier: Apache-2.0
"""DHCPv4, and ARP for the server's address.

The table OPTIONS (:mod:`flows.pipeline.tables`) has a flow for the first request of a client that
has no address yet, as OVN has it, and under it wider ones, for the broadcast address and for the
server's, from any address and port: clients that renew, that ask for an address of elsewhere and
are to be told so, and relay agents.  The responder leaves the reply's destination in the *source*
fields, as OVN's pinctrl does, because only RESPONSE knows ``server_mac``.
"""

from __future__ import annotations

from collections.abc import Iterator

from ovs_dhcpd.flows.bindings.network import Dhcpv4, Network, Port
from ovs_dhcpd.flows.bindings.well_known import (
    ARP_REPLY,
    ARP_REQUEST,
    BROADCAST,
    DHCPV4_CLIENT_PORT,
    DHCPV4_SERVER_PORT,
)
from ovs_dhcpd.flows.pipeline.flow import (
    ARP,
    ARP_OP,
    ARP_SHA,
    ARP_SPA,
    ARP_THA,
    ARP_TPA,
    ETH_DST,
    ETH_SRC,
    IP_DST,
    IP_SRC,
    UDP,
    UDP_DST,
    UDP_SRC,
    Is,
    Load,
    Move,
    OutputInPort,
)
from ovs_dhcpd.flows.pipeline.logical_flow import (
    DHCP_ANSWERED,
    PRIORITY,
    LogicalFlow,
    ask,
    comes_from,
    is_of,
    number,
)
from ovs_dhcpd.flows.pipeline.service import Service
from ovs_dhcpd.flows.pipeline.tables import DHCP_OPTIONS, DHCP_RESPONSE, NEIGHBOUR
from ovs_dhcpd.flows.pipeline.terms import From, OneOf

WIDER_PRIORITY = PRIORITY - 1  # under the first request; the lowest of all flows that pause


class Dhcpv4Service(Service):
    """DHCPv4, and ARP for ``server_id`` where the network says so."""

    def port_lflows(self, network: Network, port: Port) -> Iterator[LogicalFlow]:
        """A request is paused; a question for the server's MAC becomes its answer."""
        dhcp = network.dhcpv4
        opts = network.put_dhcp_opts(port)
        if dhcp is None or opts is None:
            return
        then = ask(network, opts)
        to_server = Is(UDP_DST, DHCPV4_SERVER_PORT)
        yield LogicalFlow(
            DHCP_OPTIONS,
            when=(
                UDP,
                *comes_from(port),
                Is(IP_SRC, 0),
                Is(IP_DST, int(BROADCAST)),
                Is(UDP_SRC, DHCPV4_CLIENT_PORT),
                to_server,
            ),
            then=then,
        )
        yield LogicalFlow(
            DHCP_OPTIONS,
            when=(
                UDP,
                *comes_from(port),
                OneOf(IP_DST, (int(dhcp.server_id), int(BROADCAST))),
                to_server,
            ),
            then=then,
            priority=WIDER_PRIORITY,
        )
        if network.arp_responder:
            yield _arp(dhcp, port)

    def network_lflows(self, network: Network) -> Iterator[LogicalFlow]:
        """A reply leaves as the server's."""
        if dhcp := network.dhcpv4:
            yield LogicalFlow(
                DHCP_RESPONSE,
                when=(DHCP_ANSWERED, UDP, is_of(network)),
                then=(
                    Move(ETH_SRC, ETH_DST),
                    Load(ETH_SRC, number(dhcp.server_mac)),
                    Load(IP_SRC, int(dhcp.server_id)),
                    Move(UDP_SRC, UDP_DST),
                    Load(UDP_SRC, DHCPV4_SERVER_PORT),
                    OutputInPort(),
                ),
            )


def _arp(dhcp: Dhcpv4, port: Port) -> LogicalFlow:
    """An ARP request for server_id becomes its reply (RFC 826)."""
    mac = number(dhcp.server_mac)
    return LogicalFlow(
        NEIGHBOUR,
        when=(
            ARP,
            From(port.name, port.tag),
            Is(ARP_TPA, int(dhcp.server_id)),
            Is(ARP_OP, ARP_REQUEST),
        ),
        then=(
            Move(ETH_SRC, ETH_DST),
            Load(ETH_SRC, mac),
            Load(ARP_OP, ARP_REPLY),
            Move(ARP_SHA, ARP_THA),
            Load(ARP_SHA, mac),
            Move(ARP_SPA, ARP_TPA),
            Load(ARP_SPA, int(dhcp.server_id)),
            OutputInPort(),
        ),
    )
