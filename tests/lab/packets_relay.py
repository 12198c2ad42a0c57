# SPDX-License-Identifier: Apache-2.0
"""What passes OVN's relay agent, from a client and from a server, and responders to do its work."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

from ovs_dhcpd.controller.responders.dhcp_relay import (
    DhcpRelayRequestResponder,
    DhcpRelayResponseResponder,
)
from ovs_dhcpd.controller.wire.frames import encode_udp
from ovs_dhcpd.flows.userdata.codec import REG0_3, DhcpRelayReqChk, DhcpRelayRespChk

from tests.lab.packets import MAGIC, OFFER, option

CLIENT = bytes.fromhex("020000000005")
ROUTER, SERVER_MAC = bytes.fromhex("0a0000000001"), bytes.fromhex("0a0000000002")
RELAY, SERVER = IPv4Address("192.168.1.1"), IPv4Address("172.16.1.1")
LEASED, STRAY, NONE = "192.168.1.7", "192.168.2.7", "0.0.0.0"
DHCP = 42  # where the message begins in a frame

TO_SERVER = DhcpRelayRequestResponder(DhcpRelayReqChk(RELAY, SERVER, REG0_3))
TO_CLIENT = DhcpRelayResponseResponder(DhcpRelayRespChk(RELAY, SERVER, REG0_3))


def message(
    op: int,
    *options: bytes,
    hops: int = 0,
    broadcast: bool = False,
    yiaddr: str = NONE,
    giaddr: str = NONE,
    magic: bytes = MAGIC,
    hardware: int = 1,
) -> bytes:
    head = struct.pack("!BBBBIHH", op, hardware, 6, hops, 0x1234ABCD, 3, 0x8000 * broadcast)
    addresses = bytes(4) + IPv4Address(yiaddr).packed + bytes(4) + IPv4Address(giaddr).packed
    return head + addresses + CLIENT.ljust(16 + 192, b"\0") + magic + b"".join(options) + b"\xff"


def of_client(content: bytes, tags: bytes = b"") -> bytes:
    link = b"\xff" * 6 + CLIENT + tags + b"\x08\x00"
    return encode_udp(link, bytes(4), b"\xff" * 4, 68, 67, content)


def of_server(content: bytes, destination: IPv4Address = RELAY, to: bytes = ROUTER) -> bytes:
    link = to + SERVER_MAC + b"\x08\x00"
    return encode_udp(link, SERVER.packed, destination.packed, 67, 67, content)


def reply(
    kind: int = OFFER, *options: bytes, yiaddr: str = LEASED, broadcast: bool = False
) -> bytes:
    options = options or (option(54, str(SERVER)), option(1, "255.255.255.0"))
    giaddr = str(RELAY)
    return message(2, option(53, kind), *options, yiaddr=yiaddr, giaddr=giaddr, broadcast=broadcast)
