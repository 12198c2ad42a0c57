# SPDX-License-Identifier: Apache-2.0
"""What is behind a VLAN interface of a guest, as a container in a virtual machine is."""

from __future__ import annotations

import sys

from tests.lab.daemon import ROOT
from tests.lab.guest import Guest
from tests.lab.namespace import Namespace
from tests.lab.process import LabError
from tests.lab.switch import PrivateOvs


class VlanGuest(Guest):
    """A namespace whose eth0 is the VLAN interface eth0.`tag` of `outer`, with its MAC."""

    def __init__(self, switch: PrivateOvs, outer: Guest, tag: int) -> None:
        self.mac = outer.mac
        self.port, self.iface_id = outer.port, outer.iface_id
        self.directory = outer.directory / str(tag)
        self.directory.mkdir()
        self.namespace = Namespace(f"{outer.namespace.name}-{tag}")
        switch.guests.append(self)
        name, outside = f"eth0.{tag}", outer.namespace
        try:
            outside.ip("link", "add", "link", "eth0", "name", name, "type", "vlan", "id", tag)
            outside.ip("link", "set", name, "netns", self.namespace.name, "name", "eth0")
        except LabError as error:
            if "Unknown device type" not in str(error):
                raise
            self._relay(switch, outer, name, tag)
        self.namespace.ip("link", "set", "eth0", "up")

    def _relay(self, switch: PrivateOvs, outer: Guest, name: str, tag: int) -> None:
        outside = outer.namespace
        outside.ip("link", "add", name, "type", "veth", "peer", "eth0", "address", self.mac,
                   "netns", self.namespace.name)  # fmt: skip
        self.namespace.run("ethtool", "-K", "eth0", "tx", "off")
        outside.ip("link", "set", name, "up")
        command = [sys.executable, "-m", "tests.lab.vlan_relay", "eth0", name, tag]
        switch.spawn(
            f"vlan-{outer.port}-{tag}", *outside.command("env", f"PYTHONPATH={ROOT}", *command)
        )
