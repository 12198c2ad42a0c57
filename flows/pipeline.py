# SPDX-License-Identifier: Apache-2.0
"""From bindings to logical flows, and with ofports to flows.

A logical flow says it the way ``ovn-sbctl lflow-list`` does, with names; a flow
is what the bridge holds.  Both are made here, next to each other, so that they
say the same:

* OPTIONS, per port, for the broadcast address and for the server's: keep the
  network's key in ``metadata``, pause the packet with the port's userdata, and
  when it comes back look into RESPONSE;
* RESPONSE, per network: an answered packet (``reg0[3]`` is 1) leaves by the port
  it came from.  The responder leaves the reply's destination in the *source*
  fields, as OVN's pinctrl does, because only the flow knows ``server_mac``;
* RESPONSE, once: any other packet goes back to OPTIONS, marked by ``reg0[4]`` so
  that our own flows let it pass, and on as if we were not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
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
    METADATA,
    REG0,
    UDP,
    UDP_DST,
    UDP_SRC,
    Flow,
    Is,
    Load,
    Move,
    OutputInPort,
    Pause,
    Resubmit,
)
from flows.tables import ARP_RESPONDER, OPTIONS, RESPONSE, Table
from flows.userdata import encode_userdata

PRIORITY = 100
BROADCAST = IPv4Address("255.255.255.255")
DHCP_SERVER_PORT = 67

ANSWERED = 1 << 3  # reg0[3], the result bit that OVN's own flows use
SEEN_BIT = 4  # reg0[4]: this packet has been through OPTIONS once
SEEN = 1 << SEEN_BIT


@dataclass(frozen=True)
class LogicalFlow:
    """A logical flow; its text is a line of ``ovn-sbctl lflow-list``."""

    table: Table
    match: str
    action: str
    priority: int = PRIORITY

    def __str__(self) -> str:
        return (
            f"  table={self.table.number:<2}({self.table.stage:<19}), priority={self.priority}, "
            f"match=({self.match}), action=({self.action})"
        )


def network_key(network: Network) -> int:
    """The number that stands for ``network`` in ``metadata``: the same after every restart."""
    return int.from_bytes(hashlib.blake2b(network.name.encode(), digest_size=4).digest(), "big")


def port_lflows(network: Network, port: Port) -> Iterator[LogicalFlow]:
    """The logical flows that serve ``port``."""
    dhcp = network.dhcpv4
    opts = network.put_dhcp_opts(port)
    if dhcp is None or opts is None:
        return
    inport = f'inport == "{port.name}"'
    yield LogicalFlow(
        OPTIONS,
        f"{inport} && eth.src == {port.mac.hex(':')} && "
        f"ip4.dst == {{{dhcp.server_id}, {BROADCAST}}} && udp.dst == {DHCP_SERVER_PORT}",
        f"{format_action(opts)} next;",
    )
    if network.arp_responder:
        mac = dhcp.server_mac.hex(":")
        yield LogicalFlow(
            ARP_RESPONDER,
            f"{inport} && arp.tpa == {dhcp.server_id} && arp.op == 1",
            f"eth.dst = eth.src; eth.src = {mac}; arp.op = 2; arp.tha = arp.sha; "
            f"arp.sha = {mac}; arp.tpa = arp.spa; arp.spa = {dhcp.server_id}; "
            "outport = inport; flags.loopback = 1; output;",
        )


def network_lflows(network: Network) -> Iterator[LogicalFlow]:
    """The logical flows that all ports of ``network`` share."""
    if dhcp := network.dhcpv4:
        yield LogicalFlow(
            RESPONSE,
            f"reg0[3] && udp && metadata == {network_key(network):#x}",
            f"eth.dst = eth.src; eth.src = {dhcp.server_mac.hex(':')}; ip4.src = {dhcp.server_id}; "
            f"udp.dst = udp.src; udp.src = {DHCP_SERVER_PORT}; "
            "outport = inport; flags.loopback = 1; output;",
        )


def port_flows(network: Network, port: Port, ofport: int) -> Iterator[Flow]:
    """The flows that serve ``port`` while it is the bridge's port ``ofport``."""
    dhcp = network.dhcpv4
    opts = network.put_dhcp_opts(port)
    if dhcp is None or opts is None:
        return
    actions = (
        Load(METADATA, network_key(network)),
        Pause(encode_userdata(opts)),
        Resubmit(RESPONSE.number),
    )
    for destination in (BROADCAST, dhcp.server_id):
        yield Flow(
            OPTIONS.number,
            PRIORITY,
            UDP,
            (
                Is(REG0, 0, SEEN),
                Is(IN_PORT, ofport),
                Is(ETH_SRC, int.from_bytes(port.mac, "big")),
                Is(IP_DST, int(destination)),
                Is(UDP_DST, DHCP_SERVER_PORT),
            ),
            actions,
        )
    if network.arp_responder:
        yield Flow(
            ARP_RESPONDER.number,
            PRIORITY,
            ARP,
            (Is(IN_PORT, ofport), Is(ARP_TPA, int(dhcp.server_id)), Is(ARP_OP, 1)),
            _arp_reply(dhcp),
        )


def network_flows(network: Network) -> Iterator[Flow]:
    """The flows that all ports of ``network`` share."""
    if dhcp := network.dhcpv4:
        yield Flow(
            RESPONSE.number,
            PRIORITY,
            UDP,
            (Is(REG0, ANSWERED, ANSWERED), Is(METADATA, network_key(network))),
            (
                Move(ETH_SRC, ETH_DST),
                Load(ETH_SRC, int.from_bytes(dhcp.server_mac, "big")),
                Load(IP_SRC, int(dhcp.server_id)),
                Move(UDP_SRC, UDP_DST),
                Load(UDP_SRC, DHCP_SERVER_PORT),
                OutputInPort(),
            ),
        )


def bridge_flows() -> Iterator[Flow]:
    """The flows that every bridge has once."""
    yield Flow(
        RESPONSE.number,
        0,
        None,
        (),
        (
            Load(METADATA, 0),
            Load(REG0, 1, offset=SEEN_BIT, n_bits=1),
            Resubmit(OPTIONS.number),
        ),
    )


def _arp_reply(dhcp: Dhcpv4) -> tuple[Load | Move | OutputInPort, ...]:
    """The actions that turn an ARP request for server_id into its reply (RFC 826)."""
    mac = int.from_bytes(dhcp.server_mac, "big")
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
