# SPDX-License-Identifier: Apache-2.0
"""Single settings: options, what the extension carries, MACs and prefixes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType

from flows.cursor import UserdataError
from flows.extension import Extension, extension_of
from flows.options import Option, OptionError, OptionTable
from flows.sections import Mistakes, Section, hint, show
from flows.values import encode_value

MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


def parse_options(
    section: Section,
    owner: str,
    table: OptionTable,
    mistakes: Mistakes,
    refused: Mapping[str, str],
    settings: Collection[str] = (),
) -> dict[str, bytes]:
    """The options in `section`, encoded; `settings` stand among them and are none.

    An option given by number gets its name, so that a port's replaces its network's either way.
    """
    options: dict[str, bytes] = {}
    for name, value in section.items():
        if name in settings:
            continue
        try:
            if name in refused:
                raise OptionError(f"{refused[name]}, expected nothing here")
            option = table.lookup(name)
            canonical = table.by_code.get(option.code, option).name
            if canonical in refused:
                raise OptionError(f"is {canonical}, which {refused[canonical]}")
            if canonical in options:
                raise OptionError(f"is {canonical}, expected it once")
            options[canonical] = _encode(option, value)
        except OptionError as error:
            what = str(error).removeprefix(f"{name}: ")
            if not name.startswith("option_"):
                what += hint(name, {*table.by_name, *settings, *refused})
            mistakes.refuse(section, owner, name, what)
    return options


def parse_extension(
    section: Section,
    owner: str,
    kind: type[Extension],
    names: Iterable[str],
    mistakes: Mistakes,
    same: Mapping[str, str] = MappingProxyType({}),
) -> Extension:
    """What `section` says under those of `names` that are in it.

    `same`: a name that is not there has the value of another one.
    """
    values: dict[str, bytes] = {}
    for name in names:
        if name in section:
            try:
                values[name] = _encode(kind.table.by_name[name], section[name])
            except OptionError as error:
                mistakes.refuse(section, owner, name, str(error).removeprefix(f"{name}: "))
    for name, other in same.items():
        if name not in section and other in values:
            values[name] = values[other]
    try:
        return extension_of(
            kind, [(kind.table.by_name[name].code, value) for name, value in values.items()]
        )
    except UserdataError as error:
        mistakes.refuse(section, owner, next(iter(values)), str(error))
        return kind()


def _encode(option: Option, value: object) -> bytes:
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, (Section, list)) for item in items):
        raise OptionError("is nested, expected a value or a list of values")
    return encode_value(option, value)


def parse_bool(section: Section, owner: str, name: str, mistakes: Mistakes) -> bool:
    """The value of `name` in `section`; false if it is not there or is a mistake."""
    value = section.get(name, False)
    if not isinstance(value, bool):
        mistakes.refuse(section, owner, name, f"{show(value)}, expected true or false")
    return value is True


def parse_mac(value: object) -> bytes:
    """The six bytes of a unicast MAC; raises ValueError."""
    if not isinstance(value, str) or not MAC.fullmatch(value):
        raise ValueError(f"{show(value)} is no MAC, expected xx:xx:xx:xx:xx:xx")
    mac = bytes.fromhex(value.replace(":", ""))
    if mac[0] & 1 or not any(mac):
        raise ValueError(f"{value} is nobody's MAC, expected a unicast one")
    return mac


def parse_subnet(value: object) -> IPv4Network:
    """An IPv4 subnet, without host bits; raises ValueError."""
    try:
        if not isinstance(value, str) or "/" not in value:
            raise ValueError
        subnet = IPv4Network(value, strict=False)
    except ValueError:
        what = f"{show(value)} is no IPv4 subnet, expected address/length, as in 192.168.1.0/24"
        raise ValueError(what) from None
    if str(subnet.network_address) != value.partition("/")[0]:
        raise ValueError(f"{value} has host bits set, expected {subnet}")
    return subnet


def parse_prefix(value: object) -> IPv6Network:
    """An IPv6 prefix that hosts can have addresses of; raises ValueError."""
    try:
        if not isinstance(value, str) or "/" not in value or "%" in value:
            raise ValueError
        prefix = IPv6Network(value, strict=False)
    except ValueError:
        what = f"{show(value)} is no IPv6 prefix, expected address/length, as in fd00:1::/64"
        raise ValueError(what) from None
    try:
        IPv6Network(value)
    except ValueError:
        raise ValueError(f"{value} has host bits set, expected {prefix}") from None
    if prefix.is_multicast or prefix.is_link_local or prefix.network_address.is_unspecified:
        raise ValueError(f"{value} is not for hosts, expected a prefix as in fd00:1::/64")
    return prefix
