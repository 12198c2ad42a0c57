# SPDX-License-Identifier: Apache-2.0
"""Router solicitations taken apart (RFC 4861 §6.1.1), and Neighbor Discovery messages made."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from ovs_dhcpd.controller.wire.frames import NotIpv6, Truncated
from ovs_dhcpd.controller.wire.nd import (
    BadChecksum,
    BadOptions,
    Forwarded,
    NotSolicitation,
    Solicitation,
    decode_solicitation,
    encode_nd,
)

from tests.lab import nd
from tests.lab.nd import mac_option, router_solicitation
from tests.unit.advertisement import LLA, MAC, MESSAGE

PLAIN = router_solicitation(MAC, LLA, mac_option(1, MAC))
SOURCE, ALL_ROUTERS = (IPv6Address(text).packed for text in (LLA, "ff02::2"))


@pytest.mark.parametrize("tags", ["", "81000064", "88a8006481000007"])
def test_a_valid_one(tags: str) -> None:
    link = PLAIN[:12] + bytes.fromhex(tags) + PLAIN[12:14]
    assert decode_solicitation(link + PLAIN[14:]) == Solicitation(link, SOURCE, ALL_ROUTERS, b"")


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (router_solicitation(MAC, LLA, hop_limit=254), Forwarded),
        (router_solicitation(MAC, LLA, code=1), NotSolicitation),
        (router_solicitation(MAC, "::", mac_option(1, MAC)), BadOptions),
        (router_solicitation(MAC, LLA, b"\1\0" + bytes(6)), BadOptions),
        (router_solicitation(MAC, LLA, b"\1"), BadOptions),
        (PLAIN[:56] + bytes([PLAIN[56] ^ 1]) + PLAIN[57:], BadChecksum),
        (PLAIN[:-1], Truncated),
        (PLAIN[:12] + b"\x08\0" + PLAIN[14:], NotIpv6),
    ],
)
def test_what_is_none_is_refused_by_kind(frame: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        decode_solicitation(frame)


def test_a_message_gets_its_header_and_checksum() -> None:
    assert encode_nd(PLAIN[:14], SOURCE, ALL_ROUTERS, MESSAGE) == nd.icmp6(
        MESSAGE, eth_src=MAC, eth_dst=nd.ALL_ROUTERS_MAC, ip_src=LLA, ip_dst=nd.ALL_ROUTERS
    )
