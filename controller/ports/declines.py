# SPDX-License-Identifier: Apache-2.0
"""What becomes of an address that a client declines: it is parked, or offered all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ovs_dhcpd.controller.ports.interface import Interface
from ovs_dhcpd.controller.ports.parked import Parked, may_park
from ovs_dhcpd.controller.ports.world import World
from ovs_dhcpd.flows.bindings.network import Network, Port
from ovs_dhcpd.flows.bindings.pool import Address

DECLINED = "is declined, as if somebody used it"


@dataclass(frozen=True)
class Decline:
    """A client behind ``port`` has declined ``address`` of ``network``.

    ``parked`` is how that is to be parked; None: it is offered all the same.
    """

    port: str
    network: str
    address: Address
    parked: Parked | None


class Declines:
    """What is declined and offered all the same, as long as it is served."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[Address, str]] = {}  # why it is, by the names of ports

    def hear(
        self,
        network: Network,
        port: Port,
        interface: Interface,
        address: Address,
        now_s: float,
        world: World,
    ) -> Decline | None:
        """A client behind ``port`` declines ``address`` at ``now_s``, in seconds since 1970.

        None if it has done so before, and nothing came of it.
        """
        owner = interface.memory.owner or interface.key
        pool = network.pool
        if pool is None or address not in interface.memory.addresses or address in pool.reserved:
            why = "it is this port's own"
        else:
            why = may_park(network, owner, world.interfaces.parked(interface.bridge))
            if not why:
                parked = Parked(int(now_s) + pool.decline_probation_period_s, owner)
                return Decline(port.name, network.name, address, parked)
        kept = self._kept.setdefault(port.name, {})
        if address in kept:
            return None
        kept[address] = why
        return Decline(port.name, network.name, address, None)

    def lines(self, name: str, bindings: Iterable[tuple[Network, Port]]) -> Iterator[str]:
        """What of these addresses of a port is declined; others are forgotten."""
        served = {address for _, port in bindings for address in port.addresses}
        kept = {a: why for a, why in self._kept.pop(name, {}).items() if a in served}
        if kept:
            self._kept[name] = kept
        for address, why in kept.items():
            yield f"{address} {DECLINED}, and offered all the same: {why}"

    def forget(self, name: str) -> None:
        """The port is not plugged in any more."""
        self._kept.pop(name, None)
