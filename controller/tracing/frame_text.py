# SPDX-License-Identifier: Apache-2.0
"""A frame field by field, a line each, in the words of OVN's fields and of the option table."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from ovs_dhcpd.controller.tracing.messages import MESSAGE4, MESSAGE6, show_option
from ovs_dhcpd.controller.tracing.packet_fields import fields_of, nd_options
from ovs_dhcpd.controller.wire import dhcpv4, dhcpv6, nd
from ovs_dhcpd.controller.wire.frames import decode_ipv6, decode_ipv6_udp, decode_udp
from ovs_dhcpd.flows.bindings import well_known
from ovs_dhcpd.flows.options.lexer import format_constants
from ovs_dhcpd.flows.options.table import ROUTER_ADVERTISEMENT, OptionError
from ovs_dhcpd.flows.options.values import format_value
from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.userdata.extension import INFINITY_S
from ovs_dhcpd.flows.userdata.router_advertisement import decode_message

_HEADERS = (
    (f.ETH_SRC, f.ETH_DST, f.VLAN_VID),
    (f.IP_SRC, f.IP_DST, f.IPV6_SRC, f.IPV6_DST, f.IP_TTL),
    (f.UDP_SRC, f.UDP_DST, f.ICMPV6_TYPE),
)
_TTL = f.IP_TTL.ovn

# Of the DHCPv4 header: each field that is not zero is shown.
_ADDRESSES4 = {"ciaddr": 12, "yiaddr": 16, "siaddr": 20, "giaddr": 24}
_BROADCAST_FLAG = 0x80

_IA_NAMES = {dhcpv6.IA_NA: "ia_na", dhcpv6.IA_TA: "ia_ta", dhcpv6.IA_PD: "ia_pd"}
_STATUS_NAMES = (
    *("Success", "UnspecFail", "NoAddrsAvail", "NoBinding", "NotOnLink", "UseMulticast"),
    "NoPrefixAvail",
)  # RFC 8415 §21.13
_NA_FLAGS = {0x80: "router", 0x40: "solicited", 0x20: "override"}  # RFC 4861 §4.4


def show_frame(frame: bytes) -> Iterator[str]:
    """The headers, then what the message says; of a frame of ours, or a client's that is whole."""
    fields = fields_of(frame)
    for header in _HEADERS:
        shown = [
            f"{field.ovn} = {field.show(fields[field])}"
            for field in header
            if field in fields and (field is not f.VLAN_VID or fields[field])
        ]
        yield ", ".join(shown)
    if f.IP_SRC in fields:
        yield from _dhcpv4(decode_udp(frame).payload)
    elif f.UDP_SRC in fields:
        yield from _dhcpv6(decode_ipv6_udp(frame).payload)
    else:
        yield from _nd(decode_ipv6(frame).payload)


# -- DHCPv4


def _dhcpv4(message: bytes) -> Iterator[str]:
    head = [f"xid = 0x{message[dhcpv4.XID].hex()}"]
    if message[dhcpv4.FLAGS][0] & _BROADCAST_FLAG:
        head.append("broadcast = true")
    for name, at in _ADDRESSES4.items():
        if any(message[at : at + 4]):
            head.append(f"{name} = {IPv4Address(message[at : at + 4])}")
    head.append(f"chaddr = {message[dhcpv4.CLIENT_MAC].hex(':')}")
    yield ", ".join(head)
    options = list(_options4(message[dhcpv4.HEADER_SIZE :]))
    overload = dict(options).get(dhcpv4.OVERLOAD, b"\0")[0]
    for name, field, bit in (("file", dhcpv4.FILE, 1), ("sname", dhcpv4.SNAME, 2)):
        if overload & bit:
            options += _options4(message[field])
        elif text := message[field].partition(b"\0")[0]:
            yield f"{name} = {format_constants([text.decode(errors='replace')])}"
    joined: dict[int, bytes] = {}
    for code, value in options:
        joined[code] = joined.get(code, b"") + value  # RFC 3396 §7
    for code, value in joined.items():
        yield show_option(MESSAGE4, code, value)


def _options4(field: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 1 < len(field) and field[at] != dhcpv4.END:
        if field[at] == dhcpv4.PAD:
            at += 1
            continue
        end = at + 2 + field[at + 1]
        yield field[at], field[at + 2 : end]
        at = end


# -- DHCPv6


def _dhcpv6(message: bytes) -> Iterator[str]:
    yield f"xid = 0x{message[dhcpv6.XID].hex()}"
    for code, value in _options6(message[dhcpv6.HEADER_SIZE :]):
        yield from _option6(code, value)


def _options6(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        code, size = struct.unpack_from("!HH", data, at)
        yield code, data[at + 4 : at + 4 + size]
        at += 4 + size


def _option6(code: int, value: bytes) -> Iterator[str]:
    if code in _IA_NAMES and len(value) >= 4:
        said = [f"iaid 0x{value[:4].hex()}"]
        inner = value[4:]
        if code != dhcpv6.IA_TA and len(value) >= 12:
            said += [f"T1 {_seconds(value[4:8])}", f"T2 {_seconds(value[8:12])}"]
            inner = value[12:]
        yield f"{_IA_NAMES[code]} = {', '.join(said)}"
        for each, content in _options6(inner):
            for line in _option6(each, content):
                yield f"    {line}"
    elif code == dhcpv6.IA_ADDRESS and len(value) >= 24:
        yield f"ia_addr = {IPv6Address(value[:16])}, {_lifetimes(value[16:24])}"
    elif code == dhcpv6.IA_PREFIX and len(value) >= 25:
        prefix = f"{IPv6Address(value[9:25])}/{value[8]}"
        yield f"ia_prefix = {prefix}, {_lifetimes(value[:8])}"
    elif code == dhcpv6.STATUS and len(value) >= 2:
        number = int.from_bytes(value[:2], "big")
        name = _STATUS_NAMES[number] if number < len(_STATUS_NAMES) else str(number)
        text = value[2:].decode(errors="replace")
        yield f"status = {name}" + (f", {format_constants([text])}" if text else "")
    else:
        yield show_option(MESSAGE6, code, value)


def _seconds(value: bytes) -> str:
    number = int.from_bytes(value, "big")
    return "infinity" if number == INFINITY_S else str(number)


def _lifetimes(value: bytes) -> str:
    return f"preferred_lifetime {_seconds(value[:4])}, valid_lifetime {_seconds(value[4:])}"


# -- Neighbor Discovery


def _nd(message: bytes) -> Iterator[str]:
    kind = message[0]
    if kind == well_known.ROUTER_ADVERTISEMENT:
        yield from _router_advertisement(message)
        return
    options_at = 8
    if kind in (well_known.NEIGHBOUR_SOLICITATION, well_known.NEIGHBOUR_ADVERTISEMENT):
        yield f"{f.ND_TARGET.ovn} = {IPv6Address(message[8:24])}"
        options_at = 24
    if kind == well_known.NEIGHBOUR_ADVERTISEMENT:
        flags = [name for bit, name in _NA_FLAGS.items() if message[4] & bit]
        yield f"flags = {', '.join(flags) or 'none'}"
    names = {nd.SOURCE_LINK_LAYER_ADDRESS: f.ND_SLL.ovn, 2: f.ND_TLL.ovn}
    for code, content in nd_options(message[options_at:]):
        name = names.get(code, f"option_{code}")
        yield f"{name} = {content.hex(':')}"


def _router_advertisement(message: bytes) -> Iterator[str]:
    by_code = ROUTER_ADVERTISEMENT.by_code
    try:
        for code, value in decode_message(message[:2] + bytes(2) + message[4:]):
            yield f"{by_code[code].name} = {format_value(by_code[code], value)}"
    except OptionError:
        yield f"message = 0x{message.hex()}"
