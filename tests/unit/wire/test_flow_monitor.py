# SPDX-License-Identifier: Apache-2.0
"""The flow monitor: what Open vSwitch 3.1 said, and whatever the bytes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.wire import flow_monitor, openflow
from ovs_dhcpd.controller.wire.flow_monitor import FlowUpdate, What
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15

from tests.unit.ofp_print import ofp_print
from tests.unit.wire.replies import entry, monitor_reply

VERSIONS = pytest.mark.parametrize("version", [OFP13, OFP15], ids=["1.3", "1.5"])
# Of a bundle of ours, whose xid was 7.
ABBREVIATED = {
    OFP13: "0413002000000000ffff0000000000004f4e46000000074e0008000300000007",
    OFP15: "061300180000000000100000000000000008000400000007",
}


@VERSIONS
def test_two_tables_are_asked_for_in_one_message(version: int) -> None:
    request = flow_monitor.encode_flow_monitor(version, 9, [(0, True), (201, False)])
    shown = ofp_print(request)
    assert "flags=initial,add,delete,modify,actions table=0" in shown
    assert "flags=add,delete,modify,actions table=201" in shown
    assert "out_port" not in shown
    assert openflow.xid_of(request) == 9


@VERSIONS
def test_what_we_did_ourselves_is_no_news(version: int) -> None:
    reply = bytes.fromhex(ABBREVIATED[version])
    assert "event=ABBREV xid=0x7" in ofp_print(reply)
    assert flow_monitor.is_flow_monitor_reply(reply)
    assert flow_monitor.decode_flow_monitor(reply) == ([], False)


@VERSIONS
def test_updates_are_told_in_their_order(version: int) -> None:
    updates = [FlowUpdate(what, entry(number)) for number, what in enumerate(What)]
    reply = monitor_reply(version, updates, more=True)
    assert "event=ADDED" in ofp_print(reply)
    assert flow_monitor.is_flow_monitor_reply(reply)
    assert flow_monitor.decode_flow_monitor(reply) == (updates, True)


@VERSIONS
def test_a_reply_cut_anywhere_is_refused_or_has_fewer_updates(version: int) -> None:
    reply = monitor_reply(version, [FlowUpdate(What.ADDED, entry(1))] * 2)
    head = 16 if version == OFP15 else 24
    whole = {head, head + 32, head + 64}
    for size in range(head, len(reply) + 1):
        if size in whole:
            assert len(flow_monitor.decode_flow_monitor(reply[:size])[0]) == (size - head) // 32
        else:
            with pytest.raises(ValueError, match=r"flow monitor: .* at offset"):
                flow_monitor.decode_flow_monitor(reply[:size])


@given(st.sampled_from([OFP13, OFP15]), st.binary(max_size=120))
def test_whatever_the_bytes_it_is_updates_or_a_value_error(version: int, rest: bytes) -> None:
    reply = monitor_reply(version, []) + rest
    with contextlib.suppress(ValueError):
        for _, flow in flow_monitor.decode_flow_monitor(reply)[0]:
            assert isinstance(str(flow), str)
