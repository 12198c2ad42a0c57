# SPDX-License-Identifier: Apache-2.0
"""What became of the packets: counters, and log lines in ovn-controller's words.

Counting is exact; logging is limited, so that a guest cannot fill a disk.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from itertools import repeat

import ovs.vlog
from ovs_dhcpd.controller.responders.exchange import Exchange, Read
from ovs_dhcpd.controller.responders.token_bucket import TokenBucket
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence, Verdict
from ovs_dhcpd.controller.switch.line_limit import LineLimit, dropped_lines
from ovs_dhcpd.controller.wire.nxt import decode_packet_in2, flow_of

vlog = ovs.vlog.Vlog("dhcp")

MESSAGES = (
    *("DHCPOFFER", "DHCPACK", "DHCPNAK", "DHCPRELEASE", "DHCPDECLINE"),
    *("DHCPv6 ADVERTISE", "DHCPv6 REPLY", "DHCPv6 RELEASE", "DHCPv6 DECLINE"),
    *("ND_RA", "ND_NA"),
    *("DHCP_RELAY_REQ", "DHCP_RELAY_RESP", "DNS_LOOKUP"),
)
UNLOGGED = frozenset({"ND_NA", "DNS_LOOKUP"})  # a guest asks for as long as it runs
UNSOLICITED = "ND_RA unsolicited"
MALFORMED = "malformed packet-in"
# Lines a second, and at once: of each message to one port, and to all, as many a second as
# ovn-controller has, but those of a thousand guests that boot are all there; of each reason for
# silence, as of most warnings of Open vSwitch.
PORT_LINES, MESSAGE_LINES, WARNING_LINES = (1, 20), (20, 2000), (1, 5)
MAX_PORTS = 8192  # of which it is known how many lines they had

# Without a pause verdicts wait until there are so many, or one has waited for so long: by then
# four thousand guests that boot at once are served.  It is 10 MB at most.  From then on they are
# counted as they come, while what is looked at is still in the processor's cache.
MANY = 8192
LATE_S = 3.0
LINES, SOME = 2, 32  # lines, and verdicts, between two looks whether a packet waits
EARLY = 4096  # exchanges that are kept for who begins to listen later

Hear = Callable[[Sequence[Exchange]], None]
Settle = Callable[[], bool]  # do a little of what can wait for a pause; whether there is more of it
Names = Callable[[Exchange], str]  # whose it is, "" if that is not known
_Noted = tuple[bytes, Verdict, Read]  # as an Exchange


class Journal:
    """Notes every verdict, once its resume is on its way.

    A line of the log takes as long as several answers, and those of a hundred guests at once would
    keep the next ones waiting for milliseconds: a verdict waits until there is time for it.

    `tracing`: each is to be traced, too.  `names` says whose an exchange is.  Of what was
    before somebody listens the last ``early`` are kept.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, early: int = EARLY):
        self.messages: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.dropped_options: Counter[int] = Counter()
        self.tracing = False
        self.names: Names = lambda _: ""
        self.look_at_level()
        self._clock = clock
        self._waiting: deque[_Noted] = deque()  # put in by any thread, taken out with _writing
        self._since_s = 0.0  # when they began to wait
        self._is_late = False  # they have waited too long for a pause
        self._early: deque[Exchange] | None = deque(maxlen=early)
        self._hearers: list[Hear] = []
        self._settlers: list[Settle] = []
        self._writing = threading.Lock()  # with it they are counted, logged and told of
        self._written = 0  # lines
        self._limits = {
            message: LineLimit(*MESSAGE_LINES) for message in MESSAGES if message not in UNLOGGED
        }
        self._ports: dict[int, TokenBucket] = {}  # by a hash of flow and message
        for warning in ("dropped options", *(reason.value for reason in Reason), MALFORMED):
            self._limits[warning] = LineLimit(*WARNING_LINES)

    def note(
        self, bridge: str, read_s: float, messages: Sequence[bytes], verdicts: Sequence[Verdict]
    ) -> None:
        """Have the verdicts counted and logged by the next :meth:`write`, or soon; any thread.

        They are those on the packet-ins ``messages`` of ``bridge``, which were read at ``read_s``.
        """
        now_s = self._clock()
        waiting = self._waiting
        if not waiting:
            self._since_s = now_s
        waiting.extend(zip(messages, verdicts, repeat(Read(bridge, read_s, now_s))))
        if self._is_late or len(waiting) > MANY or now_s - self._since_s > LATE_S:
            self._is_late = True
            self._write(2 * len(verdicts))

    def listen(
        self,
        hear: Hear,
        settle: Settle | None = None,
        *,
        early: bool = False,
        alone: bool = True,
    ) -> None:
        """Have ``hear`` called with exchanges in their order, once they are counted and logged.

        That is in any thread, in one at a time; it must not raise.  Answers may wait for it: what
        takes time ``settle`` does, which is called in a pause.  One that asks for what was
        ``early`` hears of what is kept of those before, too; they are kept for another one, if
        it is not ``alone`` with that.
        """
        with self._writing:
            if early:
                if self._early:
                    hear([*self._early])
                if alone:
                    self._early = None
            self._hearers.append(hear)
            if settle:
                self._settlers.append(settle)

    def write(self, is_over: Callable[[], object] = lambda: False) -> None:
        """Count, log and tell of all that has been noted, in any thread: there is time for it.

        That is asked for now and then: when it ``is_over``, the rest waits.
        """
        while self._waiting:
            self._write(SOME)
            if is_over():
                return
        self._is_late = False
        for settle in self._settlers:
            while settle():
                if is_over():
                    return

    def _write(self, count: int) -> None:
        """Count, log and tell of so many verdicts, or fewer if that takes LINES lines."""
        with self._writing:
            now_s = self._clock()
            enough = self._written + LINES
            exchanges = []
            for _ in range(min(count, len(self._waiting))):
                exchange = Exchange._make(self._waiting.popleft())
                exchanges.append(exchange)
                self._write_one(exchange, now_s)
                if self._written >= enough:
                    break
            if not exchanges:
                return
            for hear in self._hearers:
                hear(exchanges)
            if self._early is not None:
                self._early.extend(exchanges)

    def _write_one(self, exchange: Exchange, now_s: float) -> None:
        verdict = exchange.verdict
        if verdict.message:
            self.messages[verdict.message] += 1
            if (dropped := self._admit(exchange, now_s)) is not None:
                self._log(vlog.info, f"{_line(verdict)}{self._whose(exchange)}", dropped)
        if isinstance(verdict, Silence):
            self._note_silence(exchange, verdict, now_s)
        elif verdict.dropped:
            self._note_dropped_options(verdict, now_s)

    def _admit(self, exchange: Exchange, now_s: float) -> int | None:
        """As :meth:`LineLimit.admit`, for a line about a message that is sent."""
        message = exchange.verdict.message
        limit = self._limits.get(message)
        if limit is None:
            return None
        key = hash((exchange.read.bridge, flow_of(exchange.message), message))
        bucket = self._ports.get(key)
        if bucket is None:
            if len(self._ports) >= MAX_PORTS:
                self._ports.clear()
            bucket = self._ports[key] = TokenBucket(*PORT_LINES)
        if bucket.admit(now_s):
            return limit.admit(now_s)
        limit.drop()
        return None

    def _whose(self, exchange: Exchange) -> str:
        names = self.names(exchange)
        return f" ({names})" if names else ""

    def _log(self, log: Callable[[str], None], text: str, dropped: int) -> None:
        log(text + dropped_lines(dropped))
        self._written += 1

    def look_at_level(self) -> None:
        """See whether debug lines are wanted: to ask each time costs as much as an answer."""
        self.tracing = vlog.dbg_is_enabled()

    def trace(self, where: str, message: bytes, verdict: Verdict) -> None:
        """A debug line for the NXT_PACKET_IN2 ``message``, which is from the bridge ``where``."""
        from ovs_dhcpd.controller.wire.asked import describe, in_port  # which no answer needs

        packet_in = decode_packet_in2(message)
        port = in_port(packet_in.metadata)
        what = _line(verdict)
        if isinstance(verdict, Silence):
            what = f"no answer: {verdict.why}"
        vlog.dbg(f"{where} port {port}: {describe(packet_in.packet)}: {what}")

    def malformed(self, address: object, error: str) -> None:
        """Count and log a packet-in of the switch ``address`` that is none."""
        with self._writing:  # connections have a thread each
            self.reasons[MALFORMED] += 1
            line = self._limits[MALFORMED].line(f"{address}: {error}", self._clock())
        if line:
            vlog.warn(line)

    def advertised(self, count: int) -> None:
        """Count router advertisements that nobody asked for."""
        if count:
            self.messages[UNSOLICITED] += count

    def _note_silence(self, exchange: Exchange, silence: Silence, now_s: float) -> None:
        reason = silence.reason.value
        self.reasons[reason] += 1
        if silence.message:
            return
        dropped = self._limits[reason].admit(now_s)
        if dropped is not None:
            who = f" from {silence.mac.hex(':')}" if silence.mac else ""
            whose = self._whose(exchange)
            self._log(vlog.warn, f"no answer{who}{whose}: {silence.why}", dropped)

    def _note_dropped_options(self, answer: Answer, now_s: float) -> None:
        self.dropped_options.update(answer.dropped)
        dropped = self._limits["dropped options"].admit(now_s)
        if dropped is not None:
            codes = ", ".join(map(str, answer.dropped))
            text = f"{answer.message} {answer.mac.hex(':')}: no room for options {codes}"
            self._log(vlog.warn, text, dropped)

    def counters(self) -> list[tuple[str, int]]:
        """What has been counted, each by what it is called."""
        self.write()
        rows = sorted(self.messages.items())
        rows += [(f"no answer: {reason}", count) for reason, count in sorted(self.reasons.items())]
        rows += [
            (f"no room for option {code}", count)
            for code, count in sorted(self.dropped_options.items())
        ]
        return rows

    def lines(self) -> list[str]:
        """The counters as text, for ``ovs-appctl``."""
        return [f"{name:<50} {count:>10}" for name, count in self.counters()]


def _line(verdict: Verdict) -> str:
    words = [verdict.message, verdict.mac.hex(":")]
    if len(verdict.address) in (4, 16):  # a DHCPDECLINE may fail to say which
        words.append(str(ip_address(verdict.address)))
    return " ".join(words)
