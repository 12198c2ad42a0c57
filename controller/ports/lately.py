# SPDX-License-Identifier: Apache-2.0
"""What ports were served last that are plugged in and served it no more.

Who leaves a file for a moment, because somebody edits it or half of it is lost, shall find its
address again: it is its own first choice, and nobody else's.  What a pool chose stands in the row,
and is forgotten here when it is taken out there.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from ovs_dhcpd.controller.ports.claims import Claims
from ovs_dhcpd.controller.ports.interface import Interface
from ovs_dhcpd.flows.bindings.network import Bindings, Network
from ovs_dhcpd.flows.bindings.pool import Address, PooledAddress


@dataclass(frozen=True, slots=True)
class _Last:
    """To whom the addresses were served: the row alone may be another guest's by now."""

    row: uuid.UUID
    addresses: tuple[tuple[str, bytes | None, Address], ...]  # with network and MAC
    named: frozenset[Address]  # those of them that do not stand in the row


class Lately:
    """What each port was served last of networks that have a pool, by the keys of interfaces."""

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}
        self._claims: Claims[str, PooledAddress] = Claims()

    def note(self, interface: Interface, bindings: Bindings) -> None:
        """The port is served this now."""
        addresses = tuple(
            (network.name, port.mac, address)
            for network, port in bindings
            if network.pool
            for address in port.addresses
        )
        named = {address for *_, address in addresses}.difference(interface.memory.addresses)
        last = _Last(interface.row, addresses, frozenset(named))
        if self._last.get(interface.key) == last:
            return
        self.forget(interface.key)
        if addresses:
            self._last[interface.key] = last
            for name, _, address in addresses:
                if address in named:
                    self._claims.add(interface.key, (name, address))

    def forget(self, key: str) -> None:
        """The port is not plugged in any more, or wants nothing."""
        if self._last.pop(key, None):
            self._claims.withdraw(key)

    def had(self, network: Network, interface: Interface, mac: bytes | None) -> Iterator[Address]:
        """What the guest with ``mac`` (None: it is not known) was served of ``network``."""
        last = self._last.get(interface.key)
        if last and last.row == interface.row:
            known = last.named.union(interface.memory.addresses)
            for name, its_mac, address in last.addresses:
                its = mac is None or its_mac in (None, mac)
                if name == network.name and its and address in known:
                    yield address

    def is_anothers(self, network: Network, address: Address, key: str) -> bool:
        """Whether somebody else than ``key`` may come back for the address."""
        return bool(self._claims.claimants((network.name, address)) - {key})

    def __contains__(self, key: str) -> bool:
        return key in self._last
