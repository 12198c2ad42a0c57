# SPDX-License-Identifier: Apache-2.0
"""The fields of a frame that flows look at, and the frame with other values in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from ovs_dhcpd.controller.wire import nd
from ovs_dhcpd.controller.wire.frames import (
    IPV4,
    IPV6,
    UDP,
    VLAN,
    FrameError,
    decode_ipv6,
    decode_udp,
    encode_ipv6_udp,
    encode_udp,
)
from ovs_dhcpd.flows.bindings import well_known
from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.flow import Field

_ND_OPTIONS = {1: f.ND_SLL, 2: f.ND_TLL}  # RFC 4861 §4.6.1


def fields_of(frame: bytes) -> dict[Field, int]:
    """What is in an Ethernet frame of DHCP or Neighbor Discovery; a tag is in VLAN_VID as in OXM.

    Options of Neighbor Discovery that are not there are 0, as in Open vSwitch.
    """
    vlan_vid, at = 0, 12
    if frame[12:14] == VLAN:
        vlan_vid, at = 0x1000 | int.from_bytes(frame[14:16], "big") & 0xFFF, 16
    eth_type = frame[at : at + 2]
    fields = {
        f.ETH_DST: _number(frame[:6]),
        f.ETH_SRC: _number(frame[6:12]),
        f.ETH_TYPE: _number(eth_type),
        f.VLAN_VID: vlan_vid,
    }
    ip = frame[at + 2 :]
    try:
        if eth_type == IPV4:
            decode_udp(frame)  # is whole, and no fragment
            udp = ip[(ip[0] & 15) * 4 :]
            fields |= {
                f.IP_PROTO: ip[9],
                f.IP_TTL: ip[8],
                f.IP_SRC: _number(ip[12:16]),
                f.IP_DST: _number(ip[16:20]),
                f.UDP_SRC: _number(udp[:2]),
                f.UDP_DST: _number(udp[2:4]),
            }
        elif eth_type == IPV6:
            fields |= _ipv6(frame)
    except FrameError:
        pass
    return fields


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _ipv6(frame: bytes) -> dict[Field, int]:
    packet = decode_ipv6(frame)
    payload = packet.payload
    fields = {
        f.IP_PROTO: packet.protocol,
        f.IP_TTL: packet.hop_limit,
        f.IPV6_SRC: _number(packet.source),
        f.IPV6_DST: _number(packet.destination),
    }
    if packet.protocol == UDP:
        fields |= {f.UDP_SRC: _number(payload[:2]), f.UDP_DST: _number(payload[2:4])}
    elif packet.protocol == nd.ICMPV6:
        fields |= {f.ICMPV6_TYPE: payload[0], f.ICMPV6_CODE: payload[1]}
        if payload[0] in (well_known.NEIGHBOUR_SOLICITATION, well_known.NEIGHBOUR_ADVERTISEMENT):
            fields |= {f.ND_TARGET: _number(payload[8:24]), f.ND_SLL: 0, f.ND_TLL: 0}
            for kind, content in nd_options(payload[24:]):
                if kind in _ND_OPTIONS:
                    fields[_ND_OPTIONS[kind]] = _number(content[:6])
    return fields


def nd_options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of each option of Neighbor Discovery, up to one that leads out of it."""
    at = 0
    while at + 8 <= len(data) and data[at + 1]:
        end = at + 8 * data[at + 1]
        yield data[at], data[at + 2 : end]
        at = end


def rewritten(frame: bytes, fields: Mapping[str, str]) -> bytes:
    """A reply's frame with these addresses and ports, by their names and as text in a match.

    Those that are not given stay; IP header and checksums are made anew.
    """
    link = _mac(fields, f.ETH_DST, frame[:6]) + _mac(fields, f.ETH_SRC, frame[6:12])
    has = fields_of(frame)
    if f.IP_SRC in has:
        datagram = decode_udp(frame)
        return encode_udp(
            link + datagram.link[12:],
            _address(fields, f.IP_SRC, has),
            _address(fields, f.IP_DST, has),
            _port(fields, f.UDP_SRC, has),
            _port(fields, f.UDP_DST, has),
            datagram.payload,
        )
    packet = decode_ipv6(frame)
    link += packet.link[12:]
    source, destination = _address(fields, f.IPV6_SRC, has), _address(fields, f.IPV6_DST, has)
    if packet.protocol == nd.ICMPV6:
        message = packet.payload[:2] + bytes(2) + packet.payload[4:]
        return nd.encode_nd(link, source, destination, message)
    source_port, port = _port(fields, f.UDP_SRC, has), _port(fields, f.UDP_DST, has)
    return encode_ipv6_udp(link, source, destination, source_port, port, packet.payload[8:])


def _mac(fields: Mapping[str, str], field: Field, old: bytes) -> bytes:
    text = fields.get(field.match)
    return bytes.fromhex(text.replace(":", "")) if text else old


def _address(fields: Mapping[str, str], field: Field, has: Mapping[Field, int]) -> bytes:
    text = fields.get(field.match)
    return ip_address(text).packed if text else has[field].to_bytes(field.size, "big")


def _port(fields: Mapping[str, str], field: Field, has: Mapping[Field, int]) -> int:
    return int(fields.get(field.match, has[field]))
