# SPDX-License-Identifier: Apache-2.0
"""What each message makes of a lease, row by row of its table; the replies are the responders'."""

from __future__ import annotations

import math
from collections.abc import Callable
from ipaddress import ip_address

import pytest
from ovs_dhcpd.controller.leases.lease import MAX_WORDS, Lease, Said, said
from ovs_dhcpd.controller.responders.exchange import Exchange
from ovs_dhcpd.controller.responders.verdict import Answer
from ovs_dhcpd.controller.wire.asked import decode_asked
from ovs_dhcpd.controller.wire.nxt import decode_packet_in2

from tests.lab import packets6 as p6
from tests.lab.packets import (
    DECLINE,
    DISCOVER,
    INFORM,
    OFFER,
    RELEASE,
    REQUEST,
    option,
)
from tests.unit.leases.exchanges import ALL, Switch
from tests.unit.requests6 import SERVER_ID

ADDRESS, ADDRESS6, PREFIX = "10.0.0.5", "fd00::5", "fd01:0:0:5::"
OURS = [ip_address(each).packed for each in (ADDRESS, ADDRESS6, PREFIX)]
HOLD, VALID = 3600, 7200

Ask = Callable[[Switch], Exchange]


def told(exchange: Exchange) -> Said:
    asked = decode_asked(decode_packet_in2(exchange.message).packet)
    assert asked
    return said(asked, exchange.verdict, OURS)


def v4(message: int, address: str | None = None, *options: bytes, **fields: object) -> Ask:
    """A DHCPv4 message that asks for an address in option 50."""
    wanted = (option(50, address),) if address else ()
    return lambda switch: switch.ask(message, *wanted, *options, **fields)


def v6(message: int, *options: bytes, to_us: bool = False, **fields: object) -> Ask:
    ours = (SERVER_ID,) if to_us else ()
    return lambda switch: switch.ask6(message, *ours, *options, **fields)


OTHER_SERVER = option(54, "10.0.0.9")
HIS, NOBODYS = p6.ia_na(1, ADDRESS6), p6.ia_na(1, "fd00::9")


@pytest.mark.parametrize(
    ("ask", "asked", "answer", "state", "address", "lease_s"),
    [
        (v4(DISCOVER), "DHCPDISCOVER", "DHCPOFFER", "offered", ADDRESS, 0),
        (v4(REQUEST, ADDRESS), "DHCPREQUEST", "DHCPACK", "bound", ADDRESS, HOLD),
        (v4(REQUEST, ciaddr=ADDRESS), "DHCPREQUEST", "DHCPACK", "bound", ADDRESS, HOLD),
        (v4(REQUEST, "10.0.0.9"), "DHCPREQUEST", "DHCPNAK", "refused", "", 0),
        (v4(REQUEST, ADDRESS, OTHER_SERVER), "DHCPREQUEST", "meant for another server", "", "", 0),
        (v4(DECLINE, ADDRESS), "DHCPDECLINE", "", "declined", ADDRESS, 0),
        (v4(DECLINE, "10.0.0.9"), "DHCPDECLINE", "", "", "10.0.0.9", 0),
        (v4(RELEASE, ciaddr=ADDRESS), "DHCPRELEASE", "", "released", ADDRESS, 0),
        (v4(RELEASE, ciaddr="10.0.0.9"), "DHCPRELEASE", "", "", "10.0.0.9", 0),
        (v4(INFORM, ciaddr=ADDRESS), "DHCPINFORM", "DHCPACK", "", "", 0),
        (v4(OFFER), "DHCPOFFER", "a message that only servers send", "", "", 0),
        (v4(99), "DHCP(99)", "unknown message type", "", "", 0),
        (v6(p6.SOLICIT, p6.ia_na(1)), "DHCPv6 SOLICIT", "DHCPv6 ADVERTISE", "offered",
         ADDRESS6, 0),
        (v6(p6.SOLICIT, p6.ia_ta(1)), "DHCPv6 SOLICIT", "DHCPv6 ADVERTISE", "refused", "", 0),
        (v6(p6.REQUEST, HIS, to_us=True), "DHCPv6 REQUEST", "DHCPv6 REPLY", "bound",
         ADDRESS6, VALID),
        (v6(p6.REQUEST, p6.ia_pd(1), to_us=True), "DHCPv6 REQUEST", "DHCPv6 REPLY", "bound",
         PREFIX, VALID),
        (v6(p6.REQUEST, p6.ia_na(1, "fd99::1"), to_us=True), "DHCPv6 REQUEST", "DHCPv6 REPLY",
         "refused", "", 0),
        (v6(p6.RENEW, HIS, to_us=True), "DHCPv6 RENEW", "DHCPv6 REPLY", "bound", ADDRESS6, VALID),
        (v6(p6.REBIND, HIS), "DHCPv6 REBIND", "DHCPv6 REPLY", "bound", ADDRESS6, VALID),
        (v6(p6.REQUEST, HIS, to_us=True, ip_dst="fe80::800:ff:fe00:1"), "DHCPv6 REQUEST",
         "DHCPv6 REPLY", "", "", 0),
        (v6(p6.CONFIRM, HIS), "DHCPv6 CONFIRM", "DHCPv6 REPLY", "", "", 0),
        (v6(p6.CONFIRM, p6.ia_na(1, "fd99::1")), "DHCPv6 CONFIRM", "DHCPv6 REPLY", "", "", 0),
        (v6(p6.RELEASE, HIS, to_us=True), "DHCPv6 RELEASE", "DHCPv6 RELEASE", "released",
         ADDRESS6, 0),
        (v6(p6.RELEASE, NOBODYS, to_us=True), "DHCPv6 RELEASE", "DHCPv6 RELEASE", "", "fd00::9", 0),
        (v6(p6.DECLINE, HIS, to_us=True), "DHCPv6 DECLINE", "DHCPv6 DECLINE", "declined",
         ADDRESS6, 0),
        (v6(p6.INFORMATION_REQUEST), "DHCPv6 INFORMATION-REQUEST", "DHCPv6 REPLY", "", "", 0),
        (v6(p6.RENEW, HIS), "DHCPv6 RENEW", "names no server", "", "", 0),
    ],
)  # fmt: skip
def test_a_message_and_its_answer_make_a_state(
    ask: Ask, asked: str, answer: str, state: str, address: str, lease_s: float
) -> None:
    found = told(ask(Switch()))
    assert (found.asked, found.answer, found.state) == (asked, answer, state)
    assert found.lease_s == lease_s
    if state:
        assert found.address == (ip_address(address).packed if address else b"")


def test_a_lease_for_ever_and_one_at_once() -> None:
    forever = told(Switch(*ALL["vm3"]).ask(REQUEST, option(50, "10.1.0.5")))
    assert (forever.state, forever.lease_s) == ("bound", math.inf)
    rapid = told(Switch(*ALL["vm4"]).ask(DISCOVER, option(80, b"")))
    assert (rapid.asked, rapid.answer, rapid.state) == ("DHCPDISCOVER", "DHCPACK", "bound")


def test_what_a_guest_says_of_itself_is_bounded() -> None:
    found = told(Switch().ask(DISCOVER, option(12, b"n" * 200), option(60, b"v" * 255)))
    assert (found.host_name, found.vendor_class) == (b"n" * MAX_WORDS, b"v" * MAX_WORDS)


def test_an_answer_that_gives_no_lease_leaves_it() -> None:
    asked = decode_asked(decode_packet_in2(Switch().ask(DISCOVER).message).packet)
    assert asked
    assert said(asked, Answer(b"", "ND_RA", b"", b""), OURS).state == ""


BOUND = Said("DHCPREQUEST", "DHCPACK", "bound", OURS[0], 100.0)
OFFERED = Said("DHCPDISCOVER", "DHCPOFFER", "offered", OURS[0])
NOTHING = Said("DHCPINFORM", "DHCPACK")


def test_since_is_when_a_state_began_and_not_when_it_was_last_confirmed() -> None:
    lease = Lease().after(OFFERED, 10).after(BOUND, 11)
    assert (lease.since_s, lease.expires_s, lease.last_s, lease.requests) == (11, 111, 11, 2)
    renewed = lease.after(BOUND, 61)
    assert (renewed.since_s, renewed.expires_s, renewed.last_s) == (11, 161, 61)
    late = renewed.after(BOUND, 161)
    assert (late.since_s, late.expires_s) == (161, 261)
    other = renewed.after(BOUND._replace(address=OURS[1]), 70)
    assert (other.since_s, other.address) == (70, OURS[1])


def test_what_says_nothing_of_the_lease_leaves_it() -> None:
    lease = Lease().after(BOUND, 11)
    informed = lease.after(NOTHING, 20)
    assert informed == lease._replace(asked="DHCPINFORM", last_s=20, requests=2)
    assert Lease().after(NOTHING, 5).state == "assigned"
    assert Lease("").after(NOTHING, 5).state == ""


def test_a_lease_expires_when_its_time_is_over() -> None:
    lease = Lease().after(BOUND, 11)
    assert [lease.state_at(now) for now in (11, 110.9, 111)] == ["bound", "bound", "expired"]
    for said_then in (OFFERED, BOUND._replace(state="released"), BOUND._replace(lease_s=math.inf)):
        assert lease.after(said_then, 20).state_at(1e12) == said_then.state


def test_what_a_guest_said_of_itself_before_is_kept() -> None:
    named = Lease().after(BOUND._replace(host_name=b"vm", vendor_class=b"udhcp"), 1)
    again = named.after(BOUND, 2)
    assert (again.host_name, again.vendor_class) == (b"vm", b"udhcp")
    assert again.after(BOUND._replace(host_name=b"new"), 3).host_name == b"new"
