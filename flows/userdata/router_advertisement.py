# SPDX-License-Identifier: Apache-2.0
"""Router advertisements: the options of ROUTER_ADVERTISEMENT as one ICMPv6 message, and back.

The message (RFC 4861 §4.2), big-endian, is what OVN makes of the same options:

    0   4  type 134, code 0, checksum 0
    4   1  hop_limit, 255 if not given
    5   1  flags: addr_mode and router_preference
    6   2  router_lifetime in seconds, 65535 if not given
    8   8  reachable time and retransmission timer, 0: the receiver's own
    16  -  options: type (1), length in units of 8 bytes (1), content
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ovs_dhcpd.flows.options.addresses import PREF64_LENGTHS
from ovs_dhcpd.flows.options.table import ROUTER_ADVERTISEMENT, OptionError
from ovs_dhcpd.flows.userdata.cursor import UserdataError

_OPTIONS = ROUTER_ADVERTISEMENT.by_name
_ADDR_MODE = _OPTIONS["addr_mode"].code
_SLLA = _OPTIONS["slla"].code
_PREFIX = _OPTIONS["prefix"].code
_MTU = _OPTIONS["mtu"].code
_ROUTE_INFO = _OPTIONS["route_info"].code
_RDNSS = _OPTIONS["rdnss"].code
_DNSSL = _OPTIONS["dnssl"].code
_CAPTIVE_PORTAL = _OPTIONS["captive_portal"].code
_PREF64 = _OPTIONS["pref64"].code
_ROUTER_PREFERENCE = _OPTIONS["router_preference"].code
_ROUTER_LIFETIME = _OPTIONS["router_lifetime"].code
_HOP_LIMIT = _OPTIONS["hop_limit"].code
_PREFERRED_LIFETIME = _OPTIONS["preferred_lifetime"].code
_VALID_LIFETIME = _OPTIONS["valid_lifetime"].code
_DNS_LIFETIME = _OPTIONS["dns_lifetime"].code
_ROUTE_LIFETIME = _OPTIONS["route_lifetime"].code

# Options with a lifetime in the same place, and the field that it is of.
_LIFETIMES = {_RDNSS: _DNS_LIFETIME, _DNSSL: _DNS_LIFETIME, _ROUTE_INFO: _ROUTE_LIFETIME}

_TYPE_CODE_CHECKSUM = b"\x86\0\0\0"
_TIMERS = bytes(8)
_FOREVER = b"\xff\xff\xff\xff"
_MODE_BITS = 0xC0
_MANAGED = 0x80
_PREFERENCE_BITS = 0x18
_ON_LINK = 0x80  # RFC 4861 §4.6.2
_AUTONOMOUS = 0x40
PREF64_LIFETIME_S = 0xFFF8  # the longest; the low three bits are the length's

# The fields of the message and, as OVN has them, their values when they are not given.
DEFAULTS = {
    _ADDR_MODE: b"\0",
    _ROUTER_PREFERENCE: b"\0",
    _ROUTER_LIFETIME: b"\xff\xff",
    _HOP_LIMIT: b"\xff",
    _PREFERRED_LIFETIME: _FOREVER,
    _VALID_LIFETIME: _FOREVER,
    _DNS_LIFETIME: _FOREVER,
    _ROUTE_LIFETIME: _FOREVER,
}


def encode_message(options: Sequence[tuple[int, bytes]]) -> bytes:
    """The message with these codes and encoded values; its options in the order given.

    A router that is none (router_lifetime 0) has no preference (RFC 4191 §2.2).  Raises
    UserdataError for an option that is too long.
    """
    fields = DEFAULTS | {code: value for code, value in options if code in DEFAULTS}
    flags = fields[_ADDR_MODE][0]
    if any(fields[_ROUTER_LIFETIME]):
        flags |= fields[_ROUTER_PREFERENCE][0]
    header = (
        _TYPE_CODE_CHECKSUM
        + fields[_HOP_LIMIT]
        + bytes((flags,))
        + fields[_ROUTER_LIFETIME]
        + _TIMERS
    )
    parts = (
        _type_and_length(code, content) + content
        for code, value in options
        if code not in DEFAULTS
        for content in _contents(code, value, fields)
    )
    return header + b"".join(parts)


def _type_and_length(code: int, content: bytes) -> bytes:
    length = (2 + len(content)) // 8
    if length > 255:
        raise UserdataError(f"option {code} takes {8 * length} bytes, expected 2040 at most")
    return bytes((code, length))


def _contents(code: int, value: bytes, fields: dict[int, bytes]) -> Iterator[bytes]:
    """What stands behind type and length of the option or, if it is of several, of each."""
    if code == _PREFIX:
        flags = _ON_LINK if fields[_ADDR_MODE][0] & _MANAGED else _ON_LINK | _AUTONOMOUS
        lifetimes = fields[_VALID_LIFETIME] + fields[_PREFERRED_LIFETIME]
        for at in range(0, len(value), 17):
            yield bytes((value[at], flags)) + lifetimes + bytes(4) + value[at + 1 : at + 17]
    elif code == _MTU:
        yield bytes(2) + value
    elif code in (_RDNSS, _DNSSL):
        yield _padded(bytes(2) + fields[_DNS_LIFETIME] + value)
    elif code == _ROUTE_INFO:
        for at in range(0, len(value), 18):
            preference, length = value[at : at + 2]
            octets = 8 * ((length + 63) // 64)
            head = bytes((length, preference)) + fields[_ROUTE_LIFETIME]
            yield head + value[at + 2 : at + 2 + octets]
    elif code == _PREF64:
        lifetime = PREF64_LIFETIME_S | PREF64_LENGTHS.index(value[0])
        yield lifetime.to_bytes(2, "big") + value[1:13]
    else:  # slla, captive_portal
        yield _padded(value)


def _padded(content: bytes) -> bytes:
    """Zeros up to the next multiple of 8 bytes, type and length counted."""
    return content + bytes(-(2 + len(content)) % 8)


def decode_message(message: bytes) -> list[tuple[int, bytes]]:
    """The options that `encode_message` makes into `message`.  Raises OptionError if none do.

    Fields come first, and only those that are not as in OVN, but for addr_mode.
    """
    try:
        decoded = _decode(message)
        if encode_message(decoded) == message:
            return decoded
    except (LookupError, ValueError):  # not as `_contents` makes it
        pass
    raise OptionError("the message has what no option says")


def _decode(message: bytes) -> list[tuple[int, bytes]]:
    flags = message[5]
    fields = {
        _ADDR_MODE: bytes((flags & _MODE_BITS,)),
        _ROUTER_PREFERENCE: bytes((flags & _PREFERENCE_BITS,)),
        _ROUTER_LIFETIME: message[6:8],
        _HOP_LIMIT: message[4:5],
    }
    options: list[tuple[int, bytes]] = []
    at = 16
    while at < len(message):
        code = message[at]
        content = message[at + 2 : at + 8 * message[at + 1]]
        row = ROUTER_ADVERTISEMENT.by_code[code]
        if code in DEFAULTS:  # no option, but OVN's number for a field
            raise LookupError(code)
        if code == _PREFIX:
            fields[_VALID_LIFETIME], fields[_PREFERRED_LIFETIME] = content[2:6], content[6:10]
        elif code in _LIFETIMES:
            fields[_LIFETIMES[code]] = content[2:6]
        value = _value(code, content)
        if code == _ROUTE_INFO and options and options[-1][0] == code:
            value = options.pop()[1] + value
        if code in dict(options) and not row.repeatable:
            raise LookupError(code)
        options.append((code, value))
        at += 2 + len(content)
    given = [
        (code, value)
        for code, value in fields.items()
        if code == _ADDR_MODE or value != DEFAULTS[code]
    ]
    return [*given, *options]


def _value(code: int, content: bytes) -> bytes:
    """The encoded value in an option, if it is as `_contents` makes it."""
    if code == _PREFIX:
        return content[:1] + content[14:]
    if code == _MTU:
        return content[2:]
    if code == _RDNSS:
        return content[6:]
    if code == _DNSSL:
        return content[6:].rstrip(b"\0") + b"\0"
    if code == _ROUTE_INFO:
        return content[1:2] + content[:1] + content[6:].ljust(16, b"\0")
    if code == _PREF64:
        length = PREF64_LENGTHS[content[1] & 7]
        return bytes((length,)) + content[2:].ljust(16, b"\0")
    if code == _CAPTIVE_PORTAL:
        return content.rstrip(b"\0")
    return content
