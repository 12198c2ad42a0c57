# SPDX-License-Identifier: Apache-2.0
"""Which port somebody means who gives a name, a MAC or an address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_address

from ovs_dhcpd.controller.leases.document import normal
from ovs_dhcpd.controller.ports.binder import Served
from ovs_dhcpd.controller.ports.interface import Interface
from ovs_dhcpd.controller.ports.world import World
from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.bindings.network import Network, Port
from ovs_dhcpd.flows.bindings.pool import Address


def find(
    text: str,
    world: World,
    served: Mapping[str, Served],
    interfaces: Iterable[Interface],
    asked: Callable[[bytes], Iterable[str]] = lambda mac: (),
) -> list[str]:
    """The names of the ports that ``text`` means, the best first; none: it means nothing here.

    That is a port's name or its interface's; else a MAC or an address that one is served, else
    a MAC that has ``asked`` at some ports, else what an interface says, or a network has for a port
    that need not be plugged in.  ``interfaces`` are all there are.
    """
    interfaces = list(interfaces)
    if name := _by_name(text, world, served, interfaces):
        return [name]
    mac, address = mac_or_address(text)
    if mac is None and address is None:
        return []
    found = [name for name, what in served.items() if _has(what.bindings, mac, address)]
    found += asked(mac) if mac else ()
    found += [each.key for each in interfaces if _says(each, mac, address)]
    bridges = {bridge for source in world.sources for bridge in source.bridges}
    for bridge in sorted(bridges):
        found += [port.name for _, port in having(text, world.networks(bridge).values())]
    return [*dict.fromkeys(found)]


def having(text: str, networks: Iterable[Network]) -> Iterator[tuple[Network, Port]]:
    """The ports to which ``networks`` give the MAC or address ``text``."""
    mac, address = mac_or_address(text)
    for network in networks:
        for port in network.ports:
            if _has(((network, port),), mac, address):
                yield network, port


def mac_or_address(text: str) -> tuple[bytes | None, Address | None]:
    """Which of both it is, if any."""
    with suppress(ValueError):
        return parse_mac(normal(text)), None
    with suppress(ValueError):
        return None, ip_address(text)
    return None, None


def _by_name(
    name: str, world: World, served: Mapping[str, Served], interfaces: Iterable[Interface]
) -> str:
    interface = world.interfaces.plugged(name)
    names = [name, interface.key, interface.name] if interface else [name]
    for each in names:
        if each in served:
            return each
    for each in names:
        if world.knowing(each) or world.parent(each):
            return each
    if interface:
        return interface.key
    return next((name for each in interfaces if name in (each.name, each.key)), "")


def _has(
    bindings: Iterable[tuple[object, Port]], mac: bytes | None, address: Address | None
) -> bool:
    return any(
        port.mac == mac if mac is not None else address in port.addresses for _, port in bindings
    )


def _says(interface: Interface, mac: bytes | None, address: Address | None) -> bool:
    if mac is None:
        return address in interface.remembered
    try:
        return parse_mac(interface.attached_mac) == mac
    except ValueError:
        return False
