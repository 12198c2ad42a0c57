# SPDX-License-Identifier: Apache-2.0
"""What every message that is passed on must keep, and messages to begin with."""

from __future__ import annotations

import struct

from ovs_dhcpd.controller.responders.dhcp_relay import (
    DhcpRelayRequestResponder,
    DhcpRelayResponseResponder,
)
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence

from tests.lab.packets import ACK, DISCOVER, OFFER, REQUEST, option
from tests.lab.packets_relay import (
    LEASED,
    RELAY,
    TO_CLIENT,
    TO_SERVER,
    message,
    of_client,
    of_server,
    reply,
)

GOLDEN = {
    "discover": of_client(message(1, option(53, DISCOVER), option(55, b"\1\3\6"))),
    "request in a VLAN": of_client(
        message(1, option(53, REQUEST), option(50, LEASED)), tags=b"\x81\0\0\7"
    ),
    "offer": of_server(reply(OFFER)),
    "ack to all": of_server(reply(ACK, broadcast=True)),
}
RESPONDERS: dict[str, DhcpRelayRequestResponder | DhcpRelayResponseResponder] = {
    "DHCP_RELAY_REQ": TO_SERVER,
    "DHCP_RELAY_RESP": TO_CLIENT,
}


def check(frame: bytes) -> None:
    """`frame` gets a verdict both ways, and nothing changes that a relay agent may not change."""
    for message_, responder in RESPONDERS.items():
        verdict = responder.respond(frame)
        if isinstance(verdict, Silence):
            assert isinstance(verdict.reason, Reason)
        else:
            assert verdict.message == message_
            check_answer(frame, verdict)


def check_answer(frame: bytes, answer: Answer) -> None:
    """All but checksums, and hops and giaddr or the destination, is as it came."""
    ip = 14
    while frame[ip - 2 : ip] in (b"\x81\0", b"\x88\xa8"):
        ip += 4
    udp = ip + 4 * (frame[ip] & 15)
    dhcp = udp + 8
    length = int.from_bytes(frame[udp + 4 : udp + 6], "big")
    expected = bytearray(answer.frame)
    expected[udp + 6 : dhcp] = frame[udp + 6 : dhcp]
    if answer.message == "DHCP_RELAY_REQ":
        assert answer.frame[dhcp + 3] == frame[dhcp + 3] + 1
        assert answer.frame[dhcp + 24 : dhcp + 28] == RELAY.packed
        expected[dhcp + 3], expected[dhcp + 24 : dhcp + 28] = frame[dhcp + 3], bytes(4)
    else:
        assert answer.frame[:6] == answer.mac
        assert summed(answer.frame[ip:udp]) == 0
        expected[:6] = frame[:6]
        for at in (slice(ip + 10, ip + 12), slice(ip + 16, ip + 20)):
            expected[at] = frame[at]
    assert expected == frame
    if any(frame[udp + 6 : dhcp]):
        pseudo_header = answer.frame[ip + 12 : ip + 20] + struct.pack("!HH", 17, length)
        assert summed(pseudo_header + answer.frame[udp : udp + length]) == 0


def summed(data: bytes) -> int:
    """0 if the checksum in the data is right (RFC 1071)."""
    words: tuple[int, ...] = struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2))
    return sum(words) % 0xFFFF
