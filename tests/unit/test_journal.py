# SPDX-License-Identifier: Apache-2.0
"""Counters are exact; the log is limited and reads like ovn-controller's."""

from __future__ import annotations

import pytest

from controller import journal
from controller.journal import Journal, RateLimit
from controller.responders.verdict import Answer, Reason, Silence

MAC = bytes.fromhex("fa163e8beafd")
ADDRESS = bytes([192, 168, 1, 7])


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def lines(monkeypatch):
    """What is logged, as (level, text)."""
    logged: list[tuple[str, str]] = []
    for level in ("info", "warn"):
        monkeypatch.setattr(
            journal.vlog, level, lambda text, level=level: logged.append((level, text))
        )
    return logged


def test_the_log_reads_like_ovn_controllers(lines):
    book = Journal(Clock())
    for message in ("DHCPOFFER", "DHCPACK", "DHCPNAK"):
        book.note([Answer(b"", message, MAC, ADDRESS)])
    book.note([Silence(Reason.RELEASED, MAC, ADDRESS, "DHCPRELEASE")])
    book.note([Silence(Reason.DECLINED, MAC, ADDRESS, "DHCPDECLINE")])
    assert lines == [
        ("info", f"{message} fa:16:3e:8b:ea:fd 192.168.1.7")
        for message in ("DHCPOFFER", "DHCPACK", "DHCPNAK", "DHCPRELEASE", "DHCPDECLINE")
    ]


def test_ipv6_is_logged_in_the_same_way(lines):
    address = bytes.fromhex("fd000001000000000000000000000007")
    messages = ("DHCPv6 ADVERTISE", "DHCPv6 REPLY", "DHCPv6 RELEASE", "DHCPv6 DECLINE")
    book = Journal(Clock())
    book.note([Answer(b"", message, MAC, address) for message in messages])
    book.note([Answer(b"", "DHCPv6 REPLY", MAC, b""), Answer(b"", "ND_RA", MAC, b"")])
    assert lines == [
        *(("info", f"{message} fa:16:3e:8b:ea:fd fd00:1::7") for message in messages),
        ("info", "DHCPv6 REPLY fa:16:3e:8b:ea:fd"),
        ("info", "ND_RA fa:16:3e:8b:ea:fd"),
    ]


def test_a_guest_that_looks_for_routers_all_the_time_cannot_flood_the_log(lines):
    book = Journal(Clock())
    book.note([Answer(b"", "ND_RA", MAC, b"")] * 1000)
    assert len(lines) == 40
    assert book.messages == {"ND_RA": 1000}


def test_what_nobody_asked_for_is_counted_and_not_logged(lines):
    book = Journal(Clock())
    book.advertised(0)
    assert book.lines() == []
    book.advertised(3)
    assert book.lines() == [f"{'ND_RA unsolicited':<50} {3:>10}"]
    assert lines == []


@pytest.mark.parametrize("address", [b"", b"\xc0\xa8"])
def test_a_decline_that_names_no_address_is_logged_without(lines, address):
    Journal(Clock()).note([Silence(Reason.DECLINED, MAC, address, "DHCPDECLINE")])
    assert lines == [("info", "DHCPDECLINE fa:16:3e:8b:ea:fd")]


def test_silence_is_logged_with_its_reason(lines):
    book = Journal(Clock())
    book.note([Silence(Reason.SPOOFED_CHADDR, MAC)])
    book.note([Silence(Reason.INTERNAL_ERROR, detail="KeyError: 1")])
    assert lines == [
        ("warn", "no answer from fa:16:3e:8b:ea:fd: chaddr is not the Ethernet source"),
        ("warn", "no answer: internal error (KeyError: 1)"),
    ]


def test_a_guest_cannot_flood_the_log_and_everything_is_counted(lines):
    clock = Clock()
    book = Journal(clock)
    for _ in range(1000):
        book.note([Silence(Reason.DECLINED, MAC, ADDRESS, "DHCPDECLINE")])
    assert len(lines) == 40
    assert book.messages == {"DHCPDECLINE": 1000}
    clock.now_s = 1.0
    book.note([Silence(Reason.DECLINED, MAC, ADDRESS, "DHCPDECLINE")])
    assert lines[-1][1] == (
        "DHCPDECLINE fa:16:3e:8b:ea:fd 192.168.1.7 (dropped 960 log messages like this)"
    )
    assert book.reasons == {"address declined": 1001}


def test_one_kind_of_message_does_not_silence_another(lines):
    book = Journal(Clock())
    for _ in range(100):
        book.note([Answer(b"", "DHCPOFFER", MAC, ADDRESS)])
    book.note([Answer(b"", "DHCPACK", MAC, ADDRESS)])
    assert lines[-1] == ("info", "DHCPACK fa:16:3e:8b:ea:fd 192.168.1.7")


def test_options_without_room_are_named_and_counted(lines):
    book = Journal(Clock())
    book.note([Answer(b"", "DHCPACK", MAC, ADDRESS, dropped=(119, 252))])
    assert lines[-1] == ("warn", "DHCPACK fa:16:3e:8b:ea:fd: no room for options 119, 252")
    assert book.lines() == [
        f"{'DHCPACK':<50} {1:>10}",
        f"{'no room for option 119':<50} {1:>10}",
        f"{'no room for option 252':<50} {1:>10}",
    ]


def test_tokens_come_back_at_the_rate_and_up_to_the_burst():
    limit = RateLimit(2, 3)
    assert [limit.admit(10.0) for _ in range(5)] == [0, 0, 0, None, None]
    assert [limit.admit(10.5) for _ in range(2)] == [2, None]
    assert [limit.admit(100.0) for _ in range(4)] == [1, 0, 0, None]
