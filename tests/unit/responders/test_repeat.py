# SPDX-License-Identifier: Apache-2.0
"""An answer that is kept ready is, byte for byte, the answer that would be made anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from ovs_dhcpd.controller.responders.repeat import DHCPV4, DHCPV6, Layout, Template
from ovs_dhcpd.controller.responders.verdict import Answer, Verdict
from ovs_dhcpd.controller.wire.nxt import CONTINUATION, METADATA, encode_property, encode_resume

from tests.lab.packets import DISCOVER
from tests.lab.packets6 import SOLICIT, ia_na
from tests.unit import requests6
from tests.unit.requests import ask, serve

TRAILER = encode_property(METADATA, bytes.fromhex("0001000400000008"))
TRAILER += encode_property(CONTINUATION, b"\0\1continuation")


class Kind(NamedTuple):
    layout: Layout
    ask: Callable[[int], bytes]  # with this xid
    respond: Callable[[bytes], Verdict]


V4 = Kind(DHCPV4, lambda xid: ask(DISCOVER, xid=xid, secs=xid & 7), serve().respond)
V6 = Kind(
    DHCPV6,
    lambda xid: requests6.ask(SOLICIT, ia_na(7), xid=(xid & 0xFFFFFF).to_bytes(3, "big")),
    requests6.serve().respond,
)
KINDS = pytest.mark.parametrize("kind", [V4, V6], ids=["DHCPv4", "DHCPv6"])


@KINDS
@pytest.mark.parametrize("xid", [0, 1, 0x1234ABCD, 0xFFFF0000, 0xFFFFFFFF])
def test_another_xid_is_all_that_differs(kind: Kind, xid: int) -> None:
    def answered(request: bytes) -> Answer:
        verdict = kind.respond(request)
        assert isinstance(verdict, Answer)
        return verdict

    first, again = kind.ask(0x5EED0001), kind.ask(xid)
    assert kind.layout.key(again) == kind.layout.key(first)
    kept = Template(6, kind.layout, answered(first), TRAILER)
    assert kept.resume(again) == encode_resume(6, answered(again).frame, TRAILER)


def test_what_else_differs_makes_another_request() -> None:
    assert DHCPV4.key(ask(DISCOVER, broadcast=True)) != DHCPV4.key(ask(DISCOVER))
    assert DHCPV4.key(ask(DISCOVER, mac="02:00:00:00:00:02")) != DHCPV4.key(ask(DISCOVER))


@KINDS
def test_it_fits_untagged_frames_of_its_version_without_more_headers(kind: Kind) -> None:
    plain = kind.ask(1)
    other = V4 if kind is V6 else V6
    assert kind.layout.fits(plain)
    assert not kind.layout.fits(plain[:12] + bytes.fromhex("81000064") + plain[12:])
    assert not other.layout.fits(plain)
    assert not DHCPV4.fits(plain[:14] + b"\x46" + plain[15:])
    assert not DHCPV6.fits(plain[:20] + b"\0" + plain[21:])
