# SPDX-License-Identifier: Apache-2.0
"""A bridge with its connections: which of them is heard, and what is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from ovs_dhcpd.controller import keeper as keeper_module
from ovs_dhcpd.controller.faults import Faults
from ovs_dhcpd.controller.keeper import AGAIN_S, Keeper
from ovs_dhcpd.controller.switch.lock import holder
from ovs_dhcpd.controller.switch.turn import Turn
from ovs_dhcpd.controller.wire.connection import Disconnected
from ovs_dhcpd.controller.wire.events import Committed, FlowDump, FlowsChanged, Refused

from tests.lab.openflow_peer import MULTIPART_REQUEST, Peer
from tests.lab.process import wait_until
from tests.unit.switch.connections import Lab
from tests.unit.switch.processes import holders


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "br-int.mgmt")
    yield lab
    lab.close()


def wait_for_dump_request(peer: Peer) -> int:
    """Its transaction id; what comes before it is passed over."""
    while True:
        kind, xid, body = peer.receive()
        if kind == MULTIPART_REQUEST and body[:2] == b"\0\1":
            return xid


def test_a_later_connection_takes_the_place_of_the_earlier_one(lab: Lab) -> None:
    keeper = Keeper("br-int", lab.journal, Turn(), Faults())
    keeper.bridge.want(True)
    lab.switches.connect("br-int", str(lab.path))
    first_peer = lab.accept()
    first_peer.shake_hands()
    first, event = lab.take()
    assert keeper.hear(first, event)
    old_xid = wait_for_dump_request(first_peer)

    lab.switches.connect("br-int", str(lab.path))
    second_peer = lab.accept()
    second_peer.shake_hands()
    second, event = lab.take()
    assert keeper.hear(second, event)
    assert first_peer.is_ended()
    xid = wait_for_dump_request(second_peer)
    assert xid != old_xid
    for stale in (FlowDump(xid, (), False), Committed(1), Refused(1, "what"), Disconnected()):
        assert not keeper.hear(first, stale)
    assert keeper.bridge.is_connected
    assert not keeper.bridge.synchronized
    assert keeper.hear(second, FlowDump(xid, (), False))
    keeper.run(all_known=True)
    opened, *_ = (second_peer.receive() for _ in range(3))
    assert keeper.hear(second, Committed(opened[1]))
    keeper.run(all_known=True)
    assert keeper.bridge.in_step
    keeper.reread()
    wait_for_dump_request(second_peer)
    assert keeper.hear(second, Disconnected())
    assert not keeper.hear(second, Disconnected())
    assert not keeper.bridge.is_connected


def test_a_bridge_that_is_let_go_has_no_connection(lab: Lab) -> None:
    keeper = Keeper("br-int", lab.journal, Turn(), Faults())
    keeper.let_go()
    lab.switches.connect("br-int", str(lab.path))
    peer = lab.accept()
    peer.shake_hands()
    channel, event = lab.take()
    keeper.hear(channel, event)
    keeper.let_go()
    assert not keeper.bridge.is_connected
    assert not keeper.hear(channel, Disconnected())


def test_status_says_how_it_is_connected_or_why_it_is_not(lab: Lab) -> None:
    keeper = Keeper("br-int", lab.journal, Turn(), Faults())
    keeper.bridge.want(True)
    assert list(keeper.status("why")) == ["active", "not connected: why", "1 flows, not connected"]
    lab.switches.connect("br-int", str(lab.path))
    peer = lab.accept()
    peer.shake_hands()
    channel, event = lab.take()
    keeper.hear(channel, event)
    _, connection, flows = keeper.status("why")
    assert connection.startswith("connected since ")
    assert connection.endswith(", OpenFlow 1.5")
    assert flows == "1 flows, being read from the bridge"


def test_who_stands_by_asks_and_listens_and_then_asks_again(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holders(path) as process:
        keeper = Keeper("br-int", lab.journal, Turn(path), Faults())
        keeper.bridge.want(True)
        assert not keeper.take_turn()
        lab.switches.connect("br-int", str(lab.path), keeper.turn)
        peer = lab.accept()
        peer.shake_hands()
        channel, event = lab.take()
        keeper.hear(channel, event)
        xid = wait_for_dump_request(peer)
        keeper.hear(channel, FlowDump(xid, (), False))
        assert channel.ready
        assert keeper.hear(channel, FlowsChanged(0, (), False))
        whose, _, flows = keeper.status("why")
        assert whose == f"standby for pid {process.pid}"
        assert flows == "1 flows wanted"
        assert not keeper.take_turn()
    wait_until(lambda: keeper.turn.ours, "the turn")
    assert keeper.take_turn()
    assert keeper.is_active
    assert wait_for_dump_request(peer) > xid
    assert not keeper.take_turn()
    keeper.let_go()
    assert holder(path) is None


def test_a_fault_leaves_the_bridge_as_it_is_and_is_tried_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults, now_s = Faults(), 1000.0
    monkeypatch.setattr(keeper_module, "time", SimpleNamespace(monotonic=lambda: now_s))
    keeper = Keeper("br-int", lab.journal, Turn(), faults)
    keeper.bridge.want(True)
    lab.switches.connect("br-int", str(lab.path))
    peer = lab.accept()
    peer.shake_hands()
    channel, event = lab.take()
    keeper.hear(channel, event)
    keeper.hear(channel, FlowDump(wait_for_dump_request(peer), (), False))
    reconcile = keeper.bridge._table.reconcile
    monkeypatch.setattr(keeper.bridge._table, "reconcile", lambda *_, **__: 1 // 0)
    keeper.run(all_known=True)
    keeper.run(all_known=True)  # not at once again
    assert faults.count == 1
    assert keeper.next_s() == now_s + AGAIN_S
    line = "bridge br-int: internal error (the log has more); it is left as it is"
    assert [*keeper.problems()] == [line]
    assert keeper.bridge.is_connected
    monkeypatch.setattr(keeper.bridge._table, "reconcile", reconcile)
    now_s += AGAIN_S
    keeper.run(all_known=True)
    wait_for_dump_request(peer)
    assert [*keeper.problems()] == []
    assert keeper.next_s() < now_s + AGAIN_S + 1
    assert faults.count == 1
