# SPDX-License-Identifier: Apache-2.0
"""Every frozen packet is resumed exactly once, whatever is in it or in the userdata."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.responders import dispatch
from controller.responders.dispatch import Dispatcher
from controller.responders.verdict import Answer, Reason, Silence
from controller.wire.nxt import NxtError, decode_packet_in2
from flows.userdata import encode_userdata
from tests.lab.nd import RA, router_solicitation
from tests.lab.packets6 import SOLICIT, ia_na
from tests.property import strategies
from tests.unit import requests6
from tests.unit.packet_ins import PACKET_INS
from tests.unit.test_nd_ra import MESSAGE

USERDATA = bytes.fromhex("00000002000000000001de1000000063c0a801073604c0a80101330400000e10")
DISCOVER = (
    bytes.fromhex("ffffffffffff" "fa163e8beafd" "0800")
    + bytes.fromhex("45000110000000004011799e00000000ffffffff" "0044004300fc0000")
    + bytes.fromhex("01010600" "00001234" "00000000")
    + bytes(16)
    + bytes.fromhex("fa163e8beafd")
    + bytes(10 + 192)
    + bytes.fromhex("63825363" "350101" "ff")
)  # fmt: skip


USERDATA6 = encode_userdata(requests6.opts())
USERDATA_RA = bytes.fromhex("000000080000000000" + "01de1000000065") + MESSAGE
SOLICITATION = router_solicitation(requests6.MAC, requests6.LLA)
SOLICIT6 = requests6.ask(SOLICIT, ia_na(0))


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def packet_in(packet: bytes = DISCOVER, userdata: bytes = USERDATA, version: str = "1.5") -> bytes:
    """A captured packet-in with another packet and other userdata."""
    captured = bytes.fromhex(PACKET_INS["plain", version])
    userdata_at = captured.index(struct.pack("!HH", 7, 4 + len(USERDATA)))
    body = (
        captured[8:16]
        + padded(struct.pack("!HH", 0, 4 + len(packet)) + packet)
        + captured[16 + 48 : userdata_at]
        + padded(struct.pack("!HH", 7, 4 + len(userdata)) + userdata)
    )
    return captured[:2] + struct.pack("!HI", 8 + len(body), 0) + body


def resumed(message: bytes) -> tuple[bytes, bytes]:
    """The packet and the metadata of an NXT_RESUME; its properties are those of a packet-in."""
    assert message[8:16] == struct.pack("!II", 0x2320, 28)
    assert struct.unpack_from("!H", message, 2)[0] == len(message)
    assert len(message) % 8 == 0
    as_packet_in = decode_packet_in2(message)
    assert as_packet_in.continuation == decode_packet_in2(packet_in()).continuation
    return as_packet_in.packet, as_packet_in.metadata


PLAIN = decode_packet_in2(packet_in()).metadata
WITH_BIT = PLAIN + bytes.fromhex("0001000400000008")


@pytest.mark.parametrize("version", ["1.3", "1.5"])
def test_an_answered_packet_goes_on_with_the_bit_set(version):
    message, verdict = Dispatcher().resume(packet_in(version=version))
    assert isinstance(verdict, Answer)
    assert (verdict.message, verdict.mac.hex(":")) == ("DHCPOFFER", "fa:16:3e:8b:ea:fd")
    assert message[0] == {"1.3": 4, "1.5": 6}[version]
    assert resumed(message) == (verdict.frame, WITH_BIT)


def test_dhcpv6_is_answered_by_its_own_responder():
    message, verdict = Dispatcher().resume(packet_in(SOLICIT6, USERDATA6))
    assert verdict == requests6.serve().respond(SOLICIT6)
    assert verdict.message == "DHCPv6 ADVERTISE"
    assert resumed(message) == (verdict.frame, WITH_BIT)


def test_router_solicitations_are_answered_in_another_bit():
    message, verdict = Dispatcher().resume(packet_in(SOLICITATION, USERDATA_RA))
    assert (verdict.message, verdict.frame[54]) == ("ND_RA", RA)
    assert resumed(message) == (verdict.frame, PLAIN + bytes.fromhex("0001000400000020"))


@pytest.mark.parametrize(
    ("packet", "userdata"),
    [
        (SOLICIT6, USERDATA_RA),
        (SOLICIT6, USERDATA),
        (SOLICITATION, USERDATA6),
        (DISCOVER, USERDATA6),
        (DISCOVER, USERDATA_RA),
    ],
)
def test_a_packet_of_another_protocol_goes_on_unchanged(packet, userdata):
    message, verdict = Dispatcher().resume(packet_in(packet, userdata))
    assert isinstance(verdict, Silence)
    assert resumed(message) == (packet, PLAIN)


@pytest.mark.parametrize(
    ("packet", "userdata", "reason"),
    [
        (b"", USERDATA, Reason.NOT_DHCP),
        (DISCOVER[:40], USERDATA, None),
        (DISCOVER, b"", Reason.BAD_USERDATA),
        (DISCOVER, USERDATA[:-1], Reason.BAD_USERDATA),
        (DISCOVER, b"\0\0\0\7" + bytes(20), Reason.BAD_USERDATA),
        # the result field is no register (OXM metadata): its bit cannot be written
        (DISCOVER, USERDATA[:8] + bytes.fromhex("80000408") + USERDATA[12:], None),
    ],
)
def test_an_unanswered_packet_goes_on_unchanged_without_the_bit(packet, userdata, reason):
    message, verdict = Dispatcher().resume(packet_in(packet, userdata))
    assert isinstance(verdict, Silence)
    assert reason in (None, verdict.reason)
    assert resumed(message) == (packet, PLAIN)


@pytest.mark.parametrize(
    "userdata", [b"", b"\0\0\0", b"\0\0\0\7" + bytes(20), b"\2" + USERDATA[1:]]
)
def test_what_is_not_ours_can_be_left_frozen(userdata):
    """Not even a resume with the bit unset: somebody else is there to answer."""
    assert Dispatcher(only_ours=True).resume(packet_in(userdata=userdata)) is None


@pytest.mark.parametrize(
    ("packet", "userdata"),
    [
        (DISCOVER, USERDATA),
        (SOLICIT6, USERDATA6),
        (SOLICITATION, USERDATA_RA),
        (DISCOVER, USERDATA[:-1]),
        (DISCOVER, b"\0\0\0\2"),
    ],
)
def test_what_is_ours_is_resumed_all_the_same(packet, userdata):
    message = packet_in(packet, userdata)
    assert Dispatcher(only_ours=True).resume(message) == Dispatcher().resume(message)


def test_a_responder_that_fails_does_not_keep_the_packet(monkeypatch):
    class Broken:
        def __init__(self, opts):
            pass

        def respond(self, frame):
            raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(dispatch, "Dhcpv4Responder", Broken)
    message, verdict = Dispatcher().resume(packet_in())
    assert verdict == Silence(Reason.INTERNAL_ERROR, detail="ZeroDivisionError: a fault of ours")
    assert resumed(message) == (DISCOVER, PLAIN)


def test_a_responder_that_cannot_be_made_does_not_keep_the_packet(monkeypatch):
    monkeypatch.setattr(dispatch, "responder_for", lambda opts: {}[0])
    message, verdict = Dispatcher().resume(packet_in())
    assert verdict == Silence(Reason.INTERNAL_ERROR, detail="KeyError: 0")
    assert resumed(message) == (DISCOVER, PLAIN)


def test_a_packet_that_is_not_frozen_is_not_resumed():
    message = packet_in()
    at = message.index(struct.pack("!HH", 8, 64))
    body = message[8:at] + message[at + 64 :]
    assert Dispatcher().resume(message[:2] + struct.pack("!HI", 8 + len(body), 0) + body) is None


def test_a_flow_is_learnt_once_and_forgotten_when_there_are_too_many(monkeypatch):
    learnt: list[bytes] = []
    monkeypatch.setattr(dispatch, "MAX_PATHS", 2)
    compile_path = dispatch.compile_path
    monkeypatch.setattr(
        dispatch, "compile_path", lambda m, **how: learnt.append(m) or compile_path(m, **how)
    )
    dispatcher = Dispatcher()
    messages = [packet_in(userdata=USERDATA + bytes([12, 1, name])) for name in b"abc"]
    for message in (messages[0], messages[0], messages[1], messages[0], messages[2], messages[0]):
        assert isinstance(dispatcher.resume(message)[1], Answer)
    assert learnt == [messages[0], messages[1], messages[2], messages[0]]


@given(st.binary(min_size=4, max_size=4), st.binary(min_size=2, max_size=2), st.data())
def test_what_is_kept_ready_is_what_would_be_made_anew(xid, secs, data):
    """Another xid and other secs; and then, in some byte, another request."""
    known = Dispatcher()
    for _ in range(2):
        known.resume(packet_in())
    asked = bytearray(DISCOVER)
    asked[46:50], asked[50:52] = xid, secs
    again = packet_in(bytes(asked))
    assert known.resume(again)[0] == Dispatcher().resume(again)[0]
    at = data.draw(st.integers(0, len(asked) - 1))
    asked[at] ^= data.draw(st.integers(1, 255))
    other = packet_in(bytes(asked))
    assert known.resume(other)[0] == Dispatcher().resume(other)[0]


@pytest.mark.parametrize(
    ("asked", "userdata"), [(SOLICIT6, USERDATA6), (SOLICITATION, USERDATA_RA)]
)
@given(data=st.data())
def test_no_answer_of_ipv6_is_kept_ready(asked, userdata, data):
    """Whatever byte differs from a question that was answered, the answer is made anew."""
    known = Dispatcher()
    first = known.resume(packet_in(asked, userdata))
    assert known.resume(packet_in(asked, userdata)) == first
    other = bytearray(asked)
    other[data.draw(st.integers(0, len(asked) - 1))] ^= data.draw(st.integers(1, 255))
    message = packet_in(bytes(other), userdata)
    assert known.resume(message) == Dispatcher().resume(message)


@given(
    st.one_of(strategies.ACTIONS, strategies.ACTIONS6, strategies.ACTIONS_RA),
    st.sampled_from([DISCOVER, SOLICIT6, SOLICITATION]),
)
def test_all_userdata_that_can_be_read_can_be_carried_out(action, packet):
    _, verdict = Dispatcher().resume(packet_in(packet, encode_userdata(action)))
    assert isinstance(verdict, Answer) or verdict.reason is not Reason.INTERNAL_ERROR


def test_the_same_request_is_answered_without_the_responder(monkeypatch):
    asked = []
    responder = dispatch.Dhcpv4Responder

    class Counting(responder):
        def respond(self, frame):
            asked.append(frame)
            return super().respond(frame)

    monkeypatch.setattr(dispatch, "Dhcpv4Responder", Counting)
    dispatcher = Dispatcher()
    first, verdict = dispatcher.resume(packet_in())
    for _ in range(5):
        assert dispatcher.resume(packet_in()) == (first, verdict)
    assert len(asked) == 2  # from the second time on the answer is ready


@given(st.binary(max_size=400), st.binary(max_size=120))
def test_whatever_comes_is_resumed(packet, userdata):
    message, verdict = Dispatcher().resume(packet_in(packet, userdata))
    assert isinstance(verdict, Silence)
    assert resumed(message)[0] == packet


@given(st.data())
def test_a_damaged_packet_in_is_resumed_or_refused_by_name(data):
    message = bytearray(packet_in())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(16, len(message) - 1))
        message[at] = data.draw(st.integers(0, 255))
    try:
        result = Dispatcher().resume(bytes(message))
    except NxtError:
        return
    assert result is None or result[0][8:16] == struct.pack("!II", 0x2320, 28)
