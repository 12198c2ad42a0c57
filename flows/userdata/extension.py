# SPDX-License-Identifier: Apache-2.0
"""The extension: what a responder needs to know and OVN's userdata has no place for.

It stands behind all options of the userdata, as the value of an option of its own (see
:mod:`flows.userdata.codec`), and only when something in it is not the default; else the bytes are
OVN's.  Its value is a list of sub-TLVs, big-endian:

    0   1  type, a code of DHCPV4_EXTENSION or DHCPV6_EXTENSION
    1   2  length of the value
    3   -  value, of the type that the row says

Only boot_file may be there several times.  A type that is not in the table makes the userdata
invalid: an older daemon is silent with a reason where it would misread a newer one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import Field, dataclass, fields
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any, ClassVar, NamedTuple, TypeVar

from ovs_dhcpd.flows.options.lexer import Constant
from ovs_dhcpd.flows.options.table import (
    DHCPV4_EXTENSION,
    DHCPV6_EXTENSION,
    OptionError,
    OptionTable,
)
from ovs_dhcpd.flows.options.values import decode_value, encode_constants
from ovs_dhcpd.flows.userdata.cursor import Cursor, UserdataError

INFINITY_S = 0xFFFFFFFF


class BootFile(NamedTuple):
    """The boot file, a name or URL, for clients of some architectures.

    The architectures are IANA's processor architecture types, which clients send in option 93
    (RFC 4578 §2.1), of DHCPv6 in option 61 (RFC 5970 §3.3): 0 is a PC with BIOS, 7 one with UEFI.
    """

    architectures: tuple[int, ...]
    name: bytes


@dataclass(frozen=True, slots=True)
class Dhcpv4Extension:
    """What DHCPv4 has beyond OVN; `addresses` are those of the port besides offerip.

    The fields are the rows of the table, in their order.
    """

    table: ClassVar[OptionTable] = DHCPV4_EXTENSION

    rapid_commit: bool = False
    addresses: tuple[IPv4Address, ...] = ()
    boot_files: tuple[BootFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Dhcpv6Extension:
    """What DHCPv6 has beyond OVN; `addresses` are those of the port besides ia_addr.

    The on-link prefix is that of ia_addr with length `prefix_length`.  T1 and T2 that are None
    are the responder's to choose.  The fields are the rows of the table, in their order.
    """

    table: ClassVar[OptionTable] = DHCPV6_EXTENSION

    preferred_lifetime_s: int = INFINITY_S
    valid_lifetime_s: int = INFINITY_S
    t1_s: int | None = None
    t2_s: int | None = None
    rapid_commit: bool = False
    prefix_length: int = 64
    addresses: tuple[IPv6Address, ...] = ()
    delegated_prefixes: tuple[IPv6Network, ...] = ()
    boot_files: tuple[BootFile, ...] = ()

    def __post_init__(self) -> None:
        """Raise UserdataError for times that no client may be told (RFC 8415 §21.4, §21.6)."""
        if self.preferred_lifetime_s > self.valid_lifetime_s:
            raise UserdataError(
                f"preferred_lifetime is {self.preferred_lifetime_s}, valid_lifetime "
                f"{self.valid_lifetime_s}, expected preferred_lifetime <= valid_lifetime"
            )
        if self.t1_s and self.t2_s and self.t1_s > self.t2_s:
            raise UserdataError(f"t1 is {self.t1_s}, t2 {self.t2_s}, expected t1 <= t2")
        if self.prefix_length > 128:
            raise UserdataError(f"prefix_length is {self.prefix_length}, expected 0 to 128")


NO_EXTENSION_V4, NO_EXTENSION_V6 = Dhcpv4Extension(), Dhcpv6Extension()

Extension = TypeVar("Extension", Dhcpv4Extension, Dhcpv6Extension)


def encode_extension(extension: Dhcpv4Extension | Dhcpv6Extension) -> bytes:
    """The sub-TLVs; none if all is default.  Raises UserdataError."""
    encoded = b""
    for code, value in extension_values(extension):
        if len(value) > 0xFFFF:
            name = extension.table.by_code[code].name
            raise UserdataError(f"{name} takes {len(value)} bytes, at most 65535 fit")
        encoded += bytes((code,)) + len(value).to_bytes(2, "big") + value
    return encoded


def decode_extension(kind: type[Extension], data: bytes) -> Extension:
    """The extension that `encode_extension` made into `data`.  Raises UserdataError."""
    cursor = Cursor(data)
    values = []
    while cursor.left:
        code = cursor.uint(1, "extension's type")
        size = cursor.uint(2, "extension's length")
        values.append((code, cursor.take(size, f"value of extension {code}")))
    return extension_of(kind, values)


def extension_values(
    extension: Dhcpv4Extension | Dhcpv6Extension,
) -> list[tuple[int, bytes]]:
    """Code and encoded value of all that is not the default.  Raises UserdataError."""
    found = []
    for field, option in zip(fields(extension), extension.table.by_code.values(), strict=True):
        value = getattr(extension, field.name)
        if value == field.default:
            continue
        each = [_constants(one) for one in value] if option.repeatable else [_constants(value)]
        try:
            found += [(option.code, encode_constants(option, constants)) for constants in each]
        except OptionError as error:
            raise UserdataError(str(error)) from None
    return found


def _constants(value: Any) -> list[Constant]:
    if isinstance(value, BootFile):
        return [*value.architectures, value.name.decode(errors="surrogateescape")]
    return list(value) if isinstance(value, tuple) else [value]


def extension_of(kind: type[Extension], values: Iterable[tuple[int, bytes]]) -> Extension:
    """The extension that `extension_values` made into `values`.  Raises UserdataError."""
    by_code: dict[int, Field[Any]] = dict(zip(kind.table.by_code, fields(kind), strict=True))
    given: dict[str, Any] = {}
    for code, value in values:
        if code not in by_code:
            raise UserdataError(f"extension {code} is unknown, expected 1 to {len(by_code)}")
        option = kind.table.by_code[code]
        field: Field[Any] = by_code[code]
        try:
            constants = decode_value(option, value)
        except OptionError as error:
            raise UserdataError(f"extension {code}: {error}") from None
        if option.repeatable:
            given[field.name] = (*given.get(field.name, ()), _boot_file(constants))
        elif field.name in given:
            raise UserdataError(f"extension {code} ({option.name}) is there twice")
        else:
            given[field.name] = _field_value(field, constants)
    return kind(**given)


def _boot_file(constants: list[Constant]) -> BootFile:
    *architectures, name = constants
    numbers = tuple(each for each in architectures if isinstance(each, int))
    return BootFile(numbers, str(name).encode())


def _field_value(field: Field[Any], constants: list[Constant]) -> Any:
    if isinstance(field.default, tuple):
        return tuple(constants)
    return bool(constants[0]) if isinstance(field.default, bool) else constants[0]
