# SPDX-License-Identifier: Apache-2.0
"""What every answer of DHCPv6 must keep, and requests to begin with."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network

from ovs_dhcpd.controller.responders.dhcpv6 import Dhcpv6Responder
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence
from ovs_dhcpd.flows.userdata.extension import Dhcpv6Extension

from tests.lab.overreads6 import OVERREADS
from tests.lab.packets6 import (
    ADVERTISE,
    CONFIRM,
    DECLINE,
    IA_NA,
    IA_PD,
    IA_TA,
    INFORMATION_REQUEST,
    REBIND,
    RELEASE,
    RENEW,
    REPLY,
    REQUEST,
    SOLICIT,
    frame_of,
    ia_na,
    ia_pd,
    ia_ta,
    option,
    oro,
    parse_reply,
)
from tests.unit.requests6 import (
    CLIENT_ID,
    INFINITY,
    LLA,
    MAC,
    OWN,
    SERVER_DUID,
    SERVER_ID,
    ask,
    bare,
    opts,
)

SECOND, NEIGHBOUR, STRAY = "fd00::6", "fd00::99", "fd77::5"
PREFIX, OTHER_PREFIX = "fd01:0:0:100::/56", "fd01:0:0:200::/56"

SMALL = opts(dns_server="fd00::53", domain_search="ovn.org,example.com", fqdn="vm1.ovn.org")
LARGE = opts(
    Dhcpv6Extension(
        preferred_lifetime_s=600,
        valid_lifetime_s=900,
        rapid_commit=True,
        addresses=(IPv6Address(SECOND),),
        delegated_prefixes=(IPv6Network(PREFIX),),
    ),
    dns_server=["fd00::53", "fd00::54"],
    fqdn="vm1",
    bootfile_name="menu.ipxe",
    bootfile_name_alt="ipxe.efi",
    option_7="0xff",
    option_32="0x00000e10",
    **{f"option_{n}": "x" * 400 for n in range(224, 230)},
)
STATELESS = opts(ia_addr=None, dns_server="fd00::53")
SERVED = {served: Dhcpv6Responder(served) for served in (SMALL, LARGE, STATELESS)}
SERVED_LEASES = {
    SMALL: {OWN: (INFINITY, INFINITY)},
    LARGE: dict.fromkeys((OWN, SECOND, PREFIX), (600, 900)),
    STATELESS: {},
}
CONFIGURED = {code for served in SERVED for code, _ in served.options} - {5, 254}
SET_BY_THE_PROTOCOL = {1, 2, 3, 4, 13, 14, 25}

COMMON = (
    oro(23, 24, 32, 39, 59, 7, *range(224, 230), 254),
    option(8, b"\0\0"),
    option(39, b"\1\3vm9\0"),
    option(15, b"\0\4iPXE"),
)
IAS = (ia_na(0, OWN), ia_na(7, STRAY, NEIGHBOUR), ia_pd(1, OTHER_PREFIX), ia_ta(2))
GOLDEN = {
    "solicit": ask(SOLICIT, *COMMON, *IAS),
    "rapid": ask(SOLICIT, option(14), *COMMON, *IAS),
    "request": ask(REQUEST, SERVER_ID, *COMMON, *IAS),
    "renew": ask(RENEW, SERVER_ID, *COMMON, *IAS),
    "rebind": ask(REBIND, *COMMON, *IAS),
    "confirm": ask(CONFIRM, *IAS),
    "release": ask(RELEASE, SERVER_ID, *IAS),
    "decline": ask(DECLINE, SERVER_ID, *IAS),
    "information": ask(INFORMATION_REQUEST, *COMMON),
    "nobody": bare(INFORMATION_REQUEST, *COMMON),
    "unicast": ask(RENEW, SERVER_ID, *COMMON, *IAS, ip_dst="fe80::1"),
    "relayed": bare(12, option(9, CLIENT_ID)),
}
GOLDEN |= {
    f"{name} in {tags}": GOLDEN[name][:12] + bytes.fromhex(tags) + GOLDEN[name][12:]
    for name in ("solicit", "renew")
    for tags in ("81000064", "88a8006481000007")
}
# Behind hop-by-hop options.
GOLDEN["extended"] = (
    lambda frame: (
        frame[:18]
        + (int.from_bytes(frame[18:20], "big") + 8).to_bytes(2, "big")
        + b"\0"
        + frame[21:54]
        + bytes.fromhex("1100050200000100")
        + frame[54:]
    )
)(GOLDEN["solicit"])
MALFORMED = {name: frame_of(each.message, MAC, ip_src=LLA) for name, each in OVERREADS.items()}

MESSAGES = {
    "DHCPv6 ADVERTISE": (ADVERTISE, {SOLICIT}),
    "DHCPv6 REPLY": (REPLY, {SOLICIT, REQUEST, CONFIRM, RENEW, REBIND, INFORMATION_REQUEST}),
    "DHCPv6 RELEASE": (REPLY, {RELEASE}),
    "DHCPv6 DECLINE": (REPLY, {DECLINE}),
}
USE_MULTICAST = 5


def untag(frame: bytes) -> bytes:
    while frame[12:14] in (b"\x81\0", b"\x88\xa8"):
        frame = frame[:12] + frame[16:]
    return frame


def check(frame: bytes) -> None:
    """`frame` gets a verdict from every responder, and an answer keeps all its promises."""
    for served, responder in SERVED.items():
        verdict = responder.respond(frame)
        if isinstance(verdict, Silence):
            assert isinstance(verdict.reason, Reason)
            assert (verdict.message, verdict.address) == ("", b"")
        else:
            check_answer(frame, verdict, SERVED_LEASES[served])


def check_answer(frame: bytes, verdict: Answer, leases: dict[str, tuple[int, int]]) -> None:
    tags = len(verdict.frame) - len(untag(verdict.frame))
    assert verdict.frame[: 14 + tags] == frame[: 14 + tags]
    assert len(verdict.frame) - tags <= 14 + 1500
    reply = parse_reply(untag(verdict.frame))
    sent = untag(frame)
    assert verdict.frame[22 + tags : 54 + tags] == sent[22:54]
    assert (reply.sport, reply.dport, reply.hop_limit) == (546, 547, 64)

    kind, asked_with = MESSAGES[verdict.message]
    assert reply.message == kind
    assert reply.xid in frame
    assert reply.option(2) == SERVER_DUID

    assert set(reply.codes) <= CONFIGURED | SET_BY_THE_PROTOCOL
    assert not set(reply.codes) & set(verdict.dropped)
    single = [code for code in reply.codes if code not in (IA_NA, IA_TA, IA_PD)]
    assert len(single) == len(set(single))
    assert len(verdict.address) in (0, 16)
    if reply.status == USE_MULTICAST:
        assert set(reply.codes) == {1, 2, 13}
        return
    assert any(bytes([message]) + reply.xid in frame for message in asked_with)

    named = [(each.code, each.iaid) for each in reply.ias]
    assert len(named) == len(set(named))
    given = [text for each in reply.ias for text, _, valid in each.leases if valid]
    assert len(given) == len(set(given))
    for each in reply.ias:
        assert bool(each.leases) != (each.status is not None)
        assert each.t1 is None or each.t2 is None or each.t1 <= each.t2
        if not any(valid for _, _, valid in each.leases):
            assert each.t1 in (None, 0)
            assert each.t2 in (None, 0)
        for text, preferred, valid in each.leases:
            assert ("/" in text) == (each.code == IA_PD)
            assert (preferred, valid) == leases.get(text, (0, 0))
