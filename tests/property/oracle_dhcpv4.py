# SPDX-License-Identifier: Apache-2.0
"""What every answer of DHCPv4 must keep, and requests to begin with."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

from ovs_dhcpd.controller.responders.dhcpv4 import Dhcpv4Responder
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence, Verdict
from ovs_dhcpd.flows.userdata.extension import BootFile, Dhcpv4Extension

from tests.lab.packets import (
    ACK,
    DECLINE,
    DISCOVER,
    INFORM,
    NAK,
    OFFER,
    RELEASE,
    REQUEST,
    option,
    parse_reply,
)
from tests.unit.requests import BOOTP, OWN, SERVER, ask, opts, patch

RELAY = "10.0.0.2"
SECOND = "10.0.0.6"
SMALL = opts(
    hostname="vm1", router=SERVER, dns_server="10.0.0.53", next_server=SERVER, bootfile_name="boot"
)
LARGE = opts(
    hostname="vm1",
    router=SERVER,
    T1=600,
    bootfile_name="menu.ipxe",
    bootfile_name_alt="undionly",
    tftp_server="10.0.0.9",
    option_108="0x00000708",
    classless_static_route="{" + ", ".join(f"10.{n}.0.0/16,10.0.0.1" for n in range(40)) + "}",
    **{f"option_{n}": "x" * 50 for n in range(224, 232)},
)
EXTENDED = replace(
    opts(router=SERVER, ipv6_only_preferred=1800, bootfile_name="menu", option_60='"other"'),
    extension=Dhcpv4Extension(
        rapid_commit=True,
        addresses=(IPv4Address(SECOND),),
        boot_files=(BootFile((0,), b"undionly"), BootFile((7, 16), b"http://10.0.0.9/grub.efi")),
    ),
)
SERVED = {served: Dhcpv4Responder(served) for served in (SMALL, LARGE, EXTENDED)}
CONFIGURED = frozenset(code for served in SERVED for code, _ in served.options)
SET_BY_THE_PROTOCOL = {51, 52, 53, 54, 56, 58, 59, 60, 61, 67, 80, 82}

ROUTES_FIRST = option(
    55, bytes([121, 3, 33, 1, 6, 12, 58, 59, 108, 67, *range(224, 232), 253, 254])
)
COMMON = (ROUTES_FIRST, option(61, b"\1\2\0\0\0\0\1"), option(57, b"\2\x40"), option(12, b"vm1"))
GOLDEN = {
    "discover": ask(DISCOVER, *COMMON),
    "selecting": ask(REQUEST, option(54, SERVER), option(50, OWN), *COMMON),
    "reboot": ask(REQUEST, option(50, OWN), *COMMON, broadcast=True),
    "renew": ask(REQUEST, *COMMON, ciaddr=OWN, ip_src=OWN, ip_dst=SERVER),
    "refused": ask(REQUEST, option(50, "10.0.0.77"), *COMMON),
    "inform": ask(INFORM, *COMMON, ciaddr=OWN, ip_src=OWN),
    "decline": ask(DECLINE, option(54, SERVER), option(50, OWN)),
    "release": ask(RELEASE, option(54, SERVER), ciaddr=OWN),
    "relayed": ask(DISCOVER, *COMMON, option(82, b"\1\4test"), giaddr=RELAY, sport=67),
    "rapid": ask(DISCOVER, *COMMON, option(80, b""), option(50, SECOND)),
    "http": ask(DISCOVER, *COMMON, option(93, b"\0\x10"), option(60, b"HTTPClient:Arch:00016")),
    "ipxe": ask(DISCOVER, *COMMON, option(175, b"\x13\1\1"), option(77, b"iPXE")),
    "overloaded": patch(
        ask(DISCOVER, *COMMON, file=COMMON[0] + b"\xff", sname=b"\x35\1\1\xff"),
        240,
        bytes([52, 1, 3]),
    ),
}
GOLDEN |= {
    f"{name} in {tags}": frame[:12] + bytes.fromhex(tags) + frame[12:]
    for name, frame in GOLDEN.items()
    for tags in ("81000064", "88a8006481000007")
}
ANSWERS = {
    DISCOVER: {"DHCPOFFER": OFFER, "DHCPACK": ACK},
    REQUEST: {"DHCPACK": ACK, "DHCPNAK": NAK},
    INFORM: {"DHCPACK": ACK},
}


def untag(frame: bytes) -> bytes:
    while frame[12:14] in (b"\x81\0", b"\x88\xa8"):
        frame = frame[:12] + frame[16:]
    return frame


def check(frame: bytes) -> None:
    """`frame` gets a verdict from every responder, and an answer keeps all its promises."""
    for responder in SERVED.values():
        verdict = responder.respond(frame)
        if isinstance(verdict, Silence):
            assert isinstance(verdict.reason, Reason)
            assert len(verdict.address) == (4 if verdict.message else 0)
        else:
            check_answer(frame, verdict)


def check_answer(frame: bytes, verdict: Verdict) -> None:
    assert isinstance(verdict, Answer)
    tags = len(verdict.frame) - len(untag(verdict.frame))
    assert verdict.frame[12 : 14 + tags] == frame[12 : 14 + tags]
    assert verdict.frame[:6] == frame[:6]
    reply = parse_reply(untag(verdict.frame))
    assert reply is not None
    assert int.from_bytes(untag(verdict.frame)[16:18], "big") == len(verdict.frame) - 14 - tags
    assert 14 + 28 + 300 <= len(verdict.frame) - tags <= 14 + 1500

    start = 14 + tags + (frame[14 + tags] & 15) * 4 + 8
    sent, got = frame[start:], untag(verdict.frame)[BOOTP:]
    assert got[4:8] == sent[4:8]
    assert got[24:44] == sent[24:44]
    assert (reply.hops, reply.secs) == (0, 0)
    assert reply.yiaddr in ("0.0.0.0", OWN, SECOND)

    codes = [code for code, _ in reply.options]
    assert codes[:2] == [53, 54]
    assert any(kinds.get(verdict.message) == reply.message for kinds in ANSWERS.values())
    assert (51 in codes) == (reply.yiaddr != "0.0.0.0")
    assert set(codes) <= (CONFIGURED | SET_BY_THE_PROTOCOL) - {253, 254}
    assert not set(codes) & set(verdict.dropped)
    for code in set(codes):
        # Once, or in pieces because it is too long for one.
        assert codes.count(code) == 1 or len(reply.option(code)) > 255
    if 82 in codes:
        # The last in the options field; those of file and sname are read after it.
        assert codes[-1] == 82 or 52 in codes
