# SPDX-License-Identifier: Apache-2.0
"""Whatever a guest sends to find a router: no exception, one verdict, a right advertisement."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.responders.nd_ra import NdRaResponder
from controller.responders.verdict import Answer, Reason, Silence
from flows.userdata import PutNdRaOpts
from tests.lab import nd
from tests.lab.nd import mac_option, router_solicitation
from tests.property.strategies import damaged
from tests.unit.test_nd_ra import LLA, MAC, MESSAGE

RESPONDER = NdRaResponder(PutNdRaOpts(MESSAGE))
GOLDEN = {
    "plain": router_solicitation(MAC, LLA),
    "with MAC": router_solicitation(MAC, LLA, mac_option(1, MAC), b"\x0e\1nonce!"),
    "unspecified": router_solicitation(MAC, "::"),
    "padded": router_solicitation(MAC, LLA) + bytes(6),
}
GOLDEN |= {
    f"{name} in {tags}": frame[:12] + bytes.fromhex(tags) + frame[12:]
    for name, frame in GOLDEN.items()
    for tags in ("81000064", "88a8006481000007")
}


def untag(frame: bytes) -> bytes:
    while frame[12:14] in (b"\x81\0", b"\x88\xa8"):
        frame = frame[:12] + frame[16:]
    return frame


def check(frame: bytes) -> None:
    """`frame` gets a verdict, and an answer keeps all its promises."""
    verdict = RESPONDER.respond(frame)
    if isinstance(verdict, Silence):
        assert isinstance(verdict.reason, Reason)
        assert verdict.message == ""
        return
    asked, got = untag(frame), untag(verdict.frame)
    assert len(verdict.frame) - len(got) == len(frame) - len(asked)
    assert verdict.mac == frame[6:12]
    # What is asked was asked rightly (RFC 4861 §6.1.1) …
    source = asked[22:38]
    assert asked[21] == 255
    # … and the answer is the message, to who asked or to all.
    to_all = source == bytes(16)
    assert got == nd.icmp6(
        MESSAGE,
        eth_src=nd.ALL_NODES_MAC if to_all else asked[6:12].hex(":"),
        eth_dst=asked[:6].hex(":"),
        ip_src=nd.ALL_NODES if to_all else str(IPv6Address(source)),
        ip_dst=str(IPv6Address(asked[38:54])),
    )


@given(st.binary(max_size=200))
def test_any_bytes(frame: bytes) -> None:
    check(frame)


@given(st.binary(max_size=100), st.sampled_from(sorted(GOLDEN.values())))
def test_any_bytes_after_good_headers(tail: bytes, frame: bytes) -> None:
    check(frame[: len(frame) - len(tail)] + tail)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_is_answered_and_truncated_at_every_byte_is_not(name: str) -> None:
    frame = GOLDEN[name]
    assert isinstance(RESPONDER.respond(frame), Answer)
    whole = len(frame) - 6 * ("padded" in name)
    for size in range(whole):
        verdict = RESPONDER.respond(frame[:size])
        assert isinstance(verdict, Silence)
        assert verdict.reason in (Reason.NOT_SOLICITATION, Reason.TRUNCATED)


@settings(max_examples=300)
@given(damaged(GOLDEN.values(), 100))
def test_good_solicitations_with_some_bytes_changed(frame: bytes) -> None:
    check(frame)


@settings(max_examples=300)
@given(
    st.sampled_from([LLA, "::", "fd00::5", "ff02::1"]),
    st.binary(max_size=40),
    st.sampled_from([255, 255, 64]),
    st.sampled_from([0, 0, 1]),
)
def test_any_solicitation(source: str, options: bytes, hop_limit: int, code: int) -> None:
    """With a right checksum, so that its options are looked at."""
    check(router_solicitation(MAC, source, options, hop_limit=hop_limit, code=code))
