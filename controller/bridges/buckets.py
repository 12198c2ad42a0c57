# SPDX-License-Identifier: Apache-2.0
"""The rate limits of the ports of a bridge whose switch has no meters: the daemon keeps them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ovs_dhcpd.controller.responders.token_bucket import TokenBucket
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit


class Buckets:
    """A token bucket for each port, shared by its flows.

    ``by_cookie`` has each flow's; it is another object after each change, and never changed.
    """

    def __init__(self) -> None:
        self.by_cookie: Mapping[int, TokenBucket] = {}
        self._ports: dict[str, tuple[RateLimit, TokenBucket, frozenset[int]]] = {}
        self._differs = False

    def want(self, port: str, limit: RateLimit | None, cookies: Collection[int]) -> None:
        """The flows of ``port`` with these cookies have this limit, or none."""
        before = self._ports.pop(port, None)
        if limit:
            bucket = before[1] if before and before[0] == limit else TokenBucket(*limit)
            self._ports[port] = limit, bucket, frozenset(cookies)
        self._differs = self._differs or before != self._ports.get(port)

    def settle(self) -> None:
        """Bring ``by_cookie`` up to date."""
        if self._differs:
            self._differs = False
            self.by_cookie = {
                cookie: bucket for _, bucket, cookies in self._ports.values() for cookie in cookies
            }
