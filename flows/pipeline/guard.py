# SPDX-License-Identifier: Apache-2.0
"""A guest uses its own MAC and addresses, and serves no other guest.

A port that asks for it has all its packets go through GUARD before any other flow, also of
somebody else, sees them; what passes goes back to OPTIONS, marked by ``reg0[6]``, as if nothing had
been.  Each reason to drop is a flow of its own, so that ``n_packets`` counts it.

What a port may send is OVN's port security (ovn controller/lflow.c, ``consider_port_sec_flows``),
but for two things: ARP may ask whether an address is free (RFC 5227 §2.1.1), and a Neighbor
Discovery message whose hop limit is not 255 is looked at like any other.  Where a network asks for
a guard, its ports send no DHCP as servers do, and no router advertisements.

Packets with a tag are another port's: a sub-port's, which is guarded by itself if it is at all.
Where all VLANs of the port are known, those of others are dropped, as in OVN (`vlan.present` in ovn
northd/northd.c).
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from ipaddress import IPv4Network, IPv6Network

from ovs_dhcpd.flows.bindings.network import Guarded, Network, Port, link_local_address
from ovs_dhcpd.flows.bindings.well_known import (
    ARP_REQUEST,
    BROADCAST,
    DHCPV4_CLIENT_PORT,
    DHCPV4_SERVER_PORT,
    DHCPV6_SERVER_PORT,
    NEIGHBOUR_ADVERTISEMENT,
    NEIGHBOUR_SOLICITATION,
    ROUTER_ADVERTISEMENT,
)
from ovs_dhcpd.flows.pipeline.flow import (
    ARP,
    ARP_OP,
    ARP_SHA,
    ARP_SPA,
    ETH_SRC,
    ICMP6,
    ICMPV6_CODE,
    ICMPV6_TYPE,
    IP,
    IP_DST,
    IP_SRC,
    IPV6,
    IPV6_DST,
    IPV6_SRC,
    ND_SLL,
    ND_TARGET,
    ND_TLL,
    REG0,
    UDP,
    UDP6,
    UDP_DST,
    UDP_SRC,
    Field,
    Is,
    Load,
    Resubmit,
)
from ovs_dhcpd.flows.pipeline.logical_flow import LogicalFlow, number
from ovs_dhcpd.flows.pipeline.service import Service
from ovs_dhcpd.flows.pipeline.tables import (
    CHECK_ND,
    CHECK_PORT_SEC,
    ENTER_PORT_SEC,
    GUARD,
    GUARD_ND,
    OPTIONS,
)
from ovs_dhcpd.flows.pipeline.terms import (
    ActionTerm,
    DoInOpenFlow,
    Drop,
    From,
    FromAnyVlan,
    MatchInOpenFlow,
    MatchTerm,
)

_PASSED_BIT = 6  # reg0[6]: this packet has passed GUARD
_NOT_PASSED = MatchInOpenFlow(Is(REG0, 0, 1 << _PASSED_BIT))
_FIRST = 65535  # before every other flow of OPTIONS
_AFTER_SUB_PORTS = _FIRST - 1

_DROP: tuple[ActionTerm, ...] = (Drop(),)
PASSED = Load(REG0, 1, offset=_PASSED_BIT, n_bits=1)
_PASS: tuple[ActionTerm, ...] = (DoInOpenFlow((PASSED,)), Resubmit(OPTIONS.number))
_CHECK_ND: tuple[ActionTerm, ...] = (Resubmit(GUARD_ND.number),)

# From what says least of a packet to what says most.
_TAGGED, _VLAN, _ANY, _MAC, _PROTOCOL, _ADDRESS, _ND, _SERVER = 1, 5, 10, 20, 30, 40, 50, 60

_NO_MAC = 0  # of an option that is not there
_UNSPECIFIED = Is(IPV6_SRC, 0)
_TO_LINK_LOCAL_MULTICAST = Is(IPV6_DST, 0xFF02 << 112, 0xFFFF << 112)
_LISTENER_REPORTS = (131, 143)  # RFC 2710 §3, RFC 3810 §5.2


class GuardService(Service):
    """Nothing but what is the port's own leaves the port."""

    def port_lflows(self, network: Network, port: Port) -> Iterator[LogicalFlow]:
        """All of the port's packets are looked at."""
        guarded = network.guarded(port)
        if not network.guard and not guarded:
            return
        here = From(port.name, port.tag)
        yield LogicalFlow(
            ENTER_PORT_SEC,
            when=(_NOT_PASSED, here),
            then=(Resubmit(GUARD.number),),
            priority=_FIRST,
        )
        yield _check((here,), _DROP if guarded else _PASS, _ANY)
        if network.guard:
            yield from _servers(here)
        for each in guarded:
            yield from _guard(here, each)
        if port.vlans is not None:
            yield from _other_vlans(port.name, port.vlans)

    def network_lflows(self, network: Network) -> Iterator[LogicalFlow]:
        """No logical flows: all are a port's own."""
        return iter(())


def _check(when: tuple[MatchTerm, ...], then: tuple[ActionTerm, ...], priority: int) -> LogicalFlow:
    return LogicalFlow(CHECK_PORT_SEC, when, then, priority)


def _other_vlans(name: str, vlans: Set[int]) -> Iterator[LogicalFlow]:
    """Of packets with a tag these pass; those of sub-ports that are guarded do not come here."""
    tagged = FromAnyVlan(name)
    enter = (Resubmit(GUARD.number),)
    yield LogicalFlow(ENTER_PORT_SEC, (_NOT_PASSED, tagged), enter, _AFTER_SUB_PORTS)
    yield _check((tagged,), _DROP, _TAGGED)
    for vlan in sorted(vlans):
        yield _check((From(name, vlan),), _PASS, _VLAN)


def _servers(here: From) -> Iterator[LogicalFlow]:
    """No guest is a DHCP server or a router to others."""
    yield _check((UDP, here, Is(UDP_SRC, DHCPV4_SERVER_PORT)), _DROP, _SERVER)
    yield _check((UDP6, here, Is(UDP_SRC, DHCPV6_SERVER_PORT)), _DROP, _SERVER)
    advertisement = Is(ICMPV6_TYPE, ROUTER_ADVERTISEMENT)
    yield _check((ICMP6, here, advertisement, Is(ICMPV6_CODE, 0)), _DROP, _SERVER)


def _guard(here: From, guarded: Guarded) -> Iterator[LogicalFlow]:
    """What may come from one MAC."""
    mac = number(guarded.mac)
    source = (here, Is(ETH_SRC, mac))
    yield _check(source, _DROP if guarded.addresses else _PASS, _MAC)
    ipv4 = [each for each in guarded.addresses if isinstance(each, IPv4Network)]
    ipv6 = [each for each in guarded.addresses if isinstance(each, IPv6Network)]
    if ipv6 and (link_local := IPv6Network(link_local_address(guarded.mac))) not in ipv6:
        ipv6.append(link_local)
    yield from _arp(source, mac, ipv4, whoever=not guarded.addresses)
    if guarded.addresses:
        yield from _ipv4(source, ipv4)
        yield from _ipv6(source, ipv6)
    else:
        for kind in (NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT):
            yield _check((ICMP6, *source, Is(ICMPV6_TYPE, kind)), _CHECK_ND, _ND)
    if ipv6 or not guarded.addresses:
        yield from _nd(source, mac, ipv6)


def _arp(
    source: tuple[MatchTerm, ...], mac: int, addresses: list[IPv4Network], *, whoever: bool
) -> Iterator[LogicalFlow]:
    """ARP of the MAC: of its addresses, or the question whether one is free."""
    yield _check((ARP, *source), _DROP, _PROTOCOL)
    own = Is(ARP_SHA, mac)
    if whoever:
        yield _check((ARP, *source, own), _PASS, _ADDRESS)
    for address in addresses:
        yield _check((ARP, *source, _is_in(ARP_SPA, address), own), _PASS, _ADDRESS)
    if addresses:
        probe = (Is(ARP_SPA, 0), Is(ARP_OP, ARP_REQUEST), own)
        yield _check((ARP, *source, *probe), _PASS, _ADDRESS)


def _ipv4(source: tuple[MatchTerm, ...], addresses: list[IPv4Network]) -> Iterator[LogicalFlow]:
    """IPv4 of the addresses, and a client that asks for one."""
    yield _check((IP, *source), _DROP, _PROTOCOL)
    for address in addresses:
        yield _check((IP, *source, _is_in(IP_SRC, address)), _PASS, _ADDRESS)
    if addresses:
        request = (
            Is(IP_SRC, 0),
            Is(IP_DST, int(BROADCAST)),
            Is(UDP_SRC, DHCPV4_CLIENT_PORT),
            Is(UDP_DST, DHCPV4_SERVER_PORT),
        )
        yield _check((UDP, *source, *request), _PASS, _ADDRESS)


def _ipv6(source: tuple[MatchTerm, ...], addresses: list[IPv6Network]) -> Iterator[LogicalFlow]:
    """IPv6 of the addresses, and from :: what a host sends before it has one."""
    yield _check((IPV6, *source), _DROP, _PROTOCOL)
    nd = (NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT)
    for address in addresses:
        own = _is_in(IPV6_SRC, address)
        yield _check((IPV6, *source, own), _PASS, _ADDRESS)
        for kind in nd:
            yield _check((ICMP6, *source, own, Is(ICMPV6_TYPE, kind)), _CHECK_ND, _ND)
    if addresses:
        first = (_UNSPECIFIED, _TO_LINK_LOCAL_MULTICAST)
        for kind in _LISTENER_REPORTS:
            report = (Is(ICMPV6_TYPE, kind), Is(ICMPV6_CODE, 0))
            yield _check((ICMP6, *source, *first, *report), _PASS, _ADDRESS)
        solicitation = (Is(ICMPV6_TYPE, NEIGHBOUR_SOLICITATION), Is(ICMPV6_CODE, 0))
        yield _check((ICMP6, *source, *first, *solicitation), _CHECK_ND, _ND)


def _nd(
    source: tuple[MatchTerm, ...], mac: int, addresses: list[IPv6Network]
) -> Iterator[LogicalFlow]:
    """Neighbor Discovery that says of the addresses, or of any, that they are at the MAC."""
    for kind in (NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT):
        said = (ICMP6, *source, Is(ICMPV6_TYPE, kind))
        yield LogicalFlow(CHECK_ND, said, _DROP, _PROTOCOL)
    for at in (_NO_MAC, mac):
        ask = (Is(ICMPV6_TYPE, NEIGHBOUR_SOLICITATION), Is(ICMPV6_CODE, 0), Is(ND_SLL, at))
        yield LogicalFlow(CHECK_ND, (ICMP6, *source, *ask), _PASS, _ADDRESS)
        answer = (Is(ICMPV6_TYPE, NEIGHBOUR_ADVERTISEMENT), Is(ICMPV6_CODE, 0))
        targets: list[tuple[Is, ...]] = [(_is_in(ND_TARGET, address),) for address in addresses]
        for target in targets or [()]:
            when = (ICMP6, *source, *answer, *target, Is(ND_TLL, at))
            yield LogicalFlow(CHECK_ND, when, _PASS, _ADDRESS)


def _is_in(field: Field, network: IPv4Network | IPv6Network) -> Is:
    value = int(network.network_address)
    whole = network.prefixlen == network.max_prefixlen
    return Is(field, value, None if whole else int(network.netmask))
