# SPDX-License-Identifier: Apache-2.0
"""DHCPv6 requests as Ethernet frames and replies as fields, apart from the code under test."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network

SOLICIT, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE = range(1, 9)
DECLINE, RECONFIGURE, INFORMATION_REQUEST, RELAY_FORWARD, RELAY_REPLY = range(9, 14)
IA_NA, IA_TA, IA_PD = 3, 4, 25
SUCCESS, UNSPECIFIED, NO_ADDRESSES, NO_BINDING, NOT_ON_LINK, USE_MULTICAST, NO_PREFIX = range(7)

AGENTS = "ff02::1:2"
AGENTS_MAC = "33:33:00:01:00:02"


def mac_bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _ip(text: str) -> bytes:
    return IPv6Address(text).packed


def _sum(source: bytes, destination: bytes, udp: bytes) -> int:
    data = source + destination + struct.pack("!II", len(udp), 17) + udp
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def option(code: int, value: bytes = b"") -> bytes:
    return struct.pack("!HH", code, len(value)) + value


def duid_ll(mac: str) -> bytes:
    """The DUID-LL of an Ethernet address."""
    return b"\0\3\0\1" + mac_bytes(mac)


def oro(*codes: int) -> bytes:
    """The option request option."""
    return option(6, struct.pack(f"!{len(codes)}H", *codes))


def _address(text: str, lifetimes: tuple[int, int]) -> bytes:
    return option(5, _ip(text) + struct.pack("!II", *lifetimes))


def ia_na(iaid: int, *addresses: str, lifetimes: tuple[int, int] = (0, 0)) -> bytes:
    inner = b"".join(_address(address, lifetimes) for address in addresses)
    return option(IA_NA, struct.pack("!III", iaid, 0, 0) + inner)


def ia_ta(iaid: int, *addresses: str) -> bytes:
    inner = b"".join(_address(address, (0, 0)) for address in addresses)
    return option(IA_TA, struct.pack("!I", iaid) + inner)


def ia_pd(iaid: int, *prefixes: str) -> bytes:
    inner = b""
    for text in prefixes:
        prefix = IPv6Network(text)
        fields = struct.pack("!IIB", 0, 0, prefix.prefixlen) + prefix.network_address.packed
        inner += option(26, fields)
    return option(IA_PD, struct.pack("!III", iaid, 0, 0) + inner)


def frame_of(
    message: bytes,
    mac: str,
    *,
    ip_src: str,
    ip_dst: str = AGENTS,
    eth_dst: str = AGENTS_MAC,
    sport: int = 546,
    dport: int = 547,
) -> bytes:
    """`message` as it leaves the guest."""
    udp = struct.pack("!HHHH", sport, dport, 8 + len(message), 0) + message
    checksum = 0xFFFF - _sum(_ip(ip_src), _ip(ip_dst), udp) or 0xFFFF
    udp = udp[:6] + struct.pack("!H", checksum) + udp[8:]
    header = struct.pack("!IHBB", 6 << 28, len(udp), 17, 1) + _ip(ip_src) + _ip(ip_dst)
    return mac_bytes(eth_dst) + mac_bytes(mac) + b"\x86\xdd" + header + udp


@dataclass(frozen=True)
class Ia:
    """An identity association of a reply; leases are (text, preferred, valid)."""

    code: int
    iaid: int
    t1: int | None
    t2: int | None
    leases: tuple[tuple[str, int, int], ...] = ()
    status: int | None = None


@dataclass(frozen=True)
class Reply6:
    """The fields of a server's message; options as (code, value) in the order on the wire."""

    eth_src: str
    eth_dst: str
    ip_src: str
    ip_dst: str
    hop_limit: int
    sport: int
    dport: int
    message: int
    xid: bytes
    options: tuple[tuple[int, bytes], ...]

    @property
    def codes(self) -> list[int]:
        return [code for code, _ in self.options]

    @property
    def ias(self) -> list[Ia]:
        return [_parse_ia(c, value) for c, value in self.options if c in (IA_NA, IA_TA, IA_PD)]

    @property
    def status(self) -> int | None:
        """The status code at the top level; None if there is none, which means success."""
        value = dict(self.options).get(13)
        return None if value is None else int.from_bytes(value[:2], "big")

    def option(self, code: int) -> bytes:
        """An option's value; fails unless it is there once."""
        (value,) = (value for number, value in self.options if number == code)
        return value


def parse_reply(frame: bytes) -> Reply6:
    """The server's message that a frame holds; ValueError if it is damaged."""
    if frame[12:14] != b"\x86\xdd" or frame[20] != 17:
        raise ValueError("not UDP over IPv6")
    first, length, _, hop_limit = struct.unpack_from("!IHBB", frame, 14)
    if first != 6 << 28 or len(frame) != 54 + length:
        raise ValueError("bad IPv6 header")
    source, destination, udp = frame[22:38], frame[38:54], frame[54:]
    sport, dport, udp_length, checksum = struct.unpack_from("!HHHH", udp)
    if udp_length != length or not checksum or _sum(source, destination, udp) != 0xFFFF:
        raise ValueError("bad UDP header")
    return Reply6(
        eth_src=frame[6:12].hex(":"), eth_dst=frame[:6].hex(":"),
        ip_src=str(IPv6Address(source)), ip_dst=str(IPv6Address(destination)),
        hop_limit=hop_limit, sport=sport, dport=dport,
        message=udp[8], xid=udp[9:12], options=tuple(_parse_options(udp[12:])),
    )  # fmt: skip


def _parse_options(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while data:
        code, length = struct.unpack_from("!HH", data)
        if len(data) < 4 + length:
            raise ValueError(f"option {code} is cut off")
        found.append((code, data[4 : 4 + length]))
        data = data[4 + length :]
    return found


def _parse_ia(code: int, value: bytes) -> Ia:
    iaid, inner = struct.unpack_from("!I", value)[0], value[4:]
    t1, t2 = None, None
    if code != IA_TA:
        t1, t2 = struct.unpack_from("!II", inner)
        inner = inner[8:]
    leases, status = [], None
    for number, data in _parse_options(inner):
        if number == 5:
            lease = str(IPv6Address(data[:16]))
            leases.append((lease, *struct.unpack("!II", data[16:])))
        elif number == 26:
            preferred, valid, length = struct.unpack_from("!IIB", data)
            leases.append((str(IPv6Network((data[9:25], length))), preferred, valid))
        elif number == 13:
            status = int.from_bytes(data[:2], "big")
        else:
            raise ValueError(f"option {number} in an IA")
    return Ia(code, iaid, t1, t2, tuple(leases), status)
