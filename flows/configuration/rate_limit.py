# SPDX-License-Identifier: Apache-2.0
"""A network's ``rate_limit``: how many requests each of its ports may make."""

from __future__ import annotations

import re

from ovs_dhcpd.flows.bindings.rate_limit import DEFAULT_RATE_LIMIT, RateLimit
from ovs_dhcpd.flows.configuration.section import Reader, Section
from ovs_dhcpd.flows.options.wording import show

NONE = "none"
MAX = 1_000_000  # more than a switch can pause


def parse_rate_limit(reader: Reader) -> RateLimit | None:
    """The ``rate_limit`` of a network: ``{pps: …, burst: …}``, or None for ``none``.

    What it does not say is as in the default.
    """
    value = reader["rate_limit"]
    if value == NONE:
        return None
    if not isinstance(value, Section):
        what = f"{show(value)}, expected {{pps: 50, burst: 100}}, or {NONE}"
        reader.refuse("rate_limit", what)
        return DEFAULT_RATE_LIMIT
    limits = reader.inside("rate_limit")
    assert limits
    limits.refuse_unknown(("pps", "burst"))
    return RateLimit(
        pps=_number(limits, "pps", DEFAULT_RATE_LIMIT.pps),
        burst=_number(limits, "burst", DEFAULT_RATE_LIMIT.burst),
    )


def rate_limit_of(text: str) -> RateLimit | None:
    """The rate limit that is written ``PPS:BURST``, ``PPS`` or ``none``.  Raises ValueError."""
    if text == NONE:
        return None
    words = text.split(":")
    if not (len(words) <= 2 and all(re.fullmatch("[0-9]{1,7}", word) for word in words)):
        raise ValueError(f"{show(text)}, expected PPS, PPS:BURST or {NONE}")
    limit = RateLimit(int(words[0]), int(words[1]) if words[1:] else DEFAULT_RATE_LIMIT.burst)
    if not (1 <= limit.pps <= MAX and 1 <= limit.burst <= MAX):
        raise ValueError(f"{show(text)}, expected packets, from 1 to {MAX}")
    return limit


def _number(limits: Reader, name: str, default: int) -> int:
    value = limits.get(name, default)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX:
        return value
    limits.refuse(name, f"{show(value)}, expected packets, from 1 to {MAX}")
    return default
