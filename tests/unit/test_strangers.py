# SPDX-License-Identifier: Apache-2.0
"""Switches that connect to us, until it is known which bridge each is."""

from __future__ import annotations

from typing import cast

import pytest
from ovs_dhcpd.controller import strangers as strangers_module
from ovs_dhcpd.controller.bridges.whose import whose
from ovs_dhcpd.controller.strangers import Strangers
from ovs_dhcpd.controller.switch.channel import Channel
from ovs_dhcpd.controller.wire.connection import Connected, Disconnected
from ovs_dhcpd.controller.wire.events import Committed

CONNECTED = Connected(6, 0x42)


class AChannel:
    """Of a connection what is looked at here."""

    address = "tcp:192.0.2.1:40000"
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Lab:
    """The strangers, the bridges that are known, what is said, and who has been handed over."""

    def __init__(self) -> None:
        self.bridges: dict[str, int | None] = {}
        self.complete = False
        self.received: list[tuple[str, object, Connected]] = []
        self.said: list[str] = []
        self.channel = AChannel()
        self.strangers = Strangers(
            lambda datapath_id: whose(datapath_id, self.bridges, complete=self.complete),
            lambda *what: self.received.append(what),
        )

    def warn(self, line: str) -> None:
        self.said.append(line.removeprefix(f"{AChannel.address}: "))

    def hear(self, event: Connected | Disconnected | Committed) -> None:
        self.strangers.hear(cast(Channel, self.channel), event)


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    lab = Lab()
    monkeypatch.setattr(strangers_module, "vlog", lab)
    return lab


def test_one_that_is_known_is_handed_over_at_once(lab: Lab) -> None:
    lab.bridges = {"br-int": 0x42}
    lab.hear(CONNECTED)
    lab.strangers.run()
    assert lab.received == [("br-int", lab.channel, CONNECTED)]
    assert lab.said == []


def test_one_is_handed_over_once_it_is_known(lab: Lab) -> None:
    lab.hear(CONNECTED)
    lab.strangers.run()
    assert lab.received == []
    assert lab.said == ["datapath 0000000000000042 is not known yet"]
    lab.bridges = {"br-int": 0x42}
    lab.strangers.run()
    lab.strangers.run()
    assert lab.received == [("br-int", lab.channel, CONNECTED)]


def test_one_that_is_no_bridge_of_ours_is_sent_away(lab: Lab) -> None:
    lab.hear(CONNECTED)
    lab.complete = True
    lab.strangers.run()
    lab.strangers.run()
    assert lab.channel.is_closed
    assert lab.said[1:] == ["datapath 0000000000000042, expected none"]
    assert lab.received == []


@pytest.mark.parametrize("why", ["reset by peer", ""])
def test_one_that_has_ended_is_not_handed_over(lab: Lab, why: str) -> None:
    lab.hear(CONNECTED)
    lab.hear(Committed(7))
    lab.hear(Disconnected(why))
    lab.hear(Disconnected(why))
    assert lab.said[1:] == [why or "connection ended"]
    lab.bridges = {"br-int": 0x42}
    lab.strangers.run()
    assert lab.received == []
