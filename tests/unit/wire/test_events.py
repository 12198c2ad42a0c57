# SPDX-License-Identifier: Apache-2.0
"""The switch's answers about flows, as events."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.wire import meters, openflow
from ovs_dhcpd.controller.wire.events import (
    Committed,
    Event,
    FlowCount,
    FlowDump,
    FlowsChanged,
    PortAdded,
    Refused,
    decode_event,
    decode_flow_reply,
)
from ovs_dhcpd.controller.wire.flow_monitor import OFPMP_FLOW_MONITOR, FlowUpdate, What
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15

from tests.unit.wire.replies import COUNT_REPLIES, dump_reply, entry, monitor_reply, port_status

VERSIONS = pytest.mark.parametrize("version", [OFP13, OFP15], ids=["1.3", "1.5"])


@VERSIONS
@pytest.mark.parametrize("more", [False, True])
def test_a_part_of_a_flow_dump(version: int, more: bool) -> None:
    flows = [entry(3), entry(1), entry(2)]
    reply = dump_reply(version, 9, flows, more)
    assert decode_flow_reply(reply) == FlowDump(9, tuple(flows), more)


@VERSIONS
@pytest.mark.parametrize("more", [False, True])
def test_what_somebody_else_has_changed(version: int, more: bool) -> None:
    updates = [FlowUpdate(What.ADDED, entry(3)), FlowUpdate(What.REMOVED, entry(1))]
    reply = monitor_reply(version, updates, 7, more)
    assert decode_flow_reply(reply) == FlowsChanged(7, tuple(updates), more)


@VERSIONS
def test_a_flow_count(version: int) -> None:
    assert decode_flow_reply(bytes.fromhex(COUNT_REPLIES[version])) == FlowCount(0x4D, 7)


def test_other_messages_are_none_of_both() -> None:
    for kind, body in ((2, b"ping"), (openflow.OFPT_MULTIPART_REPLY, b"\0\x0d" + bytes(6))):
        assert decode_flow_reply(openflow.message(OFP15, kind, body)) is None
    assert decode_flow_reply(openflow.message(OFP15, openflow.OFPT_MULTIPART_REPLY, b"")) is None


@given(
    st.sampled_from([OFP13, OFP15]),
    st.sampled_from(
        [
            openflow.OFPMP_FLOW,
            openflow.OFPMP_AGGREGATE,
            OFPMP_FLOW_MONITOR,
            meters.OFPMP_METER,
            meters.OFPMP_METER_CONFIG,
            meters.OFPMP_METER_FEATURES,
        ]
    ),
    st.binary(max_size=200),
)
def test_whatever_the_bytes_it_is_an_event_or_a_value_error(
    version: int, kind: int, rest: bytes
) -> None:
    reply = openflow.message(version, openflow.OFPT_MULTIPART_REPLY, kind.to_bytes(2, "big") + rest)
    with contextlib.suppress(ValueError):
        decode_flow_reply(reply)


@pytest.mark.parametrize(
    ("said", "event"),
    [
        (dump_reply(OFP15, 3, [entry(1)]), FlowDump(3, (entry(1),), False)),
        (openflow.message(OFP15, 33, struct.pack("!IHH", 9, 5, 3), 9), Committed(9)),
        (openflow.message(OFP15, 33, struct.pack("!IHH", 9, 1, 3), 9), None),
        (openflow.message(OFP15, 1, struct.pack("!HH", 17, 15), 11),
         Refused(11, "OFPET_BUNDLE_FAILED(17) code 15")),
        (port_status(OFP13, 0, b"tap7", 7), PortAdded("tap7", 7)),
        (port_status(OFP13, 1, b"tap7", 7), None),
        (openflow.message(OFP15, 11, b"not looked at"), None),
    ],
)  # fmt: skip
def test_what_is_needed_is_an_event(said: bytes, event: Event | None) -> None:
    assert decode_event(said) == event


@given(st.sampled_from([OFP13, OFP15]), st.sampled_from([1, 4, 12, 19, 33]), st.binary(max_size=99))
def test_whatever_comes_it_is_an_event_or_none_or_a_value_error(
    version: int, kind: int, body: bytes
) -> None:
    with contextlib.suppress(ValueError):
        decode_event(openflow.message(version, kind, body))
