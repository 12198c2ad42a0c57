# SPDX-License-Identifier: Apache-2.0
"""The DHCPv6 message (RFC 8415 §8) and its options (§21).

    0   1  msg-type
    1   3  transaction-id
    4   -  options: code (2), length (2), value

An identity association, IA for short, is an option with options inside:

    IA_NA, IA_PD   IAID 4, T1 4, T2 4, options          IA address  address 16, preferred 4, valid 4
    IA_TA          IAID 4, options                      IA prefix   preferred 4, valid 4, length 1,
                                                                    prefix 16

A *lease* is what identifies such an address or prefix: the 16 bytes of the address, or the prefix
length and the 16 bytes of the prefix.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from ovs_dhcpd.controller.wire.unread import FEW, MANY, none_of, pass_over

XID: Final = slice(1, 4)
HEADER_SIZE: Final = 4

# Message types (RFC 8415 §7.3)
SOLICIT, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE = range(1, 9)
DECLINE, RECONFIGURE, INFORMATION_REQUEST, RELAY_FORWARD, RELAY_REPLY = range(9, 14)

# Options that the protocol itself works with (RFC 8415 §21 unless said)
CLIENT_ID: Final = 1
SERVER_ID: Final = 2
IA_NA: Final = 3
IA_TA: Final = 4
IA_ADDRESS: Final = 5
OPTION_REQUEST: Final = 6
PREFERENCE: Final = 7
STATUS: Final = 13
RAPID_COMMIT: Final = 14
USER_CLASS: Final = 15
VENDOR_CLASS: Final = 16
DOMAIN_SEARCH: Final = 24  # RFC 3646
IA_PD: Final = 25
IA_PREFIX: Final = 26
REFRESH_TIME: Final = 32
FQDN: Final = 39  # RFC 4704
NTP_SERVER: Final = 56  # RFC 5908
BOOTFILE: Final = 59  # RFC 5970
ARCHITECTURE: Final = 61  # RFC 5970

# Those that say something about the reply; a server has no use for the others of a request.
READ: Final = frozenset(
    (
        CLIENT_ID,
        SERVER_ID,
        IA_NA,
        IA_TA,
        IA_ADDRESS,
        OPTION_REQUEST,
        RAPID_COMMIT,
        USER_CLASS,
        VENDOR_CLASS,
        IA_PD,
        IA_PREFIX,
        FQDN,
        ARCHITECTURE,
    )
)
_pass_over = pass_over(b"(?:\\x00%b|[^\\x00].)" % none_of(READ), size=b"\\x00")
_OPTION: Final = struct.Struct("!HH")  # code, length
_LIFETIMES: Final = struct.Struct("!II")  # preferred, valid

# Status codes (RFC 8415 §21.13)
SUCCESS, _, NO_ADDRESSES, NO_BINDING, NOT_ON_LINK, USE_MULTICAST, NO_PREFIX = range(7)

# Flags of the FQDN option (RFC 4704 §4.1)
FQDN_S: Final = 1  # the server is to update, or updates, the AAAA record
FQDN_O: Final = 2  # the server does otherwise than S asked
FQDN_N: Final = 4  # no DNS update is done

_DUID_LL: Final = b"\0\3\0\1"  # type 3, hardware type 1 is Ethernet (RFC 8415 §11.4)
_MIN_DUID, _MAX_DUID = 3, 130  # with the type (RFC 8415 §11.1)

_UNSPECIFIED: Final = bytes(16)
_ONE_ADDRESS: Final = b"\0\5\0\x18"  # an IA address with no options: its code and length
# How long the fixed part of an IA is, and where in its address or prefix option the lease is.
_IA_FIXED: Final = {IA_NA: 12, IA_TA: 4, IA_PD: 12}
IAS: Final = frozenset(_IA_FIXED)
_LEASES: Final = {IA_ADDRESS: (24, slice(0, 16)), IA_PREFIX: (25, slice(8, 25))}


class OptionsError(ValueError):
    """An option runs past the end of what it is in, or is too short for what must be in it, or a
    prefix is longer than an address, or there are far too many options."""


class Ia(NamedTuple):
    """An identity association in a client's message: its option's code, its IAID, its leases.

    Addresses and prefixes that are all zero ask for none in particular, and are not among them.
    """

    code: int
    iaid: bytes
    leases: tuple[bytes, ...]


def decode_options(data: bytes) -> list[tuple[int, bytes]]:
    """The options in `data`, code and value, in their order.  Raises OptionsError.

    Where there are many, small ones that are not in READ may be left out.
    """
    options: list[tuple[int, bytes]] = []
    at, end, steps = 0, len(data), 0
    while at < end:
        steps += 1
        start = at + 4
        if start > end:
            raise OptionsError
        code, size = _OPTION.unpack_from(data, at)
        if steps > FEW:
            after = _pass_over(data, at) if code not in READ else at
            if after > at:
                at = after
                continue
            if steps > MANY:
                raise OptionsError
        at = start + size
        if at > end:
            raise OptionsError
        options.append((code, data[start:at]))
    return options


def decode_duid(value: bytes) -> bytes:
    """`value` if a DUID may be so long; nothing else is known of it.  Raises OptionsError."""
    if not _MIN_DUID <= len(value) <= _MAX_DUID:
        raise OptionsError
    return value


def decode_ias(options: Iterable[tuple[int, bytes]]) -> tuple[Ia, ...]:
    """The IAs among `options`; of two with one code and IAID, the first.  Raises OptionsError."""
    ias: dict[tuple[int, bytes], Ia] = {}
    for code, value in options:
        if code in _IA_FIXED:
            fixed = _IA_FIXED[code]
            if len(value) < fixed:
                raise OptionsError
            iaid = value[:4]
            leases = _leases(code, value, fixed) if len(value) > fixed else ()
            if (code, iaid) not in ias:
                ias[code, iaid] = Ia(code, iaid, leases)
    return tuple(ias.values())


def _leases(code: int, data: bytes, start: int) -> tuple[bytes, ...]:
    """The leases in an IA's options, which begin at `start`, each once."""
    if len(data) == start + 28 and data[start : start + 4] == _ONE_ADDRESS and code != IA_PD:
        address = data[start + 4 : start + 20]
        return (address,) if address != _UNSPECIFIED else ()
    wanted = IA_PREFIX if code == IA_PD else IA_ADDRESS
    size, at = _LEASES[wanted]
    leases: dict[bytes, None] = {}
    for inner, value in decode_options(data[start:]):
        if inner == wanted:
            if len(value) < size:
                raise OptionsError
            lease = value[at] if wanted == IA_ADDRESS else _normal_prefix(value[at])
            if lease[-16:] != _UNSPECIFIED:
                leases[lease] = None
    return tuple(leases)


def _normal_prefix(lease: bytes) -> bytes:
    """A prefix whose bits behind its length are 0: the reader ignores them (RFC 8415 §21.22)."""
    host_bits = 128 - lease[0]
    if host_bits < 0:
        raise OptionsError
    prefix = int.from_bytes(lease[1:], "big") >> host_bits << host_bits
    return lease[:1] + prefix.to_bytes(16, "big")


def encode_option(code: int, value: bytes) -> bytes:
    """One option."""
    return _OPTION.pack(code, len(value)) + value


def encode_duid_ll(mac: bytes) -> bytes:
    """The DUID made of a link-layer address (RFC 8415 §11.4)."""
    return _DUID_LL + mac


def encode_status(code: int, message: bytes = b"") -> bytes:
    """A status code option (RFC 8415 §21.13); `message` is UTF-8, for people."""
    return encode_option(STATUS, code.to_bytes(2, "big") + message)


def encode_lifetimes(preferred_s: int, valid_s: int) -> bytes:
    """What an IA address and an IA prefix option have of their lease besides itself."""
    return _LIFETIMES.pack(preferred_s, valid_s)


def encode_lease(lease: bytes, lifetimes: bytes) -> bytes:
    """An IA address (RFC 8415 §21.6) or IA prefix option (§21.22) for `lease`."""
    if len(lease) == 16:
        return _ONE_ADDRESS + lease + lifetimes
    return encode_option(IA_PREFIX, lifetimes + lease)


def encode_ia(ia: Ia, times: bytes, options: bytes) -> bytes:
    """The IA of a reply: the client's code and IAID, T1 and T2 in 8 bytes, and encoded options.

    An IA_TA has neither T1 nor T2 (RFC 8415 §21.5).
    """
    return encode_option(ia.code, ia.iaid + (b"" if ia.code == IA_TA else times) + options)
