# SPDX-License-Identifier: Apache-2.0
"""A virtual machine as the switch sees it: a namespace whose eth0 is a port of the bridge."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

from tests.lab.namespace import Namespace, RawSocket
from tests.lab.packets import Reply, reply_to


class Guest:
    """One namespace with eth0, and the port of the bridge at the other end of the cable.

    `port` is the interface's name on the switch side, `iface_id` its
    external_ids:iface-id, `directory` a place for its clients' files. With `whole_checksums`
    the guest's kernel writes the checksums of what it sends, and does not leave that to the card.
    """

    def __init__(
        self, switch_side: Namespace, name: str, mac: str, port: str, iface_id: str,
        directory: Path, *, whole_checksums: bool,
    ) -> None:  # fmt: skip
        self.mac = mac
        self.port = port
        self.iface_id = iface_id
        self.directory = directory
        directory.mkdir()
        self.namespace = Namespace(f"{switch_side.name}-{name}")
        switch_side.ip("link", "add", port, "type", "veth", "peer", "eth0", "address", mac,
                       "netns", self.namespace.name)  # fmt: skip
        switch_side.ip("link", "set", port, "up")
        self.namespace.ip("link", "set", "eth0", "up")
        if whole_checksums:
            # The userspace datapath would carry veth's unfinished checksums as they are.
            switch_side.run("ethtool", "-K", port, "tx", "off")
            self.namespace.run("ethtool", "-K", "eth0", "tx", "off")

    def raw(self) -> RawSocket:
        """A raw socket on eth0."""
        return RawSocket(self.namespace)

    def ask(self, request: bytes, timeout_s: float = 3.0) -> Reply | None:
        """Send a DHCPv4 request frame; the reply with the same xid, or None."""
        with self.raw() as raw:
            raw.send(request)
            frame = raw.receive(timeout_s, lambda frame: reply_to(request, frame))
        return reply_to(request, frame) if frame else None

    def reply(self, request: bytes) -> Reply:
        """As `ask`; fails if there is no reply."""
        reply = self.ask(request, timeout_s=10)
        assert reply, "no reply"
        return reply

    def learn(self, address: IPv4Address, mac: str) -> None:
        """Tell the guest whose an address is, so that it need not ask by ARP."""
        self.namespace.ip("neighbour", "replace", address, "lladdr", mac, "dev", "eth0")

    def addresses(self) -> list[IPv4Address]:
        """The IPv4 addresses that eth0 has now."""
        lines = self.namespace.ip("-4", "-o", "address", "show", "dev", "eth0").splitlines()
        return [IPv4Address(line.split()[3].split("/")[0]) for line in lines]
