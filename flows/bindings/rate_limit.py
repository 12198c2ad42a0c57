# SPDX-License-Identifier: Apache-2.0
"""How many requests a port may make."""

from __future__ import annotations

from typing import NamedTuple


class RateLimit(NamedTuple):
    """`pps` requests a second, and `burst` at once beyond that."""

    pps: int
    burst: int


DEFAULT_RATE_LIMIT = RateLimit(pps=50, burst=100)
