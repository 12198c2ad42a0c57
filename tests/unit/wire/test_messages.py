# SPDX-License-Identifier: Apache-2.0
"""What a switch may say, well-formed and not."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.wire import messages
from ovs_dhcpd.controller.wire.messages import Hello, PortStatus
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15, OFPT_EXPERIMENTER, message

from tests.unit.wire.replies import port_status

VERSIONS = pytest.mark.parametrize("version", [OFP13, OFP15], ids=["1.3", "1.5"])
ONF_CONTROL = messages.VENDOR_AND_BUNDLE_CONTROL
STEP = struct.pack("!IHH", 9, 5, 3)


def hello(elements: bytes, version: int = OFP15) -> bytes:
    return message(version, messages.OFPT_HELLO, elements)


@pytest.mark.parametrize(
    ("elements", "listed"),
    [
        ("", []),
        ("0001 0008 00000070", [4, 5, 6]),
        ("0001 000c 00000040 00000001", [6, 32]),
        ("0002 0005 ff000000 0001 0008 00000010", [4]),
        ("0001 0006 0010", []),
        ("0001 0004", []),
    ],
    ids=["none", "bitmap", "two words", "behind another one", "half a word", "no word"],
)
def test_a_hello_lists_versions(elements: str, listed: list[int]) -> None:
    assert messages.decode_hello(hello(bytes.fromhex(elements))) == Hello(OFP15, frozenset(listed))


def test_our_own_hello_reads_as_it_was_meant() -> None:
    versions = frozenset({OFP13, OFP15})
    assert messages.decode_hello(messages.encode_hello(versions)) == Hello(OFP15, versions)


@pytest.mark.parametrize(
    ("elements", "error"),
    [
        ("0001 0000", "HELLO: an element of 0 bytes at offset 8 of 12, expected 4 or more"),
        ("0001 0008 0000", "HELLO: an element of 8 bytes at offset 8 of 14, expected 4 or more"),
        ("0001 0008 00000010 00", "HELLO: 1 bytes left at offset 16, expected 4"),
    ],
)
def test_a_malformed_hello(elements: str, error: str) -> None:
    with pytest.raises(ValueError, match=f"^{error}$"):
        messages.decode_hello(hello(bytes.fromhex(elements)))


def test_the_datapath_id() -> None:
    features = message(OFP15, messages.OFPT_FEATURES_REPLY, struct.pack("!Q16x", 0x2AB))
    assert messages.decode_datapath_id(features) == 0x2AB
    for size in (31, 33):
        with pytest.raises(ValueError, match=f"FEATURES_REPLY: {size} bytes, expected 32"):
            messages.decode_datapath_id((features + b"\0")[:size])


@pytest.mark.parametrize(
    ("kind", "name"),
    [(0, "HELLO_FAILED"), (17, "BUNDLE_FAILED"), (18, "unknown"), (0xFFFF, "EXPERIMENTER")],
)
def test_an_error_has_its_name(kind: int, name: str) -> None:
    error = message(OFP15, messages.OFPT_ERROR, struct.pack("!HH", kind, 15))
    assert messages.decode_error(error) == f"OFPET_{name}({kind}) code 15"
    with pytest.raises(ValueError, match="ERROR: 11 bytes, expected 12 or more"):
        messages.decode_error(error[:11])


@VERSIONS
def test_a_port_status(version: int) -> None:
    status = port_status(version, 0, b"tap7", 7)
    assert messages.decode_port_status(status) == PortStatus(0, "tap7", 7)
    full = port_status(version, 2, b"sixteen letters!", 0xFFFFFFFE)
    assert messages.decode_port_status(full) == PortStatus(2, "sixteen letters!", 0xFFFFFFFE)
    least = 56 if version == OFP15 else 80
    with pytest.raises(ValueError, match=f"PORT_STATUS: {least - 1} bytes, expected {least}"):
        messages.decode_port_status(status[: least - 1])


@pytest.mark.parametrize("size", [39, 49])
def test_a_port_that_is_longer_than_its_message(size: int) -> None:
    status = bytearray(port_status(OFP15, 0, b"tap7", 7))
    status[20:22] = size.to_bytes(2, "big")
    with pytest.raises(ValueError, match=f"a port of {size} bytes at offset 16 of 64"):
        messages.decode_port_status(bytes(status))


@pytest.mark.parametrize(
    "control", [message(OFP15, 33, STEP), message(OFP13, OFPT_EXPERIMENTER, ONF_CONTROL + STEP)]
)
def test_a_bundle_control_message_of_both_kinds(control: bytes) -> None:
    assert messages.is_bundle_control(control)
    assert messages.decode_bundle_control(control) == 5
    size = len(control) - 1
    with pytest.raises(ValueError, match=f"{size} bytes, expected {size + 1} or more"):
        messages.decode_bundle_control(control[:size])


def test_an_echo_comes_back() -> None:
    request = message(OFP13, messages.OFPT_ECHO_REQUEST, b"ping", 7)
    assert messages.echo_reply(request) == message(OFP13, messages.OFPT_ECHO_REPLY, b"ping", 7)


@given(st.integers(0, 255), st.binary(max_size=120))
def test_whatever_the_bytes_it_is_a_value_or_a_value_error(version: int, body: bytes) -> None:
    decoders = (
        messages.decode_hello,
        messages.decode_datapath_id,
        messages.decode_error,
        messages.decode_port_status,
        messages.decode_bundle_control,
    )
    for decode in decoders:
        for kind in (0, 4, 33):
            received = message(version, kind, body)
            messages.is_bundle_control(received)
            with contextlib.suppress(ValueError):
                decode(received)
