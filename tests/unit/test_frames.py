# SPDX-License-Identifier: Apache-2.0
"""Ethernet, IPv4 and UDP headers, read and written."""

from __future__ import annotations

import pytest

from controller.wire.frames import (
    Datagram,
    Fragment,
    FrameError,
    NotUdp,
    Truncated,
    checksum,
    decode_udp,
    encode_udp,
)

ADDRESSES = bytes.fromhex("0a000001 0a000005")
LINK = bytes.fromhex("ffffffffffff 020000000001 0800")
GOLDEN = LINK + bytes.fromhex(
    "4500 0021 0000 0000 4011 66c7 0a000001 0a000005"  # 33 bytes, TTL 64, UDP
    "0044 0043 000d a775"  # 68 to 67, 13 bytes
    "68656c6c6f"  # hello
)
HELLO = Datagram(LINK, ADDRESSES[:4], 67, b"hello")


def put(at: int, octets: str) -> bytes:
    """The golden frame with other bytes at `at`."""
    data = bytes.fromhex(octets)
    return GOLDEN[:at] + data + GOLDEN[at + len(data) :]


def test_encode() -> None:
    assert encode_udp(LINK, ADDRESSES[:4], ADDRESSES[4:], 68, 67, b"hello") == GOLDEN


def test_encode_writes_an_ip_checksum_of_zero_as_zero() -> None:
    frame = encode_udp(LINK, ADDRESSES[:4], bytes.fromhex("0a0066cc"), 68, 67, b"hello")
    assert frame[24:26] == b"\0\0"


def test_decode() -> None:
    assert decode_udp(GOLDEN) == HELLO


def test_decode_ignores_ethernet_padding_and_checksums() -> None:
    assert decode_udp(put(40, "dead") + bytes(13)) == HELLO
    assert decode_udp(put(24, "dead")) == HELLO


def test_decode_ignores_ip_padding() -> None:
    assert decode_udp(put(16, "0023") + b"xx") == HELLO


@pytest.mark.parametrize("tags", ["81000064", "88a80064", "88a80064 81000007"])
def test_decode_tagged(tags: str) -> None:
    link = LINK[:12] + bytes.fromhex(tags) + LINK[12:]
    assert decode_udp(link + GOLDEN[14:]) == HELLO._replace(link=link)


def test_decode_ip_options() -> None:
    frame = put(14, "46 00 0025")
    assert decode_udp(frame[:34] + bytes.fromhex("94040000") + frame[34:]) == HELLO


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (b"", NotUdp),
        (put(12, "86dd"), NotUdp),
        (put(14, "65"), NotUdp),
        (put(23, "06"), NotUdp),
        (LINK[:12] + bytes.fromhex("81000001") * 3 + LINK[12:] + GOLDEN[14:], NotUdp),
        (put(20, "2000"), Fragment),
        (put(20, "0001"), Fragment),
        (put(14, "44"), Truncated),
        (put(14, "40 00 0021 000d"), Truncated),  # a UDP header would be where IP's is
        (put(14, "4f"), Truncated),
        (put(16, "001b"), Truncated),
        (put(16, "0022"), Truncated),
        (put(38, "0007"), Truncated),
        (put(38, "000e"), Truncated),
    ],
)
def test_decode_refuses(frame: bytes, error: type[FrameError]) -> None:
    with pytest.raises(FrameError) as caught:
        decode_udp(frame)
    assert caught.type is error


def test_do_not_fragment_is_no_fragment() -> None:
    assert decode_udp(put(20, "4000")) == HELLO


def test_decode_truncated_anywhere() -> None:
    for size in range(len(GOLDEN)):
        with pytest.raises(FrameError):
            decode_udp(GOLDEN[:size])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("0001f203f4f5f6f7", 0x220D),  # RFC 1071 §3
        ("0001f2", 0x0DFE),
        ("ffff", 0xFFFF),
        ("0001fffe", 0xFFFF),
    ],
)
def test_checksum(data: str, expected: int) -> None:
    assert checksum(bytes.fromhex(data)) == expected
