# SPDX-License-Identifier: Apache-2.0
"""What a responder has to say about a packet: an answer, or silence with a reason.

Logs, counters and tests read the verdict; a responder tells nobody anything else.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Reason(enum.Enum):
    """Why a packet is not answered.  The value names the counter and stands in the log."""

    NOT_DHCP = "not a DHCP request"
    FRAGMENT = "IP fragment"
    TRUNCATED = "truncated packet"
    NOT_BOOTREQUEST = "not a BOOTREQUEST"
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
    UNICAST = "sent to a unicast address"
    NO_REPLY_ADDRESS = "sender has no unicast address"
    NO_CLIENT_ID = "no client identifier"
    NO_SERVER_NAMED = "names no server"
    SERVER_NAMED = "names a server, which it must not"
    ASKS_FOR_LEASE = "asks for a lease, which it must not"
    NOT_SOLICITATION = "not a Router Solicitation"
    FORWARDED = "hop limit is not 255"
    BAD_CHECKSUM = "bad checksum"
    UNKNOWN_LINK = "cannot tell if the address fits the link"
    NO_SERVER_ID = "userdata has no server_id"
    NO_LEASE_TIME = "userdata has no lease_time"
    BAD_USERDATA = "bad userdata"
    INTERNAL_ERROR = "internal error"


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply is to be sent.

    In `frame` the Ethernet source and the UDP source port say where the reply must go; the
    pipeline's response table swaps them across.  `message` is "DHCPOFFER", "DHCPACK", "DHCPNAK",
    "DHCPv6 ADVERTISE" or "DHCPv6 REPLY"; the replies to DECLINE and RELEASE, which say no more than
    that it was heard, are "DHCPv6 DECLINE" and "DHCPv6 RELEASE"; a router advertisement is
    "ND_RA".  `mac` is the client's; `address` (4 or 16 bytes) is the first one offered,
    acknowledged, refused or given back, b"" if there is none; `dropped` lists the codes of the
    options that did not fit.
    """

    frame: bytes
    message: str
    mac: bytes
    address: bytes
    dropped: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is to be sent.

    `message` is "DHCPDECLINE" or "DHCPRELEASE", with the `address` it is about, where the silence
    is the protocol's own; else it is empty.  `detail` says more than the reason where there is
    more to say.
    """

    reason: Reason
    mac: bytes = b""
    address: bytes = b""
    message: str = ""
    detail: str = ""


Verdict = Answer | Silence
