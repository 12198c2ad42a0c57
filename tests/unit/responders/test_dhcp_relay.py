# SPDX-License-Identifier: Apache-2.0
"""OVN's relay agent: what it passes on, and what it does not."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from ovs_dhcpd.controller.responders.dhcp_relay import (
    DhcpRelayRequestResponder,
    DhcpRelayResponseResponder,
)
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence, Verdict

from tests.lab.packets import ACK, DISCOVER, NAK, OFFER, option
from tests.lab.packets_relay import (
    CLIENT,
    DHCP,
    LEASED,
    NONE,
    RELAY,
    SERVER,
    STRAY,
    TO_CLIENT,
    TO_SERVER,
    message,
    of_client,
    of_server,
    reply,
)


def passed_on(verdict: Verdict) -> Answer:
    assert isinstance(verdict, Answer), verdict
    return verdict


# -- to the server


def test_a_request_gets_the_relay_agents_address_and_one_hop_more() -> None:
    frame = of_client(message(1, option(53, DISCOVER), option(50, LEASED), hops=2))
    relayed = of_client(
        message(1, option(53, DISCOVER), option(50, LEASED), hops=3, giaddr=str(RELAY))
    )
    verdict = TO_SERVER.respond(frame)
    address = IPv4Address(LEASED).packed
    assert verdict == Answer(relayed, "DHCP_RELAY_REQ", CLIENT, address)


def test_the_rest_of_the_frame_stays() -> None:
    """VLAN tag, IP options, TTL, a checksum that was left out, what is behind the datagram."""
    content = message(1, option(53, DISCOVER))
    plain = of_client(content, tags=b"\x81\0\0\x07")
    ip = plain[18:38]
    ip = b"\x46" + ip[1:8] + b"\x03" + ip[9:10] + b"\xbe\xef" + ip[12:] + b"\1\1\1\0"
    length = (len(ip) + 8 + len(content)).to_bytes(2, "big")
    head = plain[:18] + ip[:2] + length + ip[4:]
    udp = plain[38:44] + b"\0\0"
    verdict = passed_on(TO_SERVER.respond(head + udp + content + b"behind"))
    relayed = content[:3] + b"\1" + content[4:24] + RELAY.packed + content[28:]
    assert verdict.frame == head + udp + relayed + b"behind"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (message(2, option(53, DISCOVER)), Reason.NOT_BOOTREQUEST),
        (message(1, option(53, DISCOVER), giaddr="10.0.0.1"), Reason.RELAYED),
        (message(1, option(53, DISCOVER), hops=16), Reason.TOO_MANY_HOPS),
        (message(1, option(53, DISCOVER), hops=255), Reason.TOO_MANY_HOPS),
        (message(1, option(50, LEASED)), Reason.NO_MESSAGE_TYPE),
        (message(1, b"\x35\x02\1\1"), Reason.NO_MESSAGE_TYPE),
        (message(1, b"\x35\xff\1"), Reason.BAD_OPTIONS),
        (message(1, option(53, DISCOVER), magic=bytes(4)), Reason.BAD_COOKIE),
    ],
)
def test_what_no_client_may_send_is_not_passed_on(content: bytes, reason: Reason) -> None:
    assert TO_SERVER.respond(of_client(content)) == Silence(reason, CLIENT)


def test_only_what_is_dhcp_over_ethernet_is_looked_at() -> None:
    good = of_client(message(1, option(53, DISCOVER)))
    for frame, reason in (
        (of_client(message(1, option(53, DISCOVER), hardware=6)), Reason.NOT_ETHERNET),
        (of_client(b"short"), Reason.TRUNCATED),
        (good[:36] + b"\0\x44" + good[38:], Reason.NOT_DHCP),  # to port 68
        (good[:23] + b"\x06" + good[24:], Reason.NOT_DHCP),
        (good[:20] + b"\x20\0" + good[22:], Reason.FRAGMENT),
    ):
        assert TO_SERVER.respond(frame) == TO_CLIENT.respond(frame) == Silence(reason)


# -- to the client


@pytest.mark.parametrize(
    ("content", "destination"),
    [
        (reply(), LEASED),
        (reply(ACK), LEASED),
        (reply(broadcast=True), "255.255.255.255"),
        (reply(OFFER, option(54, str(SERVER)), yiaddr=STRAY), STRAY),  # names no netmask
        (reply(NAK, option(54, str(SERVER)), yiaddr=NONE), "255.255.255.255"),
        (reply(NAK, option(54, str(SERVER)), option(1, "255.255.255.0"), yiaddr=STRAY), STRAY),
    ],
)
def test_a_reply_goes_to_the_client(content: bytes, destination: str) -> None:
    verdict = TO_CLIENT.respond(of_server(content))
    expected = of_server(content, IPv4Address(destination), CLIENT)
    assert verdict == Answer(expected, "DHCP_RELAY_RESP", CLIENT, content[16:20])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\1" + reply()[1:], Reason.NOT_BOOTREPLY),
        (reply()[:24] + bytes(4) + reply()[28:], Reason.OTHER_RELAY),
        (reply()[:24] + SERVER.packed + reply()[28:], Reason.OTHER_RELAY),
        (reply(OFFER, option(1, "255.255.255.0")), Reason.NOT_THE_SERVER),
        (reply(OFFER, option(54, "172.16.1.2")), Reason.NOT_THE_SERVER),
        (reply(yiaddr=STRAY), Reason.OFF_LINK),
        (reply(ACK, yiaddr=NONE), Reason.OFF_LINK),
        (reply()[:240] + b"\xff", Reason.NO_MESSAGE_TYPE),
    ],
)
def test_what_is_not_from_the_server_for_this_relay_agent_goes_nowhere(
    content: bytes, reason: Reason
) -> None:
    assert TO_CLIENT.respond(of_server(content)) == Silence(reason, CLIENT)


@pytest.mark.parametrize("responder", [TO_SERVER, TO_CLIENT])
def test_a_message_cut_anywhere_gets_a_verdict(
    responder: DhcpRelayRequestResponder | DhcpRelayResponseResponder,
) -> None:
    for frame in (of_client(message(1, option(53, DISCOVER))), of_server(reply())):
        for size in range(len(frame)):
            assert responder.respond(frame[:size]) == Silence(
                Reason.TRUNCATED if size >= 14 else Reason.NOT_DHCP
            )
        content = frame[DHCP:]
        for size in range(len(content)):
            whole = of_client(content[:size])
            assert isinstance(responder.respond(whole), (Answer, Silence))
