# SPDX-License-Identifier: Apache-2.0
"""Whatever a guest sends: no exception, one verdict, and every answer is a well-formed reply."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts

from tests.lab.packets import (
    DECLINE,
    DISCOVER,
    INFORM,
    RELEASE,
    REQUEST,
    option,
    parse_reply,
)
from tests.property.oracle_dhcpv4 import EXTENDED, GOLDEN, LARGE, RELAY, SERVED, check, untag
from tests.property.strategies import damaged
from tests.unit.requests import BOOTP, OWN, ask, patch, serve


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
