# SPDX-License-Identifier: Apache-2.0
"""Random options that OVN and we both accept, and random actions made of them."""

from __future__ import annotations

import json
import string
from ipaddress import IPv4Address, IPv4Network
from typing import Any, NamedTuple

from hypothesis import strategies as st

from flows.options import DHCPV4, Option
from flows.userdata import PutDhcpOpts, ResultBit
from flows.values import encode_value


class Setting(NamedTuple):
    """One option as OVN's text has it, and as YAML has it."""

    name: str
    ovn_text: str
    value: Any


def _braced(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else "{" + ", ".join(texts) + "}"


def _number(bits: int) -> st.SearchStrategy[tuple[str, Any]]:
    return st.integers(0, 2**bits - 1).map(lambda number: (str(number), number))


def _repeat(items: list[str], times: int) -> list[str]:
    return items * times  # long values without much to draw


_BOOLEANS = st.booleans().map(lambda value: (str(int(value)), value))

# OVN writes values of more than 255 bytes wrongly, so nothing here is longer.
_ADDRESSES = st.ip_addresses(v=4).map(str)
_IPV4 = _ADDRESSES.map(lambda address: (address, address))
_IPV4_LISTS = st.builds(
    _repeat, st.lists(_ADDRESSES, min_size=1, max_size=4), st.integers(1, 15)
).map(lambda each: (_braced(each), each))
_IPV4_PAIRS = (
    st.lists(st.tuples(_ADDRESSES, _ADDRESSES), min_size=1, max_size=6)
    .map(lambda pairs: [address for pair in pairs for address in pair])
    .map(lambda each: (_braced(each), each))
)

_DESTINATIONS = st.builds(
    lambda address, length: str(IPv4Network((address, length), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)
_STATIC_ROUTES = st.builds(
    _repeat,
    st.lists(st.tuples(_DESTINATIONS, _ADDRESSES).map(",".join), min_size=1, max_size=4),
    st.integers(1, 7),
).map(lambda routes: ("{" + ", ".join(routes) + "}", routes))

# A leading double quote would make OVN's text of it; the control characters are left out because
# a database client would have to escape them once more.
_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30
).filter(lambda text: not text.startswith('"'))
_STRINGS = _TEXTS.map(lambda text: (json.dumps(text, ensure_ascii=False), text))
_HOST_NAMES = st.from_regex(r"\A[a-z][a-z0-9-]{0,20}\Z").map(lambda name: (f'"{name}"', name))

_LABELS = st.text(string.ascii_letters + string.digits + "-_", min_size=2, max_size=20)
_DOMAIN_NAMES = st.lists(_LABELS, min_size=1, max_size=4).map(".".join)


def _suffixes(names: list[str]) -> set[str]:
    split = [name.split(".") for name in names]
    return {".".join(labels[i:]) for labels in split for i in range(len(labels))}


def ovn_encodes_domains(names: list[str]) -> bool:
    """Whether OVN's encoder, which compares suffixes without their last letter, gets it right."""
    suffixes = _suffixes(names)
    return len({suffix[:-1] for suffix in suffixes}) == len(suffixes)


# A few names over and over, so that there is something to compress.
DOMAIN_LISTS = _LABELS.flatmap(
    lambda label: st.lists(
        st.one_of(_DOMAIN_NAMES, st.builds("{}.{}".format, _LABELS, st.just(label))),
        min_size=1,
        max_size=3,
    )
)
_DOMAINS = DOMAIN_LISTS.filter(ovn_encodes_domains).map(
    lambda names: (f'"{",".join(names)}"', names)
)

_TYPES: dict[str, st.SearchStrategy[tuple[str, Any]]] = {
    "bool": _BOOLEANS,
    "uint8": _number(8),
    "uint16": _number(16),
    "uint32": _number(32),
    "ipv4": _IPV4,
    "ipv4_list": _IPV4_LISTS,
    "ipv4_pairs": _IPV4_PAIRS,
    "static_routes": _STATIC_ROUTES,
    "str": _STRINGS,
    "host_id": st.one_of(_IPV4, _HOST_NAMES),
    "domains": _DOMAINS,
}

NAMED = [option for option in DHCPV4.by_name.values() if option.name != "offerip"]


def settings_of(option: Option) -> st.SearchStrategy[Setting]:
    """Values of one option of the table."""
    return _TYPES[option.type].map(lambda each: Setting(option.name, *each))


def option_sets(max_size: int = 10) -> st.SearchStrategy[list[Setting]]:
    """Sets of different named options, without offerip."""
    options = st.lists(st.sampled_from(NAMED), unique=True, max_size=max_size)
    return options.flatmap(lambda chosen: st.tuples(*map(settings_of, chosen))).map(list)


# -- actions, beyond what OVN can write

_NUMBERED = sorted(
    set(range(1, 255)) - set(DHCPV4.server_only) - DHCPV4.by_name_only - set(DHCPV4.by_code)
)
_RAW_VALUES = st.builds(
    lambda pattern, size: (pattern * size)[:size],
    st.binary(min_size=1, max_size=8),
    st.integers(0, 600),
)
_RAW_OPTIONS = st.tuples(st.sampled_from(_NUMBERED), _RAW_VALUES)
_NAMED_OPTIONS = option_sets().map(
    lambda chosen: [
        (option.code, encode_value(option, setting.value))
        for setting in chosen
        for option in (DHCPV4.lookup(setting.name),)
    ]
)
RESULT_BITS = st.builds(ResultBit.reg, st.integers(0, 15), st.integers(0, 31))
ACTIONS = st.builds(
    lambda offerip, named, raw, result: PutDhcpOpts(offerip, (*named, *raw), result),
    st.builds(IPv4Address, st.integers(0, 2**32 - 1)),
    _NAMED_OPTIONS,
    st.lists(_RAW_OPTIONS, max_size=3, unique_by=lambda option: option[0]),
    RESULT_BITS,
)
