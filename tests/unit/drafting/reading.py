# SPDX-License-Identifier: Apache-2.0
"""What a draft says, read as a file of ours is."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ovs_dhcpd.controller.drafting.draft import Draft
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.flows.bindings.network import Configuration, Dhcpv4, Dhcpv6, Network
from ovs_dhcpd.flows.bindings.pool import Pool
from ovs_dhcpd.flows.options.table import DHCPV4, DHCPV6, OptionTable
from ovs_dhcpd.flows.options.values import format_value


def accepted(draft: Draft) -> Configuration:
    """The configuration, which `check` would accept."""
    return accepted_text(draft.text(["a title"]))


def accepted_text(text: str) -> Configuration:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        return yaml_file.load(Path(file.name))


def network(draft: Draft, name: str = "") -> Network:
    """Its network of that name, or the only one."""
    networks = accepted(draft).networks
    found = [each for each in networks if name in ("", each.name)]
    assert len(found) == 1, [each.name for each in networks]
    return found[0]


def left(draft: Draft) -> list[str]:
    """What could not be said."""
    accepted(draft)
    return [*draft.unsaid.lines()]


def dhcpv4(network: Network) -> Dhcpv4:
    assert network.dhcpv4
    return network.dhcpv4


def dhcpv6(network: Network) -> Dhcpv6:
    assert network.dhcpv6
    return network.dhcpv6


def pool(network: Network) -> Pool:
    assert network.pool
    return network.pool


def options(network: Network, version: int = 4) -> dict[str, str]:
    """The options of a network as text."""
    part = network.dhcpv4 if version == 4 else network.dhcpv6
    assert part
    table: OptionTable = DHCPV4 if version == 4 else DHCPV6
    return {name: format_value(table.lookup(name), value) for name, value in part.options.items()}


def reserved(network: Network) -> dict[str, list[str]]:
    """Addresses that are kept, by MAC, of ports and of reservations."""
    assert network.pool
    kept = {mac.hex(":"): [*map(str, each)] for mac, each in network.pool.reservations.items()}
    ports = {port.mac.hex(":"): [*map(str, port.addresses)] for port in network.ports if port.mac}
    return kept | ports
