# SPDX-License-Identifier: Apache-2.0
"""What is heard of addresses that are probed: while we ask, and when other daemons do.

While an address is probed, before a port is given it, who has it says so by ARP or by a neighbour
advertisement, and who is about to take it asks for it from no address, as our own probes do (RFC
5227 §2.1.1, RFC 4862 §5.4.3).  And as long as ports have addresses of a pool, the questions of
other daemons are heard, which may have the same pool.

The controller gets a copy, so many a second at the most, and the packet goes on as if we were not
there.  Of what VLAN a packet is that has no tag is a matter of its port, so all are heard.
"""

from __future__ import annotations

from collections.abc import Iterator

from ovs_dhcpd.flows.bindings.pool import Address
from ovs_dhcpd.flows.bindings.probe import PROBING_MACS
from ovs_dhcpd.flows.bindings.well_known import (
    ARP_REQUEST,
    ND_HOP_LIMIT,
    NEIGHBOUR_ADVERTISEMENT,
    NEIGHBOUR_SOLICITATION,
)
from ovs_dhcpd.flows.pipeline.flow import (
    ARP,
    ARP_OP,
    ARP_SPA,
    ARP_TPA,
    ETH_SRC,
    ICMP6,
    ICMPV6_CODE,
    ICMPV6_TYPE,
    IP_TTL,
    IPV6_SRC,
    ND_TARGET,
    Action,
    Flow,
    Is,
    Meter,
    Protocol,
    Resubmit,
    Tell,
)
from ovs_dhcpd.flows.pipeline.guard import PASSED
from ovs_dhcpd.flows.pipeline.logical_flow import FIRST_TIME, PRIORITY, SEEN
from ovs_dhcpd.flows.pipeline.meter import PROBES
from ovs_dhcpd.flows.pipeline.tables import OPTIONS, RESPONSE
from ovs_dhcpd.flows.userdata.codec import PROBE_HEARD

HEARD_PRIORITY = PRIORITY + 1  # a question for the server's MAC comes from the address, too
_TELL = (Tell(PROBE_HEARD.to_bytes(4, "big") + bytes(4)), Resubmit(RESPONSE.number))

# A probe of ours does not meet the flows that pause, guard or hear: it is not the guest's.
PASSES_OURS = (SEEN, PASSED)


def probe_flows(address: Address, *, metered: bool = True) -> Iterator[Flow]:
    """The flows by which it is heard that somebody has ``address``, or is about to."""
    protocol, *matches = _arp(address) if address.version == 4 else _nd(address)
    for match in matches:
        yield _tell(protocol, match, metered)


def daemon_flow(version: int, *, metered: bool = True) -> Flow:
    """The flow by which the questions of daemons for IPv4 (4) or IPv6 (6) addresses are heard."""
    daemons = Is(ETH_SRC, *PROBING_MACS)
    if version == 4:
        return _tell(ARP, (daemons, Is(ARP_SPA, 0), Is(ARP_OP, ARP_REQUEST)), metered)
    asks = (Is(ICMPV6_TYPE, NEIGHBOUR_SOLICITATION), Is(ICMPV6_CODE, 0))
    return _tell(ICMP6, (daemons, Is(IPV6_SRC, 0), Is(IP_TTL, ND_HOP_LIMIT), *asks), metered)


def _tell(protocol: Protocol, match: tuple[Is, ...], metered: bool) -> Flow:
    actions: tuple[Action, ...] = (Meter(PROBES), *_TELL) if metered else _TELL
    return Flow(OPTIONS.number, HEARD_PRIORITY, protocol, (FIRST_TIME.term, *match), actions)


_Matches = tuple[Protocol, tuple[Is, ...], tuple[Is, ...]]


def _arp(address: Address) -> _Matches:
    """Any ARP packet from it, and who asks for it from nowhere."""
    asks = (Is(ARP_SPA, 0), Is(ARP_TPA, int(address)), Is(ARP_OP, ARP_REQUEST))
    return ARP, (Is(ARP_SPA, int(address)),), asks


def _nd(address: Address) -> _Matches:
    """An advertisement of it, and who asks for it from nowhere."""
    hop_limit, target = Is(IP_TTL, ND_HOP_LIMIT), Is(ND_TARGET, int(address))
    says = (Is(ICMPV6_TYPE, NEIGHBOUR_ADVERTISEMENT), Is(ICMPV6_CODE, 0), target)
    asks = (Is(ICMPV6_TYPE, NEIGHBOUR_SOLICITATION), Is(ICMPV6_CODE, 0), target)
    return ICMP6, (hop_limit, *says), (Is(IPV6_SRC, 0), hop_limit, *asks)
