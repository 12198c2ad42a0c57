# SPDX-License-Identifier: Apache-2.0
"""The state machine that keeps a bridge and the wanted flows the same, without a switch."""

from __future__ import annotations

import struct

import pytest

from controller.bridge import Bridge
from controller.openflow import OFP13, OFP15, is_flow_dump_reply, xid_of
from flows import flow as f
from flows.flow import Flow, Is, Resubmit


def a_flow(port: int) -> Flow:
    return Flow(0, 100, f.UDP, (Is(f.IN_PORT, port),), (Resubmit(201),))


def dump_reply(version: int, xid: int, cookies: list[int], more: bool = False) -> bytes:
    """A flow dump reply as the specification lays it out, with an empty match."""
    flows = b""
    for cookie in cookies:
        if version == OFP15:
            flows += struct.pack("!H2xBxHHHHHQ", 32, 0, 100, 0, 0, 0, 0, cookie)
            flows += b"\0\1\0\4\0\0\0\0"
        else:
            flows += struct.pack("!HBxIIHHHH4xQQQ", 56, 0, 0, 0, 100, 0, 0, 0, cookie, 0, 0)
            flows += b"\0\1\0\4\0\0\0\0"
    body = struct.pack("!HH4x", 1, int(more)) + flows
    return struct.pack("!BBHI", version, 19, 8 + len(body), xid) + body


def bundle(messages: list[bytes], version: int = OFP15) -> list[tuple[str, int]]:
    """What a bundle does: ("add" or "delete", cookie) each."""
    assert [m[1] for m in messages] == [33, *[34] * (len(messages) - 2), 33][: len(messages)]
    done = []
    for message in messages[1:-1]:
        cookie, _, _, command = struct.unpack_from("!QQBB", message, 16 + 8)
        done.append(({0: "add", 3: "delete"}[command], cookie))
    return done


def connect(bridge: Bridge, installed: list[int]) -> None:
    *_, request = bridge.connected(OFP15)
    bridge.flow_dump(dump_reply(OFP15, xid_of(request), installed))


def test_nothing_is_sent_before_the_switch_has_said_what_it_has():
    bridge = Bridge("br-int")
    bridge.want("port a", [a_flow(1)])
    assert list(bridge.reconcile()) == []
    list(bridge.connected(OFP15))
    assert list(bridge.reconcile()) == []


@pytest.mark.parametrize("version", [OFP13, OFP15], ids=["1.3", "1.5"])
def test_a_dump_in_parts_is_taken_together(version):
    bridge = Bridge("br-int")
    flows = [a_flow(port) for port in range(3)]
    bridge.want("ports", flows)
    *_, request = bridge.connected(version)
    first = dump_reply(version, xid_of(request), [flows[0].cookie, flows[1].cookie], more=True)
    assert is_flow_dump_reply(first)
    bridge.flow_dump(first)
    assert list(bridge.reconcile()) == []
    bridge.flow_dump(dump_reply(version, xid_of(request), [flows[2].cookie]))
    assert bridge.synchronized
    assert list(bridge.reconcile()) == []


def test_a_dump_that_nobody_asked_for_is_ignored():
    bridge = Bridge("br-int")
    *_, request = bridge.connected(OFP15)
    bridge.flow_dump(dump_reply(OFP15, xid_of(request) + 1, []))
    assert list(bridge.reconcile()) == []
    assert not bridge.synchronized


def test_the_difference_goes_out_in_one_bundle_and_once():
    bridge = Bridge("br-int")
    bridge.want("a", [a_flow(1), a_flow(2)])
    connect(bridge, [a_flow(2).cookie, a_flow(3).cookie])
    messages = list(bridge.reconcile())
    assert bundle(messages) == [("add", a_flow(1).cookie), ("delete", a_flow(3).cookie)]
    assert list(bridge.reconcile()) == []
    assert not bridge.synchronized
    bridge.bundle_committed(xid_of(messages[0]))
    assert bridge.synchronized


def test_a_change_of_one_owner_leaves_the_others_alone():
    bridge = Bridge("br-int")
    bridge.want("a", [a_flow(1)])
    bridge.want("b", [a_flow(2)])
    connect(bridge, [a_flow(1).cookie, a_flow(2).cookie])
    bridge.want("a", [a_flow(4)])
    assert bundle(list(bridge.reconcile())) == [
        ("add", a_flow(4).cookie),
        ("delete", a_flow(1).cookie),
    ]
    bridge.want("b", [])
    assert bundle(list(bridge.reconcile())) == [("delete", a_flow(2).cookie)]
    assert len(bridge) == 1


def test_a_flow_that_two_want_goes_with_the_last_of_them():
    bridge = Bridge("br-int")
    bridge.want("a", [a_flow(1)])
    connect(bridge, [a_flow(1).cookie])
    bridge.want("b", [a_flow(1)])
    bridge.want("a", [])
    assert list(bridge.reconcile()) == []
    bridge.want("b", [])
    assert bundle(list(bridge.reconcile())) == [("delete", a_flow(1).cookie)]


def test_a_refused_bundle_means_reading_again():
    bridge = Bridge("br-int")
    bridge.want("a", [a_flow(1)])
    connect(bridge, [])
    messages = list(bridge.reconcile())
    assert bridge.failed(xid_of(messages[0]), "OFPET_BUNDLE_FAILED code 15")
    assert list(bridge.reconcile()) == []
    (request,) = bridge.read_again()
    bridge.flow_dump(dump_reply(OFP15, xid_of(request), []))
    assert bundle(list(bridge.reconcile())) == [("add", a_flow(1).cookie)]


def test_an_error_of_another_message_changes_nothing():
    bridge = Bridge("br-int")
    connect(bridge, [])
    assert not bridge.failed(12345, "OFPET_BAD_REQUEST code 1")
    assert bridge.synchronized


def test_after_a_disconnection_the_flows_are_read_again():
    bridge = Bridge("br-int")
    bridge.want("a", [a_flow(1)])
    connect(bridge, [a_flow(1).cookie])
    bridge.disconnected()
    bridge.want("a", [a_flow(2)])
    assert list(bridge.reconcile()) == []
    assert not bridge.synchronized
    connect(bridge, [a_flow(1).cookie])
    assert bundle(list(bridge.reconcile())) == [
        ("add", a_flow(2).cookie),
        ("delete", a_flow(1).cookie),
    ]


def test_wanting_nothing_deletes_what_is_there():
    bridge = Bridge("br-int")
    bridge.want("a", [a_flow(1), a_flow(2)])
    connect(bridge, [a_flow(1).cookie, a_flow(2).cookie])
    bridge.want_nothing()
    assert sorted(kind for kind, _ in bundle(list(bridge.reconcile()))) == ["delete", "delete"]


def count_reply(request: bytes, count: int) -> bytes:
    """The answer to a flow count request, in OpenFlow 1.5."""
    counted = struct.pack("!2xHHBBI", 12, 0x8002, 3 << 1, 4, count)
    return struct.pack("!BBHIH6x", OFP15, 19, 28, xid_of(request), 2) + counted


def test_another_number_of_flows_than_expected_means_reading_again():
    bridge = Bridge("br-int")
    bridge.want("a", [a_flow(1), a_flow(2)])
    connect(bridge, [a_flow(1).cookie, a_flow(2).cookie])
    (request,) = bridge.count()
    assert list(bridge.flow_count(count_reply(request, 2))) == []
    (request,) = bridge.count()
    (dump,) = bridge.flow_count(count_reply(request, 1))
    assert not bridge.synchronized
    bridge.flow_dump(dump_reply(OFP15, xid_of(dump), [a_flow(2).cookie]))
    assert bundle(list(bridge.reconcile())) == [("add", a_flow(1).cookie)]


def test_a_count_from_before_a_change_says_nothing():
    bridge = Bridge("br-int")
    assert list(bridge.count()) == []  # not connected
    connect(bridge, [])
    (request,) = bridge.count()
    bridge.want("a", [a_flow(1)])
    messages = list(bridge.reconcile())
    assert list(bridge.count()) == []  # a bundle is under way
    assert list(bridge.flow_count(count_reply(request, 0))) == []
    bridge.bundle_committed(xid_of(messages[0]))
    assert bridge.synchronized
