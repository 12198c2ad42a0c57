# SPDX-License-Identifier: Apache-2.0
"""The token buckets of a bridge without meters."""

from __future__ import annotations

from ovs_dhcpd.controller.bridges.buckets import Buckets
from ovs_dhcpd.controller.responders.token_bucket import TokenBucket
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit

LIMIT, OTHER = RateLimit(50, 100), RateLimit(1, 2)


def burst(bucket: TokenBucket) -> int:
    return sum(bucket.admit(1.0) for _ in range(2 * LIMIT.burst))


def test_the_flows_of_a_port_share_one() -> None:
    buckets = Buckets()
    nothing = buckets.by_cookie
    buckets.want("vm1", None, ())
    buckets.settle()
    assert buckets.by_cookie is nothing
    buckets.want("vm1", LIMIT, (1, 2))
    buckets.want("vm2", LIMIT, (3,))
    assert buckets.by_cookie is nothing
    buckets.settle()
    one, two, three = (buckets.by_cookie[cookie] for cookie in (1, 2, 3))
    assert one is two
    assert one is not three
    assert burst(one) == burst(three) == LIMIT.burst


def test_what_is_the_same_stays_and_what_changes_is_another_mapping() -> None:
    buckets = Buckets()
    buckets.want("vm1", LIMIT, (1, 2))
    buckets.settle()
    before = buckets.by_cookie
    buckets.want("vm1", LIMIT, (2, 1))
    buckets.settle()
    assert buckets.by_cookie is before
    buckets.want("vm1", LIMIT, (1, 4))
    buckets.settle()
    assert buckets.by_cookie.keys() == {1, 4}
    assert buckets.by_cookie[4] is before[1]
    buckets.want("vm1", OTHER, (1, 4))
    buckets.settle()
    assert burst(buckets.by_cookie[1]) == OTHER.burst
    assert burst(before[1]) == LIMIT.burst
    buckets.want("vm1", None, ())
    buckets.settle()
    assert buckets.by_cookie == {}
