# SPDX-License-Identifier: Apache-2.0
"""Whatever a guest sends: no exception, one verdict, and every answer is a well-formed reply."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence

from tests.lab.packets6 import (
    REBIND,
    RENEW,
    REQUEST,
    SOLICIT,
    ia_na,
    ia_pd,
    ia_ta,
    option,
    parse_reply,
)
from tests.property.oracle_dhcpv6 import (
    COMMON,
    GOLDEN,
    MALFORMED,
    NEIGHBOUR,
    OTHER_PREFIX,
    PREFIX,
    SECOND,
    SERVED,
    STRAY,
    check,
    untag,
)
from tests.property.strategies import damaged
from tests.unit.requests6 import (
    CLIENT_ID,
    DHCP,
    OWN,
    SERVER_ID,
    bare,
)


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


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    check(MALFORMED[name])


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
@given(damaged([*GOLDEN.values(), *MALFORMED.values()], 500))
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
