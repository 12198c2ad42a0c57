# SPDX-License-Identifier: Apache-2.0
"""dhcp-host, in all its forms."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from ovs_dhcpd.controller.drafting.dnsmasq_hosts import Host, read_host

MAC = "02:22:33:44:55:66"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{MAC},192.168.0.60", Host((MAC,), IPv4Address("192.168.0.60"))),
        ("2:22:33:44:55:66,fred,45m", Host((MAC,), name="fred", lease_s=2700)),
        (f"{MAC},02:00:00:00:00:02,192.168.0.60",
         Host((MAC, "02:00:00:00:00:02"), IPv4Address("192.168.0.60"))),
        (f"{MAC},set:red,fred,[fd00::5],[::6],infinite", Host(
            (MAC,), None, (IPv6Address("fd00::5"), IPv6Address("::6")), "fred", 4294967295,
            ("red",))),
        (f"{MAC},id:*", Host((MAC,))),
        ("id:0:3:0:1:2:22:33:44:55:66,[::6]", Host((MAC,), None, (IPv6Address("::6"),))),
        (f"{MAC},ignore", Host((MAC,), is_ignored=True)),
        ("01-02:22:33:44:55:66", Host((MAC,))),
        ("2001db8", Host(name="2001db8")),
    ],
)  # fmt: skip
def test_a_host(text: str, expected: Host) -> None:
    assert read_host(text.split(",")) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id:01:02,10.0.0.1", "a client's id is not looked at"),
        ("02:22:33:*:*:*", "wildcards"),
        ("6-02:22:33:44:55:66", "of Ethernet alone"),
        ("01:22:33:44:55:66", "nobody's MAC"),
        ("tag:red", "tags are not looked at"),
        ("[fd00::1/120]", "expected one IPv6 address"),
        ("[fe80::1%1]", "expected one IPv6 address"),
        ("[fd00::1", "expected one IPv6 address"),
        ("300.1.1.1", "is no address"),
        ("a b", "is not known"),
    ],
)
def test_what_cannot_be_said_of_a_host(text: str, said: str) -> None:
    (line,) = read_host(text.split(",")).left
    assert said in line
