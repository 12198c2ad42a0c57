# SPDX-License-Identifier: Apache-2.0
"""What was laid out, chosen or answered before changes no byte of what is answered now."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from types import ModuleType
from typing import NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovs_dhcpd.controller.responders.dispatch import Dispatcher, responder_for
from ovs_dhcpd.controller.responders.verdict import Answer, Verdict
from ovs_dhcpd.controller.wire import dhcpv4, dhcpv6, frames
from ovs_dhcpd.controller.wire.frames import FrameError, decode_ipv6_udp, decode_udp
from ovs_dhcpd.flows.userdata.codec import (
    LogicalAction,
    PutDhcpOpts,
    PutDhcpv6Opts,
    encode_userdata,
    split_address,
    split_host_name,
)
from ovs_dhcpd.flows.userdata.extension import Dhcpv6Extension

from tests.lab import packets6 as p6
from tests.property import oracle_dhcpv4 as v4
from tests.property import oracle_dhcpv6 as v6
from tests.property.strategies import ACTIONS, ACTIONS6, ACTIONS_RA, damaged
from tests.unit.packet_ins import packet_in
from tests.unit.requests6 import OWN, SERVER_ID, ask, opts, serve

FRAMES, FRAMES6 = (
    st.one_of(st.sampled_from(list(oracle.GOLDEN.values())), damaged(oracle.GOLDEN.values(), 400))
    for oracle in (v4, v6)
)
SERVED = st.one_of(st.sampled_from(list(v4.SERVED)), ACTIONS)
SERVED6 = st.one_of(st.sampled_from(list(v6.SERVED)), ACTIONS6)
ANY = st.one_of(SERVED, SERVED6, ACTIONS_RA)


class Port(NamedTuple):
    """What is one port's own: an address of 4 bytes, and a host name; None if as it is."""

    address: bytes
    host_name: bytes | None = None


ONE, OTHER = Port(bytes([10, 0, 0, 5]), b"vm1"), Port(bytes([10, 0, 0, 77]), b"vm12")
PORTS = st.builds(
    Port,
    st.sampled_from((ONE.address, OTHER.address, bytes(4))),
    st.sampled_from((None, b"", b"vm1", b"vm12", b"x" * 255, b"y" * 300)),
)


def of_another_port(action: LogicalAction, port: Port) -> LogicalAction:
    """`action` for another port; of DHCPv6 and its 16 bytes, the address stands in front."""
    if isinstance(action, PutDhcpOpts):
        values = dict(action.options)
        if port.host_name is not None:
            values[12] = port.host_name
        options = tuple(values.items())
        return replace(action, offerip=IPv4Address(port.address), options=options)
    if isinstance(action, PutDhcpv6Opts):
        options = tuple(
            (code, port.address + bytes(12) if code == 5 and len(value) == 16 else value)
            for code, value in action.options
        )
        return replace(action, options=options)
    return action


def without_frame(verdict: Verdict) -> Verdict:
    """Who asks the same again, but for the xid, gets the verdict on the first; with its frame."""
    return verdict._replace(frame=b"") if isinstance(verdict, Answer) else verdict


def check(action: LogicalAction, asked: list[tuple[bytes, Port]]) -> None:
    """Guests at some ports ask, all of them twice; each answer is that of a new daemon.

    And its verdict is that of a responder that knows no other port.
    """
    known = Dispatcher()
    for frame, port in (*asked, *asked):
        served = of_another_port(action, port)
        message = packet_in(frame, encode_userdata(served))
        resumed, anew = known.resume(message), Dispatcher().resume(message)
        assert resumed is not None
        assert anew is not None
        assert resumed[0] == anew[0]
        assert without_frame(resumed[1]) == without_frame(anew[1])
        if action.result.register:
            responder = responder_for(served)
            assert without_frame(resumed[1]) == without_frame(responder.respond(frame))


@pytest.mark.parametrize("oracle", [v4, v6], ids=["DHCPv4", "DHCPv6"])
def test_each_request_after_each_other(oracle: ModuleType) -> None:
    frames = [frame for name, frame in oracle.GOLDEN.items() if " in " not in name]
    for action in oracle.SERVED:
        for before, after in itertools.permutations(frames, 2):
            check(action, [(before, ONE), (after, ONE), (after, OTHER)])


@settings(max_examples=200)
@given(SERVED, st.lists(st.tuples(FRAMES, PORTS), min_size=2, max_size=8))
def test_a_network_that_is_known_answers_as_one_that_is_not(
    action: LogicalAction, asked: list[tuple[bytes, Port]]
) -> None:
    check(action, asked)


@settings(max_examples=200)
@given(SERVED6, st.lists(st.tuples(FRAMES6, PORTS), min_size=2, max_size=8))
def test_the_same_of_dhcpv6(action: LogicalAction, asked: list[tuple[bytes, Port]]) -> None:
    check(action, asked)


@given(ANY, ANY, PORTS)
def test_what_ports_have_in_common_says_all_but_address_and_host_name(
    one: LogicalAction, two: LogicalAction, port: Port
) -> None:
    def split(userdata: bytes) -> tuple[bytes, bytes, bytes]:
        address, common = split_address(userdata)
        return address, *split_host_name(common)

    for action in (two, of_another_port(one, port)):
        ours, others = encode_userdata(one), encode_userdata(action)
        (*own, common), (*own_too, common_too) = split(ours), split(others)
        if common == common_too:
            assert len(own[0]) == len(own_too[0])
            assert (ours == others) == (own == own_too)


CODES = st.sampled_from((0, 1, 3, 12, 39, 53, 55, 61, 200, 254, 255))
VALUES = st.binary(max_size=3) | st.binary(min_size=14, max_size=18)


@pytest.mark.parametrize(
    ("wire", "width", "before"), [(dhcpv4, 1, 240), (dhcpv6, 2, 0)], ids=["DHCPv4", "DHCPv6"]
)
@given(st.lists(st.tuples(CODES, VALUES), max_size=60), st.integers(0, 5))
def test_what_is_read_is_the_same_whether_or_not_the_rest_is_passed_over(
    wire: ModuleType, width: int, before: int, options: list[tuple[int, bytes]], cut: int
) -> None:
    data = bytes(before) + b"".join(
        b"\0" if (code, width) == (0, 1)
        else code.to_bytes(width, "big") + len(value).to_bytes(width, "big") + value
        for code, value in options
    )  # fmt: skip
    data = data[: max(before, len(data) - cut)]

    def read(few: int) -> object:
        with patch.object(wire, "FEW", few):
            try:
                return [
                    (c, v) for c, v in dict(wire.decode_options(data)).items() if c in wire.READ
                ]
            except wire.OptionsError:
                return None

    assert read(0) == read(1000)


LEASES = st.lists(st.sampled_from(("fd00::5", "fd00::6", "fd00::7", "fd00:1::5")), unique=True)
TO_EXTENSION = st.builds(
    Dhcpv6Extension,
    addresses=st.sampled_from(((), (IPv6Address("fd00::6"),))),
    rapid_commit=st.booleans(),
)


@given(
    TO_EXTENSION,
    st.sampled_from((p6.SOLICIT, p6.REQUEST, p6.RENEW, p6.REBIND)),
    LEASES,
    st.sampled_from((OWN, None)),
)
def test_one_ia_gets_what_it_gets_beside_one_that_gets_nothing(
    extension: Dhcpv6Extension, kind: int, leases: list[str], ia_addr: str | None
) -> None:
    responder = serve(extension, ia_addr=ia_addr)
    server = (SERVER_ID,) if kind in (p6.REQUEST, p6.RENEW) else ()

    def answered(*ias: bytes) -> object:
        verdict = responder.respond(ask(kind, *server, p6.ia_na(1, *leases), *ias))
        if not isinstance(verdict, Answer):
            return verdict
        *_, message = decode_ipv6_udp(verdict.frame)
        return [value for code, value in dhcpv6.decode_options(message[4:]) if code == dhcpv6.IA_NA]

    assert answered() == answered(p6.ia_ta(2))


@settings(max_examples=300)
@given(
    st.one_of([damaged(o.GOLDEN.values(), reach) for o in (v4, v6) for reach in (24, 64)]),
    st.one_of(st.none(), st.integers(0, 70)),
)
def test_a_plain_frame_is_read_as_if_it_were_any(frame: bytes, size: int | None) -> None:
    frame = frame[:size]

    def read(plain_size: int) -> list[object]:
        with patch.multiple(frames, _PLAIN_SIZE=plain_size, _PLAIN6_SIZE=plain_size):
            return [_outcome(decode, frame) for decode in (decode_udp, decode_ipv6_udp)]

    assert read(62) == read(1 << 16)


def _outcome(decode: Callable[[bytes], object], frame: bytes) -> object:
    try:
        return decode(frame)
    except FrameError as error:
        return type(error)


def test_a_port_without_an_address_is_of_another_network() -> None:
    with_one, without = (split_address(encode_userdata(opts(ia_addr=a))) for a in ("::", None))
    assert with_one[1] != without[1]
