# SPDX-License-Identifier: Apache-2.0
"""Kea's ``option-data``: which option it is, and its value, as text or as bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ovs_dhcpd.controller.drafting.foreign_options import code_of, raw, setting, type_of
from ovs_dhcpd.flows.options.table import OptionError
from ovs_dhcpd.flows.options.wording import show

# Types of Kea's option-def as types of ours, for one value and for several.
_TYPES = {
    "ipv4-address": ("ipv4", "ipv4_list"),
    "ipv6-address": ("ipv6_list", "ipv6_list"),
    "string": ("str", ""),
    "boolean": ("bool", ""),
    "fqdn": ("labels", "labels"),
    "uint8": ("uint8", ""),
    "uint16": ("uint16", ""),
    "uint32": ("uint32", ""),
    "int32": ("int32", ""),
}
_COMMA = re.compile(r"(?<!\\),")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]*", re.ASCII)
_TEXTS = {"str", "host_id"}


@dataclass(frozen=True, slots=True)
class Definition:
    """An option that a file defines itself: its code, and its type in our words, if we have it."""

    code: int
    type: str


def read_definition(value: Mapping[str, Any]) -> tuple[str, Definition]:
    """An ``option-def`` and its name.  Raises OptionError."""
    name, code = value.get("name"), value.get("code")
    if not isinstance(name, str) or not isinstance(code, int) or isinstance(code, bool):
        raise OptionError("expected a name and a code")
    types = _TYPES.get(str(value.get("type")), ("", ""))
    return name, Definition(code, types[bool(value.get("array"))])


def read_option(
    version: int, value: Mapping[str, Any], definitions: Mapping[str, Definition]
) -> tuple[int, tuple[str, object]]:
    """The code of an option, and our name and value for it.  Raises OptionError."""
    name, code = value.get("name"), value.get("code")
    if value.get("space", f"dhcp{version}") != f"dhcp{version}":
        raise OptionError(f"{show(value.get('space'))}: options inside of options cannot be said")
    own = definitions.get(str(name)) or next(
        (each for each in definitions.values() if each.code == code), None
    )
    if code is None:
        found = own.code if own else code_of(version, "kea", str(name))
        if found is None:
            raise OptionError(f"{show(name)} is not known, expected its code and csv-format: false")
        code = found
    if not isinstance(code, int) or isinstance(code, bool) or not 0 <= code <= 0xFFFF:
        raise OptionError(f"{show(code)}, expected the code of an option")
    if value.get("never-send") is True:
        raise OptionError("never-send cannot be said")
    data = value.get("data", "")
    if not isinstance(data, str):
        raise OptionError(f"{show(data)}, expected text")
    kind = type_of(version, code) or (own.type if own else "")
    is_text = value.get("csv-format", bool(kind))
    if is_text is not True:
        return code, raw(version, code, _bytes(data))
    if not kind:
        raise OptionError("its type is not known, expected csv-format: false and bytes")
    words = [data] if kind in _TEXTS else _COMMA.split(data)
    words = [word.strip().replace("\\,", ",") for word in words if word.strip()]
    return code, setting(version, code, words, kind)


def _bytes(data: str) -> bytes:
    """Bytes as Kea has them: in hexadecimal, or text in single quotes."""
    text = data.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].encode(errors="replace")
    digits = re.sub(r"[\s:]", "", text)
    if not _HEX.fullmatch(digits):
        raise OptionError(f"{show(data)}, expected hexadecimal digits")
    digits = digits.removeprefix("0x")
    return bytes.fromhex("0" * (len(digits) % 2) + digits)
