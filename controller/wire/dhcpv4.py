# SPDX-License-Identifier: Apache-2.0
"""The DHCPv4 message (RFC 2131 §2) and its options (RFC 2132, RFC 3396).

    0    1  op: 1 request, 2 reply        16   4  yiaddr
    1    1  htype: 1 Ethernet             20   4  siaddr
    2    1  hlen: 6                       24   4  giaddr
    3    1  hops                          28  16  chaddr
    4    4  xid                           44  64  sname
    8    2  secs                         108 128  file
    10   2  flags, 0x8000 is broadcast   236   4  magic cookie
    12   4  ciaddr                       240   -  options

An option is code (1), length (1), value; 0 (PAD) and 255 (END) are single bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from ovs_dhcpd.controller.wire.unread import FEW, MANY, none_of, pass_over

OP: Final = 0
HARDWARE: Final = slice(1, 3)
HOPS: Final = 3
XID: Final = slice(4, 8)
FLAGS: Final = slice(10, 12)
CIADDR: Final = slice(12, 16)
YIADDR: Final = slice(16, 20)
GIADDR: Final = slice(24, 28)
CLIENT_MAC: Final = slice(28, 34)
SNAME: Final = slice(44, 108)
FILE: Final = slice(108, 236)
COOKIE: Final = slice(236, 240)
HEADER_SIZE: Final = 240  # with the cookie
# What a server reads of it: op, htype and hlen, xid, flags, ciaddr, giaddr, chaddr, the cookie
HEADER: Final = struct.Struct("!B2sx4sxx2s4s8x4s16s192x4s")

BOOTREQUEST: Final = 1
BOOTREPLY: Final = 2
MAX_HOPS: Final = 16  # RFC 1542 §4.1.1
ETHERNET: Final = b"\x01\x06"  # htype, hlen
MAGIC_COOKIE: Final = b"\x63\x82\x53\x63"
MIN_SIZE: Final = 300  # RFC 1542 §2.1
SNAME_SIZE: Final = 64
FILE_SIZE: Final = 128

# Options that the protocol itself works with (RFC 2132 unless said)
PAD: Final = 0
NETMASK: Final = 1
ROUTER: Final = 3
HOST_NAME: Final = 12
STATIC_ROUTE: Final = 33
REQUESTED_ADDRESS: Final = 50
LEASE_TIME: Final = 51
OVERLOAD: Final = 52
MESSAGE_TYPE: Final = 53
SERVER_ID: Final = 54
PARAMETER_REQUEST_LIST: Final = 55
MESSAGE: Final = 56
MAX_MESSAGE_SIZE: Final = 57
T1: Final = 58
T2: Final = 59
VENDOR_CLASS: Final = 60
CLIENT_ID: Final = 61
TFTP_SERVER: Final = 66
BOOTFILE: Final = 67
USER_CLASS: Final = 77  # RFC 3004
RAPID_COMMIT: Final = 80  # RFC 4039
FQDN: Final = 81  # RFC 4702
RELAY_AGENT: Final = 82  # RFC 3046
ARCHITECTURE: Final = 93  # RFC 4578 §2.1
IPV6_ONLY: Final = 108  # RFC 8925
CLASSLESS_ROUTES: Final = 121  # RFC 3442
ETHERBOOT: Final = 175  # iPXE's own
END: Final = 255

# Those that a server reads of a request, and a relay agent of a reply.
READ: Final = frozenset(
    (
        NETMASK,
        REQUESTED_ADDRESS,
        OVERLOAD,
        MESSAGE_TYPE,
        SERVER_ID,
        PARAMETER_REQUEST_LIST,
        MAX_MESSAGE_SIZE,
        VENDOR_CLASS,
        CLIENT_ID,
        USER_CLASS,
        RAPID_COMMIT,
        RELAY_AGENT,
        ARCHITECTURE,
        ETHERBOOT,
    )
)
_pass_over = pass_over(none_of({PAD, END, *READ}), padding=b"\0*")

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)

# Values of OVERLOAD: which fields hold options
_IN_FILE: Final = 1
_IN_SNAME: Final = 2


class OptionsError(ValueError):
    """An option runs past the end of the field it is in, or there are far too many."""


def decode_options(message: bytes) -> dict[int, bytes]:
    """The options of a message of at least HEADER_SIZE bytes.  Raises OptionsError.

    Reads `file` and then `sname` too where option 52 says so (RFC 2131 §4.1), and joins the
    options of one code (RFC 3396 §7).  A missing END is forgiven.  Where there are many options,
    small ones that are not in READ may be left out.
    """
    options: dict[int, bytes] = {}
    _read_options(message[HEADER_SIZE:], options)
    if OVERLOAD in options:
        overload = int.from_bytes(options[OVERLOAD][:1], "big")
        if overload & _IN_FILE:
            _read_options(message[FILE], options)
        if overload & _IN_SNAME:
            _read_options(message[SNAME], options)
    return options


def _read_options(field: bytes, options: dict[int, bytes]) -> None:
    at, end, steps = 0, len(field), 0
    while at < end:
        steps += 1
        code = field[at]
        if steps > FEW and code not in READ:
            after = _pass_over(field, at)
            if after > at:
                at = after
                continue
        if code == PAD:
            at += 1
            continue
        if code == END:
            return
        start = at + 2
        if start > end or steps > MANY:
            raise OptionsError
        at = start + field[start - 1]
        if at > end:
            raise OptionsError
        value = field[start:at]
        options[code] = options[code] + value if code in options else value


def encode_option(code: int, value: bytes) -> bytes:
    """One option; a value of more than 255 bytes takes several of its code (RFC 3396 §5)."""
    if len(value) <= 255:
        return bytes((code, len(value))) + value
    return encode_option(code, value[:255]) + encode_option(code, value[255:])


class Fields(NamedTuple):
    """Options distributed over the fields of a message, and the codes that found no room."""

    options: bytes
    file: bytes
    sname: bytes
    dropped: tuple[int, ...]


def overload(head: bytes, options: Iterable[tuple[int, bytes]], tail: bytes, room: int) -> Fields:
    """Distribute options over the `options` field of `room` bytes, then `file`, then `sname`.

    `head` and `tail` are encoded already and must fit into `room` with an END.  The others go
    each into the first field that takes it whole; one of more than 255 bytes, which must be split
    anyway, fills what is left in the order the reader joins (RFC 3396 §5).  What comes first in
    `options` is placed first; what finds no place is dropped.
    """
    left = room - len(head) - len(tail) - 1
    # Without room for option 52 itself nothing can be moved to the other fields.
    free = [left - 3, FILE_SIZE - 1, SNAME_SIZE - 1] if left >= 3 else [0, 0, 0]
    fields = [b"", b"", b""]
    dropped = []
    for code, value in options:
        placed = _split(code, value, free) if len(value) > 255 else _whole(code, value, free)
        if placed is None:
            dropped.append(code)
            continue
        for index, data in enumerate(placed):
            fields[index] += data
            free[index] -= len(data)
    body, file, sname = fields
    used = (_IN_FILE if file else 0) | (_IN_SNAME if sname else 0)
    if used:
        body = encode_option(OVERLOAD, bytes((used,))) + body
    return Fields(
        head + body + tail + bytes((END,)),
        (file + bytes((END,)) if file else b"").ljust(FILE_SIZE, b"\0"),
        (sname + bytes((END,)) if sname else b"").ljust(SNAME_SIZE, b"\0"),
        tuple(dropped),
    )


def _whole(code: int, value: bytes, free: list[int]) -> list[bytes] | None:
    for index, room in enumerate(free):
        if len(value) + 2 <= room:
            return [b""] * index + [encode_option(code, value)]
    return None


def _split(code: int, value: bytes, free: list[int]) -> list[bytes] | None:
    placed = []
    for room in free:
        whole_pieces, rest = divmod(room, 257)
        take = whole_pieces * 255 + max(rest - 2, 0)
        placed.append(encode_option(code, value[:take]) if value and take else b"")
        value = value[take:]
    return None if value else placed


def encode_reply(
    xid: bytes,
    flags: bytes,
    ciaddr: bytes,
    yiaddr: bytes,
    siaddr: bytes,
    giaddr: bytes,
    chaddr: bytes,
    sname: bytes,
    file: bytes,
    options: bytes,
) -> bytes:
    """A BOOTREPLY with hops and secs 0, padded to MIN_SIZE.  `sname` and `file` are whole fields,
    and `options` ends with END."""
    return b"".join(
        (
            b"\x02\x01\x06\0",
            xid,
            b"\0\0",
            flags,
            ciaddr,
            yiaddr,
            siaddr,
            giaddr,
            chaddr,
            sname,
            file,
            MAGIC_COOKIE,
            options,
        )
    ).ljust(MIN_SIZE, b"\0")
