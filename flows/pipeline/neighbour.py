# SPDX-License-Identifier: Apache-2.0
"""Neighbour solicitations for the servers' link-local addresses.

A server's DHCPv6 and its router advertisements come from the link-local address of its MAC,
and it is these that a guest looks for.  The controller makes the answer (RFC 4861 §7.2.4), and
RESPONSE sends it back: a flow that turns a solicitation into an advertisement must set
``nd_reserved`` and ``nd_options_type``, which Linux's datapath cannot, and Open vSwitch refuses it.

In OVN this is one action, ``nd_na { … }``, which has what the answer says between its braces; in
OpenFlow the userdata has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ovs_dhcpd.flows.bindings.network import Network, Port, link_local_address
from ovs_dhcpd.flows.bindings.well_known import (
    ND_HOP_LIMIT,
    NEIGHBOUR_ADVERTISEMENT,
    NEIGHBOUR_SOLICITATION,
)
from ovs_dhcpd.flows.pipeline.flow import (
    ETH_SRC,
    ICMP6,
    ICMPV6_CODE,
    ICMPV6_TYPE,
    IP_TTL,
    IPV6_SRC,
    ND_TARGET,
    ND_TLL,
    Action,
    Is,
    Load,
    OutputInPort,
    Pause,
    Resubmit,
)
from ovs_dhcpd.flows.pipeline.logical_flow import (
    FIRST_TIME,
    PRIORITY,
    RA_ANSWERED,
    LogicalFlow,
    is_of,
    number,
    remember,
)
from ovs_dhcpd.flows.pipeline.service import Service
from ovs_dhcpd.flows.pipeline.tables import NEIGHBOUR, RESPONSE, RESPONSE_WITHOUT_NAME
from ovs_dhcpd.flows.pipeline.terms import From, Predicate, Step, action_text
from ovs_dhcpd.flows.userdata.codec import PutNdNa, encode_userdata

ND_NS = Predicate(
    "nd_ns", (Is(IP_TTL, ND_HOP_LIMIT), Is(ICMPV6_TYPE, NEIGHBOUR_SOLICITATION), Is(ICMPV6_CODE, 0))
)


def server_macs(network: Network) -> dict[bytes, bool]:
    """The MACs that serve IPv6 in ``network``, and of each whether it is a router."""
    dhcp = {network.dhcpv6.server_id: False} if network.dhcpv6 else {}
    router = {network.ra.slla: True} if network.ra else {}
    return dhcp | router


@dataclass(frozen=True)
class Advertise(Step):
    """Answer a solicitation for the server at ``mac``, as a router or not.

    In OVN this is all.  In OpenFlow the packet is paused, and the flow that sends the answer back
    knows by ``mark`` what network's it is.
    """

    mac: bytes
    is_router: bool
    mark: Load

    @property
    def ovn(self) -> str:
        """``nd_na { … };``, or ``nd_na_router``."""
        name = "nd_na_router" if self.is_router else "nd_na"
        mac, address = number(self.mac), int(link_local_address(self.mac))
        says = (
            Load(ETH_SRC, mac),
            Load(IPV6_SRC, address),
            Load(ND_TARGET, address),
            Load(ND_TLL, mac),
            OutputInPort(),
        )
        return f"{name} {{ {action_text(says)} }};"

    @property
    def openflow(self) -> tuple[Action, ...]:
        """``controller(userdata=…,pause)``, then RESPONSE."""
        answer = PutNdNa.of(link_local_address(self.mac), self.mac, is_router=self.is_router)
        return (self.mark, Pause(encode_userdata(answer)), Resubmit(RESPONSE.number))


class NeighbourService(Service):
    """Neighbour Discovery for the servers' addresses."""

    def port_lflows(self, network: Network, port: Port) -> Iterator[LogicalFlow]:
        """A question for a server's MAC is answered."""
        for mac, is_router in server_macs(network).items():
            target = Is(ND_TARGET, int(link_local_address(mac)))
            yield LogicalFlow(
                NEIGHBOUR,
                when=(ICMP6, FIRST_TIME, From(port.name, port.tag), ND_NS, target),
                then=(Advertise(mac, is_router, remember(network)),),
            )

    def network_lflows(self, network: Network) -> Iterator[LogicalFlow]:
        """The answer is sent back as it is; the flow of router advertisements is behind this."""
        if server_macs(network):
            yield LogicalFlow(
                RESPONSE_WITHOUT_NAME,
                when=(
                    ICMP6,
                    RA_ANSWERED,
                    is_of(network),
                    Is(ICMPV6_TYPE, NEIGHBOUR_ADVERTISEMENT),
                    Is(ICMPV6_CODE, 0),
                ),
                then=(OutputInPort(),),
                priority=PRIORITY + 1,
            )
