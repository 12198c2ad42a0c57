# SPDX-License-Identifier: Apache-2.0
"""Router solicitations and their answers (RFC 4861 §6.1.1, §6.2.6)."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest

from controller.responders.nd_ra import NdRaResponder, unsolicited
from controller.responders.verdict import Answer, Reason, Silence
from flows.userdata import PutNdRaOpts
from tests.lab import nd
from tests.lab.nd import mac_option, router_solicitation
from tests.lab.packets6 import mac_bytes

MAC, LLA = "02:00:00:00:00:01", "fe80::ff:fe00:1"
ROUTER_MAC, ROUTER_LLA = "ae:01:02:03:04:05", "fe80::ac01:2ff:fe03:405"
# slaac, mtu 1500, preference HIGH, prefix aef0::/64, slla: as OVN's tests/ovn.at has it.
MESSAGE = bytes.fromhex(
    "86000000ff08ffff0000000000000000"
    "05010000000005dc"
    "030440c0ffffffffffffffff00000000aef00000000000000000000000000000"
    "0101ae0102030405"
)
RESPONDER = NdRaResponder(PutNdRaOpts(MESSAGE))


def answer(frame: bytes) -> Answer:
    verdict = RESPONDER.respond(frame)
    assert isinstance(verdict, Answer), verdict
    return verdict


def after_the_response_flow(frame: bytes) -> bytes:
    """What the guest gets; every field that is set has its part in the checksum."""
    return nd.icmp6(
        frame[54:], eth_src=ROUTER_MAC, eth_dst=frame[6:12].hex(":"),
        ip_src=ROUTER_LLA, ip_dst=str(IPv6Address(frame[22:38])),
    )  # fmt: skip


def test_the_advertisement_is_what_the_userdata_says():
    frame = router_solicitation(MAC, LLA, mac_option(1, MAC))
    # Source and destination as in the solicitation: the response flow turns the frame round.
    expected = nd.icmp6(
        MESSAGE, eth_src=MAC, eth_dst=nd.ALL_ROUTERS_MAC, ip_src=LLA, ip_dst=nd.ALL_ROUTERS
    )
    assert answer(frame) == Answer(expected, "ND_RA", mac_bytes(MAC), b"")
    assert after_the_response_flow(expected) == nd.icmp6(
        MESSAGE, eth_src=ROUTER_MAC, eth_dst=MAC, ip_src=ROUTER_LLA, ip_dst=LLA
    )


def test_golden_bytes():
    frame = router_solicitation(MAC, LLA)
    assert answer(frame).frame.hex() == (
        "333300000002020000000001" "86dd"
        "6000000000403aff" "fe80000000000000000000fffe000001" "ff020000000000000000000000000002"
        "8600cb58ff08ffff0000000000000000"
        "05010000000005dc"
        "030440c0ffffffffffffffff00000000aef00000000000000000000000000000"
        "0101ae0102030405"
    )  # fmt: skip


def test_who_has_no_address_is_answered_at_all_nodes():
    verdict = answer(router_solicitation(MAC, "::"))
    assert verdict.frame == nd.icmp6(
        MESSAGE, eth_src=nd.ALL_NODES_MAC, eth_dst=nd.ALL_ROUTERS_MAC,
        ip_src=nd.ALL_NODES, ip_dst=nd.ALL_ROUTERS,
    )  # fmt: skip
    assert verdict.mac == mac_bytes(MAC)
    assert after_the_response_flow(verdict.frame)[:6] == mac_bytes(nd.ALL_NODES_MAC)


def test_a_checksum_of_zero_stands_as_it_is():
    """Only UDP writes it as ffff."""
    assert answer(router_solicitation(MAC, "fe80::ca59")).frame[56:58] == bytes(2)


def test_a_global_source_is_answered_there():
    verdict = answer(router_solicitation(MAC, "fd00::5"))
    assert verdict.frame[22:38] == IPv6Address("fd00::5").packed


@pytest.mark.parametrize("tags", ["81000064", "88a8006481000007"])
def test_tags_are_kept(tags):
    plain = router_solicitation(MAC, LLA)
    tagged = plain[:12] + bytes.fromhex(tags) + plain[12:]
    expected = answer(plain).frame
    assert answer(tagged).frame == expected[:12] + bytes.fromhex(tags) + expected[12:]


@pytest.mark.parametrize("options", [b"\x0e\1nonce!", mac_option(2, MAC), b"\xfd\2" + bytes(14)])
def test_options_that_mean_nothing_here_are_ignored(options):
    assert answer(router_solicitation(MAC, LLA, options)).frame == (
        answer(router_solicitation(MAC, LLA)).frame
    )


def test_the_same_question_has_the_same_answer_after_a_restart():
    frame = router_solicitation(MAC, LLA)
    assert NdRaResponder(PutNdRaOpts(MESSAGE)).respond(frame) == RESPONDER.respond(frame)


def damaged(frame: bytes, at: int) -> bytes:
    return frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :]


GOOD = router_solicitation(MAC, LLA, mac_option(1, MAC))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (router_solicitation(MAC, LLA, hop_limit=254), Reason.FORWARDED),
        (router_solicitation(MAC, LLA, code=1), Reason.NOT_SOLICITATION),
        (router_solicitation(MAC, "::", mac_option(1, MAC)), Reason.BAD_OPTIONS),
        (router_solicitation(MAC, LLA, b"\1\0" + bytes(6)), Reason.BAD_OPTIONS),
        (router_solicitation(MAC, LLA, b"\1\2" + bytes(6)), Reason.BAD_OPTIONS),
        (router_solicitation(MAC, LLA, b"\1"), Reason.BAD_OPTIONS),
        (router_solicitation(MAC, "ff02::1"), Reason.NO_REPLY_ADDRESS),
        (damaged(GOOD, 56), Reason.BAD_CHECKSUM),
        (damaged(GOOD, len(GOOD) - 1), Reason.BAD_CHECKSUM),
        (damaged(GOOD, 54), Reason.NOT_SOLICITATION),
        (damaged(GOOD, 20), Reason.NOT_SOLICITATION),
        (damaged(GOOD, 13), Reason.NOT_SOLICITATION),
        (GOOD[:-1], Reason.TRUNCATED),
        (b"", Reason.NOT_SOLICITATION),
    ],
)
def test_what_is_no_valid_solicitation_is_not_answered(frame, reason):
    verdict = RESPONDER.respond(frame)
    assert isinstance(verdict, Silence)
    assert verdict.reason is reason


def test_a_solicitation_that_is_too_short_is_not_answered():
    message = bytes((nd.RS, 0, 0, 0, 0, 0, 0))
    frame = nd.icmp6(
        message, eth_src=MAC, eth_dst=nd.ALL_ROUTERS_MAC, ip_src=LLA, ip_dst=nd.ALL_ROUTERS
    )
    assert RESPONDER.respond(frame) == Silence(Reason.BAD_OPTIONS)


def test_an_unsolicited_one_goes_from_the_router_to_all_nodes():
    frame = unsolicited(MESSAGE, mac_bytes(ROUTER_MAC), IPv6Address(ROUTER_LLA))
    assert frame == nd.icmp6(
        MESSAGE, eth_src=ROUTER_MAC, eth_dst=nd.ALL_NODES_MAC,
        ip_src=ROUTER_LLA, ip_dst=nd.ALL_NODES,
    )  # fmt: skip
