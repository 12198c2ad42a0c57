# SPDX-License-Identifier: Apache-2.0
"""Neighbour solicitations for the servers' link-local addresses, answered by the switch alone.

A server's DHCPv6 and its router advertisements come from the link-local address of its MAC,
and it is these that a guest looks for.  The packet itself becomes the answer (RFC 4861 §7.2.4):
first its type, because Open vSwitch sets ``nd_tll`` only in flows that match an advertisement,
then, in RESPONSE, the rest.  Its first option, which holds the asker's MAC, becomes the one
that holds ours; a packet cannot grow, so what was asked without an option is answered without.

Open vSwitch carries this out in ovs-vswitchd (a "slow path") on every datapath.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address

from flows.bindings import Network, Port, link_local_address
from flows.flow import (
    ETH_DST,
    ETH_SRC,
    ICMP6,
    ICMPV6_CODE,
    ICMPV6_TYPE,
    IN_PORT,
    IP_TTL,
    IPV6_DST,
    IPV6_SRC,
    METADATA,
    ND_OPTIONS_TYPE,
    ND_RESERVED,
    ND_TARGET,
    ND_TLL,
    Action,
    Flow,
    Is,
    Load,
    Move,
    OutputInPort,
    Resubmit,
)
from flows.stage import PRIORITY, SEND_BACK, LogicalFlow, is_of, network_key, number
from flows.tables import NEIGHBOUR, RESPONSE

SOLICITATION, ADVERTISEMENT = 135, 136
TARGET_LINK_LAYER_ADDRESS = 2  # option
ROUTER, SOLICITED, OVERRIDE = 1 << 31, 1 << 30, 1 << 29

UNSPECIFIED = IPv6Address("::")
ALL_NODES = IPv6Address("ff02::1")
ALL_NODES_MAC = 0x333300000001


def server_macs(network: Network) -> dict[bytes, bool]:
    """The MACs that serve IPv6 in ``network``, and of each whether it is a router."""
    dhcp = {network.dhcpv6.server_id: False} if network.dhcpv6 else {}
    router = {network.ra.slla: True} if network.ra else {}
    return dhcp | router


def port_lflows(network: Network, port: Port) -> Iterator[LogicalFlow]:
    """The logical flows that serve ``port``."""
    for mac, is_router in server_macs(network).items():
        address = link_local_address(mac)
        yield LogicalFlow(
            NEIGHBOUR,
            f'inport == "{port.name}" && nd_ns && nd.target == {address}',
            f"{'nd_na_router' if is_router else 'nd_na'} {{ eth.src = {mac.hex(':')}; "
            f"ip6.src = {address}; nd.target = {address}; nd.tll = {mac.hex(':')}; "
            f"{SEND_BACK} }};",
        )


def network_lflows(network: Network) -> Iterator[LogicalFlow]:
    """None: what the flows do in two steps is one action of a logical flow."""
    yield from ()


def port_flows(network: Network, port: Port, ofport: int) -> Iterator[Flow]:
    """The flows that serve ``port`` while it is the bridge's port ``ofport``."""
    for mac in server_macs(network):
        yield Flow(
            NEIGHBOUR.number,
            PRIORITY,
            ICMP6,
            (
                Is(IN_PORT, ofport),
                Is(IP_TTL, 255),
                Is(ICMPV6_TYPE, SOLICITATION),
                Is(ICMPV6_CODE, 0),
                Is(ND_TARGET, int(link_local_address(mac))),
            ),
            (
                Load(METADATA, network_key(network)),
                Load(ICMPV6_TYPE, ADVERTISEMENT),
                Resubmit(RESPONSE.number),
            ),
        )


def network_flows(network: Network) -> Iterator[Flow]:
    """The flows that all ports of ``network`` share."""
    for mac, is_router in server_macs(network).items():
        flags = OVERRIDE | (ROUTER if is_router else 0)
        probe = (Load(ETH_DST, ALL_NODES_MAC), Load(IPV6_DST, int(ALL_NODES)))
        question = (Move(ETH_SRC, ETH_DST), Move(IPV6_SRC, IPV6_DST))
        target = (
            Is(ICMPV6_TYPE, ADVERTISEMENT),
            Is(ICMPV6_CODE, 0),
            Is(ND_TARGET, int(link_local_address(mac))),
        )
        # Who asks from :: is about to take the address, and all nodes are told whose it is.
        yield Flow(
            RESPONSE.number,
            PRIORITY + 1,
            ICMP6,
            (is_of(network), Is(IPV6_SRC, int(UNSPECIFIED)), *target),
            (*probe, *_advertise(mac, flags)),
        )
        yield Flow(
            RESPONSE.number,
            PRIORITY,
            ICMP6,
            (is_of(network), *target),
            (*question, *_advertise(mac, flags | SOLICITED)),
        )


def _advertise(mac: bytes, flags: int) -> tuple[Action, ...]:
    return (
        Load(ETH_SRC, number(mac)),
        Load(IPV6_SRC, int(link_local_address(mac))),
        Load(ND_RESERVED, flags),
        Load(ND_OPTIONS_TYPE, TARGET_LINK_LAYER_ADDRESS),
        Load(ND_TLL, number(mac)),
        OutputInPort(),
    )
