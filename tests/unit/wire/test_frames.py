# SPDX-License-Identifier: Apache-2.0
"""Ethernet, IPv4, IPv6 and UDP headers, read and written."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.wire.frames import (
    Datagram,
    Fragment,
    FrameError,
    Ipv6Datagram,
    Ipv6Packet,
    NotIpv6,
    NotUdp,
    Truncated,
    checksum,
    decode_ipv6,
    decode_ipv6_udp,
    decode_udp,
    encode_ipv6_udp,
    encode_udp,
    ipv6_checksum,
    with_payload,
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


def test_another_payload_of_the_same_length() -> None:
    expected = encode_udp(LINK, ADDRESSES[:4], ADDRESSES[4:], 68, 67, b"world")
    assert with_payload(GOLDEN + b"behind", b"world") == expected + b"behind"
    elsewhere = encode_udp(LINK, ADDRESSES[:4], bytes.fromhex("0a0066cc"), 68, 67, b"world")
    assert with_payload(GOLDEN, b"world", bytes.fromhex("0a0066cc")) == elsewhere
    left_out = with_payload(put(40, "0000"), b"world", ADDRESSES[4:])
    assert left_out == put(40, "0000")[:42] + b"world"


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


# IPv6

SOURCE = bytes.fromhex("fe80 0000 0000 0000 0000 00ff fe00 0001")
AGENTS = bytes.fromhex("ff02 0000 0000 0000 0000 0000 0001 0002")
LINK6 = bytes.fromhex("333300010002 020000000001 86dd")
UDP6 = bytes.fromhex("0222 0223 000d bb35") + b"hello"  # 546 to 547, 13 bytes
GOLDEN6 = LINK6 + bytes.fromhex("60000000 000d 11 40") + SOURCE + AGENTS + UDP6
HELLO6 = Ipv6Datagram(LINK6, SOURCE, AGENTS, 547, b"hello")

# Extension headers, each with the length field that stands in front of it in a frame
HOP_BY_HOP = "00", "{next}00 0502 0000 0100"  # router alert
DESTINATION = "3c", "{next}01 010c 00000000 00000000 00000000"
ATOMIC_FRAGMENT = "2c", "{next}00 0006 01234567"  # reserved bits set, offset 0, no more
ROUTING = "2b", "{next}00 0000 00000000"


def put6(at: int, octets: str) -> bytes:
    """The golden IPv6 frame with other bytes at `at`."""
    data = bytes.fromhex(octets)
    return GOLDEN6[:at] + data + GOLDEN6[at + len(data) :]


def extended(*headers: tuple[str, str], inner: bytes = UDP6) -> bytes:
    """The golden IPv6 frame with these headers before `inner`."""
    numbers = [number for number, _ in headers] + ["11"]
    body = b"".join(
        bytes.fromhex(text.format(next=number))
        for (_, text), number in zip(headers, numbers[1:], strict=True)
    )
    length = f"{len(body) + len(inner):04x} {numbers[0]}"
    return put6(18, length)[:54] + body + inner


def test_ipv6_encode() -> None:
    assert encode_ipv6_udp(LINK6, SOURCE, AGENTS, 546, 547, b"hello") == GOLDEN6


def test_ipv6_encode_writes_a_udp_checksum_of_zero_as_ffff() -> None:
    frame = encode_ipv6_udp(LINK6, SOURCE, AGENTS, 546, 547, bytes.fromhex("ff0d"))
    assert frame[60:62] == b"\xff\xff"


def test_ipv6_checksum_of_a_long_packet() -> None:
    """A packet length above 65535 is in the pseudo-header whole (RFC 8200 §8.1)."""
    assert ipv6_checksum(bytes(16), bytes(16), 0, bytes(0x10001)) == 0xFFFF - 2


def test_ipv6_decode() -> None:
    assert decode_ipv6_udp(GOLDEN6) == HELLO6
    assert decode_ipv6(GOLDEN6) == Ipv6Packet(LINK6, SOURCE, AGENTS, 64, 17, UDP6)


def test_ipv6_decode_ignores_padding_checksum_class_and_label() -> None:
    assert decode_ipv6_udp(put6(14, "6abcdef0") + bytes(9)) == HELLO6
    assert decode_ipv6_udp(put6(60, "dead")) == HELLO6
    assert decode_ipv6_udp(extended(inner=UDP6 + b"xx")) == HELLO6


@pytest.mark.parametrize("tags", ["81000064", "88a80064", "88a80064 81000007"])
def test_ipv6_decode_tagged(tags: str) -> None:
    link = LINK6[:12] + bytes.fromhex(tags) + LINK6[12:]
    assert decode_ipv6_udp(link + GOLDEN6[14:]) == HELLO6._replace(link=link)


@pytest.mark.parametrize(
    "headers",
    [
        [HOP_BY_HOP],
        [DESTINATION],
        [ATOMIC_FRAGMENT],
        [HOP_BY_HOP, DESTINATION, ATOMIC_FRAGMENT, DESTINATION],
    ],
)
def test_ipv6_decode_extension_headers(headers: list[tuple[str, str]]) -> None:
    frame = extended(*headers)
    assert decode_ipv6_udp(frame) == HELLO6
    for size in range(len(frame)):
        with pytest.raises(FrameError):
            decode_ipv6_udp(frame[:size])
    inner = extended(*headers, inner=b"")
    for size in range(55, len(inner)):
        cut = inner[:18] + (size - 54).to_bytes(2, "big") + inner[20:size]
        with pytest.raises(Truncated):
            decode_ipv6(cut)


def test_ipv6_decode_other_extension_headers_are_protocols() -> None:
    assert decode_ipv6(extended(ROUTING)).protocol == 43
    with pytest.raises(NotUdp):
        decode_ipv6_udp(extended(HOP_BY_HOP, ROUTING))


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (b"", NotIpv6),
        (put6(12, "0800"), NotIpv6),
        (put6(14, "40"), NotIpv6),
        (LINK6[:12] + bytes.fromhex("81000001") * 3 + LINK6[12:] + GOLDEN6[14:], NotIpv6),
        (put6(20, "3a"), NotUdp),
        (put6(20, "06"), NotUdp),
        (put6(18, "000e"), Truncated),
        (put6(18, "0000"), Truncated),  # a jumbogram, or nothing
        (put6(18, "0007"), Truncated),
        (put6(58, "0007"), Truncated),
        (put6(58, "0000"), Truncated),
        (put6(58, "000e"), Truncated),
        (extended(("2c", "{next}00 0001 01234567")), Fragment),
        (extended(("2c", "{next}00 0008 01234567")), Fragment),
        (extended(("00", "{next}02 0502 0000 0100")), Truncated),
    ],
)
def test_ipv6_decode_refuses(frame: bytes, error: type[FrameError]) -> None:
    with pytest.raises(FrameError) as caught:
        decode_ipv6_udp(frame)
    assert caught.type is error


def test_ipv6_decode_truncated_anywhere() -> None:
    for size in range(len(GOLDEN6)):
        with pytest.raises(FrameError):
            decode_ipv6_udp(GOLDEN6[:size])
