# SPDX-License-Identifier: Apache-2.0
"""The types of value that are made of addresses: IPv4, IPv6 and MAC, routes and prefixes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from ovs_dhcpd.flows.options.lexer import Constant
from ovs_dhcpd.flows.options.value_type import Misfit, Type, only, show
from ovs_dhcpd.flows.options.wording import show as show_text

# -- IPv4


def _encode_ipv4_list(constants: Sequence[Constant]) -> bytes:
    if not constants:
        raise Misfit("no address")
    return b"".join(_packed(constant) for constant in constants)


def _packed(constant: Constant) -> bytes:
    if not isinstance(constant, IPv4Address):
        raise Misfit(f"{show(constant)} is not an IPv4 address")
    return constant.packed


def _decode_ipv4_list(value: bytes) -> list[Constant]:
    if not value or len(value) % 4:
        raise Misfit(f"{len(value)} bytes")
    return [IPv4Address(value[i : i + 4]) for i in range(0, len(value), 4)]


def _decode_ipv4(value: bytes) -> list[Constant]:
    if len(value) != 4:
        raise Misfit(f"{len(value)} bytes")
    return [IPv4Address(value)]


def _encode_ipv4_pairs(constants: Sequence[Constant]) -> bytes:
    if len(constants) % 2:
        raise Misfit(f"{len(constants)} addresses")
    return _encode_ipv4_list(constants)


def _decode_ipv4_pairs(value: bytes) -> list[Constant]:
    if len(value) % 8:
        raise Misfit(f"{len(value)} bytes")
    return _decode_ipv4_list(value)


def _encode_static_routes(constants: Sequence[Constant]) -> bytes:
    """RFC 3442: prefix length, the octets of the destination it covers, router; repeated."""
    if not constants or len(constants) % 2:
        raise Misfit(f"{len(constants)} values")
    value = b""
    for destination, router in zip(constants[::2], constants[1::2], strict=True):
        if isinstance(destination, IPv4Address):
            destination = IPv4Network(destination)
        if not isinstance(destination, IPv4Network):
            raise Misfit(f"{show(destination)} is not a destination")
        length = destination.prefixlen
        octets = destination.network_address.packed[: (length + 7) // 8]
        value += bytes((length,)) + octets + _packed(router)
    return value


def _decode_static_routes(value: bytes) -> list[Constant]:
    if not value:
        raise Misfit("no route")
    constants: list[Constant] = []
    at = 0
    while at < len(value):
        router_at = at + 1 + (value[at] + 7) // 8
        destination = value[at + 1 : router_at].ljust(4, b"\0")
        router = value[router_at : router_at + 4]
        try:
            constants += (IPv4Network((destination, value[at])), IPv4Address(router))
        except ValueError:
            raise Misfit(f"no route at byte {at}") from None
        at = router_at + 4
    return constants


# -- MAC and IPv6


def _encode_mac(constants: Sequence[Constant]) -> bytes:
    constant = only(constants)
    if not isinstance(constant, bytes):
        raise Misfit(f"{show(constant)} is not a MAC")
    return constant


def _decode_mac(value: bytes) -> list[Constant]:
    if len(value) != 6:
        raise Misfit(f"{len(value)} bytes")
    return [value]


def _encode_ipv6_list(constants: Sequence[Constant]) -> bytes:
    if not constants:
        raise Misfit("no address")
    return b"".join(map(_packed_ipv6, constants))


def _packed_ipv6(constant: Constant) -> bytes:
    if not isinstance(constant, IPv6Address):
        raise Misfit(f"{show(constant)} is not an IPv6 address")
    return constant.packed


def _decode_ipv6_list(value: bytes) -> list[Constant]:
    if not value or len(value) % 16:
        raise Misfit(f"{len(value)} bytes")
    return [IPv6Address(value[i : i + 16]) for i in range(0, len(value), 16)]


# -- IPv6 prefixes: length (1 byte), prefix (16)

_PREFIX_SIZE = 17


def _encode_prefixes(constants: Sequence[Constant]) -> bytes:
    if not constants:
        raise Misfit("no prefix")
    value = b""
    for constant in constants:
        if not isinstance(constant, IPv6Network):
            raise Misfit(f"{show(constant)} is not an IPv6 prefix")
        value += bytes((constant.prefixlen,)) + constant.network_address.packed
    return value


def _decode_prefixes(value: bytes) -> list[Constant]:
    if not value or len(value) % _PREFIX_SIZE:
        raise Misfit(f"{len(value)} bytes")
    return [_decode_prefix(value[i : i + _PREFIX_SIZE]) for i in range(0, len(value), _PREFIX_SIZE)]


def _decode_prefix(value: bytes) -> IPv6Network:
    try:
        return IPv6Network((value[1:], value[0]))
    except ValueError:
        raise Misfit(f"0x{value.hex()} is no prefix") from None


# RFC 8781 §4: each prefix length of RFC 6052 has its code, which is its place here.
PREF64_LENGTHS = (96, 64, 56, 48, 40, 32)


def _encode_pref64(constants: Sequence[Constant]) -> bytes:
    value = _encode_prefixes([only(constants)])
    if value[0] not in PREF64_LENGTHS:
        raise Misfit(f"{show(constants[0])} has another length")
    return value


def _decode_pref64(value: bytes) -> list[Constant]:
    prefixes = _decode_prefixes(value)
    _encode_pref64(prefixes)
    return prefixes


# -- what OVN writes as "PREFERENCE-PREFIX,…": preference (1 byte, as in the flags), prefix (17)

# RFC 4191 §2.1: bits 3 and 4.
PREFERENCES = {"LOW": 0x18, "MEDIUM": 0x00, "HIGH": 0x08}


def _encode_route_info(constants: Sequence[Constant]) -> bytes:
    value = b""
    for route in _routes(constants):
        preference, _, prefix = route.partition("-")
        if preference not in PREFERENCES:
            raise Misfit(f"{show_text(preference)} in {show_text(route)} is no preference")
        try:
            network = IPv6Network(prefix, strict=False)
        except ValueError:
            what = f"{show_text(prefix)} in {show_text(route)} is no IPv6 prefix"
            raise Misfit(what) from None
        value += bytes((PREFERENCES[preference],)) + _encode_prefixes([network])
    return value


def _routes(constants: Sequence[Constant]) -> Iterator[str]:
    if not constants:
        raise Misfit("no route")
    for constant in constants:
        if not isinstance(constant, str):
            raise Misfit(f"{show(constant)} is not text (it may want double quotes)")
        for route in constant.split(","):
            yield route.strip()


def _decode_route_info(value: bytes) -> list[Constant]:
    size = 1 + _PREFIX_SIZE
    if not value or len(value) % size:
        raise Misfit(f"{len(value)} bytes")
    names = {flags: name for name, flags in PREFERENCES.items()}
    routes = []
    for i in range(0, len(value), size):
        if value[i] not in names:
            raise Misfit(f"preference 0x{value[i]:02x}")
        routes.append(f"{names[value[i]]}-{_decode_prefix(value[i + 1 : i + size])}")
    return [",".join(routes)]


IPV4 = Type("one IPv4 address", lambda each: _packed(only(each)), _decode_ipv4)
IPV4_LIST = Type("IPv4 addresses", _encode_ipv4_list, _decode_ipv4_list)
IPV4_PAIRS = Type("pairs of address and mask", _encode_ipv4_pairs, _decode_ipv4_pairs)
STATIC_ROUTES = Type(
    "pairs of destination/length and router", _encode_static_routes, _decode_static_routes
)
MAC = Type("a MAC, xx:xx:xx:xx:xx:xx", _encode_mac, _decode_mac)
IPV6_LIST = Type("IPv6 addresses", _encode_ipv6_list, _decode_ipv6_list)
IPV6_PREFIXES = Type("IPv6 prefixes, as in fd00::/56", _encode_prefixes, _decode_prefixes)
PREF64 = Type("one IPv6 prefix of length 32, 40, 48, 56, 64 or 96", _encode_pref64, _decode_pref64)
ROUTE_INFO = Type(
    "HIGH, MEDIUM or LOW, then - and an IPv6 prefix, as in HIGH-fd00:2::/48",
    _encode_route_info,
    _decode_route_info,
    bare=(),
)
