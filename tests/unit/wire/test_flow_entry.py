# SPDX-License-Identifier: Apache-2.0
"""Flows as the switch tells of them: byte layouts, and whatever the bytes."""

from __future__ import annotations

import struct

import pytest
from ovs_dhcpd.controller.wire import flow_messages
from ovs_dhcpd.controller.wire.flow_entry import FlowEntry, decode_flow_dump, entry_of
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15, OFPMP_FLOW, reply_kind
from ovs_dhcpd.flows.pipeline import build
from ovs_dhcpd.flows.pipeline.flow import Meter

from tests.unit.pipeline.networks import NETWORKS
from tests.unit.wire.replies import dump_reply, entry

VERSIONS = pytest.mark.parametrize("version", [OFP13, OFP15], ids=["1.3", "1.5"])
(NETWORK, *_) = NETWORKS
FLOWS = [
    *build.bridge_flows(),
    *build.network_flows(NETWORK),
    *build.port_flows(NETWORK, NETWORK.ports[0], 7),
]


@VERSIONS
def test_what_a_dump_says_of_our_flows_is_what_is_expected(version: int) -> None:
    expected = [entry_of(version, flow) for flow in FLOWS]
    assert decode_flow_dump(dump_reply(version, 1, expected)) == (expected, False)


@VERSIONS
def test_an_expected_flow_is_cut_out_of_the_message_that_adds_it(version: int) -> None:
    for flow in FLOWS:
        expected = entry_of(version, flow)
        assert expected[:3] == (flow.table, flow.priority, flow.cookie)
        assert flow_messages.encode_add(version, flow).endswith(
            expected.match + expected.instructions
        )
        assert expected.match[:2] == b"\0\1"
        first = expected.instructions[:2]
        is_metered = isinstance(flow.actions[0], Meter)
        assert first == (b"\0\6" if is_metered and version == OFP13 else b"\0\4")


def test_a_flow_is_shown_with_what_it_matches() -> None:
    (shared,) = [flow for flow in FLOWS if flow.table == 201 and "udp,reg0" in flow.content]
    metadata = shared.content.partition("metadata=")[2].partition(" ")[0]
    terms = f"priority=100,dl_type=0x800,nw_proto=17,reg0=0x8/0x8,metadata={metadata}"
    assert {str(entry_of(version, shared)) for version in (OFP13, OFP15)} == {f"table=201, {terms}"}


def test_a_flow_with_our_prefix_is_ours() -> None:
    assert entry(0x6468 << 48).is_ours
    assert not entry(0x6469 << 48).is_ours


@VERSIONS
def test_a_flow_dump_that_leads_out_of_the_message_is_refused(version: int) -> None:
    header = struct.pack("!BBHIHH4x", version, 19, 0, 7, 1, 0)
    for body in (b"\0\x60" + bytes(10), b"\0\x04" + bytes(60), b"\1\0" + bytes(90)):
        with pytest.raises(ValueError, match=r"flow dump: .* at offset 16"):
            decode_flow_dump(header + body)


@VERSIONS
def test_a_flow_whose_parts_lead_out_of_it_is_refused(version: int) -> None:
    for match in (b"\0\1\0\x40\0\0\0\0", b"\0\0\0\4\0\0\0\0", b"\0\1\0\3\0\0\0\0"):
        with pytest.raises(ValueError, match="match: "):
            decode_flow_dump(dump_reply(version, 1, [FlowEntry(0, 1, 2, match, b"")]))
    with pytest.raises(ValueError, match="match: "):
        decode_flow_dump(dump_reply(OFP13, 1, [FlowEntry(0, 1, 2, b"\0\1\0\4", b"")]))
    reply = dump_reply(OFP15, 1, [entry(1)])
    for size in (b"\0\0", b"\0\x40"):
        with pytest.raises(ValueError, match="flow dump: statistics of"):
            decode_flow_dump(reply[:-6] + size + reply[-4:])


@VERSIONS
def test_a_flow_dump_shorter_than_its_headers_is_refused(version: int) -> None:
    for size in range(10, 16):
        reply = struct.pack("!BBHIHH4x", version, 19, size, 7, 1, 0)[:size]
        assert reply_kind(reply) == OFPMP_FLOW
        with pytest.raises(ValueError, match=f"flow dump: {size} bytes, expected 16 of headers"):
            decode_flow_dump(reply)
