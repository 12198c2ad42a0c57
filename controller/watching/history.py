# SPDX-License-Identifier: Apache-2.0
"""How many requests were answered, and how many were not and why, over the last quarter of an hour.

``{"version": 1, "time": …, "first": …, "span_s": 5, "answers": […], "silences": {reason: […]}}``:
SPANS numbers each, of spans of SPAN_S seconds, of which the first begins at ``first`` and the last
goes on.  Of a span before there was anybody to count they are null.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from ovs_dhcpd.controller.responders.exchange import Exchange
from ovs_dhcpd.controller.responders.verdict import Reason, Silence

VERSION = 1
SPAN_S = 5
SPANS = 180


class _Span:
    """What happened in the span `number`, by the clock of exchanges."""

    __slots__ = ("answers", "number", "silences")

    def __init__(self, number: int) -> None:
        self.number = number
        self.answers = 0
        self.silences: Counter[Reason] = Counter()


class History:
    """The last SPANS spans, counted from ``now_s`` on."""

    def __init__(self, now_s: float) -> None:
        self._since = _number(now_s)
        self._ring = [_Span(-1)] * SPANS

    def note(self, exchanges: Iterable[Exchange]) -> None:
        """These exchanges have happened, in this order."""
        read = None
        for exchange in exchanges:
            if exchange.read is not read:
                read = exchange.read
                span = self._span(_number(read.sent_s))
            if isinstance(exchange.verdict, Silence):
                span.silences[exchange.verdict.reason] += 1
            else:
                span.answers += 1

    def _span(self, number: int) -> _Span:
        """Where that is counted; what has waited for longer than all of the ring is not."""
        span = self._ring[number % SPANS]
        if span.number > number:
            return _Span(number)
        if span.number < number:
            span = self._ring[number % SPANS] = _Span(number)
        self._since = min(self._since, number)
        return span

    def document(self, now_s: float, since_1970_s: float) -> dict[str, Any]:
        """The document at ``now_s``, which is ``since_1970_s``."""
        last = _number(now_s)
        numbers = range(last - SPANS + 1, last + 1)
        spans = [self._find(number) for number in numbers]
        found = {each for span in spans if span for each in span.silences}
        reasons = sorted(found, key=lambda reason: reason.value)
        first_s = since_1970_s - now_s + numbers[0] * SPAN_S
        return {
            "version": VERSION,
            "time": _text(since_1970_s),
            "first": _text(first_s),
            "span_s": SPAN_S,
            "answers": [span.answers if span else None for span in spans],
            "silences": {
                reason.value: [span.silences[reason] if span else None for span in spans]
                for reason in reasons
            },
        }

    def _find(self, number: int) -> _Span | None:
        """The span of that number; None: nobody counted then."""
        if number < self._since:
            return None
        span = self._ring[number % SPANS]
        return span if span.number == number else _Span(number)


def _number(time_s: float) -> int:
    return math.floor(time_s / SPAN_S)


def _text(since_1970_s: float) -> str:
    return datetime.fromtimestamp(since_1970_s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
