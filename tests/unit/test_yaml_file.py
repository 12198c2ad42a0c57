# SPDX-License-Identifier: Apache-2.0
"""The configuration file: what is read, and how each mistake is reported."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from pathlib import Path

import pytest

from controller.sources import yaml_file
from flows.action_text import format_action
from flows.bindings import Configuration, Dhcpv4, Network, Place, Port
from flows.pool import AddressRange

EXAMPLE = Path(__file__).parents[1] / "examples" / "finance-network1.yaml"
EXAMPLE6 = EXAMPLE.with_name("finance-network1-ipv6.yaml")

# The line that is wrong is the one with %s; what comes before it are lines 1 to 8.
NETWORK = """\
bridge: br-int
networks:
  red:
    dhcpv4:
      cidr: 10.0.0.0/24
      %s
    arp_responder: true
    ports:
      vm1:
        addresses: "02:00:00:00:00:01 10.0.0.5"
"""
PORT = """\
networks:
  red:
    dhcpv4: {cidr: 10.0.0.0/24, lease_time: 600, T1: 200, server_mac: "0a:00:00:00:00:01"}
    ports:
      vm0: {addresses: "02:00:00:00:00:aa 10.0.0.200 fd00::aa"}
      vm1:
        %s
"""


def load(directory: Path, text: str | bytes) -> Configuration:
    path = directory / "c.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return yaml_file.load(path)


def errors(directory: Path, text: str | bytes) -> list[str]:
    with pytest.raises(yaml_file.ConfigError) as caught:
        load(directory, text)
    return [error.replace(str(directory) + "/", "") for error in caught.value.errors]


def test_the_reference_network_is_read_whole() -> None:
    assert yaml_file.load(EXAMPLE) == Configuration(
        (
            Network(
                "finance-network1",
                Dhcpv4(
                    IPv4Network("192.168.1.0/24"),
                    IPv4Address("192.168.1.1"),
                    bytes.fromhex("fa163e9f1ab5"),
                    {
                        "server_id": bytes((192, 168, 1, 1)),
                        "lease_time": (43200).to_bytes(4, "big"),
                        "router": bytes((192, 168, 1, 1)),
                        "dns_server": bytes((172, 25, 250, 254)),
                        "mtu": (1442).to_bytes(2, "big"),
                        "classless_static_route": bytes.fromhex(
                            "20a9fea9fec0a80102" + "00c0a80101"
                        ),
                        "netmask": bytes((255, 255, 255, 0)),
                    },
                ),
                (
                    Port(
                        "0029ead2-8124-439b-9ec0-9579d9f601ea",
                        bytes.fromhex("fa163e8beafd"),
                        (IPv4Address("192.168.1.7"),),
                        {},
                        Place(str(EXAMPLE), 16),
                    ),
                ),
                False,
                Place(str(EXAMPLE), 5),
            ),
        ),
    )


def test_the_network_with_everything_is_read_whole() -> None:
    (network,) = yaml_file.load(EXAMPLE6).networks
    (port,) = network.ports
    actions = (
        network.put_dhcp_opts(port),
        network.put_dhcpv6_opts(port),
        network.put_nd_ra_opts(),
    )
    assert [format_action(action) for action in actions if action] == [
        "reg0[3] = put_dhcp_opts(offerip = 192.168.1.7, classless_static_route = "
        "{169.254.169.254/32, 192.168.1.2, 0.0.0.0/0, 192.168.1.1}, dns_server = 172.25.250.254, "
        'hostname = "vm1", lease_time = 43200, mtu = 1442, netmask = 255.255.255.0, '
        "router = 192.168.1.1, server_id = 192.168.1.1);",
        "reg0[3] = put_dhcpv6_opts(ia_addr = fd00:1::7, dns_server = fd00:1::53, "
        'domain_search = "example.org", server_id = fa:16:3e:9f:1a:b5);',
        'reg0[5] = put_nd_ra_opts(addr_mode = "dhcpv6_stateful", router_lifetime = 0, '
        "slla = fa:16:3e:9f:1a:b5, mtu = 1442, prefix = fd00:1::/64);",
    ]


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
        'ntp_server = {fd00::1, "ntp.example.org"}, option_32 = 0x00000e10, '
        "server_id = 0a:00:00:00:00:01, preferred_lifetime = 120, valid_lifetime = 120, t1 = 30, "
        "t2 = 60, rapid_commit = 1, prefix_length = 56, addresses = fd00::6, "
        "delegated_prefixes = fd00:5::/56);",
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
    ("interval", "expected"), [("600", (198.0, 600.0)), ("4", (3.0, 4.0)), ("[5, 10]", (5, 10))]
)
def test_interval_of_router_advertisements(
    tmp_path: Path, interval: str, expected: tuple[float, float]
) -> None:
    text = f"networks: {{red: {{ra: {{prefix: 'fd00::/64', interval: {interval}}}, ports: {{}}}}}}"
    (network,) = load(tmp_path, text).networks
    assert network.ra
    assert network.ra.interval == expected


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
    place = Place(str(tmp_path / "c.yaml"), 1)
    assert configuration == Configuration((Network("red", dhcpv4, (), False, place),))


def test_scalars_are_what_a_network_administrator_means(tmp_path: Path) -> None:
    text = """
networks:
  no:                         # a name, not false
    dhcpv4: {cidr: 10.0.0.0/24, hostname: on, lease_time: 0xffffffff, option_224: 0x0102}
    ports:
      12345:                  # a name, not a number
        addresses: 10:20:30:40:50:00 10.0.0.5 fd00::5
      1e3:
        addresses:
        - 10:20:30:40:50:60   # a MAC, not a number in base 60
        - 10.0.0.6
        options: {hostname: "12"}
"""
    (network,) = load(tmp_path, text).networks
    assert network.name == "no"
    assert network.dhcpv4
    options = network.dhcpv4.options
    assert options["hostname"] == b"on"
    assert options["lease_time"] == b"\xff\xff\xff\xff"
    assert options["option_224"] == b"\1\2"
    found = [(port.name, port.mac.hex(), port.addresses, port.options) for port in network.ports]
    assert found == [
        ("12345", "102030405000", (IPv4Address("10.0.0.5"), IPv6Address("fd00::5")), {}),
        ("1e3", "102030405060", (IPv4Address("10.0.0.6"),), {"hostname": b"12"}),
    ]


def test_aliases_and_merge_keys_repeat_what_was_said(tmp_path: Path) -> None:
    text = """
networks:
  red:
    dhcpv4: &common {cidr: 10.0.0.0/24, mtu: &mtu 1400}
    ports: {}
  blue:
    dhcpv4: {<<: *common, cidr: 10.0.1.0/24, option_200: "0x01"}
    ports: {vm: {addresses: "02:00:00:00:00:01 10.0.1.5", options: {mtu: *mtu}}}
"""
    red, blue = load(tmp_path, text).networks
    assert red.dhcpv4
    assert blue.dhcpv4
    assert red.dhcpv4.options["mtu"] == blue.dhcpv4.options["mtu"] == b"\x05\x78"
    assert str(blue.dhcpv4.cidr) == "10.0.1.0/24"
    assert blue.ports[0].options == {"mtu": b"\x05\x78"}


IN_NETWORK = [
    ("mtu: 99999", "red: mtu: 99999 does not fit, expected a number from 0 to 65535"),
    (
        "dns-server: 1.1.1.1",
        "red: dns-server: unknown option, expected the name of a DHCPv4 option or option_NNN "
        "(did you mean dns_server?)",
    ),
    ("offerip: 10.0.0.9", "red: offerip: comes from the port's addresses, expected nothing here"),
    ("option_53: 0x01", "red: option_53: cannot be configured, the server sets it"),
    ("mtu: {a: 1}", "red: mtu: is nested, expected a value or a list of values"),
    ("router: [[1.1.1.1]]", "red: router: is nested, expected a value or a list of values"),
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
    ("cidr: 10.0.1.0/24", "cidr: is at c.yaml:5 too, expected it once"),
    ("1.1.1.1: &a !!str x", "tag tag:yaml.org,2002:str is not supported, expected none"),
    ("mtu: *unknown", "*unknown is unknown, expected &unknown before"),
    ("? [a]\n      : b", "is no name, expected text before the colon"),
    ("mtu: " + 20 * "[", "is nested too deeply, expected 16 levels at most"),
    ("<<: 1", "<< is no mapping, expected *NAME of one"),
    ("mtu: [", "is not YAML: did not find expected ',' or ']'"),
    ("mtu: \t- 1", "is not YAML: block sequence entries are not allowed in this context"),
]


@pytest.mark.parametrize(("line", "error"), IN_NETWORK)
def test_mistakes_in_a_network_are_named_and_placed(tmp_path: Path, line: str, error: str) -> None:
    (found,) = errors(tmp_path, NETWORK % line)
    place, text = found.split(" ", 1)
    assert text == error
    assert place == ("c.yaml:8:" if line == "mtu: [" else "c.yaml:6:")  # seen only at a later line


# The line that is wrong is the one with %s; what comes before it are lines 1 to 5.
NETWORK6 = """\
networks:
  red:
    %s
    ports:
      vm1: {addresses: "02:00:00:00:00:01 10.0.0.5 fd00::5"}
"""
IN_NETWORK6 = [
    (
        "dhcpv6: {}",
        "cidr: nothing is no IPv6 prefix, expected address/length, as in fd00:1::/64",
    ),
    ("dhcpv6: {cidr: 'fd00::1/64'}", "cidr: fd00::1/64 has host bits set, expected fd00::/64"),
    (
        "dhcpv6: {cidr: 10.0.0.0/8}",
        "cidr: '10.0.0.0/8' is no IPv6 prefix, expected address/length, as in fd00:1::/64",
    ),
    (
        "dhcpv6: {cidr: 'fe80::/64'}",
        "cidr: fe80::/64 is not for hosts, expected a prefix as in fd00:1::/64",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', server_id: 10.0.0.1}",
        "server_id: 10.0.0.1 is not a MAC, expected a MAC, xx:xx:xx:xx:xx:xx",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', server_id: '01:00:00:00:00:01'}",
        "server_id: 01:00:00:00:00:01 is nobody's MAC, expected a unicast one",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', ia_addr: 'fd00::5'}",
        "ia_addr: comes from the port's addresses, expected nothing here",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', lease_time: 60}",
        "lease_time: unknown option, expected the name of a DHCPv6 option or option_NNN",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', prefered_lifetime: 60}",
        "prefered_lifetime: unknown option, expected the name of a DHCPv6 option or option_NNN "
        "(did you mean preferred_lifetime?)",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', dhcpv6_stateless: 1}",
        "dhcpv6_stateless: 1, expected true or false",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', rapid_commit: maybe}",
        "rapid_commit: 'maybe': column 1: `maybe', expected a constant (text goes in double "
        "quotes); expected true or false, 1 or 0",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', preferred_lifetime: 60, valid_lifetime: 30}",
        "preferred_lifetime: preferred_lifetime is 60, valid_lifetime 30, "
        "expected preferred_lifetime <= valid_lifetime",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', valid_lifetime: -1}",
        "valid_lifetime: -1 does not fit, expected a number from 0 to 4294967295",
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
    ("dhcpv6: {cidr: 'fd00::/64', t1: {}}", "t1: is nested, expected a value or a list of values"),
    (
        "ra: {prefix: 'fd00::/64', preffix: 'fd00::/64'}",
        "preffix: unknown option, expected the name of a router advertisement option "
        "(did you mean prefix?)",
    ),
    (
        "ra: {addr_mode: dhcpv6_stateless}",
        "prefix: is missing, expected one with addr_mode dhcpv6_stateless",
    ),
    (
        "ra: {addr_mode: dhcp}",
        "addr_mode: 'dhcp' is none of them, expected slaac or dhcpv6_stateless or dhcpv6_stateful",
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
            "[shortest, longest] with shortest from 3 seconds to 3/4 of longest",
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
    (
        "dhcpv4: {cidr: 10.0.0.0/24, option_80: ''}",
        "option_80: cannot be configured, rapid_commit allows it",
    ),
]


@pytest.mark.parametrize(("line", "error"), IN_NETWORK6)
def test_mistakes_in_the_rest_of_a_network_are_named_and_placed(
    tmp_path: Path, line: str, error: str
) -> None:
    assert errors(tmp_path, NETWORK6 % line) == [f"c.yaml:3: red: {error}"]


PORT6 = """\
networks:
  red:
    %s
    ports:
      vm0: {addresses: "02:00:00:00:00:aa fd00::aa", delegated_prefix: "fd00:aa::/56"}
      vm1:
        addresses: %s
        %s
"""
SHARED6 = "dhcpv6: {cidr: 'fd00::/64', server_id: '0a:00:00:00:00:01'}"
ADDRESSES6 = "02:00:00:00:00:01 fd00::5"
IN_PORT6 = [
    (SHARED6, "02:00:00:00:00:01 fd00:1::5", "", "addresses: no IPv6 address in cidr fd00::/64, "
     "expected one or none"),
    (SHARED6, "02:00:00:00:00:01 fd00::aa", "", "addresses: fd00::aa is that of vm0 at c.yaml:5 "
     "too, expected another"),
    (SHARED6, "0a:00:00:00:00:01 fd00::5", "", "addresses: 0a:00:00:00:00:01 is server_id, "
     "expected another"),
    (SHARED6, "02:00:00:00:00:01 fd00::5 fe80::800:ff:fe00:1", "", "addresses: "
     "fe80::800:ff:fe00:1 is the server's, expected another"),
    (SHARED6, ADDRESSES6, "delegated_prefix: [fd00:5::1/56]", "delegated_prefix: fd00:5::1/56 has "
     "host bits set, expected fd00:5::/56"),
    (SHARED6, ADDRESSES6, "delegated_prefix: fd00::/56", "delegated_prefix: fd00::/56 overlaps "
     "cidr fd00::/64, expected another"),
    (SHARED6, ADDRESSES6, "delegated_prefix: fd00:aa::/56", "delegated_prefix: fd00:aa::/56 is "
     "that of vm0 at c.yaml:5 too, expected another"),
    (SHARED6, ADDRESSES6, "options6: {server_id: '0a:00:00:00:00:02'}", "server_id: belongs "
     "under the network's dhcpv6, expected nothing here"),
    (SHARED6, ADDRESSES6, "options6: {t1: 5}", "t1: unknown option, expected the name of a "
     "DHCPv6 option or option_NNN"),
    (SHARED6, ADDRESSES6, "options: {mtu: 1400}", "options: needs dhcpv4, which the network has "
     "not"),
]  # fmt: skip


@pytest.mark.parametrize(("shared", "addresses", "line", "error"), IN_PORT6)
def test_mistakes_in_a_port_of_ipv6_are_named_and_placed(
    tmp_path: Path, shared: str, addresses: str, line: str, error: str
) -> None:
    (found,) = errors(tmp_path, PORT6 % (shared, addresses, line))
    assert found.split(" ", 1)[1] == f"vm1: {error}"


def test_what_needs_dhcpv6_is_refused_without_it(tmp_path: Path) -> None:
    text = NETWORK % "mtu: 1400" + "        options6: {}\n        delegated_prefix: fd00:5::/56\n"
    assert errors(tmp_path, text) == [
        "c.yaml:12: vm1: delegated_prefix: needs dhcpv6, which the network has not"
    ]


ADDRESSES = 'addresses: "02:00:00:00:00:01 10.0.0.5"'
IN_PORT = [
    ('addresses: ""', "vm1: addresses: '', expected a MAC, then addresses, in one text"),
    ("addresses: {}", "vm1: addresses: a mapping, expected a MAC, then addresses, in one text"),
    ("options: {}", "vm1: addresses: nothing, expected a MAC, then addresses, in one text"),
    ("addresses: unknown", "vm1: addresses: 'unknown' is no MAC, expected xx:xx:xx:xx:xx:xx"),
    (
        "addresses: 02:00:00:00:00:01 10.0.0.5/24",
        "vm1: addresses: 10.0.0.5/24 is no address, expected an IP address",
    ),
    (
        "addresses: 02:00:00:00:00:01 10.0.0.5 02:00:00:00:00:02",
        "vm1: addresses: 02:00:00:00:00:02 is no address, expected one MAC per port, "
        "then addresses",
    ),
    (
        "addresses: 02:00:00:00:00:01 10.0.0.5 fe80::1%eth0",
        "vm1: addresses: fe80::1%eth0 has a zone, expected an IP address alone",
    ),
    (
        "addresses: 02:00:00:00:00:01 10.0.1.5 fd00::1",
        "vm1: addresses: no IPv4 address in cidr 10.0.0.0/24, expected one to offer",
    ),
    (
        "addresses: 02:00:00:00:00:01 10.0.0.1",
        "vm1: addresses: 10.0.0.1 is server_id, expected another",
    ),
    (
        "addresses: 0a:00:00:00:00:01 10.0.0.5",
        "vm1: addresses: 0a:00:00:00:00:01 is server_mac, expected another",
    ),
    (
        "addresses: 02:00:00:00:00:01 10.0.0.255",
        "vm1: addresses: 10.0.0.255 is the broadcast address of 10.0.0.0/24, "
        "expected the address of a host",
    ),
    (
        "addresses: 02:00:00:00:00:AA 10.0.0.5",
        "vm1: addresses: 02:00:00:00:00:aa is that of vm0 at c.yaml:5 too, expected another",
    ),
    (
        "addresses: 02:00:00:00:00:01 10.0.0.200",
        "vm1: addresses: 10.0.0.200 is that of vm0 at c.yaml:5 too, expected another",
    ),
    (
        f'{ADDRESSES[:-1]}"\n        option: {{}}',
        "vm1: option: unknown, expected addresses or options or options6 or delegated_prefix "
        "(did you mean options?)",
    ),
    (
        f"{ADDRESSES}\n        options: {{server_id: 10.0.0.9}}",
        "vm1: server_id: belongs under the network's dhcpv4, expected nothing here",
    ),
    (
        f"{ADDRESSES}\n        options: {{option_1: 0xffff0000}}",
        "vm1: option_1: is netmask, which comes from the network's cidr",
    ),
    (
        f"{ADDRESSES}\n        options: {{mtu: 1400, option_26: 0x0578}}",
        "vm1: option_26: is mtu, expected it once",
    ),
    (
        f"{ADDRESSES}\n        options: {{lease_time: 100}}",
        "vm1: T1: T1 is 200, T2 87, lease_time 100, expected T1 < T2 < lease_time",
    ),
    (f"{ADDRESSES}\n        options: [1]", "vm1: options: a list, expected a mapping"),
    (
        f"{ADDRESSES}\n      vm0: {{addresses: 02:00:00:00:00:02 10.0.0.6}}",
        "vm0: is at c.yaml:5 too, expected it once",
    ),
    (
        f"{ADDRESSES}\n  blue:\n    dhcpv4: {{cidr: 10.0.0.0/24}}\n    ports:\n"
        "      vm0: {addresses: 02:00:00:00:00:aa 10.0.0.200}",
        "vm0: is at c.yaml:5 too, expected each port once",
    ),
    (
        f"{ADDRESSES}\n      'a\"b': {{addresses: 02:00:00:00:00:02 10.0.0.6}}",
        "'a\"b': not a name, expected printable characters without \" and \\",
    ),
]


@pytest.mark.parametrize(("line", "error"), IN_PORT)
def test_mistakes_in_a_port_are_named_and_placed(tmp_path: Path, line: str, error: str) -> None:
    (found,) = errors(tmp_path, PORT % line)
    assert found.split(" ", 1)[1] == error


DOCUMENTS = [
    ("", ["c.yaml:1: is no mapping, expected bridge and networks"]),
    ("a\n---\nb", ["c.yaml:1: has several documents, expected one"]),
    ("bridge: br-int", ["c.yaml:1: networks: is missing"]),
    (
        "networks: {}\nnetwork: {}",
        ["c.yaml:2: network: unknown, expected bridge or networks (did you mean networks?)"],
    ),
    ("networks: {}\nbridge: a/b", ["c.yaml:2: bridge: 'a/b', expected the name of a bridge"]),
    ("networks:", ["c.yaml:1: networks: nothing, expected a mapping"]),
    (
        "networks:\n red: {ports: {}}",
        ["c.yaml:2: red: dhcpv4: is missing, expected it or dhcpv6 or ra"],
    ),
    ("networks:\n red: {dhcpv4: {cidr: 10.0.0.0/8}}", ["c.yaml:2: red: ports: is missing"]),
    (
        "networks:\n red: {dhcpv4: {}, ports: {}}",
        [
            "c.yaml:2: red: cidr: nothing is no IPv4 subnet, expected address/length, "
            "as in 192.168.1.0/24"
        ],
    ),
    (
        "networks:\n red: {dhcpv4: {cidr: 10.0.0.1/8}, ports: {}}",
        ["c.yaml:2: red: cidr: 10.0.0.1/8 has host bits set, expected 10.0.0.0/8"],
    ),
    (
        "networks:\n red:\n  dhcpv4: {cidr: 10.0.0.0/8}\n  ports: {}\n  arp_responder: 1",
        ["c.yaml:5: red: arp_responder: 1, expected true or false"],
    ),
    (
        "networks:\n red:\n  dhcpv4: []\n  ports: {}\n  dhcpv6: {}\n  ra: {}",
        [
            "c.yaml:3: red: dhcpv4: a list, expected a mapping",
            "c.yaml:5: red: cidr: nothing is no IPv6 prefix, expected address/length, "
            "as in fd00:1::/64",
            "c.yaml:6: red: prefix: is missing, expected one with addr_mode slaac",
        ],
    ),
    (b"networks:\n \xff", ["c.yaml:2: is not UTF-8"]),
    (b"networks:\n a: \x01", ["c.yaml:2: is not YAML: control characters are not allowed"]),
]


@pytest.mark.parametrize(("text", "expected"), DOCUMENTS)
def test_mistakes_in_the_document_are_named_and_placed(
    tmp_path: Path, text: str | bytes, expected: list[str]
) -> None:
    assert errors(tmp_path, text) == expected


def test_all_mistakes_are_reported_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = NETWORK % "mtu: 99999" + "    color: red\nbridge: br0\n"
    assert errors(tmp_path, text) == [
        "c.yaml:6: red: mtu: 99999 does not fit, expected a number from 0 to 65535",
        "c.yaml:11: red: color: unknown, "
        "expected bridge or dhcpv4 or dhcpv6 or ra or arp_responder or pool or tag or ports",
        "c.yaml:12: bridge: is at c.yaml:1 too, expected it once",
    ]


POOL = """\
networks:
  red:
    dhcpv4: {cidr: 10.0.0.0/24, router: 10.0.0.1}
    dhcpv6: {cidr: "fd00::/64"}
    pool: %s
"""


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


@pytest.mark.parametrize("tag", ["0", "4095", "true", "ten", "-1"])
def test_a_tag_is_a_vlan(tmp_path: Path, tag: str) -> None:
    shown = {"true": "True", "ten": "'ten'"}.get(tag, tag)
    assert errors(tmp_path, POOL % f"10.0.0.9\n    tag: {tag}") == [
        f"c.yaml:6: red: tag: {shown}, expected a VLAN, from 1 to 4094"
    ]


def test_a_tag_is_one_networks_on_a_bridge(tmp_path: Path) -> None:
    one = POOL % "10.0.0.9\n    tag: 5"
    other = one.partition("\n")[2].replace("red", "blue")
    assert errors(tmp_path, one + other) == [
        "c.yaml:7: blue: tag: 5 is that of red at c.yaml:2 too, expected another".replace(
            str(tmp_path), ""
        )
    ]
    load(tmp_path, one + other + "    bridge: br-other\n")


def test_a_tag_needs_a_pool(tmp_path: Path) -> None:
    text = "networks:\n red:\n  dhcpv4: {cidr: 10.0.0.0/24}\n  ports: {}\n  tag: 10"
    assert errors(tmp_path, text) == [
        "c.yaml:5: red: tag: needs a pool, which the network has not: "
        "it is for ports that are named nowhere"
    ]


def test_a_dynamic_port_needs_a_pool_of_its_family(tmp_path: Path) -> None:
    port = "    ports: {vm1: {addresses: %s}}\n"
    mac = "02:00:00:00:00:01"
    text = NETWORK.replace("%s", "") % () + "      vm2: {addresses: dynamic}\n"
    assert errors(tmp_path, text) == [
        "c.yaml:11: vm2: addresses: dynamic needs a pool, which the network has not",
        "c.yaml:11: vm2: addresses: no IPv4 address in cidr 10.0.0.0/24, expected one to offer",
    ]
    text = POOL % "fd00::9" + port % f'"{mac} dynamic"'
    assert errors(tmp_path, text) == [
        "c.yaml:6: vm1: addresses: no IPv4 address in cidr 10.0.0.0/24, expected one to offer"
    ]
    (network,) = load(tmp_path, POOL % "[10.0.0.9, 'fd00::9']" + port % "dynamic").networks
    (vm1,) = network.ports
    assert (vm1.mac, vm1.addresses, network.lacking(vm1)) == (None, (), [4, 6])
    text = POOL % "[10.0.0.9, 'fd00::9']" + port % f'"{mac} 10.0.0.77 dynamic"'
    (network,) = load(tmp_path, text).networks
    assert network.lacking(network.ports[0]) == [6]


TWO_NETWORKS = """\
bridge: br0
networks:
  red:
    dhcpv4: {cidr: 10.0.0.0/24}
    ports: {vm1: {addresses: "02:00:00:00:00:01 10.0.0.5"}}
  green:
    bridge: br1
    dhcpv4: {cidr: 10.0.1.0/24}
    ports: {vm2: {addresses: "02:00:00:00:00:02 10.0.1.5"}}
"""
ANOTHER = """\
networks:
  blue:
    dhcpv4: {cidr: 10.0.0.0/24}
    ports: {vm3: {addresses: "02:00:00:00:00:01 10.0.0.5"}}
"""


def test_several_files_are_one_configuration_on_several_bridges(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(TWO_NETWORKS)
    two.write_text(ANOTHER)

    def bridges(**options: str) -> dict[str, str]:
        networks = yaml_file.load(one, two, **options).networks
        return {network.name: network.bridge for network in networks}

    assert bridges() == {"red": "br0", "green": "br1", "blue": "br-int"}
    assert bridges(bridge="br9") == {"red": "br9", "green": "br1", "blue": "br9"}


def test_what_is_in_two_files_is_refused_by_name(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(TWO_NETWORKS)
    two.write_text(ANOTHER.replace("blue", "red").replace("vm3", "vm2"))
    with pytest.raises(yaml_file.ConfigError) as caught:
        yaml_file.load(one, two)
    assert caught.value.errors == [
        f"{two}:2: red: is at {one}:3 too, expected each network once",
        f"{two}:4: vm2: is at {one}:9 too, expected each port once",
    ]


@pytest.mark.parametrize(
    ("name", "reason"), [("no", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(yaml_file.ConfigError) as caught:
        yaml_file.load(tmp_path / name)
    assert caught.value.errors == [f"{tmp_path / name}: cannot be read: {reason}"]


@pytest.mark.parametrize(
    ("size", "what"),
    [
        (65533, "boot_file takes 65536 bytes, at most 65535 fit"),
        (65000, "the options take 65554 bytes, at most 65000 fit"),
    ],
)
def test_an_extension_that_fits_no_flow_is_refused_at_its_port(
    tmp_path: Path, size: int, what: str
) -> None:
    text = NETWORK % f"bootfile_name_by_arch: {{bios: {'b' * size}}}"
    assert errors(tmp_path, text) == [f"c.yaml:9: vm1: {what}"]


def test_userdata_that_fits_no_flow_is_refused_at_its_port(tmp_path: Path) -> None:
    option = "0x" + "00" * 40_000
    text = PORT % f"{ADDRESSES}\n        options: {{option_200: {option}, option_201: {option}}}"
    assert errors(tmp_path, text) == [
        "c.yaml:6: vm1: the options take 80672 bytes, at most 65000 fit"
    ]
