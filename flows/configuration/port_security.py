# SPDX-License-Identifier: Apache-2.0
"""The column port_security of OVN's Logical_Switch_Port: what a port may send from (ovn-nb(5)).

Each text is a MAC, then the addresses that go with it; without any, all do.  An address with a
prefix length stands for all of the prefix if it has no host bits, else for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network

from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.bindings.network import Guarded
from ovs_dhcpd.flows.options.wording import escape


def parse_port_security(texts: Iterable[str], refused: list[str]) -> tuple[Guarded, ...]:
    """What the port may use; what cannot be read is left out, and a line in `refused` names it."""
    found = []
    for text in texts:
        words = text.split()
        try:
            mac = parse_mac(words[0] if words else "")
            found.append(Guarded(mac, tuple(map(_parse_address, words[1:]))))
        except ValueError as error:
            refused.append(f"port_security: {error}")
    return tuple(found)


def _parse_address(word: str) -> IPv4Network | IPv6Network:
    try:
        if "%" in word:
            raise ValueError
        interface = ip_interface(word)
    except ValueError:
        what = f"{escape(word)} is no address, expected one MAC, then addresses"
        raise ValueError(what) from None
    network = interface.network
    return network if interface.ip == network.network_address else ip_network(interface.ip)
