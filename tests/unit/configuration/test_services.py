# SPDX-License-Identifier: Apache-2.0
"""What a network shares: defaults, times and the addresses of its server."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from ovs_dhcpd.flows.bindings.network import Configuration, Dhcpv4, Network
from ovs_dhcpd.flows.userdata.action_text import format_action

from tests.unit.configuration.file import NETWORK, NETWORK6, errors, load


def test_everything_that_ovn_does_not_know_is_in_the_actions(tmp_path: Path) -> None:
    text = """
networks:
  red:
    dhcpv4:
      cidr: 10.0.0.0/24
      server_mac: "0a:00:00:00:00:01"
      lease_time: 600
      rapid_commit: true
      bootfile_name: http://10.0.0.1/boot.ipxe
      bootfile_name_by_arch: {bios: undionly.kpxe, uefi_x86_64: ipxe.efi, 11: arm64.efi}
      ipv6_only_preferred: 1800
      captive_portal: https://portal/
    dhcpv6:
      cidr: fd00::/56
      valid_lifetime: 120
      t1: 30
      t2: 60
      rapid_commit: true
      ntp_server: [fd00::1, ntp.example.org]
      bootfile_name_by_arch: {http_x86_64: "http://[fd00::1]/x.efi"}
      option_32: "0x00000e10"
    ra:
      slla: 0a:00:00:00:00:02
      addr_mode: dhcpv6_stateless
      router_preference: HIGH
      prefix: [fd00:0:0:1::/64, fd00:0:0:2::/64]
      rdnss: [fd00::53, fd00::54]
      dnssl: [a.org, b.org]
      route_info: HIGH-fd00:9::/48
      hop_limit: 64
      valid_lifetime: 3600
      interval: [3, 10]
    ports:
      vm1:
        addresses: "02:00:00:00:00:01 10.0.0.5 10.0.0.6 fd00::5 fd00::6"
        options6: {dns_server: "fd00::35"}
        delegated_prefix: fd00:5::/56
"""
    (network,) = load(tmp_path, text).networks
    (port,) = network.ports
    assert network.ra
    assert (network.ra.slla.hex(), network.ra.interval) == ("0a0000000002", (3, 10))
    actions = (
        network.put_dhcp_opts(port),
        network.put_dhcpv6_opts(port),
        network.put_nd_ra_opts(),
    )
    assert [format_action(action) for action in actions if action] == [
        "reg0[3] = put_dhcp_opts(offerip = 10.0.0.5, "
        'bootfile_name = "http://10.0.0.1/boot.ipxe", captive_portal = "https://portal/", '
        "ipv6_only_preferred = 1800, lease_time = 600, netmask = 255.255.255.0, "
        "server_id = 10.0.0.1, rapid_commit = 1, addresses = 10.0.0.6, "
        'boot_file = {0, "undionly.kpxe"}, boot_file = {7, 9, "ipxe.efi"}, '
        'boot_file = {11, "arm64.efi"});',
        "reg0[3] = put_dhcpv6_opts(ia_addr = fd00::5, dns_server = fd00::35, "
        'information_refresh_time = 3600, ntp_server = {fd00::1, "ntp.example.org"}, '
        "server_id = 0a:00:00:00:00:01, preferred_lifetime = 120, valid_lifetime = 120, t1 = 30, "
        "t2 = 60, rapid_commit = 1, prefix_length = 56, addresses = fd00::6, "
        'delegated_prefixes = fd00:5::/56, boot_file = {16, "http://[fd00::1]/x.efi"});',
        'reg0[5] = put_nd_ra_opts(addr_mode = "dhcpv6_stateless", router_preference = "HIGH", '
        "hop_limit = 64, valid_lifetime = 3600, preferred_lifetime = 3600, "
        'slla = 0a:00:00:00:00:02, rdnss = {fd00::53, fd00::54}, dnssl = "a.org,b.org", '
        'route_info = "HIGH-fd00:9::/48", prefix = fd00:0:0:1::/64, prefix = fd00:0:0:2::/64);',
    ]


def test_a_server_has_one_mac_if_no_other_is_given(tmp_path: Path) -> None:
    text = """
networks:
  red: {dhcpv6: {cidr: "fd00::/64"}, ra: {prefix: "fd00::/64"}, ports: {}}
  blue:
    dhcpv4: {cidr: 10.0.0.0/24, server_mac: "0a:00:00:00:00:01"}
    dhcpv6: {cidr: "fd00::/64"}
    ra: {prefix: "fd00::/64"}
    ports: {}
  green:
    dhcpv4: {cidr: 10.0.0.0/24}
    dhcpv6: {cidr: "fd00::/64", server_id: "0a:00:00:00:00:02"}
    ra: {prefix: "fd00::/64"}
    ports: {}
"""
    macs = [
        (network.dhcpv6.server_id.hex(), network.ra.slla.hex())
        for network in load(tmp_path, text).networks
        if network.dhcpv6 and network.ra
    ]
    assert macs == [("b2f51a511f1d",) * 2, ("0a0000000001",) * 2, ("0a0000000002",) * 2]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [("600", (198.0, 600.0)), ("4", (3.0, 4.0)), ("[5, 10]", (5, 10)), ("none", None)],
)
def test_interval_of_router_advertisements(
    tmp_path: Path, interval: str, expected: tuple[float, float] | None
) -> None:
    text = f"networks: {{red: {{ra: {{prefix: 'fd00::/64', interval: {interval}}}, ports: {{}}}}}}"
    (network,) = load(tmp_path, text).networks
    assert network.ra
    assert network.ra.interval == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("prefix: 'fd00::/64'", None),
        ("prefix: 'fd00::/64', valid_lifetime: infinity", None),
        ("prefix: 'fd00::/64', slla: '02:00:00:00:00:01'", (198.0, 600.0)),
        ("prefix: 'fd00::/64', slla: '02:00:00:00:00:01', interval: none", None),
        ("prefix: 'fd00::/64', slla: '02:00:00:00:00:01', router_lifetime: 0", None),
        ("prefix: 'fd00::/64', slla: '02:00:00:00:00:01', router_lifetime: 90", (9.9, 30.0)),
        ("prefix: 'fd00::/64', router_lifetime: 5", (3.0, 4.0)),
        ("prefix: 'fd00::/64', router_lifetime: 3", (3.0, 4.0)),
        ("prefix: 'fd00::/64', valid_lifetime: 1d", (198.0, 600.0)),
        ("prefix: 'fd00::/64', preferred_lifetime: 30m, valid_lifetime: 1d", (198.0, 600.0)),
        ("prefix: 'fd00::/64', preferred_lifetime: 60, valid_lifetime: 1d", (6.6, 20.0)),
        ("prefix: 'fd00::/64', preferred_lifetime: 0, valid_lifetime: 18", (3 * 1.5, 6.0)),
        ("addr_mode: dhcpv6_stateful, valid_lifetime: 60", None),
        ("prefix: 'fd00::/64', rdnss: 'fd00::1', dns_lifetime: 60", (6.6, 20.0)),
        ("prefix: 'fd00::/64', dnssl: a.org, dns_lifetime: 60", (6.6, 20.0)),
        ("prefix: 'fd00::/64', dns_lifetime: 60", None),
        ("addr_mode: dhcpv6_stateful, pref64: '64:ff9b::/96'", (198.0, 600.0)),
    ],
)
def test_what_ends_is_advertised_again_before(
    tmp_path: Path, settings: str, expected: tuple[float, float] | None
) -> None:
    (network,) = load(tmp_path, f"networks: {{red: {{ra: {{{settings}}}, ports: {{}}}}}}").networks
    assert network.ra
    assert network.ra.interval == pytest.approx(expected)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ("valid_lifetime: 1d, preferred_lifetime: 599, interval: 600", ["preferred_lifetime"]),
        ("valid_lifetime: 599, interval: 600", ["valid_lifetime"]),
        ("dns_lifetime: 599, rdnss: 'fd00::1', dnssl: a.org, interval: 600", ["dns_lifetime"]),
        ("valid_lifetime: 3", ["valid_lifetime"]),
        ("valid_lifetime: 1d, preferred_lifetime: 0, interval: 600", []),
        ("valid_lifetime: 600, interval: 600", []),
        ("valid_lifetime: 599, interval: none", []),
        ("dns_lifetime: 599, interval: 600", []),
        ("valid_lifetime: 4", []),
    ],
)
def test_what_ends_before_it_is_advertised_again_is_a_warning(
    tmp_path: Path, settings: str, names: list[str]
) -> None:
    text = f"networks: {{red: {{ra: {{prefix: 'fd00::/64', {settings}}}, ports: {{}}}}}}"
    warnings = load(tmp_path, text).warnings
    assert [line.split(": ")[3] for line in warnings] == names
    assert all(": ends before the next advertisement, which may be " in line for line in warnings)


def test_a_router_is_one_only_if_its_mac_or_lifetime_is_given(tmp_path: Path) -> None:
    def lifetime_s(settings: str) -> int:
        text = f"networks: {{red: {{ra: {{prefix: 'fd00::/64'{settings}}}, ports: {{}}}}}}"
        (network,) = load(tmp_path, text).networks
        assert network.ra
        return int.from_bytes(network.ra.message[6:8], "big")

    assert lifetime_s("") == 0
    assert lifetime_s(", slla: 0a:00:00:00:00:01") == 65535
    assert lifetime_s(", router_lifetime: 1800") == 1800


def test_what_is_not_given_gets_its_default(tmp_path: Path) -> None:
    text = "networks: {red: {dhcpv4: {cidr: 10.0.0.0/30}, ports: {}}}"
    configuration = load(tmp_path, text)
    dhcpv4 = Dhcpv4(
        IPv4Network("10.0.0.0/30"),
        IPv4Address("10.0.0.1"),
        bytes.fromhex("b2f51a511f1d"),
        {
            "lease_time": (86400).to_bytes(4, "big"),
            "netmask": bytes((255, 255, 255, 252)),
            "server_id": bytes((10, 0, 0, 1)),
        },
    )
    assert configuration == Configuration((Network("red", dhcpv4, (), False),))


IN_NETWORK = [
    ("lease_time: 0", "red: lease_time: 0 seconds, expected 1 or more (4294967295 is for ever)"),
    (
        "T2: 86400",
        "red: T2: T1 is 43200, T2 86400, lease_time 86400, expected T1 < T2 < lease_time",
    ),
    (
        "T1: 80000",
        "red: T1: T1 is 80000, T2 75600, lease_time 86400, expected T1 < T2 < lease_time",
    ),
    (
        "netmask: 255.255.0.0",
        "red: netmask: is not that of cidr 10.0.0.0/24, expected 255.255.255.0 or no netmask",
    ),
    (
        "server_id: 10.0.0.0",
        "red: server_id: 10.0.0.0 is the network address of 10.0.0.0/24, "
        "expected the address of a host",
    ),
    (
        "server_id: 10.0.0.255",
        "red: server_id: 10.0.0.255 is the broadcast address of 10.0.0.0/24, "
        "expected the address of a host",
    ),
    (
        "server_id: 224.0.0.1",
        "red: server_id: 224.0.0.1 is not a unicast address, expected the address of a host",
    ),
    (
        "server_mac: 01:00:00:00:00:01",
        "red: server_mac: 01:00:00:00:00:01 is nobody's MAC, expected a unicast one",
    ),
    ("server_mac: 10", "red: server_mac: 10 is no MAC, expected xx:xx:xx:xx:xx:xx"),
]


@pytest.mark.parametrize(("line", "error"), IN_NETWORK)
def test_mistakes_in_dhcpv4_are_named_and_placed(tmp_path: Path, line: str, error: str) -> None:
    assert errors(tmp_path, NETWORK % line) == [f"c.yaml:6: {error}"]


IN_NETWORK6 = [
    (
        "dhcpv6: {cidr: 'fd00::/64', server_id: 10.0.0.1}",
        "server_id: 10.0.0.1 is not a MAC, expected a MAC, xx:xx:xx:xx:xx:xx",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', server_id: '01:00:00:00:00:01'}",
        "server_id: 01:00:00:00:00:01 is nobody's MAC, expected a unicast one",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', preferred_lifetime: 60, valid_lifetime: 30}",
        "preferred_lifetime: preferred_lifetime is 60, valid_lifetime 30, "
        "expected preferred_lifetime <= valid_lifetime",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', valid_lifetime: 0}",
        "valid_lifetime: 0 seconds, expected 1 or more (4294967295 is for ever)",
    ),
    ("dhcpv6: {cidr: 'fd00::/64', t1: 2, t2: 1}", "t1: t1 is 2, t2 1, expected t1 <= t2"),
    (
        "dhcpv6: {cidr: 'fd00::/64', valid_lifetime: 60, t2: 61}",
        "t2: is 61, expected valid_lifetime, 60, or less",
    ),
    (
        "ra: {addr_mode: dhcpv6_stateless}",
        "prefix: is missing, expected one with addr_mode dhcpv6_stateless",
    ),
    (
        "ra: {prefix: 'fd00::/48'}",
        "prefix: fd00::/48, expected length 64 with addr_mode slaac (RFC 4862 §5.5.3)",
    ),
    (
        "ra: {prefix: 'fe80::/64'}",
        "prefix: fe80::/64 is not for hosts, expected a prefix as in fd00:1::/64",
    ),
    ("ra: {prefix: 'fd00::/64', mtu: 1279}", "mtu: 1279, expected 1280 or more (RFC 8200 §5)"),
    (
        "ra: {prefix: 'fd00::/64', slla: '01:00:00:00:00:01'}",
        "slla: 01:00:00:00:00:01 is nobody's MAC, expected a unicast one",
    ),
    (
        "ra: {prefix: 'fd00::/64', router_preference: HIGH}",
        "router_preference: is of a router, expected slla or router_lifetime with it",
    ),
    (
        "ra: {prefix: 'fd00::/64', route_info: 'HIGH-fd00:2::/48'}",
        "route_info: is by a router, expected slla or router_lifetime with it",
    ),
    (
        "ra: {prefix: 'fd00::/64', router_lifetime: 5, interval: 10}",
        "router_lifetime: 5, expected 0 or the longest interval, 10, or more",
    ),
    (
        "ra: {prefix: 'fd00::/64', preferred_lifetime: 2, valid_lifetime: 1}",
        "preferred_lifetime: 2, expected valid_lifetime, 1, or less",
    ),
    *(
        (
            f"ra: {{prefix: 'fd00::/64', interval: {interval}}}",
            f"interval: {shown}, expected the longest time, 4 to 1800 seconds, or "
            "[shortest, longest] with shortest from 3 seconds to 3/4 of longest, or none",
        )
        for interval, shown in [
            ("3", "3"),
            ("1801", "1801"),
            ("often", "'often'"),
            ("true", "True"),
            ("[2, 10]", "[2, 10]"),
            ("[8, 10]", "[8, 10]"),
            ("[]", "[]"),
            ("[3, 4, 5]", "[3, 4, 5]"),
        ]
    ),
    (
        f"ra: {{prefix: 'fd00::/64', captive_portal: 'https://{'p' * 2000}/'}}",
        "ra: the message has 2072 bytes, expected 1460 at most",
    ),
    (
        f"ra: {{prefix: 'fd00::/64', captive_portal: 'https://{'p' * 2040}/'}}",
        "ra: option 37 takes 2056 bytes, expected 2040 at most",
    ),
    (
        "dhcpv4: {cidr: 10.0.0.0/24, bootfile_name_by_arch: a}",
        "bootfile_name_by_arch: 'a', expected a mapping",
    ),
    (
        "dhcpv4: {cidr: 10.0.0.0/24, bootfile_name_by_arch: {uefi: a}}",
        "uefi: no architecture, expected bios, uefi_x86_64, uefi_arm64, http_x86_64, http_arm64 "
        "or a number from 0 to 65535",
    ),
    (
        "dhcpv4: {cidr: 10.0.0.0/24, bootfile_name_by_arch: {65536: a}}",
        "65536: no architecture, expected bios, uefi_x86_64, uefi_arm64, http_x86_64, http_arm64 "
        "or a number from 0 to 65535",
    ),
    (
        "dhcpv4: {cidr: 10.0.0.0/24, bootfile_name_by_arch: {9: a, uefi_x86_64: b}}",
        "uefi_x86_64: is architecture 9, as 9 is, expected one",
    ),
    (
        "dhcpv4: {cidr: 10.0.0.0/24, bootfile_name_by_arch: {bios: ''}}",
        "bios: '', expected a file name or URL",
    ),
]


@pytest.mark.parametrize(("line", "error"), IN_NETWORK6)
def test_mistakes_in_dhcpv6_and_ra_are_named_and_placed(
    tmp_path: Path, line: str, error: str
) -> None:
    assert errors(tmp_path, NETWORK6 % line) == [f"c.yaml:3: red: {error}"]
