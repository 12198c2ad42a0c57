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
    NO_SERVER_ID = "userdata has no server_id"
    NO_LEASE_TIME = "userdata has no lease_time"
    BAD_USERDATA = "bad userdata"
    INTERNAL_ERROR = "internal error"


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply is to be sent.

    In `frame` the Ethernet source and the UDP source port say where the reply must go; the
    pipeline's response table swaps them across.  `message` is "DHCPOFFER", "DHCPACK" or "DHCPNAK";
    `mac` is the client's; `address` (4 bytes) is the one offered, acknowledged or refused;
    `dropped` lists the codes of the options that did not fit.
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
