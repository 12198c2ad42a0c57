# SPDX-License-Identifier: Apache-2.0
"""Single settings: options, what the extension carries, subnets and prefixes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType

from ovs_dhcpd.flows.configuration.section import Reader, Section
from ovs_dhcpd.flows.configuration.times import seconds
from ovs_dhcpd.flows.options.table import Option, OptionError, OptionTable
from ovs_dhcpd.flows.options.values import check_bytes, encode_value
from ovs_dhcpd.flows.options.wording import escape, show
from ovs_dhcpd.flows.userdata.cursor import UserdataError
from ovs_dhcpd.flows.userdata.extension import Extension, extension_of


def parse_options(
    reader: Reader,
    table: OptionTable,
    refused: Mapping[str, str],
    settings: Collection[str] = (),
) -> dict[str, bytes]:
    """The options in `reader`, encoded; `settings` stand among them and are none.

    An option given by number gets its name, so that a port's replaces its network's either way.
    """
    options: dict[str, bytes] = {}
    for name in reader:
        if name in settings:
            continue
        try:
            if name in refused:
                raise OptionError(f"{refused[name]}, expected nothing here")
            option = table.lookup(name)
            row = table.by_code.get(option.code, option)
            canonical = row.name
            if canonical in refused:
                raise OptionError(f"is {canonical}, which {refused[canonical]}")
            if canonical in options:
                raise OptionError(f"is {canonical}, expected it once")
            encoded = _encode(option, reader, name)
            check_bytes(row, encoded)
            options[canonical] = encoded
        except OptionError as error:
            what = str(error).removeprefix(f"{name}: ")
            if not name.startswith("option_"):
                what += reader.hint(name, {*table.by_name, *settings, *refused})
            reader.refuse(name, what)
    return options


def parse_extension(
    reader: Reader,
    kind: type[Extension],
    names: Iterable[str],
    same: Mapping[str, str] = MappingProxyType({}),
) -> Extension:
    """What `reader` says under those of `names` that are in it.

    `same`: a name that is not there has the value of another one.
    """
    values: dict[str, bytes] = {}
    for name in names:
        if name in reader:
            try:
                values[name] = _encode(kind.table.by_name[name], reader, name)
            except OptionError as error:
                reader.refuse(name, str(error).removeprefix(f"{name}: "))
    for name, other in same.items():
        if name not in reader and other in values:
            values[name] = values[other]
    try:
        return extension_of(
            kind, [(kind.table.by_name[name].code, value) for name, value in values.items()]
        )
    except UserdataError as error:
        reader.refuse(next(iter(values)), str(error))
        return kind()


def _encode(option: Option, reader: Reader, name: str) -> bytes:
    value = reader[name]
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, (Section, list)) for item in items):
        raise OptionError("is nested, expected a value or a list of values")
    if option.is_time:
        try:
            value = seconds(reader, value, endless=option.endless)
        except ValueError as error:
            raise OptionError(f"{name}: {error}") from None
    return encode_value(option, value)


class HostBitsError(ValueError):
    """An address in a subnet, and not the subnet itself, which is `subnet`."""

    def __init__(self, text: str, subnet: IPv4Network | IPv6Network) -> None:
        super().__init__(f"{escape(text)} has host bits set, expected {subnet}")
        self.subnet = subnet


def parse_subnet(value: object) -> IPv4Network:
    """An IPv4 subnet; raises ValueError, and HostBitsError of it."""
    try:
        if not isinstance(value, str) or "/" not in value:
            raise ValueError
        subnet = IPv4Network(value, strict=False)
    except ValueError:
        what = f"{show(value)} is no IPv4 subnet, expected address/length, as in 192.168.1.0/24"
        raise ValueError(what) from None
    if str(subnet.network_address) != value.partition("/")[0]:
        raise HostBitsError(value, subnet)
    return subnet


def parse_prefix(value: object) -> IPv6Network:
    """An IPv6 prefix that hosts can have addresses of; raises ValueError, and HostBitsError."""
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
        raise HostBitsError(value, prefix) from None
    if prefix.is_multicast or prefix.is_link_local or prefix.network_address.is_unspecified:
        raise ValueError(f"{escape(value)} is not for hosts, expected a prefix as in fd00:1::/64")
    return prefix
