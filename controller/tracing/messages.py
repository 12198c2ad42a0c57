# SPDX-License-Identifier: Apache-2.0
"""The options of whole messages: by name, from text to bytes and back.

They are those of the option table, and those that only a client or the server sends, which no
configuration names.  Codes above 255 are fields of the DHCPv4 header, or what an IA says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ovs_dhcpd.controller.wire.asked import DHCPV4_KINDS
from ovs_dhcpd.controller.wire.dhcpv6 import encode_duid_ll
from ovs_dhcpd.flows.options.domain_names import DOMAIN
from ovs_dhcpd.flows.options.lexer import format_constants
from ovs_dhcpd.flows.options.table import DHCPV4, DHCPV6, PRIVATE, Option, OptionError, OptionTable
from ovs_dhcpd.flows.options.value_type import Misfit
from ovs_dhcpd.flows.options.values import encode_value, format_option
from ovs_dhcpd.flows.options.wording import hint, show

CIADDR, GIADDR, BROADCAST = 256, 257, 258  # RFC 2131 §2

MESSAGE4 = OptionTable(
    DHCPV4.family,
    rows=(
        *(row for row in DHCPV4.by_code.values() if row.code and row.code not in PRIVATE),
        Option("requested_address", 50, "ipv4", "RFC 2132 §9.1"),
        Option("message_type", 53, "message_type", "RFC 2132 §9.6"),
        Option("parameter_request_list", 55, "codes", "RFC 2132 §9.8"),
        Option("message", 56, "str", "RFC 2132 §9.9"),
        Option("max_message_size", 57, "uint16", "RFC 2132 §9.10"),
        Option("vendor_class", 60, "str", "RFC 2132 §9.13"),
        Option("client_id", 61, "raw", "RFC 2132 §9.14"),
        Option("user_class", 77, "str", "RFC 3004 §4"),
        Option("rapid_commit", 80, "flag", "RFC 4039 §4"),
        Option("relay_agent", 82, "raw", "RFC 3046 §2"),
        Option("architecture", 93, "uint16", "RFC 4578 §2.1"),
        Option("ciaddr", CIADDR, "ipv4", "RFC 2131 §2"),
        Option("giaddr", GIADDR, "ipv4", "RFC 2131 §2"),
        Option("broadcast", BROADCAST, "bool", "RFC 2131 §2, the flag"),
    ),
    max_number=254,
)

IA_ADDR, IA_PREFIX = 5, 26

# On the wire some are not what they are in userdata.
_ON_THE_WIRE = {
    "server_id": "duid",
    "domain_search": "labels",
    "fqdn": "fqdn",
}
MESSAGE6 = OptionTable(
    DHCPV6.family,
    rows=(
        Option("client_id", 1, "duid", "RFC 8415 §21.2"),
        *(
            row._replace(type=_ON_THE_WIRE.get(row.name, row.type))
            for row in DHCPV6.by_code.values()
            if row.name != "bootfile_name_alt"
        ),
        Option("option_request", 6, "codes6", "RFC 8415 §21.7"),
        Option("preference", 7, "uint8", "RFC 8415 §21.8"),
        Option("elapsed_time", 8, "uint16", "RFC 8415 §21.9, in hundredths of a second"),
        Option("rapid_commit", 14, "flag", "RFC 8415 §21.14"),
        Option("ia_prefix", IA_PREFIX, "ipv6_prefixes", "RFC 8415 §21.22, in an IA_PD"),
        Option("architecture", 61, "uint16", "RFC 5970 §3.3"),
    ),
    max_number=65534,
)


def encode_setting(table: OptionTable, setting: str) -> tuple[int, bytes | None]:
    """Code and bytes of what ``NAME=VALUE`` says; None: the message goes without it.

    Raises :exc:`OptionError`.
    """
    name, _, text = (part.strip() for part in setting.partition("="))
    try:
        option = table.lookup(name)
    except OptionError as error:
        raise OptionError(f"{error}{hint(name, table.by_name)}") from None
    if not text:
        return option.code, None
    own = _OWN.get(option.type)
    if own is None:
        return option.code, encode_value(option, text)
    try:
        return option.code, own.encode(text)
    except Misfit as error:
        raise OptionError(f"{name}: {error}, expected {own.expected}") from None


def show_option(table: OptionTable, code: int, value: bytes) -> str:
    """``name = value``, as the option table words it."""
    option = table.by_code.get(code)
    if option and option.type in _OWN:
        try:
            return f"{option.name} = {_OWN[option.type].decode(value)}"
        except Misfit:
            return format_option(OptionTable("", ()), code, value)
    return format_option(table, code, value)


class _Type(NamedTuple):
    """A type that no configuration has: bytes from a user's text, and text for bytes."""

    expected: str
    encode: Callable[[str], bytes]
    decode: Callable[[bytes], str]


def _encode_flag(text: str) -> bytes:
    if text != "true":
        raise Misfit(f"{show(text)} is not true")
    return b""


def _decode_flag(value: bytes) -> str:
    if value:
        raise Misfit(f"{len(value)} bytes")
    return "true"


def _encode_message_type(text: str) -> bytes:
    if text not in DHCPV4_KINDS:
        raise Misfit(f"{show(text)} is none of them")
    return bytes((DHCPV4_KINDS.index(text) + 1,))


def _decode_message_type(value: bytes) -> str:
    if len(value) != 1 or not 0 < value[0] <= len(DHCPV4_KINDS):
        raise Misfit("it is none of them")
    return f"DHCP{DHCPV4_KINDS[value[0] - 1]}"


def _codes(names: OptionTable, size: int) -> _Type:
    """A list of options: their names or numbers, ``size`` bytes each."""

    def encode(text: str) -> bytes:
        words = re.findall(r"[^\s,{}]+", text)
        return b"".join(code(word).to_bytes(size, "big") for word in words)

    def code(word: str) -> int:
        if re.fullmatch("[0-9]{1,5}", word):
            number = int(word)
        else:
            try:
                number = names.lookup(word).code
            except OptionError:
                raise Misfit(f"{show(word)} is no option{hint(word, names.by_name)}") from None
        if not 0 < number < 1 << 8 * size:
            raise Misfit(f"{show(word)} is no option")
        return number

    def decode(value: bytes) -> str:
        if not value or len(value) % size:
            raise Misfit(f"{len(value)} bytes")
        codes = [int.from_bytes(value[at : at + size], "big") for at in range(0, len(value), size)]
        return ", ".join(names.by_code.get(each, names.numbered(each)).name for each in codes)

    return _Type("names or numbers of options, with commas", encode, decode)


def _encode_duid(text: str) -> bytes:
    if re.fullmatch("([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", text):
        return encode_duid_ll(bytes.fromhex(text.replace(":", "")))
    if re.fullmatch("0x([0-9a-fA-F]{2})+", text):
        return bytes.fromhex(text[2:])
    raise Misfit(f"{show(text)} is neither")


def _decode_duid(value: bytes) -> str:
    if value == encode_duid_ll(value[-6:]):
        return value[4:].hex(":")
    if not value:
        raise Misfit("it is empty")
    return f"0x{value.hex()}"


def _encode_fqdn(text: str) -> bytes:
    """Without flags: the client does its updates, if any, itself (RFC 4704 §4.1)."""
    return b"\0" + DOMAIN.encode([text])


def _decode_fqdn(value: bytes) -> str:
    return format_constants(DOMAIN.decode(value[1:]))


_OWN = {
    "flag": _Type("true", _encode_flag, _decode_flag),
    "message_type": _Type(
        f"one of {', '.join(DHCPV4_KINDS)}", _encode_message_type, _decode_message_type
    ),
    "codes": _codes(MESSAGE4, 1),
    "codes6": _codes(MESSAGE6, 2),
    "duid": _Type("a MAC, of which a DUID-LL is made, or 0x…", _encode_duid, _decode_duid),
    "fqdn": _Type("a domain name", _encode_fqdn, _decode_fqdn),
}
