# SPDX-License-Identifier: Apache-2.0
"""What others use of pools, parked: remembered, logged, freed in time and by command."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address

from ovs.vlog import Vlog
from ovs_dhcpd.controller.control import CommandError, add_command
from ovs_dhcpd.controller.ovsdb.open_vswitch import OpenVSwitch
from ovs_dhcpd.controller.ports.binder import Binder, Ours
from ovs_dhcpd.controller.ports.pool_use import PoolUse, pool_uses
from ovs_dhcpd.controller.ports.probes import Said
from ovs_dhcpd.controller.ports.world import World
from ovs_dhcpd.controller.wire.declined import Declined
from ovs_dhcpd.controller.wire.probe import Heard
from ovs_dhcpd.flows.bindings.pool import Address
from ovs_dhcpd.flows.options.wording import escape, printable_lines, show

vlog = Vlog("parking")


class Parking:
    """The parked addresses of the bridges on which it is our turn, which ``active`` tells.

    ``answer`` tells who asks on a bridge for an address, from a MAC, that it is somebody's.
    """

    def __init__(
        self,
        database: OpenVSwitch,
        binder: Binder,
        world: World,
        active: Callable[[], Iterable[str]],
        answer: Callable[[str, Heard, bytes], object],
    ) -> None:
        self._database = database
        self._binder = binder
        self._world = world
        self._active = active
        self._answer = answer
        add_command("pools/show", "", 0, 0, lambda _: printable_lines(self._lines()))
        add_command("pools/free", "address", 1, 1, lambda words: self._free(words[0]))

    def hear(self, bridge: str, event: Declined | Heard) -> set[str]:
        """Somebody has an address, as is said; returns the names of the ports to decide anew."""
        try:
            address = ip_address(event.address)
        except ValueError:  # the client did not say which
            return set()
        now_s = time.time()
        if isinstance(event, Declined):
            how = f"declined by {event.mac.hex(':')}"
            found = self._binder.decline(
                (bridge, event.ofport, event.tag), address, now_s, self._world
            )
        else:
            how = f"answered for by {event.mac.hex(':')}"
            said = Said(event.ofport, event.tag, event.mac, address, event.asks)
            heard = self._binder.hear(bridge, said, now_s, self._world)
            if isinstance(heard, Ours):
                self._answer(bridge, event, heard.mac)
                return set()
            found = heard
        if found is None:
            return set()
        if found.parked:
            self._database.park(bridge, (found.network, address), found.parked)
            until = _local_time(found.parked.until_s)
            vlog.warn(f"{escape(found.network)}: {address}: {how}, parked until {until}")
        return {found.port}

    def run(self) -> bool:
        """Free what has been parked for long enough; whether somebody may have something now."""
        now_s = time.time()
        for bridge in self._active():
            for pooled, parked in [*self._database.parked(bridge).items()]:
                if parked.until_s <= now_s:
                    self._database.park(bridge, pooled, None)
        unparked, self._database.unparked = self._database.unparked, []
        for network, address in unparked:
            vlog.info(f"{escape(network)}: {address}: parked no longer")
            self._binder.unpark(network, address)
        return bool(unparked)

    def wait_s(self) -> float | None:
        """How long until :meth:`run` has something to do; None: until the database says so."""
        times = [
            parked.until_s
            for bridge in self._active()
            for parked in self._database.parked(bridge).values()
        ]
        return max(0.0, min(times) - time.time()) if times else None

    def uses(self) -> Iterator[PoolUse]:
        """Each pool, and how full it is: what it has of IPv4, and of IPv6."""
        given: dict[tuple[str, str], list[Address]] = {}
        for served in self._binder.served.values():
            for network, port in served.bindings:
                given.setdefault((network.bridge, network.name), []).extend(port.addresses)
        for bridge in sorted(self._active()):
            parked: dict[str, list[Address]] = {}
            for name, address in self._database.parked(bridge):
                parked.setdefault(name, []).append(address)
            for name, network in sorted(self._world.networks(bridge).items()):
                if network.pool:
                    its = given.get((network.bridge, name), ())
                    yield from pool_uses(network, its, parked.get(name, ()))

    def _free(self, text: str) -> None:
        """``pools/free``: have the address given out again, in whichever networks it is parked."""
        try:
            address = ip_address(text)
        except ValueError:
            raise CommandError(f"{show(text)} is no address, expected one of pools/show") from None
        found = [
            (bridge, pooled)
            for bridge in self._active()
            for pooled in self._database.parked(bridge)
            if pooled[1] == address
        ]
        if not found:
            raise CommandError(f"{address} is not parked, expected one of pools/show")
        for bridge, pooled in found:
            self._database.park(bridge, pooled, None)

    def _lines(self) -> Iterator[str]:
        """Each pool, and what of it is parked."""
        used = Counter[tuple[str, str]]()
        for use in self.uses():
            used[use.bridge, use.network] += use.used
        for bridge in sorted(self._active()):
            parked = self._database.parked(bridge)
            for name, network in sorted(self._world.networks(bridge).items()):
                if network.pool:
                    size = network.pool.size
                    what = f"{used[bridge, name]} of {size} addresses given out, {network.pool}"
                    yield f"{escape(bridge):<15} {escape(name)}: {what}"
            for (name, address), each in sorted(parked.items(), key=str):
                until = f"parked until {_local_time(each.until_s)}"
                how = f"declined by {escape(each.owner)}"
                if each.answered_by:
                    how = f"answered for by {each.answered_by.hex(':')} at {escape(each.owner)}"
                yield f"{escape(bridge):<15} {escape(name)}: {address} {until}, {how}"


def _local_time(since_1970_s: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since_1970_s))
    except (OverflowError, ValueError, OSError):  # somebody else wrote it
        return f"{since_1970_s} s after 1970"
