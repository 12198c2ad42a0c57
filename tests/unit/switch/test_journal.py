# SPDX-License-Identifier: Apache-2.0
"""Counters are exact; the log is limited and reads like ovn-controller's."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from functools import partial

import ovs.vlog
import pytest
from ovs_dhcpd.controller.responders.exchange import Exchange, Read
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence, Verdict
from ovs_dhcpd.controller.switch import journal
from ovs_dhcpd.controller.switch.journal import (
    EARLY,
    LATE_S,
    LINES,
    MANY,
    MESSAGE_LINES,
    PORT_LINES,
    SOME,
    Journal,
)
from ovs_dhcpd.controller.wire import openflow
from ovs_dhcpd.controller.wire.nxt import (
    COOKIE,
    PACKET,
    encode_property,
    packet_of,
)

MAC = bytes.fromhex("fa163e8beafd")
ADDRESS = bytes([192, 168, 1, 7])

AT_ONCE = PORT_LINES[1]

Logged = list[tuple[str, str]]


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Logged:
    """What is logged, as (level, text)."""
    logged: Logged = []

    def write(level: str, text: str) -> None:
        logged.append((level, text))

    for level in ("info", "warn"):
        monkeypatch.setattr(journal.vlog, level, partial(write, level))
    return logged


@functools.cache
def packet_in(packet: bytes = b"", flow: int = 1) -> bytes:
    """The packet-in of some flow; a million are asked for."""
    cookie = bytes(4) + flow.to_bytes(8, "big")
    body = encode_property(PACKET, packet) + encode_property(COOKIE, cookie)
    version, kind = openflow.OFP15, openflow.OFPT_EXPERIMENTER
    return openflow.message(version, kind, openflow.VENDOR_AND_PACKET_IN2 + body)


def of_port(number: int) -> bytes:
    """A packet-in of some port's flow."""
    return packet_in(flow=number)


def hear_of(book: Journal, verdicts: Sequence[Verdict]) -> None:
    """Note these; there is no time to log them."""
    messages = [packet_in(b"%d" % number) for number in range(len(verdicts))]
    book.note("br-int", 0.0, messages, verdicts)


def note(book: Journal, verdicts: Sequence[Verdict]) -> None:
    """Note these, and then there is time to log them."""
    hear_of(book, verdicts)
    book.write()


def test_the_log_reads_like_ovn_controllers(lines: Logged) -> None:
    book = Journal(Clock())
    for message in ("DHCPOFFER", "DHCPACK", "DHCPNAK"):
        note(book, [Answer(b"", message, MAC, ADDRESS)])
    note(book, [Silence(Reason.RELEASED, MAC, ADDRESS, "DHCPRELEASE")])
    note(book, [Silence(Reason.DECLINED, MAC, ADDRESS, "DHCPDECLINE")])
    assert lines == [
        ("info", f"{message} fa:16:3e:8b:ea:fd 192.168.1.7")
        for message in ("DHCPOFFER", "DHCPACK", "DHCPNAK", "DHCPRELEASE", "DHCPDECLINE")
    ]


def test_ipv6_is_logged_in_the_same_way(lines: Logged) -> None:
    address = bytes.fromhex("fd000001000000000000000000000007")
    messages = ("DHCPv6 ADVERTISE", "DHCPv6 REPLY", "DHCPv6 RELEASE", "DHCPv6 DECLINE")
    book = Journal(Clock())
    note(book, [Answer(b"", message, MAC, address) for message in messages])
    note(book, [Answer(b"", "DHCPv6 REPLY", MAC, b""), Answer(b"", "ND_RA", MAC, b"")])
    assert lines == [
        *(("info", f"{message} fa:16:3e:8b:ea:fd fd00:1::7") for message in messages),
        ("info", "DHCPv6 REPLY fa:16:3e:8b:ea:fd"),
        ("info", "ND_RA fa:16:3e:8b:ea:fd"),
    ]


def test_a_guest_that_looks_for_routers_all_the_time_cannot_flood_the_log(lines: Logged) -> None:
    book = Journal(Clock())
    note(book, [Answer(b"", "ND_RA", MAC, b"")] * 1000)
    assert len(lines) == AT_ONCE
    assert book.messages == {"ND_RA": 1000}


def test_what_nobody_asked_for_is_counted_and_not_logged(lines: Logged) -> None:
    book = Journal(Clock())
    book.advertised(0)
    assert book.lines() == []
    book.advertised(3)
    assert book.lines() == [f"{'ND_RA unsolicited':<50} {3:>10}"]
    assert lines == []


@pytest.mark.parametrize("address", [b"", b"\xc0\xa8"])
def test_a_decline_that_names_no_address_is_logged_without(lines: Logged, address: bytes) -> None:
    note(Journal(Clock()), [Silence(Reason.DECLINED, MAC, address, "DHCPDECLINE")])
    assert lines == [("info", "DHCPDECLINE fa:16:3e:8b:ea:fd")]


def test_silence_is_logged_with_its_reason(lines: Logged) -> None:
    book = Journal(Clock())
    note(book, [Silence(Reason.SPOOFED_CHADDR, MAC)])
    note(book, [Silence(Reason.INTERNAL_ERROR, detail="KeyError: 1")])
    assert lines == [
        ("warn", "no answer from fa:16:3e:8b:ea:fd: chaddr is not the Ethernet source"),
        ("warn", "no answer: internal error (KeyError: 1)"),
    ]


def test_a_guest_cannot_flood_the_log_and_everything_is_counted(lines: Logged) -> None:
    clock = Clock()
    book = Journal(clock)
    for _ in range(1000):
        note(book, [Silence(Reason.DECLINED, MAC, ADDRESS, "DHCPDECLINE")])
    assert len(lines) == AT_ONCE
    assert book.messages == {"DHCPDECLINE": 1000}
    clock.now_s = 1.0
    note(book, [Silence(Reason.DECLINED, MAC, ADDRESS, "DHCPDECLINE")])
    assert lines[-1][1] == (
        "DHCPDECLINE fa:16:3e:8b:ea:fd 192.168.1.7 (dropped 980 log messages like this)"
    )
    assert book.reasons == {"address declined": 1001}


def test_one_kind_of_message_does_not_silence_another(lines: Logged) -> None:
    book = Journal(Clock())
    for _ in range(100):
        note(book, [Answer(b"", "DHCPOFFER", MAC, ADDRESS)])
    note(book, [Answer(b"", "DHCPACK", MAC, ADDRESS)])
    assert lines[-1] == ("info", "DHCPACK fa:16:3e:8b:ea:fd 192.168.1.7")


OFFER = Answer(b"", "DHCPOFFER", MAC, ADDRESS)


def test_of_many_guests_that_boot_each_line_is_there(lines: Logged) -> None:
    book = Journal(Clock())
    book.note("br-int", 0.0, [of_port(number) for number in range(1000)], [OFFER] * 1000)
    book.write()
    assert len(lines) == 1000


def test_a_guest_that_goes_on_costs_no_other_its_line(lines: Logged) -> None:
    book = Journal(Clock())
    book.note("br-int", 0.0, [of_port(1)] * 10 * MESSAGE_LINES[1], [OFFER] * 10 * MESSAGE_LINES[1])
    book.note("br-int", 0.0, [of_port(2)], [OFFER])
    book.write()
    assert len(lines) == AT_ONCE + 1


def test_all_guests_together_cannot_flood_the_log(lines: Logged) -> None:
    book = Journal(Clock())
    some = MESSAGE_LINES[1] + 10
    book.note("br-int", 0.0, [of_port(number) for number in range(some)], [OFFER] * some)
    book.write()
    assert len(lines) == MESSAGE_LINES[1]


def test_whose_it_is_stands_behind_what_ovn_says(lines: Logged) -> None:
    book = Journal(Clock())
    book.names = lambda exchange: "vm1 of lab" if exchange.message == of_port(1) else ""
    silence = Silence(Reason.BAD_OPTIONS, MAC, detail="at 7")
    book.note("br-int", 0.0, [of_port(1), of_port(2), of_port(1)], [OFFER, OFFER, silence])
    book.write()
    assert [text for _, text in lines] == [
        "DHCPOFFER fa:16:3e:8b:ea:fd 192.168.1.7 (vm1 of lab)",
        "DHCPOFFER fa:16:3e:8b:ea:fd 192.168.1.7",
        "no answer from fa:16:3e:8b:ea:fd (vm1 of lab): malformed options (at 7)",
    ]


def test_what_is_noted_waits_until_there_is_time(lines: Logged) -> None:
    book = Journal(Clock())
    hear_of(book, [OFFER] * MANY)
    assert (lines, book.messages) == ([], {})
    book.write()
    assert (len(lines), book.messages) == (AT_ONCE, {"DHCPOFFER": MANY})
    hear_of(book, [OFFER])
    assert book.lines() == [f"{'DHCPOFFER':<50} {MANY + 1:>10}"]


@pytest.mark.parametrize("size", [1, MANY + 1])
def test_without_a_pause_a_few_lines_are_written_at_a_time(lines: Logged, size: int) -> None:
    clock = Clock()
    book = Journal(clock)
    found = []
    for _ in range(120):
        hear_of(book, [OFFER] * size)
        clock.now_s += LATE_S / 60
        found.append(len(lines))
    assert {after - before for before, after in itertools.pairwise(found)} <= set(range(LINES + 1))
    assert found[-1] > AT_ONCE
    assert book.messages["DHCPOFFER"] > (120 - 60) * size  # it keeps up


def test_who_listens_hears_of_each_with_its_packet_and_its_times(lines: Logged) -> None:
    clock = Clock()
    book = Journal(clock)
    early: list[Exchange] = []
    clock.now_s = 5.0
    discover, request, release = map(of_port, range(3))
    book.note("br-int", 4.5, [discover], [OFFER])
    book.write()
    book.listen(early.extend, early=True)
    late: list[Exchange] = []
    book.listen(late.extend)
    silence = Silence(Reason.RELEASED, MAC, ADDRESS, "DHCPRELEASE")
    book.note("br-ex", 5.0, [request, release], [OFFER, silence])
    assert len(early) == 1
    book.write()
    assert early == [Exchange(discover, OFFER, Read("br-int", 4.5, 5.0)), *late]
    assert late == [
        Exchange(request, OFFER, Read("br-ex", 5.0, 5.0)),
        Exchange(release, silence, Read("br-ex", 5.0, 5.0)),
    ]
    assert len(lines) == 3


def test_of_what_was_before_anybody_listened_the_last_is_kept(lines: Logged) -> None:
    book = Journal(Clock())
    note(book, [OFFER] * (EARLY + 1))
    heard: list[Exchange] = []
    book.listen(heard.extend, early=True)
    assert [packet_of(heard[at].message) for at in (0, -1)] == [b"1", b"%d" % EARLY]


def test_where_nobody_will_listen_nothing_is_kept(lines: Logged) -> None:
    book = Journal(Clock(), early=0)
    note(book, [OFFER])
    heard: list[Exchange] = []
    book.listen(heard.extend, early=True)
    assert heard == []


def test_what_was_before_anybody_listened_is_for_all_who_ask_until_one_is_alone_with_it(
    lines: Logged,
) -> None:
    book = Journal(Clock())
    note(book, [OFFER])
    heard: list[list[Exchange]] = []
    for alone in (False, True, True):
        heard.append([])
        book.listen(heard[-1].extend, early=True, alone=alone)
    assert [len(each) for each in heard] == [1, 1, 0]


def test_who_listens_hears_of_all_in_the_end_also_without_a_pause(lines: Logged) -> None:
    clock = Clock()
    book = Journal(clock)
    heard: list[Exchange] = []
    book.listen(heard.extend, early=True)
    longest, reads = 0, 3 * MANY // 10
    for _ in range(reads):
        before = len(heard)
        hear_of(book, [OFFER] * 10)
        clock.now_s += 1e-4
        longest = max(longest, len(heard) - before)
    assert longest == 20  # no read waits for more than this
    assert len(heard) == 10 * reads  # it has caught up, and nothing waits any more
    book.write()
    hear_of(book, [OFFER] * 10)
    assert len(heard) == 10 * reads  # after a pause there is time again


def test_who_listens_hears_within_seconds_where_few_ask_but_never_pause(lines: Logged) -> None:
    clock = Clock()
    book = Journal(clock)
    heard: list[Exchange] = []
    book.listen(heard.extend)
    for _ in range(1000):
        hear_of(book, [OFFER])
        clock.now_s += 0.01
    assert len(heard) == 1000


def test_what_can_wait_for_a_pause_is_done_in_one_a_little_at_a_time(lines: Logged) -> None:
    book = Journal(Clock())
    done: list[str] = []
    left = [*range(5)]

    def settle() -> bool:
        done.append(f"settled {left.pop()}") if left else None
        return bool(left)

    book.listen(lambda exchanges: done.append(f"heard {len(exchanges)}"), settle)
    hear_of(book, [OFFER] * (MANY + 1))
    assert done == ["heard 2"]  # as many lines take time enough
    book.write()
    assert [each for each in done if "settled" in each] == [f"settled {n}" for n in (4, 3, 2, 1, 0)]
    left, done = [1, 2, 3], []
    book.write(lambda: len(done) == 2)
    assert done == ["settled 3", "settled 2"]


def test_a_pause_may_be_over_before_all_is_written(lines: Logged) -> None:
    book = Journal(Clock())
    heard: list[Exchange] = []
    book.listen(heard.extend, early=True)
    hear_of(book, [Answer(b"", "ND_NA", MAC, ADDRESS)] * (2 * SOME + 1))
    pauses = iter((False, True))
    book.write(lambda: next(pauses))
    assert len(heard) == 2 * SOME
    book.write()
    assert len(heard) == 2 * SOME + 1


def test_a_pause_may_be_over_after_a_few_lines(lines: Logged) -> None:
    book = Journal(Clock())
    hear_of(book, [OFFER] * SOME)
    pauses = iter((False, True))
    book.write(lambda: next(pauses))
    assert len(lines) == 2 * LINES
    book.write()
    assert len(lines) == AT_ONCE


def test_options_without_room_are_named_and_counted(lines: Logged) -> None:
    book = Journal(Clock())
    note(book, [Answer(b"", "DHCPACK", MAC, ADDRESS, dropped=(119, 252))])
    assert lines[-1] == ("warn", "DHCPACK fa:16:3e:8b:ea:fd: no room for options 119, 252")
    assert book.lines() == [
        f"{'DHCPACK':<50} {1:>10}",
        f"{'no room for option 119':<50} {1:>10}",
        f"{'no room for option 252':<50} {1:>10}",
    ]


def test_malformed_packet_ins_are_counted_and_said_a_few_times(lines: Logged) -> None:
    book = Journal(Clock())
    for _ in range(20_000):
        book.malformed("br-int.mgmt", "packet-in: no packet")
    assert lines == [("warn", "br-int.mgmt: packet-in: no packet")] * 5
    assert book.lines() == [f"{'no answer: malformed packet-in':<50} {20_000:>10}"]


def test_tracing_follows_the_level_of_the_log() -> None:
    book = Journal(Clock())
    assert not book.tracing
    try:
        ovs.vlog.Vlog.set_level("dhcp", "console", "dbg")
        assert not book.tracing
        book.look_at_level()
        assert book.tracing
        assert Journal(Clock()).tracing
    finally:
        ovs.vlog.Vlog.set_level("dhcp", "console", "info")
