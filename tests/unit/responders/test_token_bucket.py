# SPDX-License-Identifier: Apache-2.0
"""A burst, and then so many a second."""

from __future__ import annotations

from ovs_dhcpd.controller.responders.token_bucket import TokenBucket


def admitted(bucket: TokenBucket, now_s: float, asked: int) -> int:
    return sum(bucket.admit(now_s) for _ in range(asked))


def test_a_burst_passes_and_then_so_many_a_second() -> None:
    bucket = TokenBucket(rate=50, burst=100)
    assert admitted(bucket, 1000.0, 500) == 100
    assert admitted(bucket, 1000.0, 500) == 0
    assert admitted(bucket, 1000.5, 500) == 25
    assert admitted(bucket, 1000.51, 1) == 0  # half a token
    assert admitted(bucket, 1000.53, 1) == 1
    assert admitted(bucket, 2000.0, 500) == 100


def test_a_time_that_does_not_go_on_gives_nothing() -> None:
    bucket = TokenBucket(rate=50, burst=1)
    assert admitted(bucket, 10.0, 2) == 1
    assert admitted(bucket, 9.0, 2) == 0
    assert admitted(bucket, 10.03, 2) == 1
