# SPDX-License-Identifier: Apache-2.0
"""Every frozen packet is resumed exactly once, whatever is in it or in the userdata."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.responders import dispatch
from ovs_dhcpd.controller.responders.dhcpv4 import Dhcpv4Responder
from ovs_dhcpd.controller.responders.dispatch import LISTENED, Dispatcher
from ovs_dhcpd.controller.responders.dns_lookup import MESSAGE as DNS_MESSAGE
from ovs_dhcpd.controller.responders.repeat import Template
from ovs_dhcpd.controller.responders.token_bucket import TokenBucket
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence, Verdict
from ovs_dhcpd.controller.wire.declined import Declined
from ovs_dhcpd.controller.wire.frames import with_tag
from ovs_dhcpd.controller.wire.nxt import NxtError, PacketIn2, decode_packet_in2
from ovs_dhcpd.controller.wire.probe import Heard, encode_question
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts, PutDhcpv6Opts, PutNdRaOpts, encode_userdata

from tests.lab.nd import RA, router_solicitation
from tests.lab.packets import DECLINE, option, request
from tests.lab.packets6 import DECLINE as DECLINE6
from tests.lab.packets6 import SOLICIT, ia_na
from tests.property import strategies
from tests.unit import requests6
from tests.unit.advertisement import MESSAGE
from tests.unit.packet_ins import DISCOVER, USERDATA, packet_in

MAC = "fa:16:3e:8b:ea:fd"
USERDATA6 = encode_userdata(requests6.opts())
USERDATA_RA = bytes.fromhex("000000080000000000" + "01de1000000065") + MESSAGE
SOLICITATION = router_solicitation(requests6.MAC, requests6.LLA)
SOLICIT6 = requests6.ask(SOLICIT, ia_na(0))


def resume(message: bytes, dispatcher: Dispatcher | None = None) -> tuple[bytes, Verdict]:
    """What becomes of a message that is to be resumed; fails if it is not."""
    result = (dispatcher or Dispatcher()).resume(message)
    assert result is not None
    return result


def resumed(message: bytes) -> tuple[bytes, bytes]:
    """The packet and the metadata of an NXT_RESUME; its properties are those of a packet-in."""
    assert message[8:16] == struct.pack("!II", 0x2320, 28)
    assert struct.unpack_from("!H", message, 2)[0] == len(message)
    assert len(message) % 8 == 0
    as_packet_in = decode_packet_in2(message)
    assert as_packet_in.continuation == decode_packet_in2(packet_in()).continuation
    return as_packet_in.packet, as_packet_in.metadata


DNS = Silence(Reason.DNS, message=DNS_MESSAGE)
PLAIN = decode_packet_in2(packet_in()).metadata
WITH_BIT = PLAIN + bytes.fromhex("0001000400000008")


@pytest.mark.parametrize("version", ["1.3", "1.5"])
def test_an_answered_packet_goes_on_with_the_bit_set(version: str) -> None:
    message, verdict = resume(packet_in(version=version))
    assert isinstance(verdict, Answer)
    assert (verdict.message, verdict.mac.hex(":")) == ("DHCPOFFER", "fa:16:3e:8b:ea:fd")
    assert message[0] == {"1.3": 4, "1.5": 6}[version]
    assert resumed(message) == (verdict.frame, WITH_BIT)


def test_dhcpv6_is_answered_by_its_own_responder() -> None:
    message, verdict = resume(packet_in(SOLICIT6, USERDATA6))
    assert isinstance(verdict, Answer)
    assert verdict == requests6.serve().respond(SOLICIT6)
    assert verdict.message == "DHCPv6 ADVERTISE"
    assert resumed(message) == (verdict.frame, WITH_BIT)


def test_router_solicitations_are_answered_in_another_bit() -> None:
    message, verdict = resume(packet_in(SOLICITATION, USERDATA_RA))
    assert isinstance(verdict, Answer)
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
def test_a_packet_of_another_protocol_goes_on_unchanged(packet: bytes, userdata: bytes) -> None:
    message, verdict = resume(packet_in(packet, userdata))
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
def test_an_unanswered_packet_goes_on_unchanged_without_the_bit(
    packet: bytes, userdata: bytes, reason: Reason | None
) -> None:
    message, verdict = resume(packet_in(packet, userdata))
    assert isinstance(verdict, Silence)
    assert reason in (None, verdict.reason)
    assert resumed(message) == (packet, PLAIN)


@pytest.mark.parametrize(
    "userdata", [b"", b"\0\0\0", b"\0\0\0\7" + bytes(20), b"\2" + USERDATA[1:]]
)
def test_what_is_not_ours_can_be_left_frozen(userdata: bytes) -> None:
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
def test_what_is_ours_is_resumed_all_the_same(packet: bytes, userdata: bytes) -> None:
    message = packet_in(packet, userdata)
    assert Dispatcher(only_ours=True).resume(message) == Dispatcher().resume(message)


def test_a_responder_that_fails_does_not_keep_the_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __init__(self, opts: object) -> None:
            pass

        def of_neighbour(self, address: bytes, host_name: bytes) -> Broken:
            return self

        def respond(self, frame: bytes) -> None:
            raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(dispatch, "Dhcpv4Responder", Broken)
    message, verdict = resume(packet_in())
    assert verdict == Silence(Reason.INTERNAL_ERROR, detail="ZeroDivisionError: a fault of ours")
    assert resumed(message) == (DISCOVER, PLAIN)


def test_a_responder_that_cannot_be_made_does_not_keep_the_packet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(opts: object) -> None:
        raise KeyError(0)

    monkeypatch.setattr(dispatch, "responder_for", fail)
    message, verdict = resume(packet_in())
    assert verdict == Silence(Reason.INTERNAL_ERROR, detail="KeyError: 0")
    assert resumed(message) == (DISCOVER, PLAIN)


def test_what_a_client_declines_is_noted_with_its_port_and_vlan() -> None:
    dispatcher = Dispatcher()
    decline = request(DECLINE, MAC, option(50, "192.168.1.7"), option(54, "192.168.1.1"))
    tagged = with_tag(decline, 100)
    decline6 = requests6.ask(DECLINE6, requests6.SERVER_ID, ia_na(0, "fd00::77", requests6.OWN))
    for packet in (decline, DISCOVER, tagged):
        resume(packet_in(packet, USERDATA), dispatcher)
    resume(packet_in(decline6, USERDATA6), dispatcher)
    mac = bytes.fromhex(MAC.replace(":", ""))
    mac6 = bytes.fromhex(requests6.MAC.replace(":", ""))
    own, own6 = bytes([192, 168, 1, 7]), ip_address(requests6.OWN).packed
    assert dispatcher.told == [
        Declined(1, 0, mac, own),
        Declined(1, 100, mac, own),
        Declined(1, 0, mac6, own6),
    ]


def not_frozen(message: bytes) -> bytes:
    """The packet-in without its continuation."""
    at = message.index(struct.pack("!HH", 8, 64))
    body = message[8:at] + message[at + 64 :]
    return message[:2] + struct.pack("!HI", 8 + len(body), 0) + body


def test_a_packet_that_is_not_frozen_is_not_resumed() -> None:
    assert Dispatcher().resume(not_frozen(packet_in())) is None


ASKED_FOR = ip_address("10.0.0.5")
QUESTION = encode_question(bytes.fromhex("026468000001"), ASKED_FOR)
HEARD = Heard(1, 0, bytes.fromhex("026468000001"), ASKED_FOR.packed, asks=True)
PROBE_HEARD = bytes.fromhex("6468000200000000")


def test_what_is_heard_of_probes_is_noted_and_not_resumed() -> None:
    dispatcher = Dispatcher()
    for packet in (QUESTION, DISCOVER, b"", QUESTION):
        assert dispatcher.resume(not_frozen(packet_in(packet, PROBE_HEARD)), 1.0) is None
    assert dispatcher.told == [HEARD, HEARD]


def test_who_talks_without_an_end_is_not_listened_to() -> None:
    dispatcher = Dispatcher()
    message = not_frozen(packet_in(QUESTION, PROBE_HEARD))
    for number in range(10_000):
        dispatcher.resume(message, 100 + number / 10_000)  # for a second
    assert LISTENED.burst <= len(dispatcher.told) <= LISTENED.burst + LISTENED.pps


def test_beside_another_daemon_nothing_is_heard_of_probes() -> None:
    dispatcher = Dispatcher(only_ours=True)
    assert dispatcher.resume(not_frozen(packet_in(QUESTION, PROBE_HEARD)), 1.0) is None
    assert dispatcher.told == []


def test_a_flow_is_learnt_once_and_forgotten_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learnt: list[bytes] = []
    monkeypatch.setattr(dispatch, "MIN_PATHS", 2)
    compile_path = dispatch.compile_path

    def learn(version: int, found: PacketIn2, *known: Any, **how: Any) -> Any:
        learnt.append(found.userdata[-1:])
        return compile_path(version, found, *known, **how)

    monkeypatch.setattr(dispatch, "compile_path", learn)
    dispatcher = Dispatcher()
    dispatcher.flows = 0  # fewer than MIN_PATHS
    a, b, c, d, e = (packet_in(userdata=USERDATA + bytes([12, 1, name])) for name in b"abcde")
    for message in (a, a, b, c, a, d, a, e, b):
        assert isinstance(resume(message, dispatcher)[1], Answer)
    assert b"".join(learnt) == b"abcdeb"


def test_as_many_flows_are_known_as_there_are() -> None:
    dispatcher = Dispatcher()
    dispatcher.flows = dispatch.MIN_PATHS + 44
    for number in range(2 * dispatcher.flows):
        resume(
            packet_in(userdata=USERDATA + bytes([12, 2]) + number.to_bytes(2, "big")), dispatcher
        )
    paths = dispatcher._paths | dispatcher._older
    assert len(paths) == 2 * dispatcher.flows
    dispatcher.flows = 1
    for number in range(2 * dispatch.MIN_PATHS):
        resume(
            packet_in(userdata=USERDATA + bytes([12, 3, 0]) + number.to_bytes(2, "big")), dispatcher
        )
    assert len(dispatcher._paths | dispatcher._older) == 2 * dispatch.MIN_PATHS


@given(st.binary(min_size=4, max_size=4), st.binary(min_size=2, max_size=2), st.data())
def test_what_is_kept_ready_is_what_would_be_made_anew(
    xid: bytes, secs: bytes, data: st.DataObject
) -> None:
    """Another xid and other secs; and then, in some byte, another request."""
    known = Dispatcher()
    for _ in range(2):
        known.resume(packet_in())
    asked = bytearray(DISCOVER)
    asked[46:50], asked[50:52] = xid, secs
    again = packet_in(bytes(asked))
    assert resume(again, known)[0] == resume(again)[0]
    at = data.draw(st.integers(0, len(asked) - 1))
    asked[at] ^= data.draw(st.integers(1, 255))
    other = packet_in(bytes(asked))
    assert resume(other, known)[0] == resume(other)[0]


@pytest.mark.parametrize(
    ("asked", "userdata"), [(SOLICIT6, USERDATA6), (SOLICITATION, USERDATA_RA)]
)
@given(data=st.data())
def test_the_same_of_ipv6(asked: bytes, userdata: bytes, data: st.DataObject) -> None:
    known = Dispatcher()
    for _ in range(2):
        known.resume(packet_in(asked, userdata))
    other = bytearray(asked)
    other[data.draw(st.integers(0, len(asked) - 1))] ^= data.draw(st.integers(1, 255))
    message = packet_in(bytes(other), userdata)
    assert resume(message, known)[0] == resume(message)[0]


@given(
    st.one_of(strategies.ACTIONS, strategies.ACTIONS6, strategies.ACTIONS_RA),
    st.sampled_from([DISCOVER, SOLICIT6, SOLICITATION]),
)
def test_all_userdata_that_can_be_read_can_be_carried_out(
    action: PutDhcpOpts | PutDhcpv6Opts | PutNdRaOpts, packet: bytes
) -> None:
    _, verdict = resume(packet_in(packet, encode_userdata(action)))
    assert isinstance(verdict, Answer) or verdict.reason is not Reason.INTERNAL_ERROR


def test_the_same_request_is_answered_without_the_responder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []

    def counting(self: Dhcpv4Responder, frame: bytes) -> Verdict:
        asked.append(frame)
        return respond(self, frame)

    respond = Dhcpv4Responder.respond
    monkeypatch.setattr(Dhcpv4Responder, "respond", counting)
    dispatcher = Dispatcher()
    first, verdict = resume(packet_in(), dispatcher)
    for _ in range(5):
        assert dispatcher.resume(packet_in()) == (first, verdict)
    assert len(asked) == 2  # from the second time on the answer is ready


def test_a_guest_that_never_asks_the_same_has_few_answers_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[object] = []

    def counting(*parts: Any) -> Template:
        made.append(parts)
        return Template(*parts)

    monkeypatch.setattr(dispatch, "Template", counting)
    dispatcher = Dispatcher()

    def is_kept(number: int) -> bool:
        """Whether the answer was ready; it is, now."""
        before = len(made)
        for _ in range(2):
            dispatcher.resume(packet_in(request(1, MAC, option(60, b"%d" % number))))
        return len(made) == before

    assert [is_kept(number) for number in range(dispatch.MAX_TEMPLATES)] == [False] * 4
    assert [is_kept(number) for number in range(dispatch.MAX_TEMPLATES)] == [True] * 4
    assert not is_kept(4)
    assert not is_kept(0)


@given(st.binary(max_size=400), st.binary(max_size=120))
def test_whatever_comes_is_resumed(packet: bytes, userdata: bytes) -> None:
    message, verdict = resume(packet_in(packet, userdata))
    assert isinstance(verdict, Silence)
    assert resumed(message)[0] == packet


@given(st.data())
def test_a_damaged_packet_in_is_resumed_or_refused_by_name(data: st.DataObject) -> None:
    message = bytearray(packet_in())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(16, len(message) - 1))
        message[at] = data.draw(st.integers(0, 255))
    try:
        result = Dispatcher().resume(bytes(message))
    except NxtError:
        return
    assert result is None or result[0][8:16] == struct.pack("!II", 0x2320, 28)


COOKIE = decode_packet_in2(packet_in()).cookie


def test_what_is_too_much_for_the_flow_is_resumed_unanswered_and_unread() -> None:
    dispatcher = Dispatcher()
    before = dispatcher.resume(packet_in(), 10.0)
    buckets = {COOKIE: TokenBucket(rate=1, burst=2)}
    dispatcher.limit(buckets)
    assert [dispatcher.resume(packet_in(), 10.0) for _ in range(2)] == [before, before]
    refused = dispatcher.resume(packet_in(), 10.5)
    assert refused
    message, verdict = refused
    assert verdict == Silence(Reason.RATE_LIMIT)
    assert resumed(message) == (decode_packet_in2(packet_in()).packet, PLAIN)
    assert dispatcher.resume(packet_in(), 11.0) == before
    dispatcher.limit(buckets)
    assert dispatcher.resume(packet_in(), 11.0) == refused
    dispatcher.limit({COOKIE + 1: TokenBucket(rate=1, burst=1)})
    assert [dispatcher.resume(packet_in(), 11.0) for _ in range(9)] == [before] * 9


def test_each_flow_may_have_a_limit_of_its_own() -> None:
    dispatcher = Dispatcher(each=RateLimit(pps=1, burst=2))
    verdicts = [resume(packet_in(), dispatcher)[1] for _ in range(3)]
    assert [isinstance(verdict, Answer) for verdict in verdicts] == [True, True, False]
    other = resume(packet_in(SOLICIT6, USERDATA6), dispatcher)[1]
    assert isinstance(other, Answer)


RELAY = bytes.fromhex("c0a80101ac100101")  # the relay agent's address, the server's
DNS_LOOKUP = bytes.fromhex("00000006000000000001de1000000064")  # in reg0[4]
RELAY_REQ = bytes.fromhex("0000001c000000008001080800000007") + RELAY  # in reg9[7]
RELAY_RESP = bytes.fromhex("0000001d000000008001080800000008") + RELAY  # in reg9[8]


def test_dns_goes_on_with_the_result_bit_0() -> None:
    for dispatcher in (Dispatcher(), Dispatcher(only_ours=True)):
        message, verdict = resume(packet_in(DISCOVER, DNS_LOOKUP), dispatcher)
        assert (verdict, resumed(message)) == (DNS, (DISCOVER, PLAIN))


def test_a_relayed_request_goes_on_changed_with_its_bit_set() -> None:
    message, verdict = resume(packet_in(DISCOVER, RELAY_REQ), Dispatcher(only_ours=True))
    assert verdict.message == "DHCP_RELAY_REQ"
    packet, metadata = resumed(message)
    assert (packet[45], packet[66:70]) == (1, RELAY[:4])
    assert metadata == PLAIN + bytes.fromhex("0001120400000080")


def test_a_relayed_request_that_comes_again_has_its_own_secs() -> None:
    """An answer to DHCPv4 is kept for the next time without the request's secs."""
    dispatcher = Dispatcher()
    for secs in range(4):
        request = DISCOVER[:50] + bytes((0, secs)) + DISCOVER[52:]
        packet, _ = resumed(resume(packet_in(request, RELAY_REQ), dispatcher)[0])
        assert packet[50:52] == bytes((0, secs))


def test_what_is_no_reply_of_the_server_goes_on_with_the_bit_0() -> None:
    message, verdict = resume(packet_in(DISCOVER, RELAY_RESP))
    assert isinstance(verdict, Silence)
    assert (verdict.reason, resumed(message)) == (Reason.NOT_BOOTREPLY, (DISCOVER, PLAIN))


@pytest.mark.parametrize("userdata", [DNS_LOOKUP, RELAY_REQ])
def test_a_flow_that_a_network_shares_has_not_the_limit_of_a_port(userdata: bytes) -> None:
    dispatcher = Dispatcher(only_ours=True, each=RateLimit(pps=1, burst=1))
    verdicts = {resume(packet_in(DISCOVER, userdata), dispatcher)[1] for _ in range(3)}
    assert {verdict.message for verdict in verdicts} == {
        "DNS_LOOKUP" if userdata == DNS_LOOKUP else "DHCP_RELAY_REQ"
    }
