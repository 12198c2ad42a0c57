# SPDX-License-Identifier: Apache-2.0
"""What a responder has to say about a packet: an answer, or silence with a reason.

Logs, counters and tests read the verdict; a responder tells nobody anything else.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple

from ovs_dhcpd.controller.wire.frames import Fragment, FrameError, NotIpv6, NotUdp, Truncated


class Reason(enum.Enum):
    """Why a packet is not answered.  The value names the counter and stands in the log."""

    NOT_DHCP = "not a DHCP request"
    FRAGMENT = "IP fragment"
    TRUNCATED = "truncated packet"
    NOT_BOOTREQUEST = "not a BOOTREQUEST"
    NOT_BOOTREPLY = "not a BOOTREPLY"
    NOT_ETHERNET = "hardware type is not Ethernet"
    BAD_COOKIE = "no DHCP magic cookie"
    BAD_OPTIONS = "malformed options"
    NO_MESSAGE_TYPE = "no message type"
    SERVER_MESSAGE = "a message that only servers send"
    UNKNOWN_MESSAGE = "unknown message type"
    SPOOFED_CHADDR = "chaddr is not the Ethernet source"
    OTHER_SERVER = "meant for another server"
    NO_ADDRESS = "names no address"
    DECLINED = "address declined"
    RELEASED = "address released"
    NO_ROOM = "reply does not fit"
    RELAYED = "relayed message"
    TOO_MANY_HOPS = "came through too many relay agents"
    OTHER_RELAY = "meant for another relay agent"
    NOT_THE_SERVER = "not from the relay agent's server"
    OFF_LINK = "address is not of the relay agent's network"
    DNS = "DNS, which ovn-controller alone looks up"
    UNICAST = "sent to a unicast address"
    NO_REPLY_ADDRESS = "sender has no unicast address"
    NO_CLIENT_ID = "no client identifier"
    NO_SERVER_NAMED = "names no server"
    SERVER_NAMED = "names a server, which it must not"
    ASKS_FOR_LEASE = "asks for a lease, which it must not"
    NOT_SOLICITATION = "not a Router Solicitation"
    NOT_FOR_SERVER = "not a Neighbor Solicitation for the server"
    FORWARDED = "hop limit is not 255"
    BAD_CHECKSUM = "bad checksum"
    UNKNOWN_LINK = "cannot tell if the address fits the link"
    NO_SERVER_ID = "userdata has no server_id"
    NO_LEASE_TIME = "userdata has no lease_time"
    RATE_LIMIT = "more than its rate limit"
    BAD_USERDATA = "bad userdata"
    INTERNAL_ERROR = "internal error"


# Why a frame is not answered that no datagram of DHCP can be taken out of.
NO_DATAGRAM: Mapping[type[FrameError], Reason] = {
    NotIpv6: Reason.NOT_DHCP,
    NotUdp: Reason.NOT_DHCP,
    Fragment: Reason.FRAGMENT,
    Truncated: Reason.TRUNCATED,
}


class Answer(NamedTuple):
    """A reply is to be sent.

    In `frame` the Ethernet source and the UDP source port say where the reply must go; the
    pipeline's response table swaps them across.  `message` is "DHCPOFFER", "DHCPACK", "DHCPNAK",
    "DHCPv6 ADVERTISE" or "DHCPv6 REPLY"; the replies to DECLINE and RELEASE, which say no more than
    that it was heard, are "DHCPv6 DECLINE" and "DHCPv6 RELEASE"; advertisements are "ND_RA" of a
    router and "ND_NA" of a neighbour; what a relay agent passes on is "DHCP_RELAY_REQ" and
    "DHCP_RELAY_RESP".  `mac` is the client's; `address` (4 or 16 bytes) is the
    first one offered, acknowledged, refused or given back, b"" if there is none; `dropped` lists
    the codes of the options that did not fit.  `asked` is the message type of the DHCP request
    that this answers, 0 where that is another packet (a relay agent's too).
    """

    frame: bytes
    message: str
    mac: bytes
    address: bytes
    dropped: tuple[int, ...] = ()
    asked: int = 0


class Silence(NamedTuple):
    """Nothing is to be sent.

    `message` is "DHCPDECLINE" or "DHCPRELEASE", with the `address` it is about, or "DNS_LOOKUP",
    where silence is what is meant; else it is empty.  `detail` says more than the reason where
    there is more to say.
    """

    reason: Reason
    mac: bytes = b""
    address: bytes = b""
    message: str = ""
    detail: str = ""

    @property
    def why(self) -> str:
        """The reason with its detail, for people."""
        return f"{self.reason.value} ({self.detail})" if self.detail else self.reason.value


Verdict = Answer | Silence
