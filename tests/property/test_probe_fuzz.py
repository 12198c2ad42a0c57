# SPDX-License-Identifier: Apache-2.0
"""What is heard of probes, of any bytes: nothing, or one address; and what is asked is heard."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.wire.probe import Heard, decode_heard, encode_answer, encode_question

MAC, OTHER = bytes.fromhex("026468000001"), bytes.fromhex("026468000002")
ADDRESSES = st.ip_addresses().filter(lambda address: int(address) > 0)
TAGS = st.integers(0, 4094)


@given(st.one_of(st.binary(), st.binary(min_size=60).map(lambda rest: MAC + OTHER + rest)))
def test_any_bytes_are_a_value_or_nothing(frame: bytes) -> None:
    heard = decode_heard(1, frame)
    assert heard is None or len(ip_address(heard.address).packed) in (4, 16)


@given(ADDRESSES, TAGS, st.integers(0, 200), st.integers(0, 255), st.integers(0, 200))
def test_so_is_a_question_with_a_byte_changed_and_its_end_cut_off(
    address: object, tag: int, at: int, byte: int, size: int
) -> None:
    frame = bytearray(encode_question(MAC, address, tag))  # type: ignore[arg-type]
    frame[at % len(frame)] = byte
    heard = decode_heard(1, bytes(frame[:size]))
    assert heard is None or len(heard.address) in (4, 16)


@given(ADDRESSES, TAGS)
def test_questions_and_answers_are_heard_as_what_they_are(address: object, tag: int) -> None:
    packed = address.packed  # type: ignore[attr-defined]
    question = decode_heard(1, encode_question(MAC, address, tag))  # type: ignore[arg-type]
    assert question == Heard(1, tag, MAC, packed, asks=True)
    assert decode_heard(2, encode_answer(OTHER, question)) == Heard(2, tag, OTHER, packed, False)
