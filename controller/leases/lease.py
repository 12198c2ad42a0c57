# SPDX-License-Identifier: Apache-2.0
"""One client's lease, and what an exchange makes of it.

    asked                                     answered                          then it is
    DISCOVER; SOLICIT                         OFFER; ADVERTISE                  offered
    REQUEST; REQUEST, RENEW, REBIND           ACK; REPLY                        bound
    DISCOVER, SOLICIT with Rapid Commit       ACK; REPLY                        bound
    REQUEST                                   NAK                               refused
    SOLICIT, REQUEST, RENEW, REBIND           without an address                refused
    DECLINE                                   (DHCPv6: REPLY)                   declined
    RELEASE                                   (DHCPv6: REPLY)                   released

A lease that is bound expires when its time is over.  All else that a client says (INFORM, CONFIRM,
INFORMATION-REQUEST), and what it is not answered, changes nothing but what was said last.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import NamedTuple

from ovs_dhcpd.controller.responders.verdict import Answer, Verdict
from ovs_dhcpd.controller.wire import dhcpv4, dhcpv6
from ovs_dhcpd.controller.wire.asked import DHCPV4, Asked
from ovs_dhcpd.controller.wire.frames import FrameError, decode_ipv6_udp, decode_udp
from ovs_dhcpd.flows.userdata.extension import INFINITY_S

ASSIGNED, OFFERED, BOUND, EXPIRED = "assigned", "offered", "bound", "expired"
DECLINED, RELEASED, REFUSED = "declined", "released", "refused"
STATES = (ASSIGNED, OFFERED, BOUND, EXPIRED, DECLINED, RELEASED, REFUSED)

MAX_WORDS = 64  # bytes of a name, or of a vendor class, that a guest says

_BEGUN: Mapping[str, str] = {
    "DHCPOFFER": OFFERED,
    "DHCPACK": BOUND,
    "DHCPNAK": REFUSED,
    "DHCPv6 ADVERTISE": OFFERED,
    "DHCPv6 REPLY": BOUND,
}
_ENDED: Mapping[str, str] = {
    "DHCPDECLINE": DECLINED,
    "DHCPRELEASE": RELEASED,
    "DHCPv6 DECLINE": DECLINED,
    "DHCPv6 RELEASE": RELEASED,
}
_ASKING = frozenset(("DISCOVER", "SOLICIT", "REQUEST", "RENEW", "REBIND"))  # for a lease


class Said(NamedTuple):
    """An exchange as a lease is concerned.

    `state` is what the lease is in now, "" if that is as before; then `address` (packed) is
    whatever there was, else the one it is about, and `lease_s` for how long: math.inf is for ever.
    `asked` is the client's message, `answer` the reply or why there is none, "" if none is meant.
    """

    asked: str
    answer: str
    state: str = ""
    address: bytes = b""
    lease_s: float = 0.0
    host_name: bytes = b""
    vendor_class: bytes = b""


class Lease(NamedTuple):
    """What is known of one client's lease; times are in seconds of :func:`time.monotonic`.

    `state` is as it was last said, so that it stays BOUND (:meth:`state_at`); "" is not known.
    `expires_s` is math.inf for a lease without an end, None while there is none.
    """

    state: str = ASSIGNED
    address: bytes = b""
    since_s: float = 0.0
    expires_s: float | None = None
    asked: str = ""
    answer: str = ""
    last_s: float = 0.0
    requests: int = 0
    host_name: bytes = b""
    vendor_class: bytes = b""

    def state_at(self, now_s: float) -> str:
        """Its state, EXPIRED if its time is over."""
        over = self.expires_s is not None and now_s >= self.expires_s
        return EXPIRED if over else self.state

    def after(
        self, said: Said, now_s: float, times: int = 1, first_s: float | None = None
    ) -> Lease:
        """The lease once this has been said, so many times, first at ``first_s``."""
        begun_s = now_s if first_s is None else first_s
        state, address = said.state or self.state, said.address if said.state else self.address
        same = (state, address) == (self.state, self.address) and self.requests
        if same and state == BOUND:  # one that has expired begins anew
            same = self.expires_s is None or begun_s < self.expires_s
        expires_s = self.expires_s
        if said.state:
            expires_s = now_s + said.lease_s if state == BOUND else None
        return Lease(
            state,
            address,
            self.since_s if same else begun_s,
            expires_s,
            said.asked,
            said.answer,
            now_s,
            self.requests + times,
            said.host_name or self.host_name,
            said.vendor_class or self.vendor_class,
        )


def said(asked: Asked, verdict: Verdict, addresses: Collection[bytes]) -> Said:
    """What an exchange is to the lease of a client that may have these ``addresses``, packed.

    Prefixes of DHCPv6 are among them without their lengths.
    """
    message = verdict.message
    what = Said(
        asked.name,
        message,
        host_name=asked.host_name[:MAX_WORDS],
        vendor_class=asked.vendor_class[:MAX_WORDS],
    )
    ours = verdict.address in addresses
    if message in _ENDED:
        answer = message if isinstance(verdict, Answer) else ""
        ended = _ENDED[message] if ours else ""
        return what._replace(answer=answer, state=ended, address=verdict.address)
    if not isinstance(verdict, Answer):
        return what._replace(answer=verdict.reason.value)
    if asked.kind not in _ASKING or message not in _BEGUN:
        return what
    state, lease_s = _begun(asked, verdict)
    address = b"" if state == REFUSED else verdict.address
    return what._replace(state=state, address=address, lease_s=lease_s)


def _begun(asked: Asked, answer: Answer) -> tuple[str, float]:
    """The state after a reply to who asks for a lease, and how long that is."""
    state = _BEGUN[answer.message]
    if asked.protocol == DHCPV4:
        return (state, _lease_time(answer.frame)) if state == BOUND else (state, 0.0)
    if answer.address:
        return (state, _valid_lifetime(answer)) if state == BOUND else (state, 0.0)
    return ("", 0.0) if _is_told_to_multicast(answer.frame) else (REFUSED, 0.0)


def _seconds(field: bytes) -> float:
    number = int.from_bytes(field, "big")
    return math.inf if number == INFINITY_S else number


def _lease_time(frame: bytes) -> float:
    """Option 51 of a reply of ours."""
    return _seconds(dhcpv4.decode_options(decode_udp(frame).payload)[dhcpv4.LEASE_TIME][:4])


def _valid_lifetime(answer: Answer) -> float:
    """That of the address or prefix that a reply of ours is about."""
    for code, value in _options6(answer.frame):
        if code not in (dhcpv6.IA_NA, dhcpv6.IA_PD):
            continue
        for inner, lease in dhcpv6.decode_options(value[12:]):
            if inner == dhcpv6.IA_ADDRESS and lease[:16] == answer.address:
                return _seconds(lease[20:24])
            if inner == dhcpv6.IA_PREFIX and lease[9:25] == answer.address:
                return _seconds(lease[4:8])
    return 0.0


def _is_told_to_multicast(frame: bytes) -> bool:
    """Whether the reply says no more than UseMulticast (RFC 8415 §18.4)."""
    status = dhcpv6.USE_MULTICAST.to_bytes(2, "big")
    return any(code == dhcpv6.STATUS and value[:2] == status for code, value in _options6(frame))


def _options6(frame: bytes) -> list[tuple[int, bytes]]:
    try:
        message = decode_ipv6_udp(frame).payload
    except FrameError:
        return []
    return dhcpv6.decode_options(message[dhcpv6.HEADER_SIZE :])
