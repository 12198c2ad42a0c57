# SPDX-License-Identifier: Apache-2.0
"""os-ken's Datapath and its application, on a connection that is ours."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.switch.channel import Channel
from ovs_dhcpd.controller.switch.os_ken_app import Datapath, DhcpApp
from ovs_dhcpd.controller.wire.connection import Disconnected
from ovs_dhcpd.controller.wire.openflow import OFP15

from tests.lab.openflow_peer import ECHO_REPLY, ECHO_REQUEST, Peer
from tests.unit.switch.connections import Lab


def test_what_os_ken_sends_comes_out_of_the_channel(connected: tuple[Channel, Peer]) -> None:
    channel, peer = connected
    datapath = Datapath(channel)
    assert datapath.ofproto.OFP_VERSION == OFP15
    datapath.send_msg(datapath.ofproto_parser.OFPEchoRequest(datapath, b"ping"))
    assert peer.receive() == (ECHO_REQUEST, datapath.xid, b"ping")
    peer.send(ECHO_REQUEST, b"pong", 5)
    assert peer.receive() == (ECHO_REPLY, 5, b"pong")  # and the channel is as it was


def test_what_os_ken_closes_is_closed(lab: Lab, connected: tuple[Channel, Peer]) -> None:
    channel, peer = connected
    Datapath(channel).close()
    assert peer.is_ended()
    assert lab.take() == (channel, Disconnected())


def test_a_fault_of_the_application_costs_the_connection(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DhcpApp, "hear_of", lambda *_: 1 / 0)
    lab.switches.connect("br-int", str(lab.path))
    peer = lab.accept()
    peer.shake_hands()
    assert peer.is_asked_for_packet_ins()
    assert peer.is_ended()
    assert lab.take()[1] == Disconnected()
    monkeypatch.undo()
    lab.accept().shake_hands()
    assert lab.take()
