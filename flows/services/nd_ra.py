# SPDX-License-Identifier: Apache-2.0
"""Router advertisements for those who ask; the others come without a flow.

RESPONSE turns an answered packet round (see :mod:`controller.responders.nd_ra`).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address

from flows.action_text import format_action
from flows.bindings import Network, Port, link_local_address
from flows.flow import (
    ETH_DST,
    ETH_SRC,
    ICMP6,
    ICMPV6_CODE,
    ICMPV6_TYPE,
    IP_TTL,
    IPV6_DST,
    IPV6_SRC,
    Flow,
    Is,
    Load,
    Move,
    OutputInPort,
)
from flows.stage import (
    PRIORITY,
    RA_ANSWERED,
    SEND_BACK,
    LogicalFlow,
    comes_from,
    is_from,
    is_of,
    network_key,
    number,
    pause,
)
from flows.tables import ND_RA_OPTIONS, ND_RA_RESPONSE

ALL_ROUTERS = IPv6Address("ff02::2")
ROUTER_SOLICITATION = 133


def port_lflows(network: Network, port: Port) -> Iterator[LogicalFlow]:
    """The logical flow that serves ``port``."""
    if opts := network.put_nd_ra_opts():
        yield LogicalFlow(
            ND_RA_OPTIONS,
            f"{comes_from(port)} && ip6.dst == {ALL_ROUTERS} && nd_rs",
            f"{format_action(opts)} next;",
        )


def network_lflows(network: Network) -> Iterator[LogicalFlow]:
    """The logical flow that all ports of ``network`` share."""
    if ra := network.ra:
        yield LogicalFlow(
            ND_RA_RESPONSE,
            f"reg0[5] && icmp6 && metadata == {network_key(network):#x}",
            f"eth.dst = eth.src; eth.src = {ra.slla.hex(':')}; ip6.dst = ip6.src; "
            f"ip6.src = {link_local_address(ra.slla)}; "
            f"{SEND_BACK}",
        )


def port_flows(network: Network, port: Port, ofport: int) -> Iterator[Flow]:
    """The flow that serves ``port`` while it is the bridge's port ``ofport``."""
    if opts := network.put_nd_ra_opts():
        asks = (
            Is(IPV6_DST, int(ALL_ROUTERS)),
            Is(IP_TTL, 255),
            Is(ICMPV6_TYPE, ROUTER_SOLICITATION),
            Is(ICMPV6_CODE, 0),
        )
        match = (*is_from(port, ofport), *asks)
        yield Flow(ND_RA_OPTIONS.number, PRIORITY, ICMP6, match, pause(network, opts))


def network_flows(network: Network) -> Iterator[Flow]:
    """The flow that all ports of ``network`` share."""
    if ra := network.ra:
        yield Flow(
            ND_RA_RESPONSE.number,
            PRIORITY,
            ICMP6,
            (RA_ANSWERED, is_of(network)),
            (
                Move(ETH_SRC, ETH_DST),
                Load(ETH_SRC, number(ra.slla)),
                Move(IPV6_SRC, IPV6_DST),
                Load(IPV6_SRC, int(link_local_address(ra.slla))),
                OutputInPort(),
            ),
        )
