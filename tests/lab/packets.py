# SPDX-License-Identifier: Apache-2.0
"""DHCPv4 requests as Ethernet frames and replies as fields, apart from the code under test."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

MAGIC = bytes.fromhex("63825363")
PAD, END = 0, 255
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
ANY = "0.0.0.0"
BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _ip(text: str) -> bytes:
    return IPv4Address(text).packed


def _dotted(data: bytes) -> str:
    return str(IPv4Address(data))


def _checksum(data: bytes) -> int:
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def option(code: int, value: bytes | str | int) -> bytes:
    """One option: an address as text, one byte as int, or the bytes themselves."""
    if isinstance(value, str):
        value = _ip(value)
    elif isinstance(value, int):
        value = bytes([value])
    return bytes([code, len(value)]) + value


def request(
    message: int,
    mac: str,
    *options: bytes,
    xid: int = 0x1234ABCD,
    chaddr: str | None = None,
    ciaddr: str = ANY,
    giaddr: str = ANY,
    broadcast: bool = False,
    hops: int = 0,
    secs: int = 0,
    sname: bytes = b"",
    file: bytes = b"",
    eth_dst: str = BROADCAST_MAC,
    ip_src: str = ANY,
    ip_dst: str = "255.255.255.255",
    sport: int = 68,
) -> bytes:
    """A client's message as it leaves the guest; `options` follow option 53."""
    bootp = struct.pack(
        "!BBBBIHH4s4s4s4s16s64s128s", 1, 1, 6, hops, xid, secs, 0x8000 * broadcast,
        _ip(ciaddr), bytes(4), bytes(4), _ip(giaddr), _mac(chaddr or mac), sname, file,
    )  # fmt: skip
    payload = bootp + MAGIC + option(53, message) + b"".join(options) + bytes([END])
    return udp_frame(mac, eth_dst, ip_src, ip_dst, sport, 67, payload)


def udp_frame(
    mac: str, eth_dst: str, ip_src: str, ip_dst: str, sport: int, dport: int, payload: bytes
) -> bytes:
    """A UDP datagram over IPv4, without UDP checksum."""
    udp = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, _ip(ip_src), _ip(ip_dst)
    )
    header = header[:10] + struct.pack("!H", _checksum(header)) + header[12:]
    return _mac(eth_dst) + _mac(mac) + b"\x08\x00" + header + udp


@dataclass(frozen=True)
class Reply:
    """The fields of a server's message; options as (code, value) in the order on the wire."""

    eth_src: str
    eth_dst: str
    ip_src: str
    ip_dst: str
    ttl: int
    sport: int
    dport: int
    hops: int
    xid: int
    secs: int
    flags: int
    ciaddr: str
    yiaddr: str
    siaddr: str
    giaddr: str
    chaddr: str
    sname: bytes
    file: bytes
    bootp_length: int
    options: tuple[tuple[int, bytes], ...]

    @property
    def message(self) -> int:
        """The DHCP message type (option 53)."""
        return self.option(53)[0]

    def option(self, code: int) -> bytes:
        """An option's value, its pieces joined; b"" when it is not there."""
        return b"".join(value for number, value in self.options if number == code)


def parse_reply(frame: bytes) -> Reply | None:
    """The reply that a frame holds, None if it is no BOOTREPLY; ValueError if it is damaged."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 17 or len(frame) < 282 or frame[42] != 2:
        return None
    if frame[14] != 0x45 or _checksum(frame[14:34]):
        raise ValueError("bad IPv4 header")
    udp_length = struct.unpack_from("!H", frame, 38)[0]
    pseudo = frame[26:34] + struct.pack("!BBH", 0, 17, udp_length)
    if frame[40:42] != b"\0\0" and _checksum(pseudo + frame[34 : 34 + udp_length]):
        raise ValueError("bad UDP checksum")
    bootp = frame[42 : 34 + udp_length]
    if bootp[236:240] != MAGIC:
        raise ValueError("bad magic cookie")
    ciaddr, yiaddr, siaddr, giaddr = (_dotted(bootp[at : at + 4]) for at in (12, 16, 20, 24))
    hops, xid, secs, flags = struct.unpack_from("!BIHH", bootp, 3)
    sport, dport = struct.unpack_from("!HH", frame, 34)
    return Reply(
        eth_src=frame[6:12].hex(":"), eth_dst=frame[:6].hex(":"),
        ip_src=_dotted(frame[26:30]), ip_dst=_dotted(frame[30:34]), ttl=frame[22],
        sport=sport, dport=dport, hops=hops, xid=xid, secs=secs, flags=flags,
        ciaddr=ciaddr, yiaddr=yiaddr, siaddr=siaddr, giaddr=giaddr, chaddr=bootp[28:34].hex(":"),
        sname=bootp[44:108].rstrip(b"\0"), file=bootp[108:236].rstrip(b"\0"),
        bootp_length=len(bootp), options=tuple(_options(bootp)),
    )  # fmt: skip


def _options(bootp: bytes) -> list[tuple[int, bytes]]:
    """The options after the cookie; with overload (52) those of file, then sname, follow."""
    found = _area(bootp[240:])
    overload = dict(found).get(52, b"\0")[0]
    if overload & 1:
        found += _area(bootp[108:236])
    if overload & 2:
        found += _area(bootp[44:108])
    return found


def _area(area: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while area[at] != END:
        if area[at] == PAD:
            at += 1
            continue
        length = area[at + 1]
        found.append((area[at], area[at + 2 : at + 2 + length]))
        at += 2 + length
    return found


def reply_to(request_frame: bytes, frame: bytes) -> Reply | None:
    """The reply in `frame` when it answers that request (same xid)."""
    reply = parse_reply(frame)
    return reply if reply and struct.pack("!I", reply.xid) == request_frame[46:50] else None
