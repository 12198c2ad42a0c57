# SPDX-License-Identifier: Apache-2.0
"""Whether somebody has written an interface's addresses into its row by hand.

What we write there has an owner, so what has none is somebody else's.  Who sets the addresses
alone (``ovs-vsctl set interface tap0 external_ids:dhcp-ip=10.0.0.7``) leaves our owner there: that
is seen as long as we run.
"""

from __future__ import annotations

import uuid

from ovs_dhcpd.controller.ports.interface import Interface, Memory


class ByHand:
    """What we last wrote into each row, by the keys of interfaces."""

    def __init__(self) -> None:
        self._ours: dict[str, tuple[uuid.UUID, Memory]] = {}

    def note(self, interface: Interface, memory: Memory) -> None:
        """``memory`` stands in the interface's row as ours, or is about to."""
        self._ours[interface.key] = interface.row, memory

    def forget(self, key: str) -> None:
        """The port is not plugged in any more, or wants nothing."""
        self._ours.pop(key, None)

    def wrote(self, interface: Interface) -> bool:
        """Whether the addresses in the interface's row are not ours."""
        now = interface.memory
        row, ours = self._ours.get(interface.key, (None, now))
        if not now.addresses:
            return False
        changed = row == interface.row and now.owner == ours.owner
        return now.owner is None or (changed and now.addresses != ours.addresses)
