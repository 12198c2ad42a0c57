# SPDX-License-Identifier: Apache-2.0
"""Whatever a guest sends to find a router: no exception, one verdict, a right advertisement."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence

from tests.lab.nd import router_solicitation
from tests.property.oracle_nd_ra import GOLDEN, RESPONDER, check
from tests.property.strategies import damaged
from tests.unit.advertisement import LLA, MAC


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
