# SPDX-License-Identifier: Apache-2.0
"""dhcp-range."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

import pytest
from ovs_dhcpd.controller.drafting.dnsmasq_ranges import (
    Range,
    Unreadable,
    lease_time_s,
    read_range,
)
from ovs_dhcpd.flows.userdata.extension import INFINITY_S


def range_of(first: str, last: str, **more: Any) -> Range:
    return Range(ip_address(first), ip_address(last), **more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.5,10.0.0.9", range_of("10.0.0.5", "10.0.0.9")),
        ("10.0.0.5,10.0.0.9,12h", range_of("10.0.0.5", "10.0.0.9", lease_s=43200)),
        ("10.0.0.5,10.0.0.9,255.255.255.0,1h",
         range_of("10.0.0.5", "10.0.0.9", length=24, lease_s=3600)),
        ("10.0.0.5,10.0.0.9,255.255.255.0,10.0.0.255,infinite",
         range_of("10.0.0.5", "10.0.0.9", length=24, lease_s=INFINITY_S)),
        ("set:red,tag:blue,10.0.0.5,10.0.0.9",
         range_of("10.0.0.5", "10.0.0.9", sets=("red",), tags=("blue",))),
        ("10.0.0.0,static", range_of("10.0.0.0", "10.0.0.0", modes=frozenset({"static"}))),
        ("10.0.0.0,static,255.255.0.0",
         range_of("10.0.0.0", "10.0.0.0", modes=frozenset({"static"}), length=16)),
        ("fd00::2,fd00::9,64,6h", range_of("fd00::2", "fd00::9", length=64, lease_s=21600)),
        ("fd00::,ra-only", range_of("fd00::", "fd00::", modes=frozenset({"ra-only"}), length=64)),
        ("fd00::5,fd00::9,slaac,120,1d", range_of(
            "fd00::5", "fd00::9", modes=frozenset({"slaac"}), length=120, lease_s=86400)),
        ("::5,::9,constructor:eth0,12h",
         range_of("::5", "::9", length=64, lease_s=43200, constructor="eth0")),
        ("::,constructor:eth0,ra-stateless,ra-names", range_of(
            "::", "::", modes=frozenset({"ra-stateless", "ra-names"}), length=64,
            constructor="eth0")),
    ],
)  # fmt: skip
def test_a_range(text: str, expected: Range) -> None:
    assert read_range(text.split(",")) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected an address"),
        ("tag:x", "expected an address"),
        ("10.0.0.9,10.0.0.5", "the first and the last"),
        ("10.0.0.9,fd00::1", "the first and the last"),
        ("10.0.0.1,10.0.0.5,never", "expected a mode"),
        ("10.0.0.1,10.0.0.5,255.0.255.0", "expected a netmask"),
        ("fe80::1%eth0", "expected an address"),
    ],
)
def test_what_is_no_range(text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read_range(text.split(","))


@pytest.mark.parametrize(
    ("word", "expected"),
    [("45m", 2700), ("600", 600), ("1W", 604800), ("5", 120), ("infinite", INFINITY_S),
     ("999999999w", INFINITY_S), ("x", None), ("12hh", None), ("²", None)],
)  # fmt: skip
def test_a_lease_time(word: str, expected: int | None) -> None:
    assert lease_time_s(word) == expected


def test_whose_subnet_it_is() -> None:
    own = [ip_interface("10.0.0.1/16"), ip_interface("fd00:7::1/64")]
    assert read_range(["10.0.0.5", "10.0.0.9"]).subnet(own) == ip_network("10.0.0.0/16")
    assert read_range(["10.0.0.5", "10.0.0.9"]).subnet([]) is None
    assert read_range(["10.0.0.5", "10.0.0.9"]).subnet([ip_interface("10.0.0.5")]) is None
    assert read_range(["10.0.0.5", "10.0.0.9", "255.255.255.0"]).subnet(own) == ip_network(
        "10.0.0.0/24"
    )
    constructed = read_range(["::5", "::9", "constructor:eth0"])
    assert constructed.subnet(own) == ip_network("fd00:7::/64")
    assert constructed.subnet([]) is None
    assert constructed.subnet([*own, ip_interface("fd00:8::1/64")]) is None
