# SPDX-License-Identifier: Apache-2.0
"""What guests of some ports ask, and what they are really answered, as the journal tells of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ovs_dhcpd.controller.responders.dispatch import Dispatcher
from ovs_dhcpd.controller.responders.exchange import Exchange, Read
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.controller.wire.frames import with_tag
from ovs_dhcpd.flows.bindings.network import Network, Port
from ovs_dhcpd.flows.userdata.codec import encode_userdata

from tests.unit import requests, requests6
from tests.unit.packet_ins import packet_in

BRIDGE, OFPORT = "br-int", 1  # as in tests.unit.packet_ins
NETWORKS = {
    network.name: network
    for network in yaml_file.load(Path(__file__).with_name("networks.yaml")).networks
}
ALL = {port.name: (network, port) for network in NETWORKS.values() for port in network.ports}
LAB, VM1 = ALL["vm1"]
MAC = bytes.fromhex("020000000001")


class Switch:
    """The port `OFPORT` of a bridge, behind which `port` is served."""

    def __init__(self, network: Network = LAB, port: Port = VM1, bridge: str = BRIDGE) -> None:
        self._dispatcher = Dispatcher()
        self._network, self._port = network, port
        self._bridge = bridge

    def ask(self, message: int, *options: bytes, **fields: Any) -> Exchange:
        """The port's guest, or another `mac`, sends a DHCPv4 message."""
        mac = (self._port.mac or MAC).hex(":")
        frame = requests.ask(message, *options, **{"mac": mac, **fields})
        return self.send(frame, 4)

    def ask6(self, message: int, *options: bytes, **fields: Any) -> Exchange:
        """The port's guest, whose MAC is that of tests.unit.requests6, sends a DHCPv6 message."""
        return self.send(requests6.ask(message, *options, **fields), 6)

    def send(self, frame: bytes, family: int) -> Exchange:
        """What comes of a frame that the flow of a family pauses."""
        network, port = self._network, self._port
        opts = network.put_dhcp_opts(port) if family == 4 else network.put_dhcpv6_opts(port)
        assert opts
        if port.tag:
            frame = with_tag(frame, port.tag)
        message = packet_in(frame, encode_userdata(opts))
        answer = self._dispatcher.resume(message)
        assert answer
        return Exchange(message, answer[1], Read(self._bridge, 0.0, 0.0))
