# SPDX-License-Identifier: Apache-2.0
"""The router of one port, as far as it advertises itself (RFC 4861 §6.2.6).

The advertisement comes finished in the flow's userdata; what is left is to see that it
was asked for, to whom it goes, and its checksum.

In an answer's frame the Ethernet and IPv6 *sources* say where it must go, as in OVN's
pinctrl; the destinations are as in the solicitation.  The response flow then does, as
OVN's does (northd's build_ND_RA_flows_for_lrouter_port),

    eth.dst = eth.src; eth.src = slla; ip6.dst = ip6.src; ip6.src = its link-local
    address; outport = inport; flags.loopback = 1; output;

and the switch keeps the checksum right with every field it sets.

An answer goes out at once, where RFC 4861 has routers wait for a random time of up to
half a second: on a port's link is only one router and only one host.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address

from ovs_dhcpd.controller.responders.responder import Responder
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence, Verdict
from ovs_dhcpd.controller.wire import nd
from ovs_dhcpd.controller.wire.frames import IPV6, Fragment, FrameError, NotIpv6, Truncated
from ovs_dhcpd.flows.bindings.well_known import ALL_NODES, ALL_NODES_MAC, UNSPECIFIED
from ovs_dhcpd.flows.userdata.codec import PutNdRaOpts

MESSAGE = "ND_RA"

_UNSPECIFIED, _ALL_NODES = UNSPECIFIED.packed, ALL_NODES.packed
_MULTICAST = 0xFF
REASONS: Mapping[type[ValueError], Reason] = {
    NotIpv6: Reason.NOT_SOLICITATION,
    Fragment: Reason.FRAGMENT,
    Truncated: Reason.TRUNCATED,
    nd.NotSolicitation: Reason.NOT_SOLICITATION,
    nd.Forwarded: Reason.FORWARDED,
    nd.BadChecksum: Reason.BAD_CHECKSUM,
    nd.BadOptions: Reason.BAD_OPTIONS,
}


class NdRaResponder(Responder):
    """Answers the router solicitations of one port, by the userdata of its flow."""

    def __init__(self, opts: PutNdRaOpts) -> None:
        self._message = opts.message

    def respond(self, frame: bytes) -> Verdict:
        """The verdict on the Ethernet frame of a solicitation; never raises, whatever the bytes."""
        try:
            link, source, destination, _ = nd.decode_solicitation(frame)
        except (FrameError, nd.NdError) as error:
            return Silence(REASONS[type(error)])
        mac = to_mac = link[6:12]
        if source == _UNSPECIFIED:
            # It has no address yet.  OVN sends this to all nodes at the asker's MAC.
            source, to_mac = _ALL_NODES, ALL_NODES_MAC
        elif source[0] == _MULTICAST:
            return Silence(Reason.NO_REPLY_ADDRESS, mac)
        link = link[:6] + to_mac + link[12:]
        return Answer(nd.encode_nd(link, source, destination, self._message), MESSAGE, mac, b"")


def unsolicited(message: bytes, mac: bytes, address: IPv6Address) -> bytes:
    """The frame in which the router at `mac` and `address` sends `message` to all nodes."""
    return nd.encode_nd(ALL_NODES_MAC + mac + IPV6, address.packed, _ALL_NODES, message)
