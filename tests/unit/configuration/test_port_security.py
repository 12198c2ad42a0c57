# SPDX-License-Identifier: Apache-2.0
"""What OVN's column port_security says, and what of it is left out."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from ovs_dhcpd.flows.bindings.network import Guarded
from ovs_dhcpd.flows.configuration.port_security import parse_port_security

MAC = "02:00:00:00:00:05"
RAW = bytes.fromhex("020000000005")


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        (MAC, []),
        (f"{MAC} 10.0.0.5", ["10.0.0.5/32"]),
        (f"  {MAC}   10.0.0.5 fd00::5 ", ["10.0.0.5/32", "fd00::5/128"]),
        (f"{MAC} 10.0.0.0/24", ["10.0.0.0/24"]),
        (f"{MAC} 10.0.0.5/24", ["10.0.0.5/32"]),
        (f"{MAC} fd00::/64 fd00:1::5/64", ["fd00::/64", "fd00:1::5/128"]),
    ],
)
def test_a_mac_and_its_addresses(text: str, addresses: list[str]) -> None:
    refused: list[str] = []
    networks: tuple[IPv4Network | IPv6Network, ...] = tuple(map(ip_network, addresses))
    assert parse_port_security([text], refused) == (Guarded(RAW, networks),)
    assert refused == []


def test_what_cannot_be_read_is_left_out_and_named() -> None:
    refused: list[str] = []
    texts = ["", "VRRPv3 x", f"{MAC} 10.0.0", f"{MAC} fe80::1%eth0", MAC]
    assert parse_port_security(texts, refused) == (Guarded(RAW),)
    assert len(refused) == 4
    assert all(line.startswith("port_security: ") and "expected" in line for line in refused)
    assert refused[2] == ("port_security: 10.0.0 is no address, expected one MAC, then addresses")
