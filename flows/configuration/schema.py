# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of a configuration file, for editors: made of the option table and of what the
parsers take.

It takes whatever they take, and refuses what can be refused without arithmetic: names that are
none, values of another type, addresses and times that are none.  Patterns are those of ECMA 262
and of Python alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from ovs_dhcpd.flows.bindings.mac import MAC
from ovs_dhcpd.flows.configuration.networks import (
    FILE_SETTINGS,
    NETWORK_SETTINGS,
    NOT_IN_PORT,
    NOT_IN_PORT6,
    PORT_SETTINGS,
    SERVICES,
)
from ovs_dhcpd.flows.configuration.pool import BESIDE
from ovs_dhcpd.flows.configuration.rate_limit import MAX, NONE
from ovs_dhcpd.flows.configuration.services import (
    ARCHITECTURES,
    DHCPV4_SETTINGS,
    DHCPV6_SETTINGS,
    NOT_IN_DHCPV4,
    NOT_IN_DHCPV6,
    RA_SETTINGS,
)
from ovs_dhcpd.flows.configuration.times import EXPECTED, INFINITY, PATTERN
from ovs_dhcpd.flows.options.addresses import PREFERENCES
from ovs_dhcpd.flows.options.table import (
    DHCPV4,
    DHCPV4_EXTENSION,
    DHCPV6,
    DHCPV6_EXTENSION,
    ROUTER_ADVERTISEMENT,
    Option,
    OptionTable,
)
from ovs_dhcpd.flows.options.values import ADDR_MODES, TYPES

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(\.{_OCTET}){{3}}"
_IPV6 = "[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"
_MAC = MAC.pattern
_LABELS = r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?"
_ADDRESS = "[0-9A-Fa-f:.]+"
# Names of networks and ports; more than this must be printable, which no pattern can say.
_NAME = {"pattern": r'^[^"\\\u0000-\u001f]+$'}
_TIME_PATTERN = {"type": "string", "pattern": f"^{PATTERN}$"}

# -- values of options


def _text(value: str, *, several: bool = False) -> Schema:
    """Text of one value, or of several with commas.

    Behind a value, and before it, there may be what only OVN writes: braces, quotes and comments.
    """
    more = rf"(\s*,\s*{value})*" if several else ""
    end = r"($|/[/*]|,\s*[{/])" if several else r"($|/[/*])"
    return {"type": "string", "pattern": rf'^\s*({value}{more}\s*{end}|[{{"/])'}


def _one(*schemas: Schema) -> Schema:
    """One of these values, which may be the only one of a list."""
    return {"anyOf": [*schemas, _list(*schemas, maxItems=1)]}


def _many(*schemas: Schema) -> Schema:
    """One of these values, or a list of them."""
    return {"anyOf": [*schemas, _list(*schemas)]}


def _list(*schemas: Schema, **limits: int) -> Schema:
    items = schemas[0] if len(schemas) == 1 else {"anyOf": [*schemas]}
    return {"type": "array", "items": items, "minItems": 1, **limits}


def _number(bits: int) -> Schema:
    return _one(
        {"type": "integer", "minimum": 0, "maximum": (1 << bits) - 1},
        _text("([0-9]+|0[xX][0-9A-Fa-f]+)"),
    )


def _word(words: Iterable[str]) -> Schema:
    return _one({"enum": [*words]}, {"type": "string", "pattern": '^"'})


_SOME_TEXT = {"type": "string", "minLength": 1}
_NAMES = _many(_text(rf"\s*{_LABELS}", several=True))

# One for each of `TYPES` that a file can have.
VALUES: dict[str, Schema] = {
    "bool": _one({"type": "boolean"}, {"enum": [0, 1]}, _text("(true|false|0[xX][01]|[01])")),
    "uint8": _number(8),
    "uint16": _number(16),
    "uint32": _number(32),
    "ipv4": _one(_text(_IPV4)),
    "ipv4_list": _many(_text(_IPV4, several=True)),
    "ipv4_pairs": _many(_text(_IPV4, several=True)),
    "static_routes": _many(_text(f"{_IPV4}(/({_IPV4}|[0-9]+))?", several=True)),
    "ipv6_list": _many(_text(_IPV6, several=True)),
    "ipv6_prefixes": _many(_text(f"{_IPV6}/[0-9]+", several=True)),
    "pref64": _one(_text(f"{_IPV6}/[0-9]+")),
    "route_info": _many(_text(rf"({'|'.join(PREFERENCES)})-{_IPV6}(/[0-9]+)?", several=True)),
    "mac": _one(_text(_MAC)),
    "str": _one(_SOME_TEXT),
    "host_id": _one(_SOME_TEXT),
    "domain": _one(_text(_LABELS)),
    "domains": _NAMES,
    "labels": _NAMES,
    "names": _NAMES,
    "ntp_servers": _many(_SOME_TEXT),
    "addr_mode": _word(ADDR_MODES),
    "router_preference": _word(PREFERENCES),
    "raw": _many({"type": "string"}),
}


def option_schema(option: Option, *, has_number: bool = True) -> Schema:
    """What may stand for an option; its code may be no number that a user knows."""
    number = f"option {option.code}, " if has_number else ""
    words = option.numbers or TYPES[option.type].expected
    if option.is_time:
        words += f"; {EXPECTED}" + f", or {INFINITY}" * option.endless
    schema: Schema = {"description": f"{words} ({number}{option.rfc})"}
    alternatives = [*VALUES[option.type]["anyOf"]]
    if option.allowed:
        alternatives[0] = _allowed(option)
    if option.is_time:
        alternatives.append(_TIME_PATTERN)
    if option.endless:
        alternatives.append({"const": INFINITY})
    return {**schema, "anyOf": alternatives}


def _allowed(option: Option) -> Schema:
    if isinstance(option.allowed, range):
        return {"type": "integer", "minimum": option.allowed[0], "maximum": option.allowed[-1]}
    return {"enum": [*option.allowed]}


def _options(table: OptionTable, refused: Mapping[str, str]) -> tuple[Schema, Schema]:
    """Options by their names, and by numbers."""
    by_name: Schema = {
        name: option_schema(option, has_number=bool(table.max_number))
        for name, option in table.by_name.items()
        if name not in refused
    }
    if not table.max_number:
        return by_name, {}
    never = {*table.server_only, *table.by_name_only}
    never |= {row.code for row in table.by_code.values() if row.name in refused}
    by_name |= {f"option_{code}": False for code in sorted(never) if code <= table.max_number}
    digits = len(str(table.max_number))
    number = f"^option_(0|[1-9][0-9]{{0,{digits - 1}}})$"
    return by_name, {number: VALUES["raw"]}


# -- settings

_NUMBER_OF_PACKETS = {"type": "integer", "minimum": 1, "maximum": MAX}
_VLAN = {"type": "integer", "minimum": 1, "maximum": 4094}
_BRIDGE = {"type": "string", "pattern": r"^[^\s/]+$"}
_SUBNET = {"type": "string", "pattern": rf"^{_IPV4}/({_IPV4}|[0-9]{{1,2}})$"}
_SUBNET6 = {"type": "string", "pattern": rf"^{_IPV6}/[0-9]{{1,3}}$"}
_RANGES = _many(
    {
        "type": "string",
        "pattern": rf"^\s*{_ADDRESS}(\s*-\s*{_ADDRESS}\s*|/[0-9.]+|\s*)$",
    }
)
_TEXTS = _many({"type": "string"})
_INTERVAL = {"anyOf": [{"type": "integer", "minimum": 3, "maximum": 1800}, _TIME_PATTERN]}
_BOOT_FILES = {
    "type": "object",
    "propertyNames": {"anyOf": [{"enum": [*ARCHITECTURES]}, {"pattern": "^[0-9]{1,5}$"}]},
    "additionalProperties": _SOME_TEXT,
}
_OTHERS: dict[str, Schema] = {  # that are no options, of all sections
    "addresses": _TEXTS,
    "arp_responder": {"type": "boolean"},
    "bootfile_name_by_arch": _BOOT_FILES,
    "bridge": _BRIDGE,
    "decline_probation_period": {
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": (1 << 32) - 1}, _TIME_PATTERN]
    },
    "delegated_prefix": _many(_SUBNET6),
    "dhcpv6_stateless": {"type": "boolean"},
    "exclude": _RANGES,
    "guard": {"type": "boolean"},
    "interval": {"anyOf": [{"const": NONE}, _INTERVAL, _list(_INTERVAL, maxItems=2)]},
    "parent": _SOME_TEXT,
    "pool": _RANGES,
    "probe": {"type": "boolean"},
    "rate_limit": {
        "anyOf": [
            {"const": NONE},
            {
                "type": "object",
                "properties": {"pps": _NUMBER_OF_PACKETS, "burst": _NUMBER_OF_PACKETS},
                "additionalProperties": False,
            },
        ]
    },
    "reserve": {
        "type": "object",
        "propertyNames": {"pattern": f"^{_MAC}$"},
        "additionalProperties": _TEXTS,
    },
    "server_mac": {"type": "string", "pattern": f"^{_MAC}$"},
    "tag": _VLAN,
}


def _section(
    properties: Schema, patterns: Schema | None = None, required: Iterable[str] = (), **more: object
) -> Schema:
    """A mapping in which these names may stand, and no others."""
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if patterns:
        schema["patternProperties"] = patterns
    if required := [*required]:
        schema["required"] = required
    return {**schema, **more}


def _of(names: Iterable[str], **sections: Schema) -> Schema:
    """What may stand for these settings: one of `sections`, or what is known of the name."""
    return {name: sections.get(name) or _OTHERS[name] for name in sorted(names)}


def _dhcp(
    table: OptionTable,
    refused: Mapping[str, str],
    settings: Set[str],
    extension: OptionTable,
    cidr: Schema,
) -> Schema:
    options, numbers = _options(table, refused)
    known = {
        name: option_schema(extension.by_name[name], has_number=False)
        for name in settings & extension.by_name.keys()
    }
    others = _of(settings, cidr=cidr, **known)
    return _section({**others, **options}, numbers, ["cidr"])


def _ra() -> Schema:
    options, _ = _options(ROUTER_ADVERTISEMENT, {})
    slaac = {"properties": {"addr_mode": {"enum": ["slaac", "dhcpv6_stateless"]}}}
    needs_prefix = [{"required": ["prefix"]}, {"required": ["addr_mode"], "not": slaac}]
    return _section({**_of(RA_SETTINGS), **options}, anyOf=needs_prefix)


def _port() -> Schema:
    options, numbers = _options(DHCPV4, NOT_IN_PORT)
    options6, numbers6 = _options(DHCPV6, NOT_IN_PORT6)
    own = {"options": _section(options, numbers), "options6": _section(options6, numbers6)}
    both = {"parent": ["tag"], "tag": ["parent"]}
    return _section(_of(PORT_SETTINGS, **own), required=["addresses"], dependentRequired=both)


def schema() -> Schema:
    """The schema of one file; several files are one configuration, each valid by itself."""
    shared = {
        "dhcpv4": _dhcp(DHCPV4, NOT_IN_DHCPV4, DHCPV4_SETTINGS, DHCPV4_EXTENSION, _SUBNET),
        "dhcpv6": _dhcp(DHCPV6, NOT_IN_DHCPV6, DHCPV6_SETTINGS, DHCPV6_EXTENSION, _SUBNET6),
        "ra": _ra(),
    }
    ports = {
        "type": "object",
        "propertyNames": _NAME,
        "additionalProperties": {"$ref": "#/$defs/port"},
    }
    network = _section(
        _of(
            NETWORK_SETTINGS, **{name: {"$ref": f"#/$defs/{name}"} for name in shared}, ports=ports
        ),
        allOf=[
            {"anyOf": [{"required": [name]} for name in SERVICES]},
            {"anyOf": [{"required": ["ports"]}, {"required": ["pool"]}]},
        ],
        dependentRequired={name: ["pool"] for name in (*BESIDE, "tag")},
    )
    networks = {
        "type": "object",
        "propertyNames": _NAME,
        "additionalProperties": {"$ref": "#/$defs/network"},
    }
    return {
        "$schema": DIALECT,
        "title": "ovs-dhcpd",
        "description": "A configuration file of ovs-dhcpd.",
        **_section(_of(FILE_SETTINGS, networks=networks), required=["networks"]),
        "$defs": {"network": network, "port": _port(), **shared},
    }
