# SPDX-License-Identifier: Apache-2.0
"""NXT_PACKET_IN2 in, NXT_RESUME out: against captured messages and ovs-ofctl's own decoder."""

from __future__ import annotations

import re

import pytest
from ovs_dhcpd.controller.wire.nxt import (
    CONTINUATION,
    METADATA,
    NxtError,
    decode_packet_in2,
    encode_property,
    encode_resume,
    flow_of,
    is_packet_in2,
    packet_of,
    write_bit,
)

from tests.unit.ofp_print import ofp_print
from tests.unit.packet_ins import DISCOVER, PACKET_INS, USERDATA, packet_in

CAPTURES = [pytest.param(*key, id="-".join(key)) for key in PACKET_INS]


def capture(registers: str, version: str) -> bytes:
    return bytes.fromhex(PACKET_INS[registers, version])


@pytest.mark.parametrize(("registers", "version"), CAPTURES)
def test_a_captured_packet_in_is_taken_apart(registers: str, version: str) -> None:
    message = capture(registers, version)
    packet_in = decode_packet_in2(message)
    assert is_packet_in2(message)
    assert packet_in.userdata == USERDATA
    assert packet_in.packet[:14].hex() == "fffffffffffffa163e8beafd0800"
    assert packet_in.packet[42:] == b"x"
    assert packet_in.continuation is not None
    # a nested property has 4 bytes of padding after its header; ours keeps them as they came
    assert packet_in.continuation[:4] == bytes(4)


@pytest.mark.parametrize(("registers", "version"), CAPTURES)
def test_open_vswitch_reads_the_resume_with_the_result_bit(registers: str, version: str) -> None:
    message = capture(registers, version)
    packet_in = decode_packet_in2(message)
    assert packet_in.continuation
    one, zero = write_bit(packet_in.metadata, 0, 3)
    for metadata, reg0 in (
        (one, {"reg0": 0x18, "both": 0x18}.get(registers, 0x8)),
        (zero, {"reg0": 0x10, "both": 0x10}.get(registers, 0)),
    ):
        trailer = encode_property(METADATA, metadata)
        trailer += encode_property(CONTINUATION, packet_in.continuation)
        shown = ofp_print(encode_resume(message[0], packet_in.packet, trailer))
        assert shown.startswith("NXT_RESUME (OF1.")
        assert "decode error" not in shown
        # where the switch named one half of xreg0, the other half comes with a mask
        assert (re.search(rf"reg0={reg0:#x}(/0x8)?,", shown) is not None) == bool(reg0), shown
        assert ("reg1=0x5," in shown) == (registers in ("reg1", "both")), shown
        assert "metadata=0xabcdef01" in shown
        assert "in_port=1" in shown
        assert "continuation.actions=unroll_xlate(table=0, cookie=0),resubmit(,201)" in shown


@pytest.mark.parametrize(("registers", "version"), CAPTURES)
def test_a_packet_in_cut_anywhere_is_an_error_or_lacks_something(
    registers: str, version: str
) -> None:
    message = capture(registers, version)
    whole = decode_packet_in2(message)
    for size in range(16, len(message)):
        try:
            cut = decode_packet_in2(message[:size])
        except NxtError:
            continue
        assert cut != whole or size >= len(message) - 7, size


def test_a_property_longer_than_the_message_is_refused() -> None:
    message = bytearray(capture("plain", "1.5"))
    message[18:20] = b"\xff\xff"
    with pytest.raises(NxtError, match="property 0 of 65535 bytes at offset 16"):
        decode_packet_in2(bytes(message))


def test_a_packet_that_is_not_frozen_has_no_continuation() -> None:
    message = capture("plain", "1.5")
    without = message[:16] + message[16:64]
    assert decode_packet_in2(without).continuation is None


@pytest.mark.parametrize(
    ("register", "bit", "metadata", "written"),
    [
        # no entry: one is added
        (0, 3, "", "0001000400000008"),
        (5, 31, "8000000400000001", "800000040000000100010a0480000000"),
        # NXM register
        (0, 3, "0001000400000010", "0001000400000018"),
        (1, 0, "0001000400000010", "00010004000000100001020400000001"),
        # packet register, whole and masked; reg0 is the upper half of xreg0
        (0, 3, "800100080000001000000005", "800100080000001800000005"),
        (1, 1, "800100080000001000000005", "800100080000001000000007"),
        (0, 3, "80010110" "0000000000000005" "00000000ffffffff",
               "80010110" "0000000800000005" "00000008ffffffff"),
        (3, 0, "800102080000000000000004", "800102080000000000000005"),
        # xxreg0: reg0 is the topmost of four words
        (0, 3, "0001de10" + "00" * 16, "0001de10" "00000008" + "00" * 12),
        (3, 3, "0001de10" + "00" * 16, "0001de10" + "00" * 15 + "08"),
        (4, 0, "0001e010" + "00" * 16, "0001e010" "00000001" + "00" * 12),
    ],
)  # fmt: skip
def test_the_bit_goes_where_the_register_is(
    register: int, bit: int, metadata: str, written: str
) -> None:
    before, after = bytes.fromhex(metadata), bytes.fromhex(written)
    assert write_bit(before, register, bit)[0] == after
    one, zero = write_bit(after, register, bit)
    assert one == after
    assert write_bit(zero, register, bit) == (after, zero)


def test_clearing_a_bit_that_is_not_there_changes_nothing() -> None:
    assert write_bit(bytes.fromhex("8000000400000001"), 0, 3)[1].hex() == "8000000400000001"


@pytest.mark.parametrize("metadata", ["80", "800000", "80000004", "8000000400"])
def test_metadata_cut_short_is_refused(metadata: str) -> None:
    with pytest.raises(NxtError, match="metadata: "):
        write_bit(bytes.fromhex(metadata), 0, 3)


def test_a_packet_in_is_split_as_it_is_decoded() -> None:
    message = packet_in(DISCOVER)
    flow = flow_of(message)
    assert packet_of(message) == decode_packet_in2(message).packet == DISCOVER
    assert message.endswith(flow)
    assert flow == flow_of(packet_in(DISCOVER + b"\0" * 3))
