# SPDX-License-Identifier: Apache-2.0
"""Handshakes as scripts: what a switch says, and what is answered."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.wire import messages
from ovs_dhcpd.controller.wire.handshake import LIMIT, Handshake
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15, message

OFP14 = 5
ALL = (OFP13, OFP14, OFP15)


def hello(*versions: int, listed: bool = True) -> bytes:
    if listed:
        return messages.encode_hello(frozenset(versions))
    return message(max(versions), messages.OFPT_HELLO, b"")


def features(version: int, datapath_id: int = 0x2AB) -> bytes:
    return message(version, messages.OFPT_FEATURES_REPLY, struct.pack("!Q16x", datapath_id))


def test_a_handshake_byte_by_byte() -> None:
    handshake = Handshake([OFP15])
    assert handshake.begin() == bytes.fromhex("0600001000000000 0001000800000040")
    said = hello(OFP15) + message(OFP15, messages.OFPT_ECHO_REQUEST, b"ping", 3) + features(OFP15)
    answers = b"".join(handshake.receive(bytes([byte])) for byte in said)
    assert answers == message(OFP15, messages.OFPT_FEATURES_REQUEST, b"") + message(
        OFP15, messages.OFPT_ECHO_REPLY, b"ping", 3
    )
    assert (handshake.version, handshake.datapath_id) == (OFP15, 0x2AB)
    assert handshake.features == features(OFP15)
    assert handshake.rest == b""


def test_what_comes_behind_is_kept_as_it_is() -> None:
    handshake = Handshake([OFP15])
    behind = features(OFP15, 9) + b"\6\0\0\x28 a part"
    handshake.receive(hello(OFP15) + features(OFP15) + behind)
    assert handshake.datapath_id == 0x2AB
    assert handshake.rest == behind


@pytest.mark.parametrize(
    ("ours", "theirs", "listed", "version"),
    [
        (ALL, ALL, True, OFP15),
        (ALL, (1, OFP13), True, OFP13),
        ((OFP13,), ALL, True, OFP13),
        (ALL, (OFP14,), False, OFP14),
        ((OFP13,), (OFP15,), False, OFP13),
        (ALL, (99,), False, OFP15),
    ],
)
def test_the_greatest_common_version_is_taken(
    ours: tuple[int, ...], theirs: tuple[int, ...], listed: bool, version: int
) -> None:
    handshake = Handshake(ours)
    asked = handshake.receive(hello(*theirs, listed=listed))
    assert asked == message(version, messages.OFPT_FEATURES_REQUEST, b"")
    assert handshake.version == version


@pytest.mark.parametrize(
    ("ours", "theirs", "listed", "error"),
    [
        ((OFP15,), (1, OFP13), True, "the switch speaks OpenFlow 1.0, 1.3, expected OpenFlow 1.5"),
        ((OFP13,), (1,), False, "the switch speaks OpenFlow 1.0, expected OpenFlow 1.3"),
        ((OFP13, OFP15), (OFP14,), False,
         "the switch speaks OpenFlow 1.4, expected OpenFlow 1.3, 1.5"),
    ],
)  # fmt: skip
def test_without_a_common_version_it_says_what_there_is(
    ours: tuple[int, ...], theirs: tuple[int, ...], listed: bool, error: str
) -> None:
    with pytest.raises(ValueError, match=f"^{error}$"):
        Handshake(ours).receive(hello(*theirs, listed=listed))


def test_the_order_is_hello_first_and_the_version_stays() -> None:
    handshake = Handshake([OFP13])
    assert handshake.receive(features(OFP13)) == b""
    assert not handshake.features
    handshake.receive(hello(OFP13))
    assert handshake.receive(hello(OFP15)) == b""
    with pytest.raises(ValueError, match="wire version 6, expected 4"):
        handshake.receive(features(OFP15))


def test_an_error_is_kept_and_what_is_not_needed_is_dropped() -> None:
    handshake = Handshake([OFP15])
    handshake.receive(message(OFP15, messages.OFPT_ERROR, struct.pack("!HH", 0, 0) + b"\xff"))
    assert handshake.error == "OFPET_HELLO_FAILED(0) code 0"
    assert handshake.receive(message(OFP15, 33, b"")) == b""


def test_who_says_too_much_is_stopped() -> None:
    handshake = Handshake([OFP15])
    unneeded = message(OFP15, 33, bytes(1016))
    for _ in range(LIMIT // 1024):
        handshake.receive(unneeded)
    with pytest.raises(ValueError, match="more than 128 KB, expected a HELLO"):
        handshake.receive(unneeded)


@given(st.lists(st.binary(max_size=60)), st.booleans())
def test_whatever_the_bytes_it_goes_on_or_is_a_value_error(
    pieces: list[bytes], said_hello: bool
) -> None:
    handshake = Handshake(ALL)
    with contextlib.suppress(ValueError):
        if said_hello:
            handshake.receive(hello(*ALL))
        for piece in pieces:
            handshake.receive(piece)
            if handshake.features:
                break
