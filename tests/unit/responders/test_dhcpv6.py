# SPDX-License-Identifier: Apache-2.0
"""The DHCPv6 responder: the RFC checklist line by line, then what OVN does not do right."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address, IPv6Network
from typing import Any

import pytest
from ovs_dhcpd.controller.responders.dhcpv6 import Dhcpv6Responder
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence
from ovs_dhcpd.flows.userdata.codec import PutDhcpv6Opts
from ovs_dhcpd.flows.userdata.extension import BootFile, Dhcpv6Extension

from tests.lab.packets6 import (
    ADVERTISE,
    CONFIRM,
    DECLINE,
    IA_NA,
    IA_PD,
    IA_TA,
    INFORMATION_REQUEST,
    NO_ADDRESSES,
    NO_BINDING,
    NO_PREFIX,
    NOT_ON_LINK,
    REBIND,
    RECONFIGURE,
    RELAY_FORWARD,
    RELAY_REPLY,
    RELEASE,
    RENEW,
    REPLY,
    REQUEST,
    SOLICIT,
    SUCCESS,
    USE_MULTICAST,
    Ia,
    duid_ll,
    ia_na,
    ia_pd,
    ia_ta,
    mac_bytes,
    option,
    oro,
)
from tests.unit.requests6 import (
    CLIENT_ID,
    DHCP,
    DUID,
    FOREVER,
    INFINITY,
    LLA,
    MAC,
    OWN,
    SERVER_DUID,
    SERVER_ID,
    SERVER_MAC,
    answer,
    ask,
    bare,
    ia,
    opts,
    serve,
    silence,
)

SERVER_LLA = "fe80::800:ff:fe00:1"
SECOND = "fd00::6"
NEIGHBOUR = "fd00::99"  # another port's, or this port's of yesterday
STRAY = "fd77::5"  # of another network
PREFIX = "fd01:0:0:100::/56"
OTHER_PREFIX = "fd01:0:0:200::/56"
OTHER_SERVER = option(2, duid_ll("0a:00:00:00:00:02"))

RAW_MAC = mac_bytes(MAC)
RAW_OWN = IPv6Address(OWN).packed
RAPID_COMMIT = option(14)
IPXE = option(15, b"\0\4iPXE")

TWO = Dhcpv6Extension(addresses=(IPv6Address(SECOND),))
RAPID = Dhcpv6Extension(rapid_commit=True)
DELEGATED = Dhcpv6Extension(delegated_prefixes=(IPv6Network(PREFIX),))
STATELESS: dict[str, Any] = {"ia_addr": None}
TO_THE_SERVER: dict[str, Any] = {"ip_dst": SERVER_LLA, "eth_dst": SERVER_MAC}

BOTH = (FOREVER, (SECOND, INFINITY, INFINITY))
NO_MORE = (NEIGHBOUR, 0, 0)
STRAYED = (STRAY, 0, 0)

ANSWERED = {
    SOLICIT: ask(SOLICIT, ia_na(1)),
    REQUEST: ask(REQUEST, SERVER_ID, ia_na(1, OWN)),
    CONFIRM: ask(CONFIRM, ia_na(1, OWN)),
    RENEW: ask(RENEW, SERVER_ID, ia_na(1, OWN)),
    REBIND: ask(REBIND, ia_na(1, OWN)),
    RELEASE: ask(RELEASE, SERVER_ID, ia_na(1, OWN)),
    DECLINE: ask(DECLINE, SERVER_ID, ia_na(1, OWN)),
    INFORMATION_REQUEST: ask(INFORMATION_REQUEST),
}
LEASING = (SOLICIT, REQUEST, RENEW, REBIND)


def with_message(frame: bytes, message: bytes) -> bytes:
    """`frame` with another DHCP message, and with lengths that fit."""
    length = (8 + len(message)).to_bytes(2, "big")
    return frame[:18] + length + frame[20:58] + length + frame[60:DHCP] + message


def leasing(message: int, *options: bytes) -> bytes:
    """A message that asks for leases, which names the server if it must."""
    return ask(message, *([SERVER_ID] if message in (REQUEST, RENEW) else []), *options)


# RFC checklist


@pytest.mark.parametrize("message", ANSWERED)
def test_line_01_identifiers_and_transaction(message: int) -> None:
    reply = answer(serve(), ANSWERED[message])
    assert reply.message == (ADVERTISE if message == SOLICIT else REPLY)
    assert reply.xid == b"\xab\xcd\xef"
    assert reply.options[:2] == ((1, DUID), (2, SERVER_DUID))
    assert not {1, 2} & set(reply.codes[2:])


def test_line_02_information_request_without_client_id() -> None:
    reply = answer(serve(dns_server="fd00::53"), bare(INFORMATION_REQUEST, oro(23)))
    assert (reply.message, reply.codes) == (REPLY, [2, 23])


@pytest.mark.parametrize("message", ANSWERED.keys() - {INFORMATION_REQUEST})
@pytest.mark.parametrize("server", [b"", SERVER_ID])
def test_line_03_client_id_missing(message: int, server: bytes) -> None:
    frame = bare(message, server, ia_na(1, OWN))
    assert silence(serve(), frame) == Silence(Reason.NO_CLIENT_ID, RAW_MAC)


@pytest.mark.parametrize("message", [SOLICIT, CONFIRM, REBIND])
@pytest.mark.parametrize("server", [SERVER_ID, OTHER_SERVER])
def test_line_04_must_not_name_a_server(message: int, server: bytes) -> None:
    frame = ask(message, server, ia_na(1, OWN))
    assert silence(serve(), frame) == Silence(Reason.SERVER_NAMED, RAW_MAC)


@pytest.mark.parametrize("message", [REQUEST, RENEW, DECLINE, RELEASE])
def test_line_05_must_name_this_server(message: int) -> None:
    for server, reason in (
        (b"", Reason.NO_SERVER_NAMED),
        (OTHER_SERVER, Reason.OTHER_SERVER),
        (option(2), Reason.OTHER_SERVER),
    ):
        frame = ask(message, server, ia_na(1, OWN))
        assert silence(serve(), frame) == Silence(reason, RAW_MAC)


def test_line_06_information_request_with_what_it_must_not_have() -> None:
    for association in (ia_na(0), ia_ta(0), ia_pd(0)):
        frame = ask(INFORMATION_REQUEST, association)
        assert silence(serve(), frame) == Silence(Reason.ASKS_FOR_LEASE, RAW_MAC)
    frame = ask(INFORMATION_REQUEST, OTHER_SERVER)
    assert silence(serve(), frame) == Silence(Reason.OTHER_SERVER, RAW_MAC)
    assert answer(serve(), ask(INFORMATION_REQUEST, SERVER_ID)).codes == [1, 2]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (ADVERTISE, Reason.SERVER_MESSAGE),
        (REPLY, Reason.SERVER_MESSAGE),
        (RECONFIGURE, Reason.SERVER_MESSAGE),
        (RELAY_REPLY, Reason.SERVER_MESSAGE),
        (0, Reason.UNKNOWN_MESSAGE),
        (14, Reason.UNKNOWN_MESSAGE),
        (255, Reason.UNKNOWN_MESSAGE),
    ],
)
def test_line_07_not_a_clients_message(message: int, reason: Reason) -> None:
    assert silence(serve(), ask(message, ia_na(1))) == Silence(reason, RAW_MAC)


def test_line_08_relayed() -> None:
    inner = option(9, ANSWERED[SOLICIT][DHCP:])
    relayed = bytes([RELAY_FORWARD, 0]) + IPv6Address("fd00::1").packed + bytes(16) + inner
    frame = with_message(ANSWERED[SOLICIT], relayed)
    assert silence(serve(), frame) == Silence(Reason.RELAYED, RAW_MAC)


def test_line_09_solicit() -> None:
    reply = answer(serve(), ask(SOLICIT, ia_na(7)))
    assert (reply.message, reply.codes) == (ADVERTISE, [1, 2, 3])
    assert reply.ias == [ia(IA_NA, 7, FOREVER)]
    assert answer(serve(), ask(SOLICIT, ia_na(7, STRAY))).ias == reply.ias


def test_line_10_rapid_commit() -> None:
    reply = answer(serve(RAPID), ask(SOLICIT, RAPID_COMMIT, ia_na(7)))
    assert (reply.message, reply.codes) == (REPLY, [1, 2, 14, 3])
    assert (reply.option(14), reply.ias) == (b"", [ia(IA_NA, 7, FOREVER)])
    for responder, options in (
        (serve(), (RAPID_COMMIT,)),
        (serve(RAPID), ()),
        (serve(RAPID, **STATELESS), (RAPID_COMMIT,)),
    ):
        reply = answer(responder, ask(SOLICIT, *options, ia_na(7)))
        assert (reply.message, reply.codes) == (ADVERTISE, [1, 2, 3])
    assert 14 not in answer(serve(RAPID), leasing(REQUEST, RAPID_COMMIT, ia_na(7))).codes


@pytest.mark.parametrize("message", [SOLICIT, REQUEST])
def test_line_11_no_address(message: int) -> None:
    reply = answer(serve(**STATELESS), leasing(message, ia_na(7, OWN)))
    assert reply.ias == [ia(IA_NA, 7, status=NO_ADDRESSES)]
    assert reply.status is None


def test_line_12_request_for_an_address_off_link() -> None:
    for addresses in ((STRAY,), (OWN, STRAY)):
        reply = answer(serve(), leasing(REQUEST, ia_na(1, *addresses), ia_na(2)))
        assert reply.ias == [ia(IA_NA, 1, status=NOT_ON_LINK), ia(IA_NA, 2, FOREVER)]
    assert answer(serve(), leasing(REQUEST, ia_na(1, NEIGHBOUR))).ias == [ia(IA_NA, 1, FOREVER)]
    short = Dhcpv6Extension(prefix_length=8)
    assert answer(serve(short), leasing(REQUEST, ia_na(1, STRAY))).ias == [ia(IA_NA, 1, FOREVER)]


def test_line_13_several_ia_na() -> None:
    frame = ask(SOLICIT, ia_na(1), ia_na(0), ia_na(2))
    assert answer(serve(), frame).ias == [
        ia(IA_NA, 1, FOREVER),
        ia(IA_NA, 0, status=NO_ADDRESSES),
        ia(IA_NA, 2, status=NO_ADDRESSES),
    ]
    own, second = BOTH
    assert answer(serve(TWO), frame).ias == [
        ia(IA_NA, 1, own),
        ia(IA_NA, 0, second),
        ia(IA_NA, 2, status=NO_ADDRESSES),
    ]


def test_line_13_several_addresses() -> None:
    assert answer(serve(TWO), ask(SOLICIT, ia_na(1))).ias == [ia(IA_NA, 1, *BOTH)]
    in_userdata = serve(ia_addr=[OWN, SECOND])
    assert answer(in_userdata, ask(SOLICIT, ia_na(1))).ias == [ia(IA_NA, 1, *BOTH)]


def test_line_13_an_ia_keeps_the_address_it_names() -> None:
    own, second = BOTH
    frame = leasing(REQUEST, ia_na(1, SECOND), ia_na(2, OWN, SECOND))
    assert answer(serve(TWO), frame).ias == [ia(IA_NA, 1, second), ia(IA_NA, 2, own)]


def test_line_13_an_iaid_twice_is_answered_once() -> None:
    assert answer(serve(), ask(SOLICIT, ia_na(1), ia_na(1))).ias == [ia(IA_NA, 1, FOREVER)]


def test_as_many_ias_as_there_is_room_for_if_each_is_as_small_as_can_be() -> None:
    full, fuller = (leasing(RENEW, *map(ia_ta, range(count))) for count in (34, 35))
    assert len(answer(serve(), full).ias) == 34
    assert silence(serve(), fuller) == Silence(Reason.NO_ROOM, RAW_MAC)


@pytest.mark.parametrize("message", [SOLICIT, REQUEST, RENEW])
def test_more_ias_than_a_reply_has_room_for(message: int) -> None:
    few, many = (leasing(message, *map(ia_na, range(count))) for count in (24, 85))
    assert len(answer(serve(), few).ias) == 24
    assert silence(serve(), many) == Silence(Reason.NO_ROOM, RAW_MAC)


@pytest.mark.parametrize("message", [SOLICIT, REQUEST])
def test_line_14_prefix_delegation(message: int) -> None:
    frame = leasing(message, ia_pd(1), ia_pd(2, OTHER_PREFIX))
    assert answer(serve(DELEGATED), frame).ias == [
        ia(IA_PD, 1, (PREFIX, INFINITY, INFINITY)),
        ia(IA_PD, 2, status=NO_PREFIX),
    ]
    assert answer(serve(), leasing(message, ia_pd(1), ia_na(1))).ias == [
        ia(IA_PD, 1, status=NO_PREFIX),
        ia(IA_NA, 1, FOREVER),
    ]


def test_line_14_a_prefix_is_another_with_another_length() -> None:
    longer = PREFIX.replace("/56", "/64")
    assert answer(serve(DELEGATED), leasing(RENEW, ia_pd(1, longer))).ias == [
        ia(IA_PD, 1, (PREFIX, INFINITY, INFINITY), (longer, 0, 0))
    ]


@pytest.mark.parametrize("message", [SOLICIT, REQUEST])
def test_line_15_temporary_addresses(message: int) -> None:
    reply = answer(serve(), leasing(message, ia_ta(1), ia_na(1)))
    assert reply.ias == [ia(IA_TA, 1, status=NO_ADDRESSES), ia(IA_NA, 1, FOREVER)]


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        ({}, (INFINITY, INFINITY)),
        ({"t1": 60}, (60, INFINITY)),
        ({"t1": 0, "t2": 0}, (0, 0)),
        ({"preferred_lifetime": 1001}, (500, 800)),
        ({"preferred_lifetime": 1000, "t1": 100}, (100, 800)),
        ({"preferred_lifetime": 1000, "t1": 900}, (500, 800)),  # T1 > T2 is no pair
        ({"preferred_lifetime": 1000, "t1": 100, "t2": 0}, (100, 0)),
        ({"preferred_lifetime": 1000, "t1": 200, "t2": 200}, (200, 200)),
    ],
)
def test_line_16_renewal_times(extension: dict[str, int], expected: tuple[int, int]) -> None:
    times: dict[str, Any] = {f"{name}_s": value for name, value in extension.items()}
    settings = replace(TWO, delegated_prefixes=(IPv6Network(PREFIX),), **times)
    reply = answer(serve(settings), ask(SOLICIT, ia_na(1, OWN), ia_na(2, SECOND), ia_pd(3)))
    assert [(each.t1, each.t2) for each in reply.ias] == [expected] * 3


def test_line_16_nothing_is_to_be_renewed_where_no_lease_is_left() -> None:
    frame = leasing(RENEW, ia_na(1, OWN), ia_na(2, STRAY), ia_na(3), ia_pd(4, PREFIX))
    found = [(each.t1, each.t2, each.status) for each in answer(serve(), frame).ias]
    assert found == [
        (INFINITY, INFINITY, None),
        (0, 0, None),  # its address with lifetimes 0
        (0, 0, NO_BINDING),
        (0, 0, NO_BINDING),
    ]
    for message in (SOLICIT, REQUEST):
        assert [(each.t1, each.t2) for each in answer(serve(), leasing(message, ia_pd(1))).ias] == [
            (0, 0)
        ]


@pytest.mark.parametrize("message", LEASING)
def test_line_17_lifetimes(message: int) -> None:
    extension = Dhcpv6Extension(
        preferred_lifetime_s=600,
        valid_lifetime_s=900,
        delegated_prefixes=(IPv6Network(PREFIX),),
    )
    frame = leasing(message, ia_na(1, OWN, lifetimes=(7, 9)), ia_pd(1, PREFIX))
    for _ in range(2):
        assert answer(serve(extension), frame).ias == [
            Ia(IA_NA, 1, 300, 480, ((OWN, 600, 900),)),
            Ia(IA_PD, 1, 300, 480, ((PREFIX, 600, 900),)),
        ]


def test_line_18_renew() -> None:
    renewed = answer(serve(), leasing(RENEW, ia_na(1, OWN)))
    assert (renewed.message, renewed.ias) == (REPLY, [ia(IA_NA, 1, FOREVER)])
    moved = answer(serve(), leasing(RENEW, ia_na(1, STRAY, NEIGHBOUR)))
    assert moved.ias == [ia(IA_NA, 1, FOREVER, STRAYED, NO_MORE)]
    begun = answer(serve(), leasing(RENEW, ia_na(1)))
    assert begun.ias == [ia(IA_NA, 1, FOREVER)]


def test_line_18_renew_of_what_the_port_does_not_have() -> None:
    frame = leasing(RENEW, ia_na(1, OWN), ia_na(2, NEIGHBOUR), ia_na(3, STRAY), ia_na(4))
    assert answer(serve(), frame).ias == [
        ia(IA_NA, 1, FOREVER),
        ia(IA_NA, 2, status=NO_BINDING),
        ia(IA_NA, 3, STRAYED),
        ia(IA_NA, 4, status=NO_BINDING),
    ]
    nothing = serve(**STATELESS)
    for association, code in ((ia_na(1, OWN), IA_NA), (ia_pd(1, PREFIX), IA_PD)):
        assert answer(nothing, leasing(RENEW, association)).ias == [ia(code, 1, status=NO_BINDING)]


def test_line_19_rebind() -> None:
    rebound = answer(serve(), ask(REBIND, ia_na(1, OWN)))
    assert (rebound.message, rebound.ias) == (REPLY, [ia(IA_NA, 1, FOREVER)])
    moved = answer(serve(), ask(REBIND, ia_na(1, STRAY, NEIGHBOUR)))
    assert moved.ias == [ia(IA_NA, 1, STRAYED, NO_MORE)]
    assert answer(serve(), ask(REBIND, ia_na(1))).ias == [ia(IA_NA, 1, status=NO_BINDING)]
    begun = answer(serve(RAPID), ask(REBIND, ia_na(1, STRAY), ia_na(2)))
    assert begun.ias == [ia(IA_NA, 1, FOREVER, STRAYED), ia(IA_NA, 2, status=NO_BINDING)]


def test_line_19_rebind_of_what_another_server_may_have_given() -> None:
    for responder, association in (
        (serve(**STATELESS), ia_na(1, OWN)),
        (serve(), ia_pd(1, PREFIX)),
        (serve(), ia_ta(1, OWN)),
        (serve(), b""),
    ):
        frame = ask(REBIND, association)
        assert silence(responder, frame) == Silence(Reason.UNKNOWN_LINK, RAW_MAC)
    both = ask(REBIND, ia_na(1, OWN), ia_pd(1, PREFIX))
    assert answer(serve(), both).ias == [ia(IA_NA, 1, FOREVER), ia(IA_PD, 1, status=NO_BINDING)]


def test_line_20_confirm() -> None:
    responder = serve(DELEGATED, dns_server="fd00::53")
    for addresses, status in (
        ((OWN,), SUCCESS),
        ((NEIGHBOUR, OWN), SUCCESS),
        ((OWN, STRAY), NOT_ON_LINK),
    ):
        ias = [ia_na(iaid, address) for iaid, address in enumerate(addresses)]
        reply = answer(responder, ask(CONFIRM, oro(23), *ias))
        assert (reply.codes, reply.status) == ([1, 2, 13], status)
    for options in ((), (ia_na(1),), (ia_pd(1, PREFIX),)):
        assert silence(responder, ask(CONFIRM, *options)) == Silence(Reason.NO_ADDRESS, RAW_MAC)
    unknown = silence(serve(**STATELESS), ask(CONFIRM, ia_na(1, OWN)))
    assert unknown == Silence(Reason.UNKNOWN_LINK, RAW_MAC)


@pytest.mark.parametrize("message", [RELEASE, DECLINE])
def test_line_21_release_and_decline(message: int) -> None:
    responder = serve(DELEGATED, dns_server="fd00::53")
    known = ask(message, SERVER_ID, oro(23), ia_na(1, OWN), ia_pd(1, PREFIX))
    reply = answer(responder, known)
    assert (reply.message, reply.codes, reply.status) == (REPLY, [1, 2, 13], SUCCESS)
    strange = ask(message, SERVER_ID, ia_na(1, NEIGHBOUR), ia_pd(2), ia_ta(3, OWN))
    reply = answer(responder, strange)
    assert (reply.codes, reply.status) == ([1, 2, 13, 3, 25, 4], SUCCESS)
    assert reply.ias == [
        Ia(IA_NA, 1, 0, 0, (), NO_BINDING),
        Ia(IA_PD, 2, 0, 0, (), NO_BINDING),
        Ia(IA_TA, 3, None, None, (), NO_BINDING),
    ]
    assert answer(responder, ANSWERED[SOLICIT]).ias == [ia(IA_NA, 1, FOREVER)]


@pytest.mark.parametrize("message", [*LEASING, INFORMATION_REQUEST])
def test_line_22_option_request(message: int) -> None:
    responder = serve(
        dns_server="fd00::53", domain_search="b.com", ntp_server="fd00::1", option_41="x"
    )
    associations = [] if message == INFORMATION_REQUEST else [ia_na(1, OWN)]
    always = [1, 2, 3] if associations else [1, 2]
    for request, configured in (
        (oro(41, 99, 23, 5, 23, 82), [41, 23]),
        (oro(), []),
        (option(6, b"\0\x17\x29"), [23]),
    ):
        reply = answer(responder, leasing(message, *associations, request))
        assert reply.codes == always + configured


def test_line_22_without_option_request_everything() -> None:
    responder = serve(dns_server="fd00::53", option_41="x")
    assert answer(responder, ask(SOLICIT)).codes == [1, 2, 23, 41]


def test_line_23_preference() -> None:
    responder = serve(RAPID, option_7="0xff")
    assert answer(responder, ask(SOLICIT, ia_na(1), oro(23))).codes == [1, 2, 7, 3]
    assert answer(responder, ask(SOLICIT, ia_na(1))).option(7) == b"\xff"
    for frame in (
        ask(SOLICIT, RAPID_COMMIT, ia_na(1)),
        leasing(REQUEST, oro(7)),
        ask(INFORMATION_REQUEST),
    ):
        assert 7 not in answer(responder, frame).codes


def test_line_24_refresh_time_and_retransmission_limits() -> None:
    responder = serve(option_32="0x00000258", option_82="0x0000003c", option_83="0x00015180")
    asked = oro(32, 82, 83)
    assert answer(responder, ask(INFORMATION_REQUEST, asked)).options[2:] == (
        (32, bytes.fromhex("00000258")),
        (82, bytes.fromhex("0000003c")),
        (83, bytes.fromhex("00015180")),
    )
    assert answer(responder, ask(SOLICIT, asked)).codes == [1, 2, 82, 83]
    assert answer(responder, ask(SOLICIT)).codes == [1, 2, 82, 83]
    beyond = {32: "00000257", 82: "0000003b", 83: "00015181"}  # in somebody else's userdata
    values = tuple((code, bytes.fromhex(value)) for code, value in beyond.items())
    outside = Dhcpv6Responder(replace(opts(), options=(*opts().options, *values)))
    assert answer(outside, ask(INFORMATION_REQUEST, asked)).codes == [1, 2]


@pytest.mark.parametrize(
    ("frame", "responder"),
    [
        (ANSWERED[CONFIRM], serve()),
        (ask(CONFIRM, ia_na(1, STRAY)), serve()),
        (ask(RENEW, SERVER_ID, ia_na(1, OWN), **TO_THE_SERVER), serve()),
        (ask(SOLICIT, ia_na(1)), serve(**STATELESS)),
        (ask(SOLICIT, ia_pd(1)), serve()),
        (ask(RENEW, SERVER_ID, ia_na(1)), serve(**STATELESS)),
    ],
)
def test_line_25_status_message(frame: bytes, responder: Any) -> None:
    reply = answer(responder, frame)
    options = dict(reply.options)
    value = options[13] if 13 in options else (options.get(3) or options[25])[16:]
    value[2:].decode()
    assert b"\0" not in value[2:]


@pytest.mark.parametrize("size", [3, 130])
def test_line_26_client_duid_is_opaque(size: int) -> None:
    duid = bytes(range(255, 255 - size, -1))
    assert answer(serve(), bare(SOLICIT, option(1, duid))).option(1) == duid


@pytest.mark.parametrize("size", [0, 2, 131])
def test_line_26_not_a_duid(size: int) -> None:
    frame = bare(SOLICIT, option(1, bytes(size)))
    assert silence(serve(), frame) == Silence(Reason.BAD_OPTIONS, RAW_MAC)


def test_line_26_server_duid_is_made_of_server_id_alone() -> None:
    for responder in (serve(), serve(TWO, dns_server="fd00::53", ia_addr=SECOND)):
        assert answer(responder, ANSWERED[SOLICIT]).option(2) == SERVER_DUID


def test_line_27_addresses_and_ports() -> None:
    """As OVN's pinctrl leaves them: the response flow does the rest (see the module)."""
    for source in (LLA, OWN):
        reply = answer(serve(), ask(SOLICIT, ia_na(1), ip_src=source, sport=1546))
        assert (reply.eth_src, reply.ip_src, reply.sport) == (MAC, source, 546)
        assert (reply.eth_dst, reply.ip_dst, reply.dport) == ("33:33:00:01:00:02", "ff02::1:2", 547)
        assert reply.hop_limit == 64


@pytest.mark.parametrize("source", ["::", "ff02::1"])
def test_line_27_nobody_to_reply_to(source: str) -> None:
    frame = ask(SOLICIT, ia_na(1), ip_src=source)
    assert silence(serve(), frame) == Silence(Reason.NO_REPLY_ADDRESS, RAW_MAC)


def test_line_27_only_port_547() -> None:
    assert silence(serve(), ask(SOLICIT, dport=546)) == Silence(Reason.NOT_DHCP)


def test_line_28_unicast() -> None:
    for message in (REQUEST, RENEW, RELEASE, DECLINE):
        frame = ask(message, SERVER_ID, oro(23), ia_na(1, OWN), **TO_THE_SERVER)
        reply = answer(serve(dns_server="fd00::53"), frame)
        assert (reply.message, reply.codes) == (REPLY, [1, 2, 13])
        assert reply.status == USE_MULTICAST
        assert (reply.ip_src, reply.ip_dst) == (LLA, SERVER_LLA)
    for message in (SOLICIT, CONFIRM, REBIND, INFORMATION_REQUEST):
        associations = [] if message == INFORMATION_REQUEST else [ia_na(1, OWN)]
        frame = ask(message, *associations, **TO_THE_SERVER)
        assert silence(serve(), frame) == Silence(Reason.UNICAST, RAW_MAC)


def test_line_29_names() -> None:
    responder = serve(domain_search="ovn.org, mail.ovn.org", fqdn="vm1.ovn.org")
    reply = answer(responder, ask(SOLICIT, option(39, b"\1\0"), oro(24, 39)))
    assert reply.option(24) == b"\3ovn\3org\0\4mail\3ovn\3org\0"
    assert reply.option(39)[1:] == b"\3vm1\3ovn\3org\0"


@pytest.mark.parametrize(
    ("sent", "flags"),
    [(b"\0\0", 4), (b"\1\3vm1", 6), (b"\4\0", 4), (b"\xf9\0", 6), (b"", 4)],
)
def test_line_29_fqdn_flags(sent: bytes, flags: int) -> None:
    reply = answer(serve(fqdn="vm1"), ask(REQUEST, SERVER_ID, option(39, sent)))
    assert reply.option(39) == bytes([flags]) + b"\3vm1\0"


def test_line_29_fqdn_to_those_who_send_and_ask() -> None:
    responder = serve(fqdn="vm1")
    sent = option(39, b"\0\0")
    assert answer(responder, ask(SOLICIT, sent)).codes == [1, 2, 39]
    for options in ((oro(39),), (sent, oro(23)), ()):
        assert answer(responder, ask(SOLICIT, *options)).codes == [1, 2]


def test_line_29_every_ntp_server_has_an_option_of_its_own() -> None:
    responder = serve(ntp_server=["fd00::1", "ff05::101", "ntp.org"], option_41="x")
    reply = answer(responder, ask(INFORMATION_REQUEST, oro(56, 41)))
    assert reply.options[2:] == (
        (56, bytes.fromhex("00010010") + IPv6Address("fd00::1").packed),
        (56, bytes.fromhex("00020010") + IPv6Address("ff05::101").packed),
        (56, bytes.fromhex("00030009") + b"\3ntp\3org\0"),
        (41, b"x"),
    )


def test_line_30_boot_options() -> None:
    parameters = "0004726f6f740003763d31"
    responder = serve(bootfile_name="tftp://[fd00::1]/boot", option_60=f"0x{parameters}")
    reply = answer(responder, ask(SOLICIT, oro(59, 60)))
    assert reply.option(59) == b"tftp://[fd00::1]/boot"
    assert reply.option(60) == bytes.fromhex(parameters)


@pytest.mark.parametrize(
    ("configured", "to_ipxe", "to_others"),
    [
        ({"bootfile_name": "menu", "bootfile_name_alt": "ipxe.efi"}, b"menu", b"ipxe.efi"),
        ({"bootfile_name": "menu"}, b"menu", b"menu"),
        ({"bootfile_name_alt": "ipxe.efi"}, b"ipxe.efi", b"ipxe.efi"),
    ],
)
def test_line_30_boot_file_by_user_class(
    configured: dict[str, str], to_ipxe: bytes, to_others: bytes
) -> None:
    responder = serve(**configured)
    for user_class in (IPXE, option(15, b"\0\2vm\0\4iPXE"), option(15, b"iPXE")):
        assert answer(responder, ask(SOLICIT, user_class, oro(59))).option(59) == to_ipxe
    for options in ((), (option(15, b"\0\2vm"),)):
        reply = answer(responder, ask(SOLICIT, *options, oro(59, 254)))
        assert (reply.codes[2:], reply.option(59)) == ([59], to_others)


ARCHITECTURES = Dhcpv6Extension(
    boot_files=(BootFile((7, 9), b"tftp://[fd00::1]/uefi.efi"), BootFile((16,), b"http://b/x.efi"))
)


def test_line_30_boot_file_by_architecture() -> None:
    responder = serve(ARCHITECTURES, bootfile_name="menu")
    for architecture, file in ((7, b"tftp://[fd00::1]/uefi.efi"), (11, b"menu")):
        sent = option(61, architecture.to_bytes(2, "big"))
        reply = answer(responder, ask(SOLICIT, sent, oro(59)))
        assert (reply.codes[2:], reply.option(59)) == ([59], file)
        assert answer(responder, ask(SOLICIT, sent, IPXE, oro(59))).option(59) == b"menu"


def test_line_30_boot_behind_many_other_options() -> None:
    others = [option(1000 + number, b"x") for number in range(40)]
    vendor = option(16, b"\0\0\1\x57\0\x15HTTPClient:Arch:00007")
    responder = serve(ARCHITECTURES, bootfile_name="http://b/menu")
    for sent, file in ((option(61, b"\0\x10"), b"http://b/x.efi"), (vendor, b"http://b/menu")):
        reply = answer(responder, ask(SOLICIT, *others, sent, *others, oro(59)))
        assert (reply.codes[2:], reply.option(59)) == ([16, 59], file)


def test_line_30_http_boot() -> None:
    """Only who boots by HTTP is told, asked for or not, that the URL is meant for it."""
    responder = serve(ARCHITECTURES, option_60="0x0001")
    by_http = option(61, b"\0\x10")
    for asked in ((59, 60, 23, 16), (59, 60)):
        reply = answer(responder, ask(SOLICIT, by_http, oro(*asked)))
        assert reply.codes[2:] == [16, 59, 60]
        assert reply.option(16) == b"\0\0\1\x57\0\x0aHTTPClient"
        assert reply.option(59) == b"http://b/x.efi"
    assert answer(responder, ask(SOLICIT, option(61, b"\0\7"), oro(59, 16))).codes[2:] == [59]


def test_line_30_captive_portal() -> None:
    uri = "https://portal.example/"
    responder = serve(captive_portal=uri)
    for message in (SOLICIT, INFORMATION_REQUEST):
        assert answer(responder, ask(message, oro(103))).option(103) == uri.encode()
    assert answer(responder, ask(SOLICIT, oro(23))).codes == [1, 2]


def test_line_31_order_unknown_and_duplicate_options() -> None:
    plain = answer(serve(), ask(SOLICIT, ia_na(1)))
    for frame in (
        bare(SOLICIT, ia_na(1), option(999, b"x"), CLIENT_ID, option(8, b"\0\0")),
        ask(SOLICIT, ia_na(1), option(1, b"another")),
        ask(SOLICIT, option(3, ia_na(1)[4:] + option(999, b"xyz"))),
    ):
        assert answer(serve(), frame) == plain


@pytest.mark.parametrize(
    "tail",
    [
        "00",
        "000300",
        "0003000c 00000001 0000",  # cut off
        "0003000b 00000001 00000000 000000",  # too short for T2
        "0003000d 00000001 00000000 00000000 00",  # half an option inside
        "00030010 00000001 00000000 00000000 00050018",  # an address beyond its IA
        "00030013 00000001 00000000 00000000 0005 0003 fd0000",  # too short for an address
        "0019001c 00000001 00000000 00000000 001a000c 00000000 00000000 40fd0000",  # for a prefix
        "00040003 000000",
    ],
)
@pytest.mark.parametrize("message", [SOLICIT, INFORMATION_REQUEST])
def test_line_31_past_the_end(message: int, tail: str) -> None:
    frame = ask(message, bytes.fromhex(tail))
    assert silence(serve(), frame) == Silence(Reason.BAD_OPTIONS, RAW_MAC)


def test_line_31_shorter_than_a_message() -> None:
    for size in range(4):
        frame = with_message(ANSWERED[SOLICIT], ANSWERED[SOLICIT][DHCP:][:size])
        assert silence(serve(), frame) == Silence(Reason.TRUNCATED, RAW_MAC)


# What OVN does not do right


@pytest.mark.parametrize("message", [RENEW, REBIND])
def test_b01_renew_and_rebind(message: int) -> None:
    assert answer(serve(), ANSWERED[message]).ias == [ia(IA_NA, 1, FOREVER)]
    (moved,) = answer(serve(), leasing(message, ia_na(1, NEIGHBOUR))).ias
    assert NO_MORE in moved.leases


def test_b02_times_can_be_set() -> None:
    extension = Dhcpv6Extension(preferred_lifetime_s=600, valid_lifetime_s=900, t1_s=100, t2_s=200)
    reply = answer(serve(extension), ANSWERED[SOLICIT])
    assert reply.ias == [Ia(IA_NA, 1, 100, 200, ((OWN, 600, 900),))]


def test_b03_another_servers_client() -> None:
    for frame, reason in (
        (ask(REQUEST, OTHER_SERVER, ia_na(1, OWN)), Reason.OTHER_SERVER),
        (ask(REQUEST, ia_na(1, OWN)), Reason.NO_SERVER_NAMED),
        (ask(SOLICIT, SERVER_ID, ia_na(1)), Reason.SERVER_NAMED),
    ):
        assert silence(serve(), frame).reason is reason


def test_b04_information_request() -> None:
    assert answer(serve(), bare(INFORMATION_REQUEST)).codes == [2]
    frame = ask(INFORMATION_REQUEST, ia_na(1))
    assert silence(serve(), frame).reason is Reason.ASKS_FOR_LEASE


def test_b05_iaid_zero() -> None:
    assert answer(serve(), ask(SOLICIT, ia_na(0))).ias == [ia(IA_NA, 0, FOREVER)]


def test_b06_every_ia_is_answered() -> None:
    assert answer(serve(), ask(SOLICIT, ia_na(1), ia_na(2))).ias == [
        ia(IA_NA, 1, FOREVER),
        ia(IA_NA, 2, status=NO_ADDRESSES),
    ]


def test_b07_prefix_delegation_is_answered() -> None:
    assert answer(serve(), ask(SOLICIT, ia_pd(1))).ias == [ia(IA_PD, 1, status=NO_PREFIX)]
    delegated = [ia(IA_PD, 1, (PREFIX, INFINITY, INFINITY))]
    assert answer(serve(DELEGATED), ask(SOLICIT, ia_pd(1))).ias == delegated


def test_b08_confirm() -> None:
    assert answer(serve(), ask(CONFIRM, ia_na(1, STRAY))).options[2:] == (
        (13, bytes([0, NOT_ON_LINK]) + b"not an address of this network"),
    )
    assert answer(serve(), ask(CONFIRM, ia_na(1, OWN))).options[2:] == ((13, b"\0\0"),)


def test_b09_declined_address_is_not_assigned_again() -> None:
    reply = answer(serve(), ANSWERED[DECLINE])
    assert (reply.status, reply.ias) == (SUCCESS, [])


def test_b10_release_of_an_unknown_ia() -> None:
    reply = answer(serve(), ask(RELEASE, SERVER_ID, ia_na(1, NEIGHBOUR)))
    assert (reply.status, reply.ias) == (SUCCESS, [Ia(IA_NA, 1, 0, 0, (), NO_BINDING)])


def test_b11_stateless() -> None:
    reply = answer(serve(dns_server="fd00::53", **STATELESS), ask(SOLICIT, ia_na(1), oro(23)))
    assert (reply.message, reply.codes) == (ADVERTISE, [1, 2, 3, 23])
    assert reply.ias == [ia(IA_NA, 1, status=NO_ADDRESSES)]


def test_b12_any_option_when_asked_for() -> None:
    numbers = (31, 56, 60, 82, 83, 103, 144)
    values = {f"option_{n}": f"0x0000{n:02x}{n:02x}" for n in numbers if n not in (56, 82, 83)}
    limits = {"option_82": "0x00000100", "option_83": "0x00000100"}
    responder = serve(ntp_server="fd00::1", **values, **limits)
    assert answer(responder, ask(SOLICIT, oro(*numbers))).codes[2:] == list(numbers)
    assert answer(responder, ask(SOLICIT, oro(144))).options[2:] == ((144, b"\0\0\x90\x90"),)


def test_b13_search_list() -> None:
    responder = serve(domain_search="ovn.org,example.com")
    reply = answer(responder, ask(INFORMATION_REQUEST, oro(24)))
    assert reply.option(24) == bytes.fromhex("036f766e036f726700") + b"\7example\3com\0"


@pytest.mark.parametrize(
    ("message", "logged", "address"),
    [
        (SOLICIT, "DHCPv6 ADVERTISE", OWN),
        (REQUEST, "DHCPv6 REPLY", OWN),
        (CONFIRM, "DHCPv6 REPLY", OWN),
        (RENEW, "DHCPv6 REPLY", OWN),
        (REBIND, "DHCPv6 REPLY", OWN),
        (RELEASE, "DHCPv6 RELEASE", OWN),
        (DECLINE, "DHCPv6 DECLINE", OWN),
        (INFORMATION_REQUEST, "DHCPv6 REPLY", None),
    ],
)
def test_b14_verdict_says_what_was_answered(message: int, logged: str, address: str | None) -> None:
    verdict = serve().respond(ANSWERED[message])
    assert isinstance(verdict, Answer)
    raw = b"" if address is None else IPv6Address(address).packed
    assert (verdict.message, verdict.mac, verdict.address) == (logged, RAW_MAC, raw)


# What neither list says


def test_verdict_on_a_prefix_names_it_without_its_length() -> None:
    verdict = serve(DELEGATED, **STATELESS).respond(ask(SOLICIT, ia_pd(1)))
    assert isinstance(verdict, Answer)
    assert verdict.address == IPv6Network(PREFIX).network_address.packed


@pytest.mark.parametrize("tags", ["81000064", "88a8006481000007"])
def test_vlan_tags_stay(tags: str) -> None:
    frame = ANSWERED[SOLICIT]
    verdict = serve().respond(frame[:12] + bytes.fromhex(tags) + frame[12:])
    plain = serve().respond(frame)
    assert isinstance(verdict, Answer)
    assert isinstance(plain, Answer)
    assert verdict.frame == plain.frame[:12] + bytes.fromhex(tags) + plain.frame[12:]


def test_options_that_do_not_fit_are_dropped() -> None:
    responder = serve(option_41="x" * 900, option_42="y" * 900, option_43="z")
    verdict = responder.respond(ask(SOLICIT, ia_na(1), oro(42, 41, 43)))
    assert isinstance(verdict, Answer)
    assert verdict.dropped == (41,)
    assert answer(responder, ask(SOLICIT, ia_na(1), oro(42, 41, 43))).codes == [1, 2, 3, 42, 43]


def test_to_the_last_byte() -> None:
    fixed = 14 + 40 + 8 + 4 + len(CLIENT_ID) + len(SERVER_ID)
    for size, codes in ((1514 - fixed - 4, [1, 2, 41]), (1514 - fixed - 3, [1, 2])):
        verdict = serve(option_41="x" * size).respond(ask(SOLICIT, oro(41)))
        assert isinstance(verdict, Answer)
        assert len(verdict.frame) == (1514 if 41 in codes else fixed)
        assert verdict.dropped == (() if 41 in codes else (41,))


def test_identity_associations_that_do_not_fit() -> None:
    many = b"".join(ia_na(number) for number in range(80))
    assert silence(serve(), ask(SOLICIT, many)) == Silence(Reason.NO_ROOM, RAW_MAC)


def test_userdata_without_server_id() -> None:
    responder = serve(server_id=None)
    for frame in ANSWERED.values():
        assert silence(responder, frame) == Silence(Reason.NO_SERVER_ID, RAW_MAC)


def test_userdata_in_ovns_form() -> None:
    values = {5: RAW_OWN, 24: b"ovn.org", 2: mac_bytes(SERVER_MAC)}
    reply = answer(Dhcpv6Responder(PutDhcpv6Opts(tuple(values.items()))), ANSWERED[SOLICIT])
    assert reply.options[1:] == (
        (2, bytes.fromhex("00030001 0a0000000001")),
        (3, bytes.fromhex("00000001 ffffffff ffffffff 00050018") + RAW_OWN + b"\xff" * 8),
        (24, b"\3ovn\3org\0"),
    )
