# SPDX-License-Identifier: Apache-2.0
"""What became of the packets: counters, and log lines in ovn-controller's words.

Counting is exact; logging is limited, so that a guest cannot fill a disk.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from ipaddress import ip_address

import ovs.vlog

from controller.responders.verdict import Answer, Reason, Silence, Verdict

vlog = ovs.vlog.Vlog("dhcp")

MESSAGES = (
    *("DHCPOFFER", "DHCPACK", "DHCPNAK", "DHCPRELEASE", "DHCPDECLINE"),
    *("DHCPv6 ADVERTISE", "DHCPv6 REPLY", "DHCPv6 RELEASE", "DHCPv6 DECLINE"),
    "ND_RA",
)
UNSOLICITED = "ND_RA unsolicited"


class RateLimit:
    """A token bucket, as Open vSwitch's ``VLOG_RATE_LIMIT_INIT(rate, burst)``: tokens a second."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._tokens: float = burst
        self._filled_s = 0.0
        self._dropped = 0

    def admit(self, now_s: float) -> int | None:
        """None to say nothing, else how many times None was returned since the last token."""
        if now_s > self._filled_s:
            self._tokens = min(self._burst, self._tokens + (now_s - self._filled_s) * self._rate)
            self._filled_s = now_s
        if self._tokens < 1:
            self._dropped += 1
            return None
        self._tokens -= 1
        dropped, self._dropped = self._dropped, 0
        return dropped


class Journal:
    """Notes every verdict, once its resume is on its way."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self.messages: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.dropped_options: Counter[int] = Counter()
        self._clock = clock
        # Messages as ovn-controller limits them, warnings as Open vSwitch does most of its own.
        self._limits = {message: RateLimit(20, 40) for message in MESSAGES}
        for warning in ("dropped options", *(reason.value for reason in Reason)):
            self._limits[warning] = RateLimit(1, 5)

    def note(self, verdicts: Iterable[Verdict]) -> None:
        """Count the verdicts and log them."""
        now_s = self._clock()
        for verdict in verdicts:
            if verdict.message:
                self.messages[verdict.message] += 1
                dropped = self._limits[verdict.message].admit(now_s)
                if dropped is not None:
                    vlog.info(_line(verdict) + _dropped(dropped))
            if isinstance(verdict, Silence):
                self._note_silence(verdict, now_s)
            elif verdict.dropped:
                self._note_dropped_options(verdict, now_s)

    def advertised(self, count: int) -> None:
        """Count router advertisements that nobody asked for."""
        if count:
            self.messages[UNSOLICITED] += count

    def _note_silence(self, silence: Silence, now_s: float) -> None:
        reason = silence.reason.value
        self.reasons[reason] += 1
        if silence.message:
            return
        dropped = self._limits[reason].admit(now_s)
        if dropped is not None:
            who = f" from {silence.mac.hex(':')}" if silence.mac else ""
            detail = f" ({silence.detail})" if silence.detail else ""
            vlog.warn(f"no answer{who}: {reason}{detail}{_dropped(dropped)}")

    def _note_dropped_options(self, answer: Answer, now_s: float) -> None:
        self.dropped_options.update(answer.dropped)
        dropped = self._limits["dropped options"].admit(now_s)
        if dropped is not None:
            codes = ", ".join(map(str, answer.dropped))
            vlog.warn(
                f"{answer.message} {answer.mac.hex(':')}: no room for options {codes}"
                f"{_dropped(dropped)}"
            )

    def lines(self) -> list[str]:
        """The counters as text, for ``ovs-appctl``."""
        rows = sorted(self.messages.items())
        rows += [(f"no answer: {reason}", count) for reason, count in sorted(self.reasons.items())]
        rows += [
            (f"no room for option {code}", count)
            for code, count in sorted(self.dropped_options.items())
        ]
        return [f"{name:<50} {count:>10}" for name, count in rows]


def _line(verdict: Verdict) -> str:
    words = [verdict.message, verdict.mac.hex(":")]
    if len(verdict.address) in (4, 16):  # a DHCPDECLINE may fail to say which
        words.append(str(ip_address(verdict.address)))
    return " ".join(words)


def _dropped(count: int) -> str:
    return f" (dropped {count} log messages like this)" if count else ""
