# SPDX-License-Identifier: Apache-2.0
"""The pool of a network: its ranges, and whose addresses are in none."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest
from ovs_dhcpd.flows.bindings.pool import AddressRange

from tests.unit.configuration.file import POOL, errors, load


def ranges(*pairs: str) -> tuple[AddressRange, ...]:
    return tuple(AddressRange(*map(ip_address, pair.split("-"))) for pair in pairs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.9", ranges("10.0.0.9-10.0.0.9")),
        ("10.0.0.9-10.0.0.20", ranges("10.0.0.9-10.0.0.20")),
        ("[10.0.0.9 - 10.0.0.20, 10.0.0.128/25]",
         ranges("10.0.0.9-10.0.0.20", "10.0.0.128-10.0.0.255")),
        ("['fd00::10-fd00::ff', 10.0.0.9]", ranges("fd00::10-fd00::ff", "10.0.0.9-10.0.0.9")),
    ],
)  # fmt: skip
def test_a_pool_is_one_range_or_several(tmp_path: Path, text: str, expected: object) -> None:
    (network,) = load(tmp_path, POOL % text).networks
    assert network.ports == ()
    assert network.pool
    assert network.pool.ranges == expected


def test_what_is_somebodys_is_in_no_pool(tmp_path: Path) -> None:
    port = """
    ports:
      vm1:
        addresses: "02:00:00:00:00:01 10.0.0.50 fd00::50"
        options: {router: 10.0.0.60}
        options6: {dns_server: fd00::53}
      vm2: {addresses: "02:00:00:00:00:02 dynamic"}
"""
    options = "router: 10.0.0.1, dns_server: [10.0.0.3, 8.8.8.8], server_id: 10.0.0.2, "
    options += 'server_mac: "0a:00:00:00:00:01", classless_static_route: "10.9.0.0/16,10.0.0.4"'
    text = POOL.replace("router: 10.0.0.1", options) % "10.0.0.0/24"
    (network,) = load(tmp_path, text + port).networks
    assert network.pool
    assert {str(k) if not isinstance(k, bytes) else k.hex(":"): v
            for k, v in network.pool.reserved.items()} == {
        "10.0.0.0": "nobody",
        "10.0.0.1": "router",
        "10.0.0.2": "server_id",
        "10.0.0.3": "dns_server",
        "8.8.8.8": "dns_server",
        "10.0.0.4": "classless_static_route",
        "10.0.0.255": "nobody",
        "255.255.255.0": "netmask",
        "0a:00:00:00:00:01": "server_id",
        "fd00::": "all routers",
        "10.0.0.50": "vm1",
        "10.0.0.60": "router",
        "fd00::53": "dns_server",
        "fd00::50": "vm1",
        "02:00:00:00:00:01": "vm1",
        "02:00:00:00:00:02": "vm2",
    }  # fmt: skip


EXPECTED_RANGE = "expected first-last, address/length or an address"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", f"nothing, {EXPECTED_RANGE}"),
        ("5", f"5, {EXPECTED_RANGE}"),
        ("all", f"'all', {EXPECTED_RANGE}"),
        ("[]", "is empty, expected a range or more"),
        ("10.0.0.1-", f"'10.0.0.1-', {EXPECTED_RANGE}"),
        ("10.0.0.1-10.0.0.2-10.0.0.3", f"'10.0.0.1-10.0.0.2-10.0.0.3', {EXPECTED_RANGE}"),
        ("10.0.0.9-fd00::9", f"'10.0.0.9-fd00::9', {EXPECTED_RANGE}"),
        ("10.0.0.9/24", f"'10.0.0.9/24', {EXPECTED_RANGE}"),
        ("10.0.0.9-10.0.0.1", "10.0.0.9-10.0.0.1 ends before it begins, expected first-last"),
        (
            "10.0.0.9-10.0.1.1",
            "10.0.0.9-10.0.1.1 is not in cidr 10.0.0.0/24, expected addresses in it",
        ),
        (
            "[10.0.0.9-10.0.0.20, 10.0.0.20]",
            "10.0.0.20 overlaps 10.0.0.9-10.0.0.20, expected each address once",
        ),
    ],
)
def test_mistakes_in_a_pool_are_named(tmp_path: Path, text: str, error: str) -> None:
    assert errors(tmp_path, POOL % text) == [f"c.yaml:5: red: pool: {error}"]


def test_a_pool_needs_its_familys_dhcp(tmp_path: Path) -> None:
    text = "networks:\n red:\n  dhcpv4: {cidr: 10.0.0.0/24}\n  pool: fd00::9"
    assert errors(tmp_path, text) == [
        "c.yaml:4: red: pool: fd00::9 needs dhcpv6, which the network has not"
    ]
    text = (
        "networks:\n red:\n  dhcpv6: {cidr: 'fd00::/64', dhcpv6_stateless: true}\n  pool: fd00::9"
    )
    assert errors(tmp_path, text) == [
        "c.yaml:4: red: pool: fd00::9 is not given out by dhcpv6_stateless, expected none of IPv6"
    ]


MAC = "02:00:00:00:00:01"


def test_what_is_excluded_is_cut_to_the_ranges(tmp_path: Path) -> None:
    text = POOL % "[10.0.0.8/29, 10.0.0.100-10.0.0.103]" + (
        "    exclude: [10.0.0.3, 10.0.0.12-10.0.0.101]\n"
    )
    (network,) = load(tmp_path, text).networks
    assert network.pool
    assert network.pool.excluded == ranges("10.0.0.12-10.0.0.15", "10.0.0.100-10.0.0.101")


def test_what_is_reserved_is_kept_for_a_mac_inside_the_pool_or_not(tmp_path: Path) -> None:
    text = POOL % "[10.0.0.9, 'fd00::9']" + (
        f"    reserve: {{'{MAC}': 10.0.0.50 fd00::50, 02:00:00:00:00:0A: [10.0.0.9]}}\n"
    )
    (network,) = load(tmp_path, text).networks
    pool = network.pool
    assert pool
    mac, mac2 = bytes.fromhex("020000000001"), bytes.fromhex("02000000000a")
    kept = [(pool.reservation(each, 4), pool.reservation(each, 6)) for each in (mac, mac2, None)]
    assert kept == [
        (ip_address("10.0.0.50"), ip_address("fd00::50")),
        (ip_address("10.0.0.9"), None),
        (None, None),
    ]
    assert pool.reserved[ip_address("10.0.0.50")] == MAC
    assert pool.reserved[ip_address("10.0.0.9")] == "02:00:00:00:00:0a"


def test_a_declined_address_is_parked_for_a_day_or_as_long_as_is_said(tmp_path: Path) -> None:
    for setting, period_s in (("", 86400), ("decline_probation_period: 60", 60)):
        (network,) = load(tmp_path, POOL % "10.0.0.9" + f"    {setting}\n").networks
        assert network.pool
        assert network.pool.decline_probation_period_s == period_s


def test_an_address_is_probed_unless_the_network_says_no(tmp_path: Path) -> None:
    for setting, probe in (("", True), ("probe: true", True), ("probe: false", False)):
        (network,) = load(tmp_path, POOL % "10.0.0.9" + f"    {setting}\n").networks
        assert network.pool
        assert network.pool.probe is probe


ONE_EACH = "expected an address, or one of IPv4 and one of IPv6"


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        ("exclude: []", "exclude: is empty, expected a range or more"),
        *[(f"decline_probation_period: {value}", f"decline_probation_period: {shown}, "
           "expected seconds, from 1 to 4294967295")
          for value, shown in (("0", "0"), ("-1", "-1"), ("4294967296", "4294967296"),
                               ("true", "True"))],
        ("decline_probation_period: 1x",
         "decline_probation_period: '1x', expected seconds, or a time as 45s, 30m, 12h, 7d or "
         "1h30m"),
        ("probe: perhaps", "probe: 'perhaps', expected true or false"),
        ("exclude: x", f"exclude: 'x', {EXPECTED_RANGE}"),
        ("exclude: 10.0.1.1", "exclude: 10.0.1.1 is not in cidr 10.0.0.0/24, "
         "expected addresses in it"),
        ("reserve: x", "reserve: 'x', expected a mapping"),
        ("reserve: {x: 10.0.0.5}", "x: 'x' is no MAC, expected xx:xx:xx:xx:xx:xx"),
        (f"reserve: {{'{MAC}': }}", f"{MAC}: nothing, {ONE_EACH}"),
        (f"reserve: {{'{MAC}': 10.0.0.5 10.0.0.6}}", f"{MAC}: '10.0.0.5 10.0.0.6', {ONE_EACH}"),
        (f"reserve: {{'{MAC}': [10.0.0.5, 6]}}", f"{MAC}: a list, {ONE_EACH}"),
        (f"reserve: {{'{MAC}': 10.0.1.1}}",
         f"{MAC}: 10.0.1.1 is not in cidr 10.0.0.0/24, expected addresses in it"),
        (f"reserve: {{'{MAC}': 'fd00::5'}}",
         f"{MAC}: fd00::5, and pool has no IPv6, expected an address of the pool's family"),
        (f"reserve: {{'{MAC}': 'fd00::5%1'}}", f"{MAC}: 'fd00::5%1', {ONE_EACH}"),
        (f"reserve: {{'{MAC}': 10.0.0.1}}",
         "reserve: 10.0.0.1 is that of server_id too, expected another"),
        (f"reserve: {{'{MAC}': 10.0.0.255}}",
         f"{MAC}: 10.0.0.255 is the broadcast address of 10.0.0.0/24, "
         "expected the address of a host"),
        (f"reserve: {{'{MAC}': 10.0.0.5, '02:00:00:00:00:02': 10.0.0.5}}",
         f"reserve: 10.0.0.5 is that of {MAC} too, expected another"),
        ("reserve: {'02:00:00:00:00:0A': 10.0.0.5, '02:00:00:00:00:0a': 10.0.0.6}",
         "02:00:00:00:00:0a: is there in other letters too, expected each MAC once"),
        ("reserve: {'02:00:00:00:00:77': 10.0.0.5}",
         "reserve: 02:00:00:00:00:77 is that of vm1 too, expected another MAC"),
        (f"reserve: {{'{MAC}': 10.0.0.77}}",
         "reserve: 10.0.0.77 is that of vm1 too, expected another"),
    ],
)  # fmt: skip
def test_mistakes_beside_a_pool_are_named(tmp_path: Path, setting: str, error: str) -> None:
    port = "    ports: {vm1: {addresses: '02:00:00:00:00:77 10.0.0.77'}}\n"
    text = POOL % "10.0.0.9-10.0.0.20" + f"    {setting}\n" + port
    assert errors(tmp_path, text) == [f"c.yaml:6: red: {error}"]


def test_what_says_something_of_a_pool_needs_one(tmp_path: Path) -> None:
    text = "networks:\n red:\n  dhcpv4: {cidr: 10.0.0.0/24}\n  ports: {}\n  exclude: 10.0.0.9\n"
    assert errors(tmp_path, text + f"  reserve: {{'{MAC}': 10.0.0.8}}\n") == [
        "c.yaml:5: red: exclude: needs a pool, which the network has not",
        "c.yaml:6: red: reserve: needs a pool, which the network has not",
    ]
