# SPDX-License-Identifier: Apache-2.0
"""Whatever a guest sends: no exception, one verdict, and every answer is a well-formed reply."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.responders.dhcpv6 import Dhcpv6Responder
from controller.responders.verdict import Answer, Reason, Silence
from flows.extension import Dhcpv6Extension
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
    ia_na,
    ia_pd,
    ia_ta,
    option,
    oro,
    parse_reply,
)
from tests.property.strategies import damaged
from tests.unit.requests6 import (
    CLIENT_ID,
    DHCP,
    INFINITY,
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
        for text, preferred, valid in each.leases:
            assert ("/" in text) == (each.code == IA_PD)
            assert (preferred, valid) == leases.get(text, (0, 0))


@given(st.binary(max_size=700))
def test_any_bytes(frame: bytes) -> None:
    check(frame)


@settings(max_examples=400)
@given(st.binary(max_size=400), st.sampled_from(sorted(GOLDEN.values())))
def test_any_bytes_after_good_headers(tail: bytes, frame: bytes) -> None:
    check(frame[: len(frame) - len(tail)] + tail)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    check(GOLDEN[name])
    answered = [r for r in SERVED.values() if isinstance(r.respond(GOLDEN[name]), Answer)]
    assert bool(answered) == (name != "relayed")


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
    udp = ip + (48 if name == "extended" else 40)
    for size in range(udp + 8, len(frame)):
        cut = bytearray(frame[:size])
        cut[ip + 4 : ip + 6] = (size - ip - 40).to_bytes(2, "big")
        cut[udp + 4 : udp + 6] = (size - udp).to_bytes(2, "big")
        check(bytes(cut))


@settings(max_examples=400)
@given(damaged(GOLDEN.values(), 500))
def test_good_requests_with_some_bytes_changed(frame: bytes) -> None:
    check(frame)


addresses = st.lists(st.sampled_from([OWN, SECOND, NEIGHBOUR, STRAY, "::"]), max_size=3)
prefixes = st.lists(st.sampled_from([PREFIX, OTHER_PREFIX, "::/56"]), max_size=3)
iaids = st.integers(0, 3)
associations = st.one_of(
    st.builds(lambda iaid, leases: ia_na(iaid, *leases), iaids, addresses),
    st.builds(lambda iaid, leases: ia_ta(iaid, *leases), iaids, addresses),
    st.builds(lambda iaid, leases: ia_pd(iaid, *leases), iaids, prefixes),
)
requests = st.builds(
    lambda message, options, fields: bare(message, *options, **fields),
    st.sampled_from([*range(1, 14), SOLICIT, REQUEST, RENEW, REBIND]),
    st.lists(
        st.one_of(
            st.just(CLIENT_ID),
            st.just(SERVER_ID),
            associations,
            associations,
            st.builds(option, st.sampled_from([1, 2, 3, 4, 6, 8, 13, 14, 15, 25, 39]), st.binary()),
            st.sampled_from(COMMON),
        ),
        max_size=8,
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "ip_src": st.sampled_from([OWN, "::", "ff02::1"]),
            "ip_dst": st.sampled_from(["fe80::1", "ff05::1:3"]),
            "sport": st.integers(0, 65535),
        },
    ),
)


@settings(max_examples=400)
@given(requests)
def test_any_request(frame: bytes) -> None:
    check(frame)


@settings(max_examples=400)
@given(
    st.sampled_from([*SERVED]),
    st.one_of(requests, st.sampled_from(sorted(GOLDEN.values()))),
    st.binary(min_size=7, max_size=7),
)
def test_reply_does_not_depend_on(served: Any, frame: bytes, noise: bytes) -> None:
    """Not on class, label, hop limit, source port and checksum."""
    if untag(frame) != frame or frame[20] != 17:
        return
    other = bytearray(frame)
    other[14] = 0x60 | noise[0] >> 4
    other[15:18] = noise[:3]
    other[21] = noise[3]
    other[54:56] = noise[4:6]
    other[60:62] = noise[5:7]
    assert SERVED[served].respond(bytes(other)) == SERVED[served].respond(frame)


@settings(max_examples=200)
@given(st.sampled_from([*SERVED]), requests, st.binary(min_size=3, max_size=3))
def test_the_transaction_is_copied_and_nothing_else(served: Any, frame: bytes, xid: bytes) -> None:
    verdict = SERVED[served].respond(frame)
    again = SERVED[served].respond(frame[: DHCP + 1] + xid + frame[DHCP + 4 :])
    if isinstance(verdict, Silence):
        assert again == verdict
        return
    assert isinstance(again, Answer)
    assert parse_reply(again.frame).xid == xid
    expected = verdict.frame[: DHCP + 1] + xid + verdict.frame[DHCP + 4 :]
    assert again.frame == expected[:60] + again.frame[60:62] + expected[62:]
    assert (again.message, again.address, again.dropped) == (
        verdict.message,
        verdict.address,
        verdict.dropped,
    )
