# SPDX-License-Identifier: Apache-2.0
"""Whatever a switch says: no exception but those that say what is wrong with it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.oracle_openflow import GOLDEN, check
from tests.property.strategies import damaged


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    check(GOLDEN[name])


@pytest.mark.parametrize("name", GOLDEN)
def test_truncated_at_every_byte_with_a_length_that_says_so(name: str) -> None:
    said = GOLDEN[name]
    for size in range(8, min(len(said), 400)):
        check(said[:2] + size.to_bytes(2, "big") + said[4:size])


@given(st.binary(max_size=300))
def test_any_bytes(stream: bytes) -> None:
    check(stream)


@given(
    st.integers(0, 7),
    st.one_of(st.sampled_from([0, 1, 4, 6, 12, 19, 33]), st.integers(0, 255)),
    st.integers(0, 3),
    st.binary(max_size=200),
)
def test_any_body(version: int, kind: int, xid: int, body: bytes) -> None:
    check(struct.pack("!BBHI", version, kind, 8 + len(body), xid) + body)


@settings(max_examples=400)
@given(st.lists(damaged(GOLDEN.values(), 300), min_size=1, max_size=5))
def test_messages_with_some_bytes_changed(said: list[bytes]) -> None:
    check(b"".join(said))
