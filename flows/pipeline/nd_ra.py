# SPDX-License-Identifier: Apache-2.0
"""Router advertisements for those who ask; the others come without a flow.

RESPONSE turns an answered packet round (see :mod:`controller.responders.nd_ra`).
"""

from __future__ import annotations

from collections.abc import Iterator

from ovs_dhcpd.flows.bindings.network import Network, Port, link_local_address
from ovs_dhcpd.flows.bindings.well_known import ALL_ROUTERS, ND_HOP_LIMIT, ROUTER_SOLICITATION
from ovs_dhcpd.flows.pipeline.flow import (
    ETH_DST,
    ETH_SRC,
    ICMP6,
    ICMPV6_CODE,
    ICMPV6_TYPE,
    IP_TTL,
    IPV6_DST,
    IPV6_SRC,
    Is,
    Load,
    Move,
    OutputInPort,
)
from ovs_dhcpd.flows.pipeline.logical_flow import (
    RA_ANSWERED,
    LogicalFlow,
    ask,
    comes_from,
    is_of,
    number,
)
from ovs_dhcpd.flows.pipeline.service import Service
from ovs_dhcpd.flows.pipeline.tables import ND_RA_OPTIONS, ND_RA_RESPONSE
from ovs_dhcpd.flows.pipeline.terms import Predicate

ND_RS = Predicate(
    "nd_rs", (Is(IP_TTL, ND_HOP_LIMIT), Is(ICMPV6_TYPE, ROUTER_SOLICITATION), Is(ICMPV6_CODE, 0))
)


class NdRaService(Service):
    """Router advertisements in answer to solicitations."""

    def port_lflows(self, network: Network, port: Port) -> Iterator[LogicalFlow]:
        """A solicitation is paused."""
        if opts := network.put_nd_ra_opts():
            yield LogicalFlow(
                ND_RA_OPTIONS,
                when=(
                    ICMP6,
                    *comes_from(port),
                    Is(IPV6_DST, int(ALL_ROUTERS)),
                    ND_RS,
                ),
                then=ask(network, opts),
            )

    def network_lflows(self, network: Network) -> Iterator[LogicalFlow]:
        """An advertisement leaves as the router's."""
        if ra := network.ra:
            yield LogicalFlow(
                ND_RA_RESPONSE,
                when=(RA_ANSWERED, ICMP6, is_of(network)),
                then=(
                    Move(ETH_SRC, ETH_DST),
                    Load(ETH_SRC, number(ra.slla)),
                    Move(IPV6_SRC, IPV6_DST),
                    Load(IPV6_SRC, int(link_local_address(ra.slla))),
                    OutputInPort(),
                ),
            )
