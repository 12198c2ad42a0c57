# SPDX-License-Identifier: Apache-2.0
"""DHCPv6.

OPTIONS has a flow for the address of all servers and one for this server's link-local
address.  The source fields of an answered packet are the client's, and RESPONSE turns the
packet round (see :mod:`controller.responders.dhcpv6`).
"""

from __future__ import annotations

from collections.abc import Iterator

from ovs_dhcpd.flows.bindings.network import Network, Port, link_local_address
from ovs_dhcpd.flows.bindings.well_known import ALL_SERVERS, DHCPV6_CLIENT_PORT, DHCPV6_SERVER_PORT
from ovs_dhcpd.flows.pipeline.flow import (
    ETH_DST,
    ETH_SRC,
    IPV6_DST,
    IPV6_SRC,
    UDP6,
    UDP_DST,
    UDP_SRC,
    Is,
    Load,
    Move,
    OutputInPort,
)
from ovs_dhcpd.flows.pipeline.logical_flow import (
    DHCP_ANSWERED,
    LogicalFlow,
    ask,
    comes_from,
    is_of,
    number,
)
from ovs_dhcpd.flows.pipeline.service import Service
from ovs_dhcpd.flows.pipeline.tables import DHCP_OPTIONS, DHCP_RESPONSE
from ovs_dhcpd.flows.pipeline.terms import OneOf


class Dhcpv6Service(Service):
    """DHCPv6."""

    def port_lflows(self, network: Network, port: Port) -> Iterator[LogicalFlow]:
        """A request is paused."""
        dhcp = network.dhcpv6
        opts = network.put_dhcpv6_opts(port)
        if dhcp and opts:
            server = link_local_address(dhcp.server_id)
            yield LogicalFlow(
                DHCP_OPTIONS,
                when=(
                    UDP6,
                    *comes_from(port),
                    OneOf(IPV6_DST, (int(server), int(ALL_SERVERS))),
                    Is(UDP_DST, DHCPV6_SERVER_PORT),
                ),
                then=ask(network, opts),
            )

    def network_lflows(self, network: Network) -> Iterator[LogicalFlow]:
        """A reply leaves as the server's."""
        if dhcp := network.dhcpv6:
            yield LogicalFlow(
                DHCP_RESPONSE,
                when=(DHCP_ANSWERED, UDP6, is_of(network)),
                then=(
                    Move(ETH_SRC, ETH_DST),
                    Load(ETH_SRC, number(dhcp.server_id)),
                    Move(IPV6_SRC, IPV6_DST),
                    Load(IPV6_SRC, int(link_local_address(dhcp.server_id))),
                    Load(UDP_SRC, DHCPV6_SERVER_PORT),
                    Load(UDP_DST, DHCPV6_CLIENT_PORT),
                    OutputInPort(),
                ),
            )
