# SPDX-License-Identifier: Apache-2.0
"""Whatever a guest sends: no exception, one verdict, and every answer is a well-formed reply."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.responders.dhcpv4 import Dhcpv4Responder
from controller.responders.verdict import Answer, Reason, Silence, Verdict
from flows.extension import BootFile, Dhcpv4Extension
from flows.userdata import PutDhcpOpts
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
from tests.property.strategies import damaged
from tests.unit.requests import BOOTP, OWN, SERVER, ask, opts, patch, serve

RELAY = "10.0.0.2"
SECOND = "10.0.0.6"
SMALL = opts(router=SERVER, dns_server="10.0.0.53", next_server=SERVER, bootfile_name="boot")
LARGE = opts(
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

ROUTES_FIRST = option(55, bytes([121, 3, 33, 1, 6, 58, 59, 108, 67, *range(224, 232), 253, 254]))
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


@given(st.binary(max_size=700))
def test_any_bytes(frame: bytes) -> None:
    check(frame)


@settings(max_examples=400)
@given(st.binary(max_size=400), st.sampled_from(sorted(GOLDEN.values())))
def test_any_bytes_after_good_headers(tail: bytes, frame: bytes) -> None:
    check(frame[: len(frame) - len(tail)] + tail)


@pytest.mark.parametrize("name", GOLDEN)
def test_truncated_at_every_byte(name: str) -> None:
    frame = GOLDEN[name]
    for size in range(len(frame)):
        for responder in SERVED.values():
            verdict = responder.respond(frame[:size])
            assert isinstance(verdict, Silence)
            assert verdict.reason in (Reason.NOT_DHCP, Reason.TRUNCATED)


@pytest.mark.parametrize("name", GOLDEN)
def test_message_truncated_at_every_byte(name: str) -> None:
    """As above, with lengths that say so: the message itself ends early."""
    frame = GOLDEN[name]
    ip = len(frame) - len(untag(frame)) + 14
    for size in range(ip + 28, len(frame)):
        cut = bytearray(frame[:size])
        cut[ip + 2 : ip + 4] = (size - ip).to_bytes(2, "big")
        cut[ip + 24 : ip + 26] = (size - ip - 20).to_bytes(2, "big")
        check(bytes(cut))


@settings(max_examples=400)
@given(damaged(GOLDEN.values(), 400))
def test_good_requests_with_some_bytes_changed(frame: bytes) -> None:
    check(frame)


requests = st.builds(
    lambda message, options, fields: ask(message, *(option(c, v) for c, v in options), **fields),
    st.sampled_from([DISCOVER, REQUEST, REQUEST, INFORM, DECLINE, RELEASE, 0, 9]),
    st.lists(
        st.tuples(
            st.sampled_from([50, 51, 52, 53, 54, 55, 57, 60, 61, 77, 80, 82, 93, 175]),
            st.one_of(
                st.just(bytes([10, 0, 0, 5])),
                st.just(bytes([10, 0, 0, 6])),
                st.just(bytes([0, 16, 0, 7])),
                st.just(b"HTTPClient"),
                st.just(bytes([10, 0, 0, 1])),
                st.binary(max_size=8),
                st.binary(max_size=255),
            ),
        ),
        max_size=8,
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "ciaddr": st.sampled_from([OWN, "10.0.0.77"]),
            "giaddr": st.just(RELAY),
            "ip_src": st.sampled_from([OWN, "10.0.0.77"]),
            "broadcast": st.booleans(),
            "file": st.binary(max_size=128),
            "sname": st.binary(max_size=64),
        },
    ),
)


@settings(max_examples=400)
@given(requests)
def test_any_request(frame: bytes) -> None:
    check(frame)


@settings(max_examples=400)
@given(
    st.sampled_from([LARGE, EXTENDED]),
    requests,
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=4, max_size=4),
)
def test_reply_does_not_depend_on(
    served: PutDhcpOpts, frame: bytes, noise: bytes, xid: bytes
) -> None:
    """Not on TOS, IP id, TTL, checksums and secs; xid is copied and nothing else."""
    other = bytearray(frame)
    other[15] = noise[0]
    other[18:20] = noise[1:3]
    other[22] = noise[3]
    other[24:26] = noise[4:6]
    other[40:42] = noise[6:8]
    other[BOOTP + 8 : BOOTP + 10] = noise[:2]
    responder = SERVED[served]
    verdict = responder.respond(frame)
    assert responder.respond(bytes(other)) == verdict

    again = responder.respond(patch(frame, 4, xid))
    if isinstance(verdict, Silence):
        assert again == verdict
        return
    assert isinstance(again, Answer)
    assert parse_reply(again.frame) is not None  # its UDP checksum is right too
    checksum = again.frame[40:42]
    expected = patch(verdict.frame[:40] + checksum + verdict.frame[42:], 4, xid)
    assert again.frame == expected
    assert (again.message, again.address, again.dropped) == (
        verdict.message,
        verdict.address,
        verdict.dropped,
    )


@given(requests)
def test_userdata_without_options(frame: bytes) -> None:
    bare = serve(server_id=None, lease_time=None, netmask=None)
    assert isinstance(bare.respond(frame), Silence)
