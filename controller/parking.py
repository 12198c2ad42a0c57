# SPDX-License-Identifier: Apache-2.0
"""What is declined and parked, done: remembered, logged, freed in time and by command."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address

from ovs.vlog import Vlog
from ovs_dhcpd.controller.control import CommandError, add_command
from ovs_dhcpd.controller.ovsdb.open_vswitch import OpenVSwitch
from ovs_dhcpd.controller.ports.binder import Binder
from ovs_dhcpd.controller.ports.world import World
from ovs_dhcpd.controller.wire.declined import Declined
from ovs_dhcpd.flows.bindings.network import Network
from ovs_dhcpd.flows.options.wording import escape, printable_lines, show

vlog = Vlog("parking")


class Parking:
    """The parked addresses of the bridges on which it is our turn, which ``active`` tells."""

    def __init__(
        self,
        database: OpenVSwitch,
        binder: Binder,
        world: World,
        active: Callable[[], Iterable[str]],
    ) -> None:
        self._database = database
        self._binder = binder
        self._world = world
        self._active = active
        add_command("pools/show", "", 0, 0, lambda _: printable_lines(self._lines()))
        add_command("pools/free", "address", 1, 1, lambda words: self._free(words[0]))

    def hear(self, bridge: str, event: Declined) -> set[str]:
        """A client declines an address; returns the names of the ports to decide anew."""
        try:
            address = ip_address(event.address)
        except ValueError:  # the client did not say which
            return set()
        now_s = time.time()
        where = bridge, event.ofport, event.tag
        decline = self._binder.decline(where, address, now_s, self._world)
        if decline is None:
            return set()
        if decline.parked:
            self._database.park(bridge, (decline.network, address), decline.parked)
            until = _local_time(decline.parked.until_s)
            what = f"declined by {event.mac.hex(':')}, parked until {until}"
            vlog.warn(f"{escape(decline.network)}: {address}: {what}")
        return {decline.port}

    def run(self) -> bool:
        """Free what has been parked for long enough; whether somebody may have something now."""
        now_s = time.time()
        for bridge in self._active():
            for place, parked in [*self._database.parked(bridge).items()]:
                if parked.until_s <= now_s:
                    self._database.park(bridge, place, None)
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

    def _free(self, text: str) -> None:
        """``pools/free``: have the address given out again, in whichever networks it is parked."""
        try:
            address = ip_address(text)
        except ValueError:
            raise CommandError(f"{show(text)} is no address, expected one of pools/show") from None
        places = [
            (bridge, place)
            for bridge in self._active()
            for place in self._database.parked(bridge)
            if place[1] == address
        ]
        if not places:
            raise CommandError(f"{address} is not parked, expected one of pools/show")
        for bridge, place in places:
            self._database.park(bridge, place, None)

    def _lines(self) -> Iterator[str]:
        """Each pool, and what of it is parked."""
        for bridge in sorted(self._active()):
            parked = self._database.parked(bridge)
            for name, network in sorted(self._world.networks(bridge).items()):
                if network.pool:
                    yield f"{escape(bridge):<15} {escape(name)}: {self._summary(network)}"
            for (name, address), each in sorted(parked.items(), key=str):
                what = f"parked until {_local_time(each.until_s)}, declined by {escape(each.owner)}"
                yield f"{escape(bridge):<15} {escape(name)}: {address} {what}"

    def _summary(self, network: Network) -> str:
        assert network.pool
        bindings = [each for served in self._binder.served.values() for each in served.bindings]
        given = sum(
            any(address in part for part in network.pool.ranges)
            for its, port in bindings
            if (its.bridge, its.name) == (network.bridge, network.name)
            for address in port.addresses
        )
        return f"{given} of {network.pool.size} addresses given out, {network.pool}"


def _local_time(since_1970_s: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since_1970_s))
    except (OverflowError, ValueError, OSError):  # somebody else wrote it
        return f"{since_1970_s} s after 1970"
