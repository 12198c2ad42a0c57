# SPDX-License-Identifier: Apache-2.0
"""Connections at whose other end is a switch of a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ovs_dhcpd.controller.switch.channel import Channel
from ovs_dhcpd.controller.wire.connection import Connected
from ovs_dhcpd.controller.wire.openflow import OFP15

from tests.lab.openflow_peer import DATAPATH_ID, Peer
from tests.unit.switch.connections import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "br-int.mgmt")
    yield lab
    lab.close()


@pytest.fixture
def early(tmp_path: Path) -> Iterator[Lab]:
    """There is no os-ken yet."""
    lab = Lab(tmp_path / "br-int.mgmt", os_ken=False)
    yield lab
    lab.close()


@pytest.fixture
def connected(lab: Lab) -> tuple[Channel, Peer]:
    """A connection whose handshake is done."""
    lab.switches.connect("br-int", str(lab.path))
    peer = lab.accept()
    peer.shake_hands()
    channel, event = lab.take()
    assert event == Connected(OFP15, DATAPATH_ID)
    assert channel.bridge == "br-int"
    assert peer.is_asked_for_packet_ins()
    return channel, peer
