# SPDX-License-Identifier: Apache-2.0
"""The network between hosts, and the tunnels that carry the guests' traffic over it."""

from __future__ import annotations

import secrets

from tests.lab.namespace import Namespace
from tests.lab.switch import PrivateOvs

BRIDGE = "br-ex"
MTU = 1600  # a guest's 1500 and what VXLAN puts around them


class Underlay:
    """A hub in a namespace of its own, to which hosts are connected; a context manager.

    Each host has an address here: that of the bridge which its cable is plugged into.
    """

    def __init__(self) -> None:
        self.hosts: dict[int, PrivateOvs] = {}

    def __enter__(self) -> Underlay:
        self.namespace = Namespace(f"hub-{secrets.token_hex(4)}")
        try:
            self.namespace.ip("link", "add", "hub", "mtu", MTU, "type", "bridge")
            self.namespace.ip("link", "set", "hub", "up")
        except BaseException:
            self.namespace.delete()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.namespace.delete()

    @staticmethod
    def address(number: int) -> str:
        """A host's address, which servers can listen on."""
        return f"172.31.0.{number}"

    @staticmethod
    def mac(number: int) -> str:
        """The MAC of that address."""
        return f"0a:00:00:00:ff:{number:02x}"

    def connect(self, number: int, switch: PrivateOvs) -> None:
        """Lay a cable from a host to the hub."""
        self.hosts[number] = switch
        host = switch.namespace
        self.namespace.ip("link", "add", f"host{number}", "mtu", MTU, "type", "veth",
                          "peer", "uplink", "mtu", MTU, "netns", host.name)  # fmt: skip
        self.namespace.ip("link", "set", f"host{number}", "master", "hub", "up")
        host.ip("link", "set", "uplink", "up")
        switch.vsctl(
            "add-br", BRIDGE, "--",
            "set", "bridge", BRIDGE, f"datapath_type={switch.datapath_type}",
            f'other_config:hwaddr="{self.mac(number)}"', "--",
            "add-port", BRIDGE, "uplink",
        )  # fmt: skip
        host.ip("address", "add", f"{self.address(number)}/24", "dev", BRIDGE)
        host.ip("link", "set", BRIDGE, "up")

    def tunnel(self, one: int, other: int) -> None:
        """Join the bridges of two hosts by VXLAN; a ring of tunnels would be a loop."""
        for here, there in ((one, other), (other, one)):
            switch = self.hosts[here]
            switch.vsctl("add-port", switch.bridge, f"vxlan{there}", "--",
                         "set", "interface", f"vxlan{there}", "type=vxlan",
                         f"options:remote_ip={self.address(there)}")  # fmt: skip
            # Otherwise it asks by ARP, and loses the packet that it asks for.
            switch.appctl("tnl/neigh/set", BRIDGE, self.address(there), self.mac(there))
