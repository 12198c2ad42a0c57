# SPDX-License-Identifier: Apache-2.0
"""What is known of an interface of a bridge, as values."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from ovs_dhcpd.controller.ports.vlans import Vlans
from ovs_dhcpd.flows.bindings.pool import Address

# Keys of an interface's external_ids; libvirt, OpenStack and others set the first two.
IFACE_ID, ATTACHED_MAC, NETWORK = "iface-id", "attached-mac", "dhcp-network"
IFACE_ID_VER = "iface-id-ver"
KEEP_OUT = "none"  # as dhcp-network: the interface belongs to no network
ADDRESSES, OWNER = "dhcp-ip", "dhcp-owner"  # what is remembered there


@dataclass(frozen=True, slots=True)
class Memory:
    """Which addresses of pools an interface was given, and to whom: its MAC, else its key.

    A row may be used again by another guest (after a reboot libvirt's first guest is vnet0,
    whoever was it before), so the addresses alone do not say whose they are.
    """

    addresses: tuple[Address, ...] = ()
    owner: str | None = None


NO_MEMORY = Memory()
UNTOLD = Vlans()  # of a port whose row says nothing of VLANs

# What a guest is plugged into, by type or, of the host's own interfaces, by driver.
_GUEST_TYPES = ("internal", "tap", "dpdkvhostuser", "dpdkvhostuserclient")
_GUEST_DRIVERS = ("tun", "veth")


def is_guests(kind: str, driver: str | None, external_ids: Mapping[str, str]) -> bool:
    """Whether an interface of this type and driver is a guest's, and no uplink or tunnel."""
    named = IFACE_ID in external_ids or ATTACHED_MAC in external_ids
    return kind in _GUEST_TYPES or driver in _GUEST_DRIVERS or named


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """An interface of a bridge.

    `row` is its row in the database.  `ofport` is its OpenFlow port, None while it has none.
    `vlans` are those of its port.  `version`, `attached_mac` and `network` are what external_ids
    say under ``iface-id-ver``, ``attached-mac`` and ``dhcp-network``.  `memory` is what is
    remembered for it, and `written` whether the database has that already; `of_vlans` is what is
    for its sub-ports, by their tags, and `unwritten_vlans` what of that the database has not.
    `is_guest`: by its looks it is no uplink.  `behind` is the tag of the sub-port whose view of
    its parent's interface this is, 0 if it is nobody's.
    """

    row: uuid.UUID
    bridge: str
    name: str
    iface_id: str | None = None
    version: str | None = None
    ofport: int | None = None
    vlans: Vlans = UNTOLD
    attached_mac: str | None = None
    network: str | None = None
    memory: Memory = NO_MEMORY
    written: bool = True
    of_vlans: Mapping[int, Memory] = field(default_factory=dict)
    unwritten_vlans: Set[int] = frozenset()
    behind: int = 0
    is_guest: bool = True

    @property
    def key(self) -> str:
        """The name of its port: its iface-id, or without one its own name."""
        return self.iface_id or self.name

    def seen_by(self, sub_port: str, tag: int) -> Interface:
        """The interface as ``sub_port``, a VLAN of it, has it."""
        return replace(
            self,
            iface_id=sub_port,
            memory=self.of_vlans.get(tag, NO_MEMORY),
            written=tag not in self.unwritten_vlans,
            behind=tag,
        )

    def remembering(self, memory: Memory, tag: int) -> Interface:
        """The interface once this is to be remembered, for its VLAN ``tag`` if that is not 0."""
        if not tag:
            return replace(self, memory=memory, written=False)
        unwritten = self.unwritten_vlans | {tag}
        return replace(self, of_vlans={**self.of_vlans, tag: memory}, unwritten_vlans=unwritten)

    @property
    def remembered(self) -> list[Address]:
        """The addresses that are remembered for it and for what is behind it."""
        memories = (self.memory, *self.of_vlans.values())
        return [address for memory in memories for address in memory.addresses]

    @property
    def is_one_guests(self) -> bool:
        """Whether one guest is behind it: neither an uplink nor what is said to be nobody's."""
        return self.is_guest and self.network != KEEP_OUT

    @property
    def tag(self) -> int | None:
        """The VLAN of its packets that have no tag; None: none."""
        return self.vlans.untagged or None
