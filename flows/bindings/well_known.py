# SPDX-License-Identifier: Apache-2.0
"""Addresses and numbers that the protocols fix, each once for flows, responders and frames."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Final

BROADCAST_MAC: Final = b"\xff" * 6

ARP_REQUEST: Final = 1  # RFC 826
ARP_REPLY: Final = 2

DHCPV4_SERVER_PORT: Final = 67  # RFC 2131 §4.1
DHCPV4_CLIENT_PORT: Final = 68
BROADCAST: Final = IPv4Address("255.255.255.255")

DHCPV6_CLIENT_PORT: Final = 546  # RFC 8415 §7.2
DHCPV6_SERVER_PORT: Final = 547
ALL_SERVERS: Final = IPv6Address("ff02::1:2")  # All_DHCP_Relay_Agents_and_Servers, RFC 8415 §7.1

UNSPECIFIED: Final = IPv6Address("::")
ALL_NODES: Final = IPv6Address("ff02::1")  # RFC 4291 §2.7.1
ALL_ROUTERS: Final = IPv6Address("ff02::2")
ALL_NODES_MAC: Final = bytes.fromhex("333300000001")  # RFC 2464 §7

ROUTER_SOLICITATION: Final = 133  # RFC 4861 §4, as those below
ROUTER_ADVERTISEMENT: Final = 134
NEIGHBOUR_SOLICITATION: Final = 135
NEIGHBOUR_ADVERTISEMENT: Final = 136
ND_HOP_LIMIT: Final = 255  # a packet that has it was not forwarded: it is from this link
