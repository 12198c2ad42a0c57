# SPDX-License-Identifier: Apache-2.0
"""Whatever comes to OVN's relay agent: no exception, one verdict, only what is its own changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.oracle_dhcp_relay import GOLDEN, check
from tests.property.strategies import damaged


@given(st.binary(max_size=400))
def test_any_bytes(frame: bytes) -> None:
    check(frame)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_is_passed_on_one_way_and_may_be_cut_anywhere(name: str) -> None:
    frame = GOLDEN[name]
    for size in range(len(frame) + 1):
        check(frame[:size])


@settings(max_examples=400)
@given(damaged(GOLDEN.values(), 300))
def test_good_messages_with_some_bytes_changed(frame: bytes) -> None:
    check(frame)
