# SPDX-License-Identifier: Apache-2.0
"""Matches: of a flow of ours as bytes, of anybody's as terms and as text.

On the wire a match is ``type=1(2) length(2)``, terms, padding to 8 bytes that the length does not
count.  A term is ``class(2) field<<1|has_mask(1) size(1)``, a value, and a mask as long as it; the
size is of both together (OpenFlow 1.5, 7.2.3.2).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from ovs_dhcpd.controller.wire.nxt import NXM_REG, OXM_PACKET_REG
from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.flow import Field, Flow

HAS_MASK: Final = 0x100  # in the 4 bytes before the value

# What a term is about: those bytes without HAS_MASK and size.
ABOUT: Final = 0xFFFFFE00

EXPERIMENTER_CLASS: Final = 0xFFFF  # four more bytes, of the size, say whose the field is

# The order in which Open vSwitch puts the terms of a match (``nx_put_raw`` of lib/nx-match.c): so
# what is read back is, byte for byte, what was sent.  in_port comes first, and prerequisites
# before what needs them, as OXM asks (OpenFlow 1.5, 7.2.3.8).
_ORDER: Final = {
    field: place
    for place, field in enumerate(
        (
            *(f.IN_PORT, f.ETH_SRC, f.ETH_DST, f.ETH_TYPE, f.VLAN_VID),
            *(f.IP_SRC, f.IP_DST, f.IPV6_SRC, f.IPV6_DST, f.IP_TTL, f.IP_PROTO),
            *(f.UDP_SRC, f.UDP_DST, f.ICMPV6_TYPE, f.ICMPV6_CODE, f.ND_TARGET),
            *(f.ND_SLL, f.ND_TLL),
            *(f.ARP_OP, f.ARP_SPA, f.ARP_TPA, f.ARP_SHA, f.ARP_THA),
            *(f.REG0, f.METADATA),
        )
    )
}

# The fields that actions of Open vSwitch's own name otherwise than OXM does.
_NXM: Final = {
    f.ETH_DST: 0x00000206,
    f.ETH_SRC: 0x00000406,
    f.UDP_SRC: 0x00001602,
    f.UDP_DST: 0x00001802,
    f.ARP_SPA: 0x00002004,
    f.ARP_TPA: 0x00002204,
    f.ARP_SHA: 0x00012206,
    f.ARP_THA: 0x00012406,
    f.IPV6_SRC: 0x00012610,
    f.IPV6_DST: 0x00012810,
}

_Term = tuple[Field, int, int | None]


def encode_match(terms: bytes = b"") -> bytes:
    """The match with these encoded terms."""
    match = struct.pack("!HH", 1, 4 + len(terms)) + terms
    return match + bytes(-len(match) % 8)


def encode_match_of(flow: Flow, packet_registers: bool) -> bytes:
    """The match of a flow of ours; with ``packet_registers`` as OpenFlow 1.5 has registers."""
    terms: list[_Term] = []
    if flow.protocol:
        terms += [(field, value, None) for field, value in flow.protocol.fields]
    terms += [(term.field, term.value, term.mask) for term in flow.match]
    terms.sort(key=_place)
    encode = _in_packet_register if packet_registers else encode_term
    return encode_match(b"".join([encode(*term) for term in terms]))


def _place(term: _Term) -> int:
    return _ORDER[term[0]]


@lru_cache(maxsize=1024)
def encode_term(field: Field, value: int, mask: int | None = None) -> bytes:
    """Header, value and mask of a field; a mask doubles the size and sets the has-mask bit."""
    if mask is None:
        return struct.pack("!I", field.header) + value.to_bytes(field.size, "big")
    header = (field.header & ~0xFF) | HAS_MASK | 2 * field.size
    return (
        struct.pack("!I", header)
        + value.to_bytes(field.size, "big")
        + mask.to_bytes(field.size, "big")
    )


def _in_packet_register(field: Field, value: int, mask: int | None = None) -> bytes:
    """As :func:`encode_term`; reg0 as the upper half of the first packet register."""
    if field is not f.REG0:
        return encode_term(field, value, mask)
    mask = 0xFFFFFFFF if mask is None else mask
    return struct.pack("!IQQ", OXM_PACKET_REG | HAS_MASK | 16, value << 32, mask << 32)


def nxm_header(field: Field) -> int:
    """The header of ``field`` in an action of Open vSwitch's own, as it itself writes it."""
    return _NXM.get(field, field.header)


_OXM: Final = {nxm & ABOUT: field.header & ABOUT for field, nxm in _NXM.items()}


def about(header: int) -> int:
    """Which field a header names, in OXM's words."""
    return _OXM.get(header & ABOUT, header & ABOUT)


def match_size(data: bytes, at: int, end: int) -> int:
    """How long the match at ``at`` is, with its padding.

    Raises :exc:`ValueError` if it is none or ends after ``end``, which is in ``data``.
    """
    if at + 8 > end:
        raise ValueError(f"match: {max(end - at, 0)} bytes, expected 8")
    kind, size = struct.unpack_from("!HH", data, at)
    whole: int = size + -size % 8
    if kind != 1 or size < 4 or at + whole > end:
        raise ValueError(f"match: type {kind}, {size} bytes of {end - at}")
    return whole


def _register(number: int) -> Field:
    return Field("", f"reg{number}", "", NXM_REG | number << 9 | 4, f.REG0.show)


class Term(NamedTuple):
    """A term of anybody's match: ``about`` which field, and what it is in the bits of ``mask``.

    ``about`` is the field's header without HAS_MASK and size, for an experimenter's field with
    its id above: ``id << 32 | header``.  ``size`` is of the value, in bytes.
    """

    about: int
    value: int
    mask: int
    size: int


def decode_match(match: bytes) -> Iterator[Term]:
    """The terms of a match.  Raises :exc:`ValueError` where one leads out of it."""
    match_size(match, 0, len(match))
    at, end = 4, int.from_bytes(match[2:4], "big")
    while at < end:
        header = int.from_bytes(match[at : at + 4], "big")
        start, at = at + 4, at + 4 + (header & 0xFF)
        if start > end or at > end:
            raise ValueError(f"match: a term that ends at {at} of {end}")
        about = header & ABOUT
        if header >> 16 == EXPERIMENTER_CLASS:
            about |= int.from_bytes(match[start : start + 4], "big") << 32
            start += 4
        size = at - start
        if header & HAS_MASK:
            size //= 2
        if size < 1:
            raise ValueError(f"match: a term without a value at {start}")
        value = int.from_bytes(match[start : start + size], "big")
        mask = (1 << 8 * size) - 1
        if header & HAS_MASK:
            mask = int.from_bytes(match[start + size : at], "big")
        yield Term(about, value, mask, size)


_NAMES: Final = {
    field.header & ABOUT: field for field in vars(f).values() if isinstance(field, Field)
} | {NXM_REG | number << 9: _register(number) for number in range(16)}


def show_match(match: bytes) -> list[str]:
    """The terms as ``ovs-ofctl`` has them, but each by itself, without names of protocols.

    A field that is not known here is shown by its header.
    """
    try:
        return [_show(term) for term in decode_match(match)]
    except ValueError:
        return ["?"]


def _show(term: Term) -> str:
    whole = (1 << 8 * term.size) - 1
    if term.about & 0xFFFF0000 == OXM_PACKET_REG and term.size == 8:
        return ",".join(_show_packet_register(term))
    field = _NAMES.get(term.about)
    if field is None or field.size != term.size:
        name, value = f"{term.about:#x}", f"{term.value:#x}"
    else:
        name, value = field.match, field.show(term.value)
    if term.mask == whole:
        return f"{name}={value}"
    if field in (f.ETH_DST, f.ETH_SRC, f.IP_DST, f.IP_SRC, f.IPV6_DST, f.IPV6_SRC):
        return f"{name}={value}/{field.show(term.mask)}"
    return f"{name}={value}/{term.mask:#x}"


def _show_packet_register(term: Term) -> Iterator[str]:
    """Of the two registers those that are asked for."""
    for half in (0, 1):
        shift = 0 if half else 32
        mask, value = term.mask >> shift & 0xFFFFFFFF, term.value >> shift & 0xFFFFFFFF
        if mask:
            number = 2 * ((term.about - OXM_PACKET_REG) >> 9) + half
            yield _show(Term(NXM_REG | number << 9, value, mask, 4))
