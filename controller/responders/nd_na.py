# SPDX-License-Identifier: Apache-2.0
"""A server of one port, as far as it tells where it is (RFC 4861 §7.2.4).

The neighbour advertisement comes finished in the flow's userdata; what is left is to see that it
was asked for, to whom it goes, its solicited flag and its checksum.  An answer's frame is what the
guest gets: the response flow only sends it back.
"""

from __future__ import annotations

from ovs_dhcpd.controller.responders.nd_ra import REASONS
from ovs_dhcpd.controller.responders.responder import Responder
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence, Verdict
from ovs_dhcpd.controller.wire import nd
from ovs_dhcpd.controller.wire.frames import FrameError
from ovs_dhcpd.flows.bindings.well_known import (
    ALL_NODES,
    ALL_NODES_MAC,
    NEIGHBOUR_SOLICITATION,
    UNSPECIFIED,
)
from ovs_dhcpd.flows.userdata.codec import PutNdNa

MESSAGE = "ND_NA"

_SOLICITED = 0x40  # in the message's fifth byte
_MULTICAST = 0xFF
_UNSPECIFIED, _ALL_NODES = UNSPECIFIED.packed, ALL_NODES.packed


class NdNaResponder(Responder):
    """Answers the neighbour solicitations of one port, by the userdata of its flow."""

    def __init__(self, opts: PutNdNa) -> None:
        message = opts.message
        self._target, self._mac = message[8:24], message[26:32]
        self._to_all = message
        self._to_asker = message[:4] + bytes((message[4] | _SOLICITED,)) + message[5:]

    def respond(self, frame: bytes) -> Verdict:
        """The verdict on the Ethernet frame of a solicitation; never raises, whatever the bytes."""
        try:
            link, source, _, target = nd.decode_solicitation(frame, NEIGHBOUR_SOLICITATION)
        except (FrameError, nd.NdError) as error:
            reason = REASONS[type(error)]
            not_for_server = reason is Reason.NOT_SOLICITATION
            return Silence(Reason.NOT_FOR_SERVER if not_for_server else reason)
        if target != self._target:
            return Silence(Reason.NOT_FOR_SERVER)
        asker = link[6:12]
        if source[0] == _MULTICAST:
            return Silence(Reason.NO_REPLY_ADDRESS, asker)
        to, to_mac, message = source, asker, self._to_asker
        if source == _UNSPECIFIED:
            # It is about to take the address, and all nodes are told whose it is.
            to, to_mac, message = _ALL_NODES, ALL_NODES_MAC, self._to_all
        link = to_mac + self._mac + link[12:]
        return Answer(nd.encode_nd(link, self._target, to, message), MESSAGE, asker, b"")
