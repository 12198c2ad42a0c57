# SPDX-License-Identifier: Apache-2.0
"""Random options that OVN and we both accept, and random actions made of them."""

from __future__ import annotations

import json
import string
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Any, NamedTuple, TypeVar

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from ovs_dhcpd.flows.options.table import DHCPV4, DHCPV6, ROUTER_ADVERTISEMENT, Option, OptionTable
from ovs_dhcpd.flows.options.values import encode_value
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts, PutDhcpv6Opts, PutNdRaOpts, ResultBit
from ovs_dhcpd.flows.userdata.extension import BootFile, Dhcpv4Extension, Dhcpv6Extension
from ovs_dhcpd.flows.userdata.router_advertisement import encode_message

T = TypeVar("T")


class Setting(NamedTuple):
    """One option as OVN's text has it, and as YAML has it."""

    name: str
    ovn_text: str
    value: Any


def damaged(frames: Iterable[bytes], reach: int) -> st.SearchStrategy[bytes]:
    """One of the frames with up to six bytes changed; `reach` is about how long they are."""
    changes = st.lists(st.tuples(st.integers(0, reach), st.integers(0, 255)), max_size=6)
    return st.builds(_damage, st.sampled_from(sorted(frames)), changes)


def with_another_value(texts: Iterable[bytes]) -> st.SearchStrategy[bytes]:
    """One of the files, with up to three of WORDS in place of what one of its lines says."""
    places = st.sampled_from(sorted(texts)).flatmap(
        lambda text: st.tuples(st.just(text), st.integers(0, len(text.decode().splitlines()) - 1))
    )
    return st.builds(_replace, places, st.lists(WORDS, max_size=3).map("".join))


def _replace(place: tuple[bytes, int], value: str) -> bytes:
    text, at = place
    lines = text.decode().splitlines()
    lines[at] = f"{lines[at].partition(':')[0]}: {value}"
    return "\n".join(lines).encode()


def _damage(frame: bytes, changes: list[tuple[int, int]]) -> bytes:
    changed = bytearray(frame)
    for at, byte in changes:
        changed[at % len(changed)] = byte
    return bytes(changed)


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

_ADDRESSES6 = st.ip_addresses(v=6).map(str)
_IPV6_LISTS = st.lists(_ADDRESSES6, min_size=1, max_size=4).map(lambda each: (_braced(each), each))
_MACS = st.binary(min_size=6, max_size=6).map(lambda mac: (mac.hex(":"), mac.hex(":")))
_NAMES = st.lists(_DOMAIN_NAMES, min_size=1, max_size=3).map(
    lambda names: (f'"{",".join(names)}"', names)
)
_ONE_NAME = _DOMAIN_NAMES.map(lambda name: (f'"{name}"', name))
_NTP_SERVERS = st.lists(
    st.one_of(
        _ADDRESSES6.map(lambda address: (address, address)),
        _DOMAIN_NAMES.map(lambda name: (f'"{name}"', f'"{name}"')),
    ),
    min_size=1,
    max_size=3,
).map(lambda pairs: (_braced([text for text, _ in pairs]), [value for _, value in pairs]))


def _prefixes(lengths: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda address, length: str(IPv6Network((address, length), strict=False)),
        st.integers(0, 2**128 - 1),
        lengths,
    )


_ROUTES = st.lists(
    st.builds("{}-{}".format, st.sampled_from(["LOW", "MEDIUM", "HIGH"]), _prefixes(st.just(48))),
    min_size=1,
    max_size=3,
).map(lambda routes: (f'"{",".join(routes)}"', routes))


def _words(*words: str) -> st.SearchStrategy[tuple[str, Any]]:
    return st.sampled_from(words).map(lambda word: (f'"{word}"', word))


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
    "ipv6_list": _IPV6_LISTS,
    "ipv6_prefixes": _prefixes(st.integers(0, 128)).map(lambda prefix: (prefix, prefix)),
    "pref64": _prefixes(st.sampled_from([32, 40, 48, 56, 64, 96])).map(lambda each: (each, each)),
    "mac": _MACS,
    "names": _NAMES,
    "labels": _NAMES,
    "domain": _ONE_NAME,
    "ntp_servers": _NTP_SERVERS,
    "route_info": _ROUTES,
    "addr_mode": _words("slaac", "dhcpv6_stateful", "dhcpv6_stateless"),
    "router_preference": _words("LOW", "MEDIUM", "HIGH"),
}

NAMED = [option for option in DHCPV4.by_name.values() if option.name != "offerip"]
NAMED6 = list(DHCPV6.by_name.values())
NAMED_RA = list(ROUTER_ADVERTISEMENT.by_name.values())


def settings_of(option: Option) -> st.SearchStrategy[Setting]:
    """Values of one option of the table."""
    values = _TYPES[option.type]
    if option.allowed:
        values = st.sampled_from(option.allowed).map(lambda number: (str(number), number))
    return values.map(lambda each: Setting(option.name, *each))


def option_sets(
    named: list[Option] = NAMED, max_size: int = 10
) -> st.SearchStrategy[list[Setting]]:
    """Sets of different options of `named`."""
    options = st.lists(st.sampled_from(named), unique=True, max_size=max_size)
    return options.flatmap(lambda chosen: st.tuples(*map(settings_of, chosen))).map(list)


# -- actions, beyond what OVN can write


def _numbered(table: OptionTable, numbers: range) -> list[int]:
    """Numbers that options can be given by and that have no name."""
    taken = {*table.server_only, *table.by_name_only, *table.by_code}
    return sorted(set(numbers) - taken)


def _encoded(table: OptionTable, settings: list[Setting]) -> list[tuple[int, bytes]]:
    options = [(table.lookup(setting.name), setting.value) for setting in settings]
    return [(option.code, encode_value(option, value)) for option, value in options]


_RAW_VALUES = st.builds(
    lambda pattern, size: (pattern * size)[:size],
    st.binary(min_size=1, max_size=8),
    st.integers(0, 600),
)
_RAW_OPTIONS = st.tuples(st.sampled_from(_numbered(DHCPV4, range(1, 255))), _RAW_VALUES)
RESULT_BITS = st.builds(ResultBit.reg, st.integers(0, 15), st.integers(0, 31))

_UINT16 = st.integers(0, 2**16 - 1)
_UINT32 = st.integers(0, 2**32 - 1)
_BOOT_FILES = st.builds(
    BootFile,
    st.lists(_UINT16, min_size=1, max_size=5).map(tuple),
    _TEXTS.map(str.encode),
)
EXTENSIONS = st.builds(
    Dhcpv4Extension,
    rapid_commit=st.booleans(),
    addresses=st.lists(st.ip_addresses(v=4), max_size=70).map(tuple),
    boot_files=st.lists(_BOOT_FILES, max_size=3).map(tuple),
)


def _extension6(times: list[int], t1_s: int | None, t2_s: int | None, **others: Any) -> Any:
    """The lifetimes in their order, and T1 and T2 in theirs."""
    if t1_s and t2_s and t1_s > t2_s:
        t1_s, t2_s = t2_s, t1_s
    return Dhcpv6Extension(min(times), max(times), t1_s, t2_s, **others)


EXTENSIONS6 = st.builds(
    _extension6,
    st.lists(_UINT32, min_size=2, max_size=2),
    st.none() | _UINT32,
    st.none() | _UINT32,
    rapid_commit=st.booleans(),
    prefix_length=st.integers(0, 128),
    addresses=st.lists(st.ip_addresses(v=6), max_size=4).map(tuple),
    boot_files=st.lists(_BOOT_FILES, max_size=3).map(tuple),
    delegated_prefixes=st.lists(_prefixes(st.integers(0, 128)).map(IPv6Network), max_size=3).map(
        tuple
    ),
)

ACTIONS = st.builds(
    lambda offerip, named, raw, result, extension: PutDhcpOpts(
        offerip, (*_encoded(DHCPV4, named), *raw), result, extension
    ),
    st.builds(IPv4Address, _UINT32),
    option_sets(),
    st.lists(_RAW_OPTIONS, max_size=3, unique_by=lambda option: option[0]),
    RESULT_BITS,
    st.just(Dhcpv4Extension()) | EXTENSIONS,
)
_RAW_OPTIONS6 = st.tuples(st.sampled_from(_numbered(DHCPV6, range(1, 65535))), _RAW_VALUES)
ACTIONS6 = st.builds(
    lambda named, raw, result, extension: PutDhcpv6Opts(
        (*_encoded(DHCPV6, named), *raw), result, extension
    ),
    option_sets(NAMED6),
    st.lists(_RAW_OPTIONS6, max_size=3, unique_by=lambda option: option[0]),
    RESULT_BITS,
    st.just(Dhcpv6Extension()) | EXTENSIONS6,
)
ACTIONS_RA = st.builds(
    lambda named, result: PutNdRaOpts(
        encode_message(_encoded(ROUTER_ADVERTISEMENT, named)), result
    ),
    option_sets(NAMED_RA),
    RESULT_BITS,
)


def sample(strategy: st.SearchStrategy[T], count: int) -> list[T]:
    """Values of a strategy, the same ones in every run."""
    drawn: list[T] = []

    @seed(2131)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate])
    @given(strategy)
    def draw(value: T) -> None:
        drawn.append(value)

    draw()
    return drawn


# -- files

# fmt: off
WORDS = st.sampled_from([
    "networks", "bridge", "red", "dhcpv4", "dhcpv6", "ra", "pool", "ports", "cidr", "addresses",
    "server_id", "server_mac", "lease_time", "T1", "mtu", "rate_limit", "tag", "boot_files",
    "addr_mode", "prefix", "delegated_prefix", "options", "arp_responder", "hostname",
    "10.0.0.0/24", "10.0.0.5", "10.0.0.5-10.0.0.9", '"fd00::/64"', '"fd00::1"', "dynamic", "none",
    '"02:00:00:00:00:01 10.0.0.5"', "true", "null", "0", "-1", "600", "4294967296", "1.5",
    ": ", ", ", "\n", "\n  ", "\n    ", "\n      ", "\n        ", "{", "}", "[", "]",
    "- ", "&a ", "*a", "<<", "!!int ",
    "'", '"', "\t", "#", "|", ">", "\x1b[1m", "\u2028", "\x85",
])
# fmt: on
