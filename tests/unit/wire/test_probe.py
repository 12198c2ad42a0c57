# SPDX-License-Identifier: Apache-2.0
"""Questions and answers as frames, beside the RFCs' layouts, and what is heard as values."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from ovs_dhcpd.controller.wire.probe import Heard, decode_heard, encode_answer, encode_question

from tests.lab import nd
from tests.lab.packets6 import mac_bytes

OURS, THEIRS = "02:64:68:00:00:01", "02:00:00:00:00:02"
MAC, OTHER = mac_bytes(OURS), mac_bytes(THEIRS)
V4, V6 = ip_address("10.0.0.5"), ip_address("fd00::5")
ARP = "0806 0001 0800 06 04 "
TAG = bytes.fromhex("81000064")


def arp(operation: int, mac: str, source: str, target_mac: str, target: str, *, to: str) -> bytes:
    text = f"{to}{mac}{ARP}000{operation}{mac}"
    addresses = [ip_address(each).packed.hex() for each in (source, target)]
    words = f"{text}{addresses[0]}{target_mac}{addresses[1]}"
    return bytes.fromhex(words.replace(":", ""))


PROBE4 = arp(1, OURS, "0.0.0.0", "00" * 6, "10.0.0.5", to="ff" * 6)
PROBE6 = nd.neighbour_solicitation(OURS, "::", "fd00::5")
REPLY4 = arp(2, OURS, "10.0.0.5", THEIRS, "0.0.0.0", to=THEIRS)
ADVERTISEMENT = bytes((nd.NA, 0, 0, 0, 0x20, 0, 0, 0)) + V6.packed + nd.mac_option(2, OURS)
REPLY6 = nd.icmp6(
    ADVERTISEMENT, eth_src=OURS, eth_dst=nd.ALL_NODES_MAC, ip_src="fd00::5", ip_dst=nd.ALL_NODES
)


def tagged(frame: bytes) -> bytes:
    return frame[:12] + TAG + frame[12:]


@pytest.mark.parametrize(("address", "frame"), [(V4, PROBE4), (V6, PROBE6)])
def test_a_question_has_no_source_address(address: object, frame: bytes) -> None:
    assert encode_question(MAC, address) == frame  # type: ignore[arg-type]
    assert encode_question(MAC, address, 100) == tagged(frame)  # type: ignore[arg-type]


@pytest.mark.parametrize(("address", "frame"), [(V4, REPLY4), (V6, REPLY6)])
def test_an_answer_goes_to_who_has_asked(address: object, frame: bytes) -> None:
    packed = address.packed  # type: ignore[attr-defined]
    assert encode_answer(MAC, Heard(7, 0, OTHER, packed, asks=True)) == frame
    assert encode_answer(MAC, Heard(7, 100, OTHER, packed, asks=True)) == tagged(frame)


@pytest.mark.parametrize(
    ("frame", "mac", "address", "asks"),
    [
        (PROBE4, MAC, V4, True),
        (PROBE6, MAC, V6, True),
        (REPLY4, MAC, V4, False),
        (REPLY6, MAC, V6, False),
        (arp(1, THEIRS, "10.0.0.5", "00" * 6, "10.0.0.1", to="ff" * 6), OTHER, V4, False),
        (arp(1, THEIRS, "10.0.0.5", "00" * 6, "10.0.0.5", to="ff" * 6), OTHER, V4, False),
        (PROBE4 + bytes(18), MAC, V4, True),  # as short frames are filled
    ],
)
def test_what_is_heard(frame: bytes, mac: bytes, address: object, asks: bool) -> None:
    packed = address.packed  # type: ignore[attr-defined]
    assert decode_heard(7, frame) == Heard(7, 0, mac, packed, asks)
    assert decode_heard(7, tagged(frame)) == Heard(7, 100, mac, packed, asks)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        arp(2, THEIRS, "0.0.0.0", "00" * 6, "10.0.0.5", to="ff" * 6),
        PROBE4[:18] + b"\x08" + PROBE4[19:],
        nd.neighbour_solicitation(THEIRS, "fe80::1", "fd00::5"),
        nd.router_solicitation(THEIRS, "::"),
        PROBE6[:20] + b"\x11" + PROBE6[21:],
        *(PROBE4[:size] for size in range(len(PROBE4))),
        *(PROBE6[:size] for size in range(len(PROBE6))),
    ],
)
def test_what_says_nothing_of_an_address(frame: bytes) -> None:
    assert decode_heard(7, frame) is None
