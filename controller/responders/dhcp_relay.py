# SPDX-License-Identifier: Apache-2.0
"""OVN's relay agent for DHCPv4 (RFC 1542 §4.1), as far as the flows leave it to a controller.

The flow of dhcp_relay_req_chk has a client's message, that of dhcp_relay_resp_chk what the server
sent to the relay agent; what an answer's frame lacks for its way, the flows behind them set (OVN's
build_dhcp_relay_flows_for_lrouter_port).  Nothing is remembered in between.
"""

from __future__ import annotations

from typing import NamedTuple

from ovs_dhcpd.controller.responders.responder import Responder
from ovs_dhcpd.controller.responders.verdict import NO_DATAGRAM, Answer, Reason, Silence, Verdict
from ovs_dhcpd.controller.wire import dhcpv4 as wire
from ovs_dhcpd.controller.wire.frames import (
    FrameError,
    decode_udp,
    with_payload,
)
from ovs_dhcpd.flows.bindings.well_known import BROADCAST, DHCPV4_SERVER_PORT
from ovs_dhcpd.flows.userdata.codec import DhcpRelayReqChk, DhcpRelayRespChk

REQUEST, RESPONSE = "DHCP_RELAY_REQ", "DHCP_RELAY_RESP"

_NONE = bytes(4)
_BROADCAST = BROADCAST.packed
_BROADCAST_FLAG = 0x80  # in the first byte of flags
_ASSIGNING = frozenset((bytes((wire.OFFER,)), bytes((wire.ACK,))))


class _Message(NamedTuple):
    """A DHCP message that is whole."""

    content: bytes
    options: dict[int, bytes]

    @property
    def mac(self) -> bytes:
        return self.content[wire.CLIENT_MAC]


def _decode(frame: bytes) -> _Message | Silence:
    """The message in the frame, or what is wrong with it."""
    try:
        datagram = decode_udp(frame)
    except FrameError as error:
        return Silence(NO_DATAGRAM[type(error)])
    content = datagram.payload
    if datagram.destination_port != DHCPV4_SERVER_PORT:
        return Silence(Reason.NOT_DHCP)
    if len(content) < wire.HEADER_SIZE:
        return Silence(Reason.TRUNCATED)
    if content[wire.HARDWARE] != wire.ETHERNET:
        return Silence(Reason.NOT_ETHERNET)
    mac = content[wire.CLIENT_MAC]
    if content[wire.COOKIE] != wire.MAGIC_COOKIE:
        return Silence(Reason.BAD_COOKIE, mac)
    try:
        options = wire.decode_options(content)
    except wire.OptionsError:
        return Silence(Reason.BAD_OPTIONS, mac)
    if len(options.get(wire.MESSAGE_TYPE, b"")) != 1:
        return Silence(Reason.NO_MESSAGE_TYPE, mac)
    return _Message(content, options)


class DhcpRelayRequestResponder(Responder):
    """Makes a client's message one of the relay agent: its address in giaddr, one hop more."""

    def __init__(self, opts: DhcpRelayReqChk) -> None:
        self._relay = opts.relay.packed

    def respond(self, frame: bytes) -> Verdict:
        """The verdict on the frame of a client's message; never raises, whatever the bytes."""
        message = _decode(frame)
        if isinstance(message, Silence):
            return message
        content, mac = message.content, message.mac
        if content[wire.OP] != wire.BOOTREQUEST:
            return Silence(Reason.NOT_BOOTREQUEST, mac)
        if content[wire.GIADDR] != _NONE:
            return Silence(Reason.RELAYED, mac)
        hops = content[wire.HOPS] + 1
        if hops > wire.MAX_HOPS:
            return Silence(Reason.TOO_MANY_HOPS, mac)
        relayed = (
            content[: wire.HOPS]
            + bytes((hops,))
            + content[wire.HOPS + 1 : wire.GIADDR.start]
            + self._relay
            + content[wire.GIADDR.stop :]
        )
        requested = message.options.get(wire.REQUESTED_ADDRESS, content[wire.CIADDR])
        return Answer(with_payload(frame, relayed), REQUEST, mac, requested)


class DhcpRelayResponseResponder(Responder):
    """Sends what the server sent to the relay agent on to the client."""

    def __init__(self, opts: DhcpRelayRespChk) -> None:
        self._relay, self._server = opts.relay.packed, opts.server.packed

    def respond(self, frame: bytes) -> Verdict:
        """The verdict on the frame of a server's message; never raises, whatever the bytes."""
        message = _decode(frame)
        if isinstance(message, Silence):
            return message
        content, mac = message.content, message.mac
        flaw = self._flaw(message)
        if flaw:
            return Silence(flaw, mac)
        assigned = content[wire.YIADDR]
        # A NAK has no address to go to, with the flag or without (RFC 2131 §4.1).
        to_all = content[wire.FLAGS][0] & _BROADCAST_FLAG or assigned == _NONE
        to_client = with_payload(frame, content, _BROADCAST if to_all else assigned)
        return Answer(mac + to_client[6:], RESPONSE, mac, assigned)

    def _flaw(self, message: _Message) -> Reason | None:
        """Why the message is not for a client of this relay agent."""
        content, options = message.content, message.options
        if content[wire.OP] != wire.BOOTREPLY:
            return Reason.NOT_BOOTREPLY
        if content[wire.GIADDR] != self._relay:
            return Reason.OTHER_RELAY
        if options.get(wire.SERVER_ID) != self._server:
            return Reason.NOT_THE_SERVER
        mask = int.from_bytes(options.get(wire.NETMASK, b"")[:4], "big")
        differing = int.from_bytes(content[wire.YIADDR], "big") ^ int.from_bytes(self._relay, "big")
        if options[wire.MESSAGE_TYPE] in _ASSIGNING and differing & mask:
            return Reason.OFF_LINK
        return None
