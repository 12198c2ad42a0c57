# SPDX-License-Identifier: Apache-2.0
"""What OpenFlow messages have in common, and what asks for packet-ins."""

from __future__ import annotations

import struct

import pytest
from ovs_dhcpd.controller.wire import openflow
from ovs_dhcpd.controller.wire.openflow import (
    OFP13,
    OFP15,
    OFPT_EXPERIMENTER,
    VENDOR_AND_PACKET_IN2,
)

from tests.unit.ofp_print import ofp_print

VERSIONS = pytest.mark.parametrize("version", [OFP13, OFP15], ids=["1.3", "1.5"])


def test_a_stream_is_split_into_whole_messages() -> None:
    first, second = openflow.message(OFP15, 2, b"ping", 1), openflow.message(OFP15, 3, b"", 2)
    stream = first + second
    assert openflow.split(stream) == ([first, second], len(stream))
    for size in range(len(stream)):
        whole = [first] if size >= len(first) else []
        assert openflow.split(stream[:size]) == (whole, len(b"".join(whole)))


@pytest.mark.parametrize("size", range(8))
def test_a_message_shorter_than_its_header_ends_the_stream(size: int) -> None:
    with pytest.raises(ValueError, match=f"message of {size} bytes from the switch"):
        openflow.split(struct.pack("!BBHI", OFP15, 2, size, 1))


UNTAGGED_END = 65_550  # no frame without a tag is so long


def frame(size: int) -> bytes:
    """A frame of so many bytes; with a tag if it needs one to be so long."""
    kind = b"\x81\x00" if size >= UNTAGGED_END else b"\x08\x00"
    return (b"\1" * 12 + kind).ljust(size, b"\1")


def long_packet_in(packet_size: int, rest: bytes) -> bytes:
    """As Open vSwitch writes it: of each length the lower 16 bits."""
    body = VENDOR_AND_PACKET_IN2 + struct.pack("!HH", 0, 4 + packet_size & 0xFFFF)
    body += frame(packet_size) + bytes(-(4 + packet_size) % 8) + rest
    size = openflow.HEADER.size + len(body)
    return openflow.HEADER.pack(OFP15, OFPT_EXPERIMENTER, size & 0xFFFF, 0) + body


@pytest.mark.parametrize("rest_size", [0, 8, 16, 24, 600, 4000])
@pytest.mark.parametrize("packet_size", [64_000, 65_000, *range(65_500, 65_554)])
def test_a_packet_in_may_be_longer_than_its_length_says(packet_size: int, rest_size: int) -> None:
    first, second = long_packet_in(packet_size, bytes(rest_size)), openflow.message(OFP15, 3, b"")
    assert openflow.split(first + second) == ([first, second], len(first + second))
    for size in (*range(8, 40), len(first) - 1):
        assert openflow.split(first[:size]) == ([], 0)


@pytest.mark.parametrize("match_size", [4, 12, 21])
@pytest.mark.parametrize("packet_size", [14, 17, 60, 65_400, *range(65_500, 65_554)])
def test_so_may_a_packet_in_of_the_plain_format(packet_size: int, match_size: int) -> None:
    body = struct.pack(
        "!IHBBQHH", 0xFFFFFFFF, packet_size & 0xFFFF, 1, 0, 0x6468 << 48, 1, match_size
    )
    body += bytes((match_size + 7 & ~7) - 4 + 2) + frame(packet_size)
    size = openflow.HEADER.size + len(body)
    first = openflow.HEADER.pack(OFP15, openflow.OFPT_PACKET_IN, size & 0xFFFF, 0) + body
    second = openflow.message(OFP15, 3, b"")
    assert openflow.split(first + second) == ([first, second], len(first + second))
    for cut in (*range(8, min(40, len(first))), len(first) - 1):
        assert openflow.split(first[:cut]) == ([], 0)


def test_a_short_message_of_nicira_does_not_wait_for_more() -> None:
    paused = openflow.message(OFP15, OFPT_EXPERIMENTER, struct.pack("!II", openflow.NICIRA, 22))
    assert openflow.split(paused) == ([paused], 16)


@VERSIONS
def test_packet_ins_are_asked_for_whole_and_in_the_second_format(version: int) -> None:
    data = openflow.ask_for_packet_ins(version)
    size = struct.unpack_from("!H", data, 2)[0]
    assert "NXT_SET_PACKET_IN_FORMAT" in ofp_print(data[:size])
    assert "format=nxt_packet_in2" in ofp_print(data[:size])
    assert "miss_send_len=65535" in ofp_print(data[size:])


def test_of_a_multipart_reply_it_is_known_what_it_answers_and_whether_more_follow() -> None:
    last, first = (
        openflow.message(OFP15, openflow.OFPT_MULTIPART_REPLY, struct.pack("!HH4x", 9, flags))
        for flags in (0, 1)
    )
    assert [openflow.reply_kind(each) for each in (first, last)] == [9, 9]
    assert [openflow.has_more(each) for each in (first, last)] == [True, False]
    request = openflow.message(OFP15, openflow.OFPT_MULTIPART_REQUEST, b"\0\x09")
    assert openflow.reply_kind(request) is None
