# SPDX-License-Identifier: Apache-2.0
"""The values of options: from text or YAML to the bytes on the wire, and back to text.

Each type of `options.Option` is one row of `TYPES`: a function to bytes and one from bytes, both
over the constants of `lexer`.  OVN's text and what YAML gives both become constants first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from flows.lexer import Constant, Hex, TextError, format_constants, parse_constants
from flows.options import DHCPV4, Option, OptionError


class _Misfit(ValueError):
    """Constants or bytes that do not fit the type: the reason, without the option's name."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type of value.

    `bare` tells how text without quotes reads: None, as constants only; else as constants of
    these classes or, failing that, as itself.
    """

    expected: str
    encode: Callable[[Sequence[Constant]], bytes]
    decode: Callable[[bytes], list[Constant]]
    bare: tuple[type, ...] | None = None


def encode_value(option: Option, value: object) -> bytes:
    """The bytes of `option` for `value`: str, int, bool or a list of them, or OVN's text.

    They may be more than 255: `userdata` splits them.  Raises OptionError.
    """
    try:
        return encode_constants(option, list(_read(TYPES[option.type], value)))
    except TextError as error:
        expected = TYPES[option.type].expected
        raise OptionError(f"{option.name}: {value!r}: {error}; expected {expected}") from None
    except _Misfit as error:
        raise _option_error(option, error) from None


def encode_constants(option: Option, constants: Sequence[Constant]) -> bytes:
    """The bytes of `option` for constants read by `lexer`.  Raises OptionError."""
    try:
        return TYPES[option.type].encode(constants)
    except _Misfit as error:
        raise _option_error(option, error) from None


def format_value(option: Option, value: bytes) -> str:
    """The value as OVN writes it.  Raises OptionError if the bytes do not fit the option's type."""
    try:
        return format_constants(TYPES[option.type].decode(value))
    except _Misfit as error:
        raise _option_error(option, error) from None


def format_option(code: int, value: bytes) -> str:
    """`name = value`, or `option_NNN = 0x…` for bytes without a name or unfit for it."""
    option = DHCPV4.by_code.get(code, DHCPV4.numbered(code))
    try:
        text = format_value(option, value)
    except OptionError:
        option = DHCPV4.numbered(code)
        text = format_value(option, value)
    return f"{option.name} = {text}"


def _option_error(option: Option, misfit: _Misfit) -> OptionError:
    return OptionError(f"{option.name}: {misfit}, expected {TYPES[option.type].expected}")


def _read(kind: Type, value: object) -> Iterator[Constant]:
    """What YAML gives, as constants."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _read(kind, item)
    elif isinstance(value, str):
        yield from _read_text(kind, value)
    elif isinstance(value, (int, IPv4Address, IPv4Network)):
        yield value
    else:
        raise _Misfit(f"{value!r} cannot be a value")


def _read_text(kind: Type, text: str) -> list[Constant]:
    if kind.bare is None or text.startswith('"'):
        return parse_constants(text)
    try:
        constants = parse_constants(text)
    except TextError:
        return [text]
    return constants if all(isinstance(each, kind.bare) for each in constants) else [text]


def _only(constants: Sequence[Constant]) -> Constant:
    if len(constants) != 1:
        raise _Misfit(f"{len(constants)} values")
    return constants[0]


def _show(constant: Constant) -> str:
    return format_constants([constant])


# -- numbers


def _encode_uint(size: int, constants: Sequence[Constant]) -> bytes:
    constant = _only(constants)
    number = int(constant.digits, 16) if isinstance(constant, Hex) else constant
    if not isinstance(number, int) or isinstance(number, bool):
        raise _Misfit(f"{_show(constant)} is not a number")
    try:
        return number.to_bytes(size, "big")
    except OverflowError:
        raise _Misfit(f"{_show(constant)} does not fit") from None


def _decode_uint(size: int, value: bytes) -> list[Constant]:
    if len(value) != size:
        raise _Misfit(f"{len(value)} bytes")
    return [int.from_bytes(value, "big")]


def _uint(size: int) -> Type:
    return Type(
        expected=f"a number from 0 to {(1 << 8 * size) - 1}",
        encode=lambda constants: _encode_uint(size, constants),
        decode=lambda value: _decode_uint(size, value),
    )


def _encode_bool(constants: Sequence[Constant]) -> bytes:
    constant = _only(constants)
    if constant in (0, 1, Hex("0"), Hex("1")):  # True == 1 and False == 0
        return b"\1" if constant in (1, Hex("1")) else b"\0"
    raise _Misfit(f"{_show(constant)} is neither")


def _decode_bool(value: bytes) -> list[Constant]:
    if value not in (b"\0", b"\1"):
        raise _Misfit(f"0x{value.hex()} is neither")
    return [value[0]]


# -- addresses


def _encode_ipv4_list(constants: Sequence[Constant]) -> bytes:
    if not constants:
        raise _Misfit("no address")
    return b"".join(_address(constant) for constant in constants)


def _address(constant: Constant) -> bytes:
    if not isinstance(constant, IPv4Address):
        raise _Misfit(f"{_show(constant)} is not an IPv4 address")
    return constant.packed


def _decode_ipv4_list(value: bytes) -> list[Constant]:
    if not value or len(value) % 4:
        raise _Misfit(f"{len(value)} bytes")
    return [IPv4Address(value[i : i + 4]) for i in range(0, len(value), 4)]


def _decode_ipv4(value: bytes) -> list[Constant]:
    if len(value) != 4:
        raise _Misfit(f"{len(value)} bytes")
    return [IPv4Address(value)]


def _encode_ipv4_pairs(constants: Sequence[Constant]) -> bytes:
    if len(constants) % 2:
        raise _Misfit(f"{len(constants)} addresses")
    return _encode_ipv4_list(constants)


def _decode_ipv4_pairs(value: bytes) -> list[Constant]:
    if len(value) % 8:
        raise _Misfit(f"{len(value)} bytes")
    return _decode_ipv4_list(value)


def _encode_static_routes(constants: Sequence[Constant]) -> bytes:
    """RFC 3442: prefix length, the octets of the destination it covers, router; repeated."""
    if not constants or len(constants) % 2:
        raise _Misfit(f"{len(constants)} values")
    value = b""
    for destination, router in zip(constants[::2], constants[1::2], strict=True):
        if isinstance(destination, IPv4Address):
            destination = IPv4Network(destination)
        if not isinstance(destination, IPv4Network):
            raise _Misfit(f"{_show(destination)} is not a destination")
        length = destination.prefixlen
        octets = destination.network_address.packed[: (length + 7) // 8]
        value += bytes((length,)) + octets + _address(router)
    return value


def _decode_static_routes(value: bytes) -> list[Constant]:
    if not value:
        raise _Misfit("no route")
    constants: list[Constant] = []
    at = 0
    while at < len(value):
        router_at = at + 1 + (value[at] + 7) // 8
        destination = value[at + 1 : router_at].ljust(4, b"\0")
        router = value[router_at : router_at + 4]
        try:
            constants += (IPv4Network((destination, value[at])), IPv4Address(router))
        except ValueError:
            raise _Misfit(f"no route at byte {at}") from None
        at = router_at + 4
    return constants


# -- text


def _encode_str(constants: Sequence[Constant]) -> bytes:
    constant = _only(constants)
    if not isinstance(constant, str):
        raise _Misfit(f"{_show(constant)} is not text (it may want double quotes)")
    if not constant:
        raise _Misfit("it is empty")
    return _utf8(constant)


def _utf8(text: str) -> bytes:
    if "\0" in text:
        raise _Misfit("it contains NUL")
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise _Misfit("it is not valid Unicode") from None


def _decode_str(value: bytes) -> list[Constant]:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise _Misfit("it is not UTF-8") from None
    if not text or "\0" in text:
        raise _Misfit("it is empty or contains NUL")
    return [text]


def _encode_host_id(constants: Sequence[Constant]) -> bytes:
    """An address as its four bytes, as OVN does, or a name."""
    constant = _only(constants)
    return constant.packed if isinstance(constant, IPv4Address) else _encode_str(constants)


def _decode_host_id(value: bytes) -> list[Constant]:
    return _decode_ipv4(value) if len(value) == 4 else _decode_str(value)


_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}", re.ASCII)
_POINTER = 0xC0  # the two top bits of a compression pointer
_MAX_POINTER = 0x3FFF


def _encode_domains(constants: Sequence[Constant]) -> bytes:
    """RFC 3397: names in RFC 1035's labels, compressed within the option (RFC 1035 §4.1.4)."""
    names = [name.strip() for text in constants for name in _text(text).split(",")]
    if not names:
        raise _Misfit("no name")
    value = b""
    seen: dict[tuple[str, ...], int] = {}
    for name in names:
        labels = tuple(name.removesuffix(".").split("."))
        for label in labels:
            if not _LABEL.fullmatch(label):
                raise _Misfit(f"{label!r} in {name!r} is not a label")
        if sum(len(label) + 1 for label in labels) + 1 > 255:
            raise _Misfit(f"{name[:20]!r}… is longer than 255 bytes")
        for i, label in enumerate(labels):
            suffix = labels[i:]
            if suffix in seen:
                value += (_POINTER << 8 | seen[suffix]).to_bytes(2, "big")
                break
            if len(value) <= _MAX_POINTER:
                seen[suffix] = len(value)
            value += bytes((len(label),)) + label.encode()
        else:
            value += b"\0"
    return value


def _text(constant: Constant) -> str:
    if not isinstance(constant, str):
        raise _Misfit(f"{_show(constant)} is not text (it may want double quotes)")
    return constant


def _decode_domains(value: bytes) -> list[Constant]:
    names = []
    at = 0
    while at < len(value):
        try:
            labels, at = _decode_name(value, at)
        except IndexError:
            raise _Misfit(f"the name at byte {at} is cut off") from None
        names.append(".".join(labels))
    if not names:
        raise _Misfit("it is empty")
    return [",".join(names)]


def _decode_name(value: bytes, at: int) -> tuple[list[str], int]:
    """The labels of the name at `at`, and where the next name begins."""
    labels: list[str] = []
    size = 1
    next_name = 0
    while value[at]:
        length = value[at]
        if length >= _POINTER:
            target = (length << 8 | value[at + 1]) & _MAX_POINTER
            next_name = next_name or at + 2
            if target >= at:
                raise _Misfit(f"the pointer at byte {at} does not point back")
            at = target
            continue
        label = value[at + 1 : at + 1 + length].decode("latin-1")
        size += length + 1
        if len(label) != length or not _LABEL.fullmatch(label) or size > 255:
            raise _Misfit(f"no label at byte {at}")
        labels.append(label)
        at += 1 + length
    if not labels:
        raise _Misfit(f"an empty name at byte {at}")
    return labels, next_name or at + 1


# -- options given by number


def _encode_raw(constants: Sequence[Constant]) -> bytes:
    if constants and all(isinstance(constant, IPv4Address) for constant in constants):
        return _encode_ipv4_list(constants)
    constant = _only(constants)
    if isinstance(constant, str):
        return _utf8(constant)
    if not isinstance(constant, Hex):  # how many bytes would a plain number be?
        raise _Misfit(f"{_show(constant)} is none of them (in YAML, put 0x… in quotes)")
    if len(constant.digits) % 2:
        raise _Misfit(f"{_show(constant)} has an odd number of digits")
    return bytes.fromhex(constant.digits)


def _decode_raw(value: bytes) -> list[Constant]:
    return [Hex(value.hex())] if value else [""]


TYPES = {
    "bool": Type("true or false, 1 or 0", _encode_bool, _decode_bool),
    "uint8": _uint(1),
    "uint16": _uint(2),
    "uint32": _uint(4),
    "ipv4": Type("one IPv4 address", lambda each: _address(_only(each)), _decode_ipv4),
    "ipv4_list": Type("IPv4 addresses", _encode_ipv4_list, _decode_ipv4_list),
    "ipv4_pairs": Type("pairs of address and mask", _encode_ipv4_pairs, _decode_ipv4_pairs),
    "static_routes": Type(
        "pairs of destination/length and router", _encode_static_routes, _decode_static_routes
    ),
    "str": Type("text, not empty and without NUL", _encode_str, _decode_str, bare=()),
    "host_id": Type("one IPv4 address or name", _encode_host_id, _decode_host_id, (IPv4Address,)),
    "domains": Type(
        "domain names: labels of 1 to 63 letters, digits, - and _, up to 255 bytes in all",
        _encode_domains,
        _decode_domains,
        bare=(),
    ),
    "raw": Type(
        "0x and an even number of hex digits, text, or IPv4 addresses",
        _encode_raw,
        _decode_raw,
        bare=(IPv4Address, Hex),
    ),
}
