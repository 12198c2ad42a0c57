# SPDX-License-Identifier: Apache-2.0
"""The DHCPv4 responder: the RFC checklist line by line, then what OVN does not do right."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest
from ovs_dhcpd.controller.responders.dhcpv4 import Dhcpv4Responder
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts
from ovs_dhcpd.flows.userdata.extension import BootFile, Dhcpv4Extension

from tests.lab.packets import (
    ACK,
    DECLINE,
    DISCOVER,
    INFORM,
    NAK,
    OFFER,
    RELEASE,
    REQUEST,
    option,
    parse_reply,
)
from tests.unit.requests import (
    BOOTP,
    BROADCAST,
    CLIENT,
    MAC,
    NO_EXTENSION,
    OWN,
    SERVER,
    answer,
    ask,
    codes,
    destination,
    opts,
    patch,
    serve,
    silence,
)

WRONG = "192.168.9.9"
SECOND, THIRD = "10.0.0.6", "10.0.0.7"
OTHER_SERVER = "10.0.0.250"
RELAY = "10.0.0.2"
ZERO = "0.0.0.0"

RAW_MAC = bytes.fromhex(MAC.replace(":", ""))
CLIENT_ID = option(61, bytes.fromhex("01020000000001"))
AGENT = option(82, bytes.fromhex("010474657374"))
DEFAULT_ROUTE = "{0.0.0.0/0,10.0.0.1}"

WANTS_RAPID = option(80, b"")
RAPID = Dhcpv4Extension(rapid_commit=True)
URL = b"http://10.0.0.9/boot/grubx64.efi"
BY_ARCHITECTURE = Dhcpv4Extension(
    boot_files=(
        BootFile((0,), b"undionly"),
        BootFile((7, 9), b"ipxe.efi"),
        BootFile((11,), b"arm64.efi"),
    )
)

OFFERED = ask(DISCOVER)
SELECTING = ask(REQUEST, option(54, SERVER), option(50, OWN))
REBOOTING = ask(REQUEST, option(50, OWN))
RENEWING = ask(REQUEST, ciaddr=OWN, ip_src=OWN, ip_dst=SERVER)
REFUSED = ask(REQUEST, option(50, WRONG))


def prl(*wanted: int) -> bytes:
    """Option 55."""
    return option(55, bytes(wanted))


def prefix(octets: str) -> bytes:
    return bytes.fromhex(octets.replace(" ", ""))


def routes(count: int) -> str:
    """`count` routes of 7 bytes each."""
    return "{" + ", ".join(f"10.{n}.0.0/16,10.0.0.1" for n in range(count)) + "}"


# RFC checklist


@pytest.mark.parametrize("frame", [OFFERED, REBOOTING, REFUSED], ids=["offer", "ack", "nak"])
def test_line_01_header_fields(frame: bytes) -> None:
    frame = patch(patch(frame, 3, b"\3"), 8, b"\0\x09\x80\0")
    frame = patch(frame, 34, b"0123456789")  # chaddr is 16 bytes
    verdict = serve().respond(frame)
    assert isinstance(verdict, Answer)
    got = verdict.frame[BOOTP:]
    sent = frame[BOOTP:]
    assert got[:12] == prefix("02 01 06 00") + sent[4:8] + prefix("0000 8000")
    assert got[24:44] == sent[24:44]


@pytest.mark.parametrize("frame", [OFFERED, REBOOTING, REFUSED], ids=["offer", "ack", "nak"])
def test_line_02_option_area(frame: bytes) -> None:
    verdict = serve().respond(frame)
    assert isinstance(verdict, Answer)
    area = verdict.frame[BOOTP + 236 :]
    assert area[:6] == prefix("63 82 53 63 35 01")
    assert area.rstrip(b"\0")[-1] == 255


@pytest.mark.parametrize("sport", [68, 67, 1068])
def test_line_03_any_source_port(sport: int) -> None:
    assert destination(answer(serve(), ask(DISCOVER, sport=sport))) == CLIENT


def test_line_03_only_port_67() -> None:
    frame = OFFERED[:36] + b"\0\x44" + OFFERED[38:]
    assert silence(serve(), frame) == Silence(Reason.NOT_DHCP)


@pytest.mark.parametrize("ciaddr", [ZERO, OWN])
@pytest.mark.parametrize("broadcast", [True, False])
def test_line_04_relayed(ciaddr: str, broadcast: bool) -> None:
    frame = ask(REQUEST, option(50, OWN), giaddr=RELAY, ciaddr=ciaddr, broadcast=broadcast)
    assert destination(answer(serve(), frame)) == (MAC, RELAY, 67)


@pytest.mark.parametrize("frame", [ask(DISCOVER, ciaddr=OWN), RENEWING], ids=["offer", "ack"])
def test_line_05_to_ciaddr(frame: bytes) -> None:
    assert destination(answer(serve(), frame)) == CLIENT


@pytest.mark.parametrize("message", [DISCOVER, REQUEST])
def test_line_06_broadcast(message: int) -> None:
    frame = ask(message, option(50, OWN), broadcast=True)
    assert destination(answer(serve(), frame)) == BROADCAST


@pytest.mark.parametrize("frame", [OFFERED, REBOOTING], ids=["offer", "ack"])
def test_line_07_to_yiaddr(frame: bytes) -> None:
    assert destination(answer(serve(), frame)) == CLIENT


@pytest.mark.parametrize("broadcast", [True, False])
def test_line_08_nak_destination(broadcast: bool) -> None:
    nak = answer(serve(), ask(REQUEST, ciaddr=WRONG, broadcast=broadcast))
    assert (nak.message, destination(nak)) == (NAK, BROADCAST)
    assert nak.flags == (0x8000 if broadcast else 0)
    relayed = answer(serve(), ask(REQUEST, ciaddr=WRONG, giaddr=RELAY, broadcast=broadcast))
    assert (relayed.message, destination(relayed)) == (NAK, (MAC, RELAY, 67))
    assert relayed.flags == 0x8000


def test_line_09_offer() -> None:
    frame = ask(DISCOVER, option(50, WRONG), option(57, b"\2\x40"), prl(51, 50, 55, 57))
    reply = answer(serve(), patch(frame, 12, bytes([10, 0, 0, 5])))
    assert (reply.ciaddr, reply.yiaddr) == (ZERO, OWN)
    assert reply.options == (
        (53, bytes([OFFER])),
        (54, bytes([10, 0, 0, 1])),
        (51, bytes([0, 0, 14, 16])),
        (1, bytes([255, 255, 255, 0])),
    )


def test_line_10_ack_has_what_the_offer_had() -> None:
    responder = serve(router=SERVER, dns_server="10.0.0.53", next_server="10.0.0.9", T1=600)
    offer, ack = answer(responder, OFFERED), answer(responder, SELECTING)
    assert (ack.message, ack.ciaddr, ack.yiaddr, ack.siaddr) == (ACK, ZERO, OWN, "10.0.0.9")
    assert ack.options[1:] == offer.options[1:]
    assert {51, 54} <= set(codes(ack))
    assert answer(responder, RENEWING).ciaddr == OWN


def test_line_11_inform() -> None:
    frame = ask(INFORM, prl(58, 59, 51, 6), ciaddr=OWN, ip_src=OWN)
    responder = serve(dns_server="10.0.0.53", T1=600)
    reply = answer(responder, frame)
    assert (reply.message, reply.ciaddr, reply.yiaddr) == (ACK, OWN, ZERO)
    assert codes(reply) == [53, 54, 1, 6]
    assert destination(reply) == CLIENT
    assert codes(answer(responder, ask(INFORM, ciaddr=OWN))) == [53, 54, 1, 6]


def test_line_12_nak() -> None:
    responder = serve(router=SERVER, next_server=SERVER, bootfile_name="boot")
    frame = ask(REQUEST, CLIENT_ID, prl(1, 3, 51, 67), ciaddr=WRONG)
    reply = answer(responder, frame)
    assert codes(reply) == [53, 54, 56, 61]
    assert (reply.ciaddr, reply.yiaddr, reply.siaddr) == (ZERO, ZERO, ZERO)
    assert (reply.sname, reply.file) == (b"", b"")


def test_line_13_selecting() -> None:
    assert answer(serve(), SELECTING).message == ACK
    for address in (OWN, WRONG):
        frame = ask(REQUEST, option(54, OTHER_SERVER), option(50, address))
        assert silence(serve(), frame) == Silence(Reason.OTHER_SERVER, RAW_MAC)
    assert answer(serve(), ask(REQUEST, option(54, SERVER), option(50, WRONG))).message == NAK


def test_line_14_init_reboot() -> None:
    assert answer(serve(), REBOOTING).message == ACK
    assert answer(serve(), REFUSED).message == NAK
    unknown = ask(REQUEST, option(50, OWN), chaddr="02:00:00:00:00:99")
    assert silence(serve(), unknown).reason is Reason.SPOOFED_CHADDR


@pytest.mark.parametrize("ip_dst", [SERVER, "255.255.255.255"], ids=["renew", "rebind"])
def test_line_15_renew_and_rebind(ip_dst: str) -> None:
    right = ask(REQUEST, ciaddr=OWN, ip_src=OWN, ip_dst=ip_dst)
    wrong = ask(REQUEST, ciaddr=WRONG, ip_src=WRONG, ip_dst=ip_dst)
    assert answer(serve(), right).message == ACK
    assert answer(serve(), wrong).message == NAK
    unspecified = ask(REQUEST, option(50, ZERO), ciaddr=OWN, ip_src=OWN, ip_dst=ip_dst)
    assert answer(serve(), unspecified).message == ACK


@pytest.mark.parametrize("options", [(), (option(50, ZERO),), (option(50, b"\x0a"),)])
def test_line_16_no_address(options: tuple[bytes, ...]) -> None:
    assert silence(serve(), ask(REQUEST, *options)) == Silence(Reason.NO_ADDRESS, RAW_MAC)


def test_line_17_decline_and_release() -> None:
    responder = serve()
    own = bytes([10, 0, 0, 5])
    decline = ask(DECLINE, option(54, SERVER), option(50, OWN))
    release = ask(RELEASE, option(54, SERVER), ciaddr=OWN)
    assert silence(responder, decline) == Silence(Reason.DECLINED, RAW_MAC, own, "DHCPDECLINE")
    assert silence(responder, release) == Silence(Reason.RELEASED, RAW_MAC, own, "DHCPRELEASE")
    assert answer(responder, OFFERED).yiaddr == OWN
    for message in (DECLINE, RELEASE):
        assert silence(responder, ask(message)) == Silence(Reason.NO_ADDRESS, RAW_MAC)
        frame = ask(message, option(54, OTHER_SERVER), option(50, OWN), ciaddr=OWN)
        assert silence(responder, frame) == Silence(Reason.OTHER_SERVER, RAW_MAC)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (ask(OFFER), Reason.SERVER_MESSAGE),
        (ask(ACK), Reason.SERVER_MESSAGE),
        (ask(NAK), Reason.SERVER_MESSAGE),
        (patch(OFFERED, 0, b"\2"), Reason.NOT_BOOTREQUEST),
        (patch(OFFERED, 236, b"\x64"), Reason.BAD_COOKIE),
        (patch(OFFERED, 240, b"\xff"), Reason.NO_MESSAGE_TYPE),
        (ask(0), Reason.UNKNOWN_MESSAGE),
        (ask(9), Reason.UNKNOWN_MESSAGE),
        (ask(255), Reason.UNKNOWN_MESSAGE),
    ],
)
def test_line_18_not_a_clients_message(frame: bytes, reason: Reason) -> None:
    assert silence(serve(), frame) == Silence(reason, RAW_MAC)


def test_line_19_reserved_flags() -> None:
    for flags, to in ((0x7FFF, CLIENT), (0xFFFF, BROADCAST)):
        reply = answer(serve(), patch(OFFERED, 10, flags.to_bytes(2, "big")))
        assert (reply.flags, destination(reply)) == (flags, to)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"lease_time": 3600}, (1800, 3150)),
        ({"lease_time": 3600, "T1": 60}, (60, 3150)),
        ({"lease_time": 3600, "T1": 60, "T2": 90}, (60, 90)),
        ({"lease_time": 3600, "T1": 90, "T2": 60}, (1800, 3150)),
        ({"lease_time": 3600, "T1": 60, "T2": 3600}, (1800, 3150)),
        ({"lease_time": 2}, None),
        ({"lease_time": 0xFFFFFFFF}, None),
        ({"lease_time": 0xFFFFFFFF, "T1": 60, "T2": 90}, None),
    ],
)
def test_line_20_renewal_times(options: dict[str, int], expected: tuple[int, int] | None) -> None:
    times = [] if expected is None else [t.to_bytes(4, "big") for t in expected]
    reply = answer(serve(**options), ask(DISCOVER, prl(58, 59)))
    assert [reply.option(code) for code in (58, 59) if code in codes(reply)] == times
    unasked = answer(serve(**options), ask(DISCOVER, prl(6)))
    configured = {58: "T1", 59: "T2"}
    assert {code for code in codes(unasked) if code in configured} == {
        code for code, name in configured.items() if name in options and expected is not None
    }


@pytest.mark.parametrize("wished", [60, 7200, 0xFFFFFFFF])
def test_line_21_lease_time_is_ours(wished: int) -> None:
    frame = ask(DISCOVER, option(51, wished.to_bytes(4, "big")))
    assert answer(serve(), frame).option(51) == (3600).to_bytes(4, "big")


def test_line_22_asked_order_each_once_nothing_invented() -> None:
    responder = serve(router=SERVER, dns_server="10.0.0.53", mtu=1442, domain_name="ovn.org")
    reply = answer(responder, ask(DISCOVER, prl(26, 6, 42, 3, 6, 26, 53, 119)))
    assert codes(reply) == [53, 54, 51, 1, 26, 6, 3]


@pytest.mark.parametrize("asked", [(prl(3, 1),), (prl(6, 3),), ()])
def test_line_23_netmask_before_router(asked: tuple[bytes, ...]) -> None:
    # The order of the userdata is somebody else's: OVN's, or any.
    options = ((3, bytes(4)), *opts().options)
    reply = answer(Dhcpv4Responder(PutDhcpOpts(opts().offerip, options)), ask(DISCOVER, *asked))
    assert codes(reply) == [53, 54, 51, 1, 3]


@pytest.mark.parametrize(
    ("maximum", "limit"), [(None, 576), (300, 576), (576, 576), (700, 700), (65535, 1500)]
)
def test_line_24_maximum_message_size(maximum: int | None, limit: int) -> None:
    responder = serve(**{f"option_{n}": f"{'x' * 60}" for n in range(224, 248)})
    size = () if maximum is None else (option(57, maximum.to_bytes(2, "big")),)
    verdict = responder.respond(ask(DISCOVER, *size))
    assert isinstance(verdict, Answer)
    assert limit - 63 < len(verdict.frame) - 14 <= limit
    assert verdict.dropped


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (27, (576, [53, 54, 51, 1, 224, 225])),
        (28, (576 - 29 + 3, [53, 54, 51, 1, 52, 224, 225])),  # option 52 in the place of 225
    ],
)
def test_line_24_to_the_last_byte(last: int, expected: tuple[int, list[int]]) -> None:
    """576 = 28 of IP and UDP, 240, 21 of 53, 54, 51 and 1, 257 of 224, 29 of 225, END."""
    verdict = serve(option_224="x" * 255, option_225="y" * last).respond(OFFERED)
    assert isinstance(verdict, Answer)
    reply = parse_reply(verdict.frame)
    assert reply is not None
    assert (len(verdict.frame) - 14, codes(reply)) == expected


def test_line_25_overload() -> None:
    responder = serve(
        **{f"option_{n}": "x" * 90 for n in range(224, 229)},
        bootfile_name="pxelinux.0",
        tftp_server="tftp",
    )
    verdict = responder.respond(ask(DISCOVER, prl(*range(224, 229))))
    assert isinstance(verdict, Answer)
    assert verdict.dropped == (228,)
    in_file = bytes([227, 90]) + b"x" * 90 + bytes([67, 10]) + b"pxelinux.0"
    message = verdict.frame[BOOTP:]
    assert message[108:236] == (in_file + b"\xff").ljust(128, b"\0")
    assert message[44:108] == bytes(64)
    reply = parse_reply(verdict.frame)
    assert reply is not None
    assert codes(reply) == [53, 54, 51, 1, 52, 224, 225, 226, 66, 227, 67]
    assert reply.option(52) == b"\1"


def test_line_25_overload_of_both_fields() -> None:
    responder = serve(**{f"option_{n}": "x" * 60 for n in range(224, 234)})
    verdict = responder.respond(OFFERED)
    assert isinstance(verdict, Answer)
    message = verdict.frame[BOOTP:]
    assert message[44:46] == bytes([230, 60])
    assert message[106:108] == b"\xff\0"
    assert message[108:110] == bytes([228, 60])
    assert message[232:236] == b"\xff\0\0\0"
    reply = parse_reply(verdict.frame)
    assert reply is not None
    assert reply.option(52) == b"\3"
    assert verdict.dropped == (231, 232, 233)


def test_line_26_minimum_size() -> None:
    for frame in (OFFERED, REBOOTING, REFUSED):
        assert answer(serve(), frame).bootp_length == 300


def test_line_27_long_options_out() -> None:
    responder = serve(classless_static_route=routes(37))
    reply = answer(responder, OFFERED)
    assert [len(v) for code, v in reply.options if code == 121] == [255, 4]
    assert reply.option(121) == dict(opts(classless_static_route=routes(37)).options)[121]


def test_line_27_long_option_over_three_fields() -> None:
    responder = serve(classless_static_route=routes(60))
    verdict = responder.respond(OFFERED)
    assert isinstance(verdict, Answer)
    reply = parse_reply(verdict.frame)
    assert reply is not None
    assert verdict.dropped == ()
    assert reply.option(52) == b"\3"
    assert reply.option(121) == dict(opts(classless_static_route=routes(60)).options)[121]


def test_line_27_split_options_in() -> None:
    frame = ask(DISCOVER, option(61, b"\x01\2\0"), option(55, b"\6"), option(61, b"\0\0\0\1"))
    assert answer(serve(), frame).option(61) == prefix("01 020000000001")


def test_line_28_classless_routes() -> None:
    value = "{10.0.0.128/25,10.0.0.1, 10.1.2.3/16,0.0.0.0, 0.0.0.0/0,10.0.0.1}"
    reply = answer(serve(classless_static_route=value), OFFERED)
    assert reply.option(121) == prefix("19 0a000080 0a000001  10 0a01 00000000  00 0a000001")


def test_line_29_classless_routes_replace_router() -> None:
    responder = serve(
        router=SERVER, classless_static_route=DEFAULT_ROUTE, option_33="0x0a0100010a000001"
    )
    assert codes(answer(responder, ask(DISCOVER, prl(3, 33, 121))))[4:] == [121]
    assert codes(answer(responder, ask(DISCOVER, prl(3, 33))))[4:] == [3, 33]
    assert codes(answer(serve(router=SERVER), ask(DISCOVER, prl(3, 121))))[4:] == [3]


def test_line_29_not_when_the_routes_are_dropped() -> None:
    responder = serve(router=SERVER, classless_static_route=routes(120))
    verdict = responder.respond(ask(DISCOVER, prl(121, 3)))
    assert isinstance(verdict, Answer)
    assert verdict.dropped == (121,)
    reply = parse_reply(verdict.frame)
    assert reply is not None
    assert codes(reply)[4:] == [3]


def test_line_29_microsofts_249_replaces_nothing() -> None:
    """MS-DHCPE 2.2.8: it has no effect on other options."""
    responder = serve(router=SERVER, ms_classless_static_route=DEFAULT_ROUTE)
    assert codes(answer(responder, ask(DISCOVER, prl(3, 249))))[4:] == [3, 249]


def test_line_30_search_list() -> None:
    reply = answer(serve(domain_search_list="ovn.org,www.ovn.org"), ask(DISCOVER, prl(119)))
    assert reply.option(119) == b"\3ovn\3org\0\3www\xc0\0"


def test_line_31_rapid_commit_on() -> None:
    responder = serve(RAPID, router=SERVER, T1=600)
    reply = answer(responder, ask(DISCOVER, WANTS_RAPID, CLIENT_ID, broadcast=True))
    assert (reply.message, reply.ciaddr, reply.yiaddr) == (ACK, ZERO, OWN)
    assert destination(reply) == BROADCAST
    selecting = ask(REQUEST, option(54, SERVER), option(50, OWN), CLIENT_ID)
    lease = answer(responder, selecting).options
    assert sorted(reply.options) == sorted((*lease, (80, b"")))


def test_line_31_rapid_commit_off() -> None:
    reply = answer(serve(), ask(DISCOVER, WANTS_RAPID, prl(80)))
    assert (reply.message, 80 in codes(reply)) == (OFFER, False)


def test_line_31_rapid_commit_not_asked_for() -> None:
    reply = answer(serve(RAPID), ask(DISCOVER, prl(80)))
    assert (reply.message, 80 in codes(reply)) == (OFFER, False)


@pytest.mark.parametrize("address", [OWN, WRONG])
def test_line_31_rapid_commit_only_after_discover(address: str) -> None:
    request = ask(REQUEST, WANTS_RAPID, option(50, address), prl(80))
    inform = ask(INFORM, WANTS_RAPID, prl(80), ciaddr=address)
    for frame in (request, inform):
        assert 80 not in codes(answer(serve(RAPID), frame))


@pytest.mark.parametrize("value", [b"\0", b"", prefix("01 020000000001"), b"\xff" * 200])
def test_line_32_client_id(value: bytes) -> None:
    for message, extra in ((DISCOVER, OWN), (REQUEST, OWN), (REQUEST, WRONG)):
        reply = answer(serve(), ask(message, option(61, value), option(50, extra)))
        assert (61, value) in reply.options
        assert 61 not in codes(answer(serve(), ask(message, option(50, extra))))


@pytest.mark.parametrize("name", ["ipv6_only_preferred", "option_108"])
def test_line_33_ipv6_only_preferred(name: str) -> None:
    responder = serve(**{name: 1800 if name == "ipv6_only_preferred" else "0x00000708"})
    for message, kind in ((DISCOVER, OFFER), (REQUEST, ACK)):
        reply = answer(responder, ask(message, option(50, OWN), prl(108)))
        assert (reply.message, reply.yiaddr) == (kind, OWN)
        assert reply.option(108) == prefix("00000708")
        for asked in ((prl(1, 3),), ()):
            assert 108 not in codes(answer(responder, ask(message, option(50, OWN), *asked)))
    refused = ask(REQUEST, option(50, WRONG), prl(108))
    informed = ask(INFORM, prl(108), ciaddr=OWN)
    for frame in (refused, informed):
        assert 108 not in codes(answer(responder, frame))


def test_line_34_captive_portal() -> None:
    uri = "urn:ietf:params:capport:unrestricted"
    responder = serve(captive_portal=uri)
    for message in (DISCOVER, REQUEST, INFORM):
        frame = ask(message, option(50, OWN), prl(114), ciaddr=OWN)
        assert answer(responder, frame).option(114) == uri.encode()
    assert 114 not in codes(answer(responder, ask(DISCOVER, prl(1))))


def test_line_35_relay_agent_information() -> None:
    for message, address in ((DISCOVER, OWN), (REQUEST, OWN), (REQUEST, WRONG)):
        frame = ask(message, AGENT, CLIENT_ID, option(50, address), giaddr=RELAY)
        assert answer(serve(router=SERVER), frame).options[-1] == (82, AGENT[2:])


@pytest.mark.parametrize(
    "tail", ["32", "3204", "32040a0000", "37ff01"], ids=["code", "length", "value", "55"]
)
def test_line_36_past_the_end(tail: str) -> None:
    frame = bytearray(ask(DISCOVER, prefix(tail))[:-1])
    frame[16:18] = (len(frame) - 14).to_bytes(2, "big")
    frame[38:40] = (len(frame) - 34).to_bytes(2, "big")
    assert silence(serve(), bytes(frame)) == Silence(Reason.BAD_OPTIONS, RAW_MAC)


def test_line_36_forgiven() -> None:
    padded = ask(DISCOVER, b"\0\0", prl(3), b"\0", CLIENT_ID, b"\0")
    padded = patch(padded, 240, b"\0" + padded[BOOTP + 240 : -1])
    assert codes(answer(serve(router=SERVER), padded)) == [53, 54, 51, 1, 3, 61]
    without_end = patch(ask(DISCOVER, prl(3)), 246, b"\0")
    assert answer(serve(), without_end).message == OFFER
    twice = ask(DISCOVER, option(53, REQUEST), option(50, WRONG))
    assert answer(serve(), twice).message == OFFER


@pytest.mark.parametrize("size", [0, 1, 239])
def test_line_36_shorter_than_a_message(size: int) -> None:
    frame = bytearray(OFFERED[: BOOTP + size])
    frame[16:18] = (28 + size).to_bytes(2, "big")
    frame[38:40] = (8 + size).to_bytes(2, "big")
    assert silence(serve(), bytes(frame)) == Silence(Reason.TRUNCATED, RAW_MAC)


# Where OVN falls short


def test_a01_nak_names_the_server() -> None:
    reply = answer(serve(), ask(REQUEST, CLIENT_ID, option(50, WRONG)))
    assert reply.options == (
        (53, bytes([NAK])),
        (54, bytes([10, 0, 0, 1])),
        (56, b"address not assigned to this port"),
        (61, CLIENT_ID[2:]),
    )


def test_a02_nak_is_broadcast() -> None:
    assert destination(answer(serve(), REFUSED)) == BROADCAST


@pytest.mark.parametrize("address", [OWN, WRONG])
def test_a03_header_not_echoed(address: str) -> None:
    fields: dict[str, Any] = {"hops": 3, "secs": 9, "sname": b"foo", "file": b"bar"}
    reply = answer(serve(), ask(REQUEST, option(50, address), **fields))
    assert (reply.hops, reply.secs, reply.sname, reply.file) == (0, 0, b"", b"")


@pytest.mark.parametrize("address", [OWN, "10.0.0.77"])
def test_a04_another_servers_client(address: str) -> None:
    frame = ask(REQUEST, option(54, OTHER_SERVER), option(50, address))
    assert silence(serve(), frame).reason is Reason.OTHER_SERVER


@pytest.mark.parametrize("ip_dst", [SERVER, "255.255.255.255"], ids=["renew", "rebind"])
def test_a05_client_on_an_old_address(ip_dst: str) -> None:
    old = "10.0.0.77"
    reply = answer(serve(), ask(REQUEST, ciaddr=old, ip_src=old, ip_dst=ip_dst))
    assert (reply.message, destination(reply)) == (NAK, BROADCAST)


def test_a06_request_without_address() -> None:
    assert silence(serve(), ask(REQUEST)).reason is Reason.NO_ADDRESS


@pytest.mark.parametrize("ip_src", [OWN, "10.0.0.88"])
@pytest.mark.parametrize("giaddr", [ZERO, RELAY])
def test_a07_inform(ip_src: str, giaddr: str) -> None:
    responder = serve(next_server="10.0.0.9", dns_server="10.0.0.53")
    frame = ask(INFORM, prl(1, 6), ciaddr="10.0.0.88", ip_src=ip_src, giaddr=giaddr)
    reply = answer(responder, frame)
    assert (reply.ciaddr, reply.yiaddr, reply.siaddr) == ("10.0.0.88", ZERO, "10.0.0.9")
    assert codes(reply) == [53, 54, 1, 6]
    assert destination(reply) == (MAC, "10.0.0.88", 68)


def test_a07_inform_without_ciaddr() -> None:
    from_source = answer(serve(), ask(INFORM, ip_src="10.0.0.88"))
    assert destination(from_source) == (MAC, "10.0.0.88", 68)
    assert from_source.ciaddr == ZERO
    assert silence(serve(), ask(INFORM)) == Silence(Reason.NO_ADDRESS, RAW_MAC)
    assert destination(answer(serve(), ask(INFORM, giaddr=RELAY))) == (MAC, RELAY, 67)


def test_a08_client_id_returns() -> None:
    for message, address in ((DISCOVER, OWN), (REQUEST, OWN), (REQUEST, WRONG)):
        reply = answer(serve(), ask(message, CLIENT_ID, option(50, address)))
        assert reply.option(61) == CLIENT_ID[2:]


def test_a09_parameter_request_list() -> None:
    responder = serve(router=SERVER, dns_server="10.0.0.53", mtu=1442, T1=600, hostname="vm1")
    assert codes(answer(responder, ask(DISCOVER, prl(6, 3)))) == [53, 54, 51, 58, 1, 6, 3]
    everything = answer(responder, OFFERED)
    assert codes(everything) == [53, 54, 51, 58, 1, 6, 12, 26, 3]


def test_a10_no_router_beside_classless_routes() -> None:
    responder = serve(router=SERVER, classless_static_route=DEFAULT_ROUTE)
    assert codes(answer(responder, ask(DISCOVER, prl(1, 3, 121))))[3:] == [1, 121]


def test_a11_long_values() -> None:
    servers = "{" + ", ".join(f"10.0.1.{n}" for n in range(70)) + "}"
    name = "a" * 307
    for options, code in (
        ({"classless_static_route": routes(37)}, 121),
        ({"dns_server": servers}, 6),
        ({"domain_name": name}, 15),
    ):
        reply = answer(serve(**options), OFFERED)
        assert reply.option(code) == dict(opts(**options).options)[code]


def test_a12_message_size_honoured() -> None:
    responder = serve(**{f"option_{n}": "x" * 60 for n in range(224, 236)})
    frame = ask(DISCOVER, option(57, b"\2\x40"), CLIENT_ID, AGENT)
    verdict = responder.respond(frame)
    assert isinstance(verdict, Answer)
    assert len(verdict.frame) - 14 <= 576
    assert verdict.dropped == (231, 232, 233, 234, 235)
    reply = parse_reply(verdict.frame)
    assert reply is not None
    assert {51, 53, 54, 61, 82} <= set(codes(reply))


def test_a12_the_message_of_a_nak_goes_first() -> None:
    frame = ask(REQUEST, option(50, WRONG), option(61, b"c" * 200), option(82, b"a" * 80))
    verdict = serve().respond(frame)
    assert isinstance(verdict, Answer)
    reply = parse_reply(verdict.frame)
    assert reply is not None
    assert codes(reply) == [53, 54, 52, 61, 82, 56]


def test_a12_what_must_return_does_not_fit() -> None:
    frame = ask(DISCOVER, option(61, b"c" * 200), option(82, b"a" * 100))
    assert silence(serve(), frame) == Silence(Reason.NO_ROOM, RAW_MAC)


def test_a13_padded() -> None:
    assert answer(serve(), REFUSED).bootp_length == 300


def test_a14_private_codes_stay_inside() -> None:
    responder = serve(next_server="10.0.0.9", bootfile_name="a", bootfile_name_alt="b")
    for frame in (OFFERED, ask(DISCOVER, prl(253, 254, 67)), ask(INFORM, ciaddr=OWN)):
        reply = answer(responder, frame)
        assert reply.siaddr == "10.0.0.9"
        assert not {253, 254} & set(codes(reply))


def test_a15_search_list_names() -> None:
    reply = answer(serve(domain_search_list="corp.us,corp.uk, b.com"), OFFERED)
    assert reply.option(119) == b"\4corp\2us\0\4corp\2uk\0\1b\3com\0"


@pytest.mark.parametrize(
    ("overload", "fields"),
    [
        (1, {"file": prefix("350101ff")}),
        (2, {"sname": prefix("350101ff")}),
        (3, {"file": prefix("003d0101ff"), "sname": prefix("3d0102350101ff")}),
    ],
)
def test_a16_overloaded_request(overload: int, fields: dict[str, Any]) -> None:
    frame = ask(DISCOVER, **fields)
    frame = patch(frame, 240, bytes([52, 1, overload, 255]))
    reply = answer(serve(), frame)
    assert reply.message == OFFER
    assert reply.option(61) == (b"\1\2" if overload == 3 else b"")


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ((), b"undionly"),
        ((option(77, b"other"),), b"undionly"),
        ((option(175, b"\x13\x01\x01"),), b"menu.ipxe"),
        ((option(77, b"iPXE"),), b"menu.ipxe"),
        ((option(77, b"\4iPXE"),), b"menu.ipxe"),
        ((option(77, b"\5other\4iPXE"),), b"menu.ipxe"),
    ],
)
def test_a17_ipxe(signs: tuple[bytes, ...], expected: bytes) -> None:
    responder = serve(bootfile_name="menu.ipxe", bootfile_name_alt="undionly")
    reply = answer(responder, ask(DISCOVER, prl(67), *signs))
    assert (reply.option(67), reply.file) == (expected, b"")
    unasked = answer(responder, ask(DISCOVER, prl(1), *signs))
    assert (67 in codes(unasked), unasked.file) == (False, expected)


@pytest.mark.parametrize("signs", [(), (option(175, b""),)], ids=["other", "ipxe"])
def test_a17_one_boot_file_is_for_all(signs: tuple[bytes, ...]) -> None:
    for name in ("bootfile_name", "bootfile_name_alt"):
        reply = answer(serve(**{name: "boot"}), ask(DISCOVER, *signs))
        assert reply.option(67) == b"boot"


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        ("0000", b"undionly"),
        ("0007", b"ipxe.efi"),
        ("0009", b"ipxe.efi"),
        ("000b", b"arm64.efi"),
        ("0006", b"other"),
        ("0006 000b 0000", b"arm64.efi"),  # the first of the client's that has one
        ("0006 00", b"other"),
        ("00", b"other"),
        ("", b"other"),
    ],
)
def test_a18_boot_file_by_architecture(architecture: str, expected: bytes) -> None:
    responder = serve(BY_ARCHITECTURE, bootfile_name="menu.ipxe", bootfile_name_alt="other")
    sent = option(93, prefix(architecture))
    asked = answer(responder, ask(DISCOVER, prl(67), sent))
    assert (asked.option(67), asked.file) == (expected, b"")
    unasked = answer(responder, ask(REQUEST, prl(1), sent, option(50, OWN)))
    assert (unasked.option(67), unasked.file) == (b"", expected)


BIOS, RISCV = option(93, prefix("0000")), option(93, prefix("001b"))


@pytest.mark.parametrize(
    ("configured", "rom", "rom_unknown", "ipxe", "ipxe_unknown"),
    [
        ({}, b"undionly", b"", b"undionly", b""),
        ({"bootfile_name": "menu"}, b"undionly", b"menu", b"menu", b"menu"),
        ({"bootfile_name_alt": "other"}, b"undionly", b"other", b"undionly", b"other"),
        (
            {"bootfile_name": "menu", "bootfile_name_alt": "other"},
            *(b"undionly", b"other", b"menu", b"menu"),
        ),
    ],
    ids=["alone", "name", "alt", "both"],
)
@pytest.mark.parametrize("sign", [option(175, b""), option(77, b"iPXE")], ids=["175", "77"])
def test_a18_second_stage_keeps_its_boot_file(
    configured: dict[str, str],
    rom: bytes,
    rom_unknown: bytes,
    ipxe: bytes,
    ipxe_unknown: bytes,
    sign: bytes,
) -> None:
    responder = serve(BY_ARCHITECTURE, **configured)
    clients = [(BIOS,), (RISCV,), (BIOS, sign), (RISCV, sign)]
    got = [answer(responder, ask(DISCOVER, prl(67), *client)).option(67) for client in clients]
    assert got == [rom, rom_unknown, ipxe, ipxe_unknown]


@pytest.mark.parametrize("asked", [(), (prl(1),), (prl(67, 60),)], ids=["", "neither", "both"])
@pytest.mark.parametrize(
    "signs",
    [
        (option(93, prefix("0010")),),
        (option(93, prefix("0010")), option(60, b"HTTPClient:Arch:00016:UNDI:003001")),
        (option(93, prefix("0007")), option(60, b"HTTPClient:Arch:00016")),
    ],
    ids=["93", "93 and 60", "60"],
)
def test_a18_http_boot(asked: tuple[bytes, ...], signs: tuple[bytes, ...]) -> None:
    boot_files = (BootFile((7, 16), URL), BootFile((0,), b"undionly"))
    responder = serve(
        Dhcpv4Extension(boot_files=boot_files), option_60='"other"', bootfile_name="menu"
    )
    for message in (DISCOVER, REQUEST):
        reply = answer(responder, ask(message, *asked, *signs, option(50, OWN)))
        assert (reply.option(60), reply.option(67), reply.file) == (b"HTTPClient", URL, b"")


@pytest.mark.parametrize("architecture", [15, 16, 17, 18, 19, 20, 23, 24, 26, 28, 30, 38, 40])
def test_a18_http_boot_of_every_architecture(architecture: int) -> None:
    sent = option(93, architecture.to_bytes(2, "big"))
    reply = answer(serve(bootfile_name=URL.decode()), ask(DISCOVER, prl(1), sent))
    assert (reply.option(60), reply.option(67)) == (b"HTTPClient", URL)


@pytest.mark.parametrize(
    ("name", "signs"),
    [
        ("ipxe.efi", (option(93, prefix("0010")),)),  # which it could not load
        (URL.decode(), (option(93, prefix("0007")), option(60, b"PXEClient:Arch:00007"))),
        (URL.decode(), (option(93, prefix("0007")), option(77, b"iPXE"))),
    ],
    ids=["no URL", "PXE", "iPXE"],
)
def test_a18_no_http_boot(name: str, signs: tuple[bytes, ...]) -> None:
    reply = answer(serve(bootfile_name=name), ask(DISCOVER, prl(60, 67), *signs))
    assert (60 in codes(reply), reply.option(67)) == (False, name.encode())


VENDOR_OPTIONS = {
    43: prefix("06 01 08 ff"),
    60: b"PXEClient",
    81: prefix("04 ff ff") + b"vm1",
    124: prefix("00000137 03 02 6162"),
    125: prefix("00000137 04 01 02 6162"),
    162: prefix("0004 0001 0a000035"),
}


def test_a19_any_option_by_number() -> None:
    responder = serve(**{f"option_{c}": f"0x{v.hex()}" for c, v in VENDOR_OPTIONS.items()})
    asked = answer(responder, ask(DISCOVER, prl(162, 125, 60, 43, 124, 81)))
    assert codes(asked)[4:] == [162, 125, 60, 43, 124, 81]
    assert {code: asked.option(code) for code in VENDOR_OPTIONS} == VENDOR_OPTIONS
    assert not VENDOR_OPTIONS.keys() & set(codes(answer(responder, ask(DISCOVER, prl(1)))))
    assert VENDOR_OPTIONS.keys() <= set(codes(answer(responder, OFFERED)))


def test_a20_a_client_told_to_prefer_ipv6_is_offered_its_address() -> None:
    reply = answer(serve(ipv6_only_preferred=1800), ask(DISCOVER, prl(108, 1)))
    assert (reply.yiaddr, reply.option(108)) == (OWN, prefix("00000708"))


def test_a20_and_is_not_given_it_at_once() -> None:
    responder = serve(RAPID, ipv6_only_preferred=1800)
    told = answer(responder, ask(DISCOVER, WANTS_RAPID, prl(108)))
    assert (told.message, 80 in codes(told), 108 in codes(told)) == (OFFER, False, True)
    untold = answer(responder, ask(DISCOVER, WANTS_RAPID, prl(1)))
    assert (untold.message, 80 in codes(untold)) == (ACK, True)
    unset = answer(serve(RAPID), ask(DISCOVER, WANTS_RAPID, prl(108)))
    assert (unset.message, 80 in codes(unset)) == (ACK, True)


@pytest.mark.parametrize(("extension", "message"), [(RAPID, ACK), (NO_EXTENSION, OFFER)])
def test_a21_rapid_commit(extension: Dhcpv4Extension, message: int) -> None:
    reply = answer(serve(extension), ask(DISCOVER, WANTS_RAPID))
    assert (reply.message, 80 in codes(reply)) == (message, message == ACK)


@pytest.mark.parametrize("sport", [67, 68, 1068])
def test_a22_relayed(sport: int) -> None:
    frame = ask(DISCOVER, AGENT, giaddr=RELAY, sport=sport, chaddr="02:00:00:00:00:77")
    reply = answer(serve(), frame)
    assert destination(reply) == (MAC, RELAY, 67)
    assert (reply.giaddr, reply.chaddr) == (RELAY, "02:00:00:00:00:77")
    assert reply.options[-1] == (82, AGENT[2:])


def test_a23_decline_is_marked() -> None:
    verdict = silence(serve(), ask(DECLINE, option(50, OWN)))
    assert (verdict.message, verdict.address) == ("DHCPDECLINE", bytes([10, 0, 0, 5]))


def test_a24_foreign_chaddr() -> None:
    frame = ask(DISCOVER, chaddr="02:de:ad:00:00:01")
    assert silence(serve(), frame) == Silence(Reason.SPOOFED_CHADDR, RAW_MAC)


def test_a25_fresh_ip_header() -> None:
    header = OFFERED[14:34]
    length = int.from_bytes(header[2:4], "big") + 4
    odd = b"\x46\xff" + length.to_bytes(2, "big") + b"\x12\x34\0\0\x01" + header[9:20]
    frame = OFFERED[:14] + odd + b"\x94\x04\0\0" + OFFERED[34:]
    verdict, plain = serve().respond(frame), serve().respond(OFFERED)
    assert isinstance(verdict, Answer)
    assert verdict == plain
    assert verdict.frame[14:34] == prefix("4500 0148 00000000 4011 65a0 0a000001 0a000005")


def test_a26_broadcast_flag_with_ciaddr() -> None:
    frame = ask(REQUEST, ciaddr=OWN, ip_src=OWN, broadcast=True)
    assert destination(answer(serve(), frame)) == CLIENT


@pytest.mark.parametrize("hardware", [prefix("2006"), prefix("0110"), prefix("0600")])
def test_a26_only_ethernet(hardware: bytes) -> None:
    assert silence(serve(), patch(OFFERED, 1, hardware)).reason is Reason.NOT_ETHERNET


# A port with several addresses


@pytest.mark.parametrize(
    ("wish", "offered"), [((), OWN), ((option(50, SECOND),), SECOND), ((option(50, WRONG),), OWN)]
)
@pytest.mark.parametrize("rapid", [True, False])
def test_line_09_offer_of_one_of_several_addresses(
    wish: tuple[bytes, ...], offered: str, rapid: bool
) -> None:
    responder = serve(Dhcpv4Extension(rapid_commit=rapid, addresses=(IPv4Address(SECOND),)))
    reply = answer(responder, ask(DISCOVER, WANTS_RAPID, *wish))
    assert (reply.message, reply.yiaddr) == (ACK if rapid else OFFER, offered)
    assert destination(reply) == (MAC, offered, 68)


@pytest.mark.parametrize("address", [OWN, SECOND, THIRD])
def test_line_13_request_for_one_of_several_addresses(address: str) -> None:
    responder = serve(Dhcpv4Extension(addresses=(IPv4Address(SECOND), IPv4Address(THIRD))))
    selecting = ask(REQUEST, option(54, SERVER), option(50, address))
    renewing = ask(REQUEST, ciaddr=address, ip_src=address, ip_dst=SERVER)
    for frame in (selecting, renewing):
        reply = answer(responder, frame)
        assert (reply.message, reply.yiaddr) == (ACK, address)
        assert destination(reply) == (MAC, address, 68)
    assert answer(responder, REFUSED).message == NAK


# Whatever else a verdict says


@pytest.mark.parametrize(
    ("frame", "message", "address"),
    [
        (OFFERED, "DHCPOFFER", OWN),
        (SELECTING, "DHCPACK", OWN),
        (REFUSED, "DHCPNAK", WRONG),
        (ask(INFORM, ciaddr="10.0.0.88"), "DHCPACK", "10.0.0.88"),
        (ask(DISCOVER, WANTS_RAPID), "DHCPACK", OWN),
        (ask(DISCOVER, option(50, SECOND)), "DHCPOFFER", SECOND),
    ],
)
def test_verdict_says_what_was_answered(frame: bytes, message: str, address: str) -> None:
    extension = Dhcpv4Extension(rapid_commit=True, addresses=(IPv4Address(SECOND),))
    verdict = serve(extension).respond(frame)
    assert isinstance(verdict, Answer)
    packed = bytes(int(octet) for octet in address.split("."))
    assert (verdict.message, verdict.mac, verdict.address) == (message, RAW_MAC, packed)


@pytest.mark.parametrize(
    ("configured", "sent"),
    [
        ("10.0.0.9", b"10.0.0.9"),
        ('"10.0.0.9"', b"10.0.0.9"),
        ("tftp", b"tftp"),
        ("tftp.example", b"tftp.example"),
    ],
)
def test_a27_tftp_server_is_text(configured: str, sent: bytes) -> None:
    reply = answer(serve(tftp_server=configured), ask(DISCOVER, prl(66)))
    assert reply.option(66) == sent


@pytest.mark.parametrize(
    ("configured", "siaddr"),
    [
        ({"tftp_server": "10.0.0.9"}, "10.0.0.9"),
        ({"tftp_server": '"10.0.0.9"'}, "10.0.0.9"),
        ({"tftp_server": "10.0.0.9", "next_server": "10.0.0.8"}, "10.0.0.8"),
        ({"tftp_server": "tftp.example"}, "0.0.0.0"),
        ({"option_66": "0xff"}, "0.0.0.0"),
    ],
)
def test_a27_tftp_server_is_the_next_one(configured: dict[str, str], siaddr: str) -> None:
    assert answer(serve(**configured), ask(DISCOVER, prl(1))).siaddr == siaddr


@pytest.mark.parametrize("tags", ["81000064", "88a80064 81000007"])
def test_vlan_tags_stay(tags: str) -> None:
    untagged = serve().respond(OFFERED)
    verdict = serve().respond(OFFERED[:12] + prefix(tags) + OFFERED[12:])
    assert isinstance(untagged, Answer)
    assert isinstance(verdict, Answer)
    assert verdict.frame == untagged.frame[:12] + prefix(tags) + untagged.frame[12:]


def test_boot_fields_of_who_does_not_ask() -> None:
    responder = serve(bootfile_name="f" * 127, tftp_server="s" * 63)
    reply = answer(responder, ask(DISCOVER, prl(1)))
    assert (reply.file, reply.sname) == (b"f" * 127, b"s" * 63)
    asked = answer(responder, ask(DISCOVER, prl(66, 67)))
    assert (asked.file, asked.sname) == (b"", b"")
    too_long = serve(bootfile_name="f" * 128, tftp_server="s" * 64)
    assert answer(too_long, ask(DISCOVER, prl(1))).file == b""
    assert answer(too_long, ask(DISCOVER, prl(1))).sname == b""
    address = serve(tftp_server="192.168.1.1")
    assert answer(address, ask(DISCOVER, prl(1))).sname == b"192.168.1.1"


@pytest.mark.parametrize(
    ("missing", "reason"),
    [("server_id", Reason.NO_SERVER_ID), ("lease_time", Reason.NO_LEASE_TIME)],
)
def test_userdata_without_what_every_offer_needs(missing: str, reason: Reason) -> None:
    assert silence(serve(**{missing: None}), OFFERED) == Silence(reason, RAW_MAC)
