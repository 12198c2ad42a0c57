# SPDX-License-Identifier: Apache-2.0
"""What becomes of an address that somebody else uses: it is parked, or offered all the same.

A client has found it so and declines it, or somebody has answered when it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ovs_dhcpd.controller.ports.interface import Interface
from ovs_dhcpd.controller.ports.parked import Parked, may_park
from ovs_dhcpd.controller.ports.probes import Said
from ovs_dhcpd.controller.ports.world import World
from ovs_dhcpd.flows.bindings.network import Bindings, Network, Port
from ovs_dhcpd.flows.bindings.pool import Address

DECLINED = "is declined, as if somebody used it"


@dataclass(frozen=True)
class Decline:
    """``address`` of ``network``, which ``port`` has or is to have, is somebody else's, as is said.

    ``parked`` is how that is to be parked; None: it is offered all the same.
    """

    port: str
    network: str
    address: Address
    parked: Parked | None


class Declines:
    """What is declined and offered all the same, as long as it is served."""

    def __init__(self) -> None:
        # What is said of it and why it is kept, by the names of ports.
        self._kept: dict[str, dict[Address, tuple[str, str]]] = {}

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
        kept[address] = f"{DECLINED},", why
        return Decline(port.name, network.name, address, None)

    def taken(
        self,
        network: Network,
        port: str,
        said: Said,
        at: Interface | None,
        now_s: float,
        world: World,
    ) -> Decline:
        """Who is heard at the interface ``at`` has the address that ``port`` is to have."""
        assert network.pool
        owner = at.key if at else ""
        parked = world.interfaces.parked(network.bridge)
        why = may_park(network, owner, parked, is_guest=at is None or at.is_one_guests)
        if why:
            line = f"is answered for by {said.mac.hex(':')}", why
            self._kept.setdefault(port, {})[said.address] = line
            return Decline(port, network.name, said.address, None)
        until_s = int(now_s) + network.pool.decline_probation_period_s
        found = Parked(until_s, owner, answered_by=said.mac)
        return Decline(port, network.name, said.address, found)

    def lines(self, name: str, bindings: Bindings) -> Iterator[str]:
        """What of these addresses of a port is declined; others are forgotten."""
        served = {address for _, port in bindings for address in port.addresses}
        kept = {a: line for a, line in self._kept.pop(name, {}).items() if a in served}
        if kept:
            self._kept[name] = kept
        for address, (what, why) in kept.items():
            yield f"{address} {what} and offered all the same: {why}"

    def forget(self, name: str) -> None:
        """The port is not plugged in any more."""
        self._kept.pop(name, None)
