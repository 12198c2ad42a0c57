# SPDX-License-Identifier: Apache-2.0
"""The values of options: from text or YAML to the bytes on the wire, and back to text.

Each `type` of an option (:mod:`flows.options.table`) is one row of `TYPES`: a function to bytes and
one from bytes, both over the constants of :mod:`flows.options.lexer`.  OVN's text and what YAML
gives both become constants first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from ovs_dhcpd.flows.options.addresses import (
    IPV4,
    IPV4_LIST,
    IPV4_PAIRS,
    IPV6_LIST,
    IPV6_PREFIXES,
    MAC,
    PREF64,
    PREFERENCES,
    ROUTE_INFO,
    STATIC_ROUTES,
)
from ovs_dhcpd.flows.options.domain_names import COMPRESSED, DOMAIN, LABELS, NAMES, encode_labels
from ovs_dhcpd.flows.options.lexer import (
    Constant,
    Hex,
    TextError,
    format_constants,
    parse_constants,
)
from ovs_dhcpd.flows.options.table import Option, OptionError, OptionTable
from ovs_dhcpd.flows.options.value_type import Misfit, Type, only, show, text_of, utf8
from ovs_dhcpd.flows.options.wording import escape
from ovs_dhcpd.flows.options.wording import show as show_text


def encode_value(option: Option, value: object) -> bytes:
    """The bytes of `option` for `value`: str, int, bool or a list of them, or OVN's text.

    They may be more than 255: :mod:`flows.userdata.codec` splits them.  Raises OptionError, also
    for what the option's RFC forbids.
    """
    kind = TYPES[option.type]
    try:
        encoded = kind.encode(list(_read(kind, value)))
    except TextError as error:
        what = f"{show_text(value)}: {error}; expected {_expected(option)}"
        raise OptionError(f"{option.name}: {what}") from None
    except Misfit as error:
        raise OptionError(f"{option.name}: {error}, expected {_expected(option)}") from None
    check_number(option, encoded)
    return encoded


def check_number(option: Option, value: bytes) -> None:
    """Raise OptionError if the encoded value is one that the option's RFC forbids."""
    if not option.allows(value):
        number = int.from_bytes(value, "big")
        raise OptionError(f"{option.name}: {number} is forbidden, expected {_numbers(option)}")


def check_bytes(option: Option, value: bytes) -> None:
    """Raise OptionError for bytes, given by number, that no `option` of numbers or addresses has.

    Text may be any bytes.
    """
    kind = TYPES[option.type]
    if kind.bare is not None:
        return
    try:
        kind.decode(value)
    except Misfit as error:
        raise OptionError(f"{option.name}: {error}, expected {_expected(option)}") from None
    check_number(option, value)


def encode_constants(option: Option, constants: Sequence[Constant]) -> bytes:
    """The bytes of `option` for constants read by `lexer`.  Raises OptionError.

    What the option's RFC forbids is encoded too: it may stand in OVN's flows.
    """
    try:
        return TYPES[option.type].encode(constants)
    except Misfit as error:
        raise _option_error(option, error) from None


def format_value(option: Option, value: bytes) -> str:
    """The value as OVN writes it.  Raises OptionError if the bytes do not fit the option's type."""
    return format_constants(decode_value(option, value))


def decode_value(option: Option, value: bytes) -> list[Constant]:
    """The constants that `encode_constants` makes `value` of.  Raises OptionError."""
    try:
        return TYPES[option.type].decode(value)
    except Misfit as error:
        raise _option_error(option, error) from None


def format_option(table: OptionTable, code: int, value: bytes) -> str:
    """`name = value`, or `option_NNN = 0x…` for bytes without a name or unfit for it."""
    option = table.by_code.get(code, table.numbered(code))
    try:
        text = format_value(option, value)
    except OptionError:
        option = table.numbered(code)
        text = format_value(option, value)
    return f"{option.name} = {text}"


def _expected(option: Option) -> str:
    """What a user may write."""
    return _numbers(option) if option.allowed else TYPES[option.type].expected


def _numbers(option: Option) -> str:
    return f"{option.numbers} ({option.rfc})"


def _option_error(option: Option, misfit: Misfit) -> OptionError:
    return OptionError(f"{option.name}: {misfit}, expected {TYPES[option.type].expected}")


def _read(kind: Type, value: object) -> Iterator[Constant]:
    """What YAML gives, as constants."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _read(kind, item)
    elif isinstance(value, str):
        yield from _read_text(kind, value)
    elif isinstance(value, (int, IPv4Address, IPv4Network, IPv6Address, IPv6Network)):
        yield value
    else:
        raise Misfit(f"{escape(repr(value))} cannot be a value")


def _read_text(kind: Type, text: str) -> list[Constant]:
    if kind.bare is None or text.startswith('"'):
        return parse_constants(text)
    try:
        constants = parse_constants(text)
    except TextError:
        return [text]
    return constants if all(isinstance(each, kind.bare) for each in constants) else [text]


# -- numbers


def _encode_uint(size: int, constants: Sequence[Constant]) -> bytes:
    constant = only(constants)
    number = int(constant.digits, 16) if isinstance(constant, Hex) else constant
    if not isinstance(number, int) or isinstance(number, bool):
        raise Misfit(f"{show(constant)} is not a number")
    try:
        return number.to_bytes(size, "big")
    except OverflowError:
        raise Misfit(f"{show(constant)} does not fit") from None


def _decode_uint(size: int, value: bytes) -> list[Constant]:
    if len(value) != size:
        raise Misfit(f"{len(value)} bytes")
    return [int.from_bytes(value, "big")]


def _uint(size: int) -> Type:
    return Type(
        expected=f"a number from 0 to {(1 << 8 * size) - 1}",
        encode=lambda constants: _encode_uint(size, constants),
        decode=lambda value: _decode_uint(size, value),
    )


def _encode_bool(constants: Sequence[Constant]) -> bytes:
    constant = only(constants)
    if constant in (0, 1, Hex("0"), Hex("1")):  # True == 1 and False == 0
        return b"\1" if constant in (1, Hex("1")) else b"\0"
    raise Misfit(f"{show(constant)} is neither")


def _decode_bool(value: bytes) -> list[Constant]:
    if value not in (b"\0", b"\1"):
        raise Misfit(f"0x{value.hex()} is neither")
    return [value[0]]


# -- text


def _encode_str(constants: Sequence[Constant]) -> bytes:
    text = text_of(only(constants))
    if not text:
        raise Misfit("it is empty")
    return utf8(text)


def _decode_str(value: bytes) -> list[Constant]:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise Misfit("it is not UTF-8") from None
    if not text or "\0" in text:
        raise Misfit("it is empty or contains NUL")
    return [text]


def _encode_host_id(constants: Sequence[Constant]) -> bytes:
    """An address as its four bytes, as OVN does, or a name."""
    constant = only(constants)
    return constant.packed if isinstance(constant, IPv4Address) else _encode_str(constants)


def _decode_host_id(value: bytes) -> list[Constant]:
    return IPV4.decode(value) if len(value) == 4 else _decode_str(value)


# -- words


def _word(numbers: Mapping[str, int]) -> Type:
    """One of a few words, each of which stands for a number of one byte."""
    words = {number: word for word, number in numbers.items()}

    def encode(constants: Sequence[Constant]) -> bytes:
        word = text_of(only(constants))
        if word not in numbers:
            raise Misfit(f"{show_text(word)} is none of them")
        return bytes((numbers[word],))

    def decode(value: bytes) -> list[Constant]:
        if len(value) != 1 or value[0] not in words:
            raise Misfit(f"0x{value.hex()} is none of them")
        return [words[value[0]]]

    return Type(" or ".join(numbers), encode, decode, bare=())


# RFC 4861 §4.2: M (managed) and O (other configuration) of a router advertisement's flags.
ADDR_MODES = {"slaac": 0x00, "dhcpv6_stateless": 0x40, "dhcpv6_stateful": 0x80}


# -- values of several parts

_NTP_ADDRESS, _NTP_MULTICAST, _NTP_NAME = 1, 2, 3  # suboptions, RFC 5908 §4.1-4.3


def _encode_ntp_servers(constants: Sequence[Constant]) -> bytes:
    if not constants:
        raise Misfit("no server")
    value = b""
    for constant in constants:
        if isinstance(constant, IPv6Address):
            code = _NTP_MULTICAST if constant.is_multicast else _NTP_ADDRESS
            data = constant.packed
        else:
            code, data = _NTP_NAME, encode_labels(text_of(constant))
        value += code.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data
    return value


def _decode_ntp_servers(value: bytes) -> list[Constant]:
    servers: list[Constant] = []
    at = 0
    while at < len(value):
        code = int.from_bytes(value[at : at + 2], "big")
        end = at + 4 + int.from_bytes(value[at + 2 : at + 4], "big")
        data = value[at + 4 : end]
        servers += (DOMAIN if code == _NTP_NAME else IPV6_LIST).decode(data)
        at = end
    if _encode_ntp_servers(servers) != value:
        raise Misfit("its suboptions are not those of RFC 5908")
    return servers


def _encode_boot_file(constants: Sequence[Constant]) -> bytes:
    """Count of architectures (1 byte), architectures (2 each), name (the rest)."""
    *architectures, name = constants or [""]
    if not 0 < len(architectures) < 256:
        raise Misfit(f"{len(architectures)} architectures")
    encoded = b"".join(_encode_uint(2, [architecture]) for architecture in architectures)
    return bytes((len(architectures),)) + encoded + _encode_str([name])


def _decode_boot_file(value: bytes) -> list[Constant]:
    end = 1 + 2 * value[0] if value else 0
    if end < 3 or len(value) <= end:
        raise Misfit(f"{len(value)} bytes")
    architectures = [int.from_bytes(value[i : i + 2], "big") for i in range(1, end, 2)]
    return [*architectures, *_decode_str(value[end:])]


# -- options given by number


def _encode_raw(constants: Sequence[Constant]) -> bytes:
    if constants and all(isinstance(constant, IPv4Address) for constant in constants):
        return IPV4_LIST.encode(constants)
    if constants and all(isinstance(constant, IPv6Address) for constant in constants):
        return IPV6_LIST.encode(constants)
    constant = only(constants)
    if isinstance(constant, str):
        return utf8(constant)
    if not isinstance(constant, Hex):  # how many bytes would a plain number be?
        raise Misfit(f"{show(constant)} is none of them (in YAML, put 0x… in quotes)")
    if len(constant.digits) % 2:
        raise Misfit(f"{show(constant)} has an odd number of digits")
    return bytes.fromhex(constant.digits)


def _decode_raw(value: bytes) -> list[Constant]:
    return [Hex(value.hex())] if value else [""]


TYPES = {
    "bool": Type("true or false, 1 or 0", _encode_bool, _decode_bool),
    "uint8": _uint(1),
    "uint16": _uint(2),
    "uint32": _uint(4),
    "ipv4": IPV4,
    "ipv4_list": IPV4_LIST,
    "ipv4_pairs": IPV4_PAIRS,
    "static_routes": STATIC_ROUTES,
    "ipv6_list": IPV6_LIST,
    "ipv6_prefixes": IPV6_PREFIXES,
    "pref64": PREF64,
    "route_info": ROUTE_INFO,
    "mac": MAC,
    "str": Type("text, not empty and without NUL", _encode_str, _decode_str, bare=()),
    "host_id": Type("one IPv4 address or name", _encode_host_id, _decode_host_id, (IPv4Address,)),
    "domain": DOMAIN,
    "domains": COMPRESSED,
    "labels": LABELS,
    "names": NAMES,
    "ntp_servers": Type(
        "IPv6 addresses or names", _encode_ntp_servers, _decode_ntp_servers, (IPv6Address, str)
    ),
    "addr_mode": _word(ADDR_MODES),
    "router_preference": _word(PREFERENCES),
    "boot_file": Type(
        "1 to 255 architectures (0 to 65535), then a name or URL",
        _encode_boot_file,
        _decode_boot_file,
    ),
    "raw": Type(
        "0x and an even number of hex digits, text, or IP addresses",
        _encode_raw,
        _decode_raw,
        bare=(IPv4Address, IPv6Address, Hex),
    ),
}
