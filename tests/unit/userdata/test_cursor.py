# SPDX-License-Identifier: Apache-2.0
"""Bytes are read from left to right, and a read past their end says where and what."""

from __future__ import annotations

import pytest
from ovs_dhcpd.flows.userdata.cursor import Cursor, UserdataError


def test_what_is_read_is_behind_what_was_read_before() -> None:
    cursor = Cursor(b"\0\1abc")
    assert cursor.uint(2, "number") == 1
    assert (cursor.left, cursor.take(2, "text"), cursor.left) == (3, b"ab", 1)


def test_a_read_past_the_end_is_refused_and_reads_nothing() -> None:
    cursor = Cursor(b"abc")
    cursor.take(1, "text")
    with pytest.raises(
        UserdataError, match=r"^offset 1: 2 bytes left, expected the 4 of the lifetime$"
    ):
        cursor.uint(4, "lifetime")
    assert cursor.take(2, "text") == b"bc"
