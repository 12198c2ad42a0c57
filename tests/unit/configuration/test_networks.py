# SPDX-License-Identifier: Apache-2.0
"""Networks, their ports and tags: how each mistake is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.configuration.file import NETWORK, POOL, PORT, PORT6, errors, load

UNKNOWN = (
    "unknown, expected bridge or dhcpv4 or dhcpv6 or ra or arp_responder or guard or rate_limit "
    "or pool or exclude or reserve or decline_probation_period or probe or tag or ports"
)

DOCUMENTS = [
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
        "networks:\n red:\n  dhcpv4: {cidr: 10.0.0.0/8}\n  ports: {}\n  guard: 1",
        ["c.yaml:5: red: guard: 1, expected true or false"],
    ),
    (
        'networks:\n red:\n  ra: {prefix: "fd00::/64"}\n  ports: {}\n  guard: true',
        [
            "c.yaml:5: red: guard: needs addr_mode: dhcpv6_stateful in ra, for hosts make their "
            "own addresses else"
        ],
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
]


@pytest.mark.parametrize(("text", "expected"), DOCUMENTS)
def test_mistakes_among_networks_are_named_and_placed(
    tmp_path: Path, text: str | bytes, expected: list[str]
) -> None:
    assert errors(tmp_path, text) == expected


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
        "or parent or tag (did you mean options?)",
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


def test_pools_overlap_only_where_vlans_or_bridges_tell_their_guests_apart(tmp_path: Path) -> None:
    one = POOL % "[10.0.0.9-10.0.0.20, 'fd00::9']"
    other = one.partition("\n")[2].replace("red", "blue").replace("10.0.0.9-", "10.0.0.20-")
    lines = [
        "c.yaml:6: blue: pool: fd00::9 overlaps fd00::9 of red at c.yaml:2, "
        "expected a tag or other addresses",
        "c.yaml:6: blue: pool: 10.0.0.20 overlaps 10.0.0.9-10.0.0.20 of red at c.yaml:2, "
        "expected a tag or other addresses",
    ]
    found = [line.replace(f"{tmp_path}/", "") for line in errors(tmp_path, one + other)]
    assert sorted(found) == sorted(lines)
    load(tmp_path, one + other + "    bridge: br-other\n")
    load(tmp_path, one + other + "    tag: 5\n")
    load(tmp_path, one + other.replace("10.0.0.20-10.0.0.20, 'fd00::9'", "10.0.0.21, 'fd00::8'"))


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


IN_THE_WRONG_PLACE = [
    # The line that is wrong, and the two that are right and depend on it.
    ("dhcpv4: {cidr: 10.0.0.1/24}", "cidr: 10.0.0.1/24 has host bits set, expected 10.0.0.0/24"),
    ("dhcpv4: {cidr: ten}", "cidr: 'ten' is no IPv4 subnet, expected address/length, as in "
     "192.168.1.0/24"),
    ("dhcpv4:", "dhcpv4: nothing, expected a mapping"),
    ("DHCPv4: {cidr: 10.0.0.0/24}", f"DHCPv4: {UNKNOWN} (did you mean dhcpv4?)"),
    ("dhcpv4: {subnet: 10.0.0.0/24}", "subnet: unknown option, expected the name of a DHCPv4 "
     "option or option_NNN (did you mean cidr?)"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "error"), IN_THE_WRONG_PLACE)
def test_what_follows_from_a_mistake_is_no_second_one(
    tmp_path: Path, line: str, error: str
) -> None:
    port = '{addresses: "02:00:00:00:00:01 10.0.0.5", options: {mtu: 1400}}'
    rest = f"    pool: 10.0.0.100-10.0.0.199\n    ports: {{vm1: {port}}}\n"
    text = f"networks:\n  red:\n    {line}\n{rest}"
    assert errors(tmp_path, text) == [f"c.yaml:3: red: {error}"]


def test_with_host_bits_the_subnet_is_meant_by_which_the_rest_is_checked(tmp_path: Path) -> None:
    text = "networks:\n  red:\n    dhcpv4: {cidr: 10.0.0.1/24}\n    pool: 10.0.1.9\n"
    assert errors(tmp_path, text) == [
        "c.yaml:3: red: cidr: 10.0.0.1/24 has host bits set, expected 10.0.0.0/24",
        "c.yaml:4: red: pool: 10.0.1.9 is not in cidr 10.0.0.0/24, expected addresses in it",
    ]


MISPLACED = [
    (
        "dhcpv4: {router: 10.0.0.1}\n    cidr: 10.0.0.0/24\n    pool: 10.0.0.9",
        ["4: red: cidr: belongs in dhcpv4 or dhcpv6, expected below that and indented"],
    ),
    (
        "dhcpv4: {cidr: 10.0.0.0/24, pool: 10.0.0.9}",
        ["3: red: pool: belongs in the network, beside this, expected nothing here"],
    ),
    (
        "dhcpv4: {cidr: 10.0.0.0/24}\n    range: 10.0.0.9\n    exclude: 10.0.0.9",
        [f"4: red: range: {UNKNOWN} (did you mean pool?)"],
    ),
    (
        "dhcpv4: {cidr: 10.0.0.0/24}\n    ports: {vm1: {address: 10.0.0.9}}",
        [
            "4: vm1: address: unknown, expected addresses or options or options6 or "
            "delegated_prefix or parent or tag (did you mean addresses?)"
        ],
    ),
]


@pytest.mark.parametrize(("lines", "expected"), MISPLACED)
def test_what_is_misplaced_or_misspelt_is_not_missing_too(
    tmp_path: Path, lines: str, expected: list[str]
) -> None:
    found = errors(tmp_path, f"networks:\n  red:\n    {lines}\n")
    assert found == [f"c.yaml:{line}" for line in expected]


ROUTERS = [
    ("cidr: 10.0.0.0/24, router: 10.0.0.1", ""),
    ("cidr: 10.0.0.0/24, router: [10.0.0.1, 10.0.1.1]", "10.0.1.1 is not in cidr 10.0.0.0/24"),
    ("cidr: 10.0.0.1/32, router: 10.0.1.1", ""),
    (
        'cidr: 10.0.0.0/24, router: 10.0.1.1, classless_static_route: "0.0.0.0/0,10.0.0.1"',
        "",
    ),
]


@pytest.mark.parametrize(("dhcpv4", "warning"), ROUTERS)
def test_a_router_outside_the_subnet_is_a_warning(
    tmp_path: Path, dhcpv4: str, warning: str
) -> None:
    found = load(tmp_path, f"networks:\n  red:\n    dhcpv4: {{{dhcpv4}}}\n    ports: {{}}\n")
    lines = [line.rpartition("/c.yaml:")[2] for line in found.warnings]
    expected = f"3: warning: red: router: {warning}, so guests do not reach it"
    assert lines == ([expected] if warning else [])


@pytest.mark.parametrize(
    ("dhcpv4", "warning"),
    [
        ("router: 10.0.0.1", ""),
        ('classless_static_route: "10.9.0.0/16,10.0.0.2"', ""),
        ('router: 10.0.0.1, classless_static_route: "0.0.0.0/0,10.0.0.1"', ""),
        ('router: 10.0.0.1, ms_classless_static_route: "10.9.0.0/16,10.0.0.2"', ""),
        (
            'router: 10.0.0.1, classless_static_route: "10.9.0.0/16,10.0.0.2"',
            "3: warning: red: classless_static_route: without 0.0.0.0/0: guests that take it "
            "ignore router (RFC 3442)",
        ),
    ],
)
def test_routes_that_leave_out_the_router_are_a_warning(
    tmp_path: Path, dhcpv4: str, warning: str
) -> None:
    text = f"networks:\n  red:\n    dhcpv4: {{cidr: 10.0.0.0/24, {dhcpv4}}}\n    ports: {{}}\n"
    lines = [line.rpartition("/c.yaml:")[2] for line in load(tmp_path, text).warnings]
    assert lines == ([warning] if warning else [])


def test_a_ports_own_router_that_its_networks_routes_leave_out_is_a_warning(tmp_path: Path) -> None:
    text = """
networks:
  red:
    dhcpv4: {cidr: 10.0.0.0/24, classless_static_route: "10.9.0.0/16,10.0.0.2"}
    ports: {vm1: {addresses: "02:00:00:00:00:01 10.0.0.5", options: {router: 10.0.0.1}}}
"""
    (line,) = load(tmp_path, text).warnings
    assert line.endswith(
        "c.yaml:5: warning: vm1: router: classless_static_route without 0.0.0.0/0: guests that "
        "take it ignore router (RFC 3442)"
    )


@pytest.mark.parametrize(
    ("dhcpv6", "ra", "warning"),
    [
        ("", "addr_mode: dhcpv6_stateful", ""),
        ("", "addr_mode: dhcpv6_stateless", ""),
        ("", "addr_mode: slaac", "dhcpv6_stateful, or dhcpv6_stateless for options"),
        (", dhcpv6_stateless: true", "mtu: 1442", "dhcpv6_stateless"),
    ],
)
def test_an_advertisement_that_keeps_guests_from_dhcpv6_is_a_warning(
    tmp_path: Path, dhcpv6: str, ra: str, warning: str
) -> None:
    text = f"""
networks:
  red:
    dhcpv6: {{cidr: "fd00::/64", server_id: "02:00:00:00:00:09"{dhcpv6}}}
    ra: {{prefix: "fd00::/64", {ra}}}
    ports: {{}}
"""
    lines = [line.rpartition("/c.yaml:")[2] for line in load(tmp_path, text).warnings]
    said = "5: warning: red: addr_mode: slaac: guests do not ask by dhcpv6 then, expected "
    assert lines == ([said + warning] if warning else [])


NOWHERE = "no URL, and without next_server nobody is told where it is"
NO_URL = "expected a URL, as in tftp://[fd00::1]/file (RFC 5970 §3.1)"


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ("dhcpv4: {cidr: 10.0.0.0/24, bootfile_name: a}", f"bootfile_name: 'a': {NOWHERE}"),
        (
            "dhcpv4: {cidr: 10.0.0.0/24, bootfile_name: 'http://b/a', bootfile_name_alt: a}",
            f"bootfile_name_alt: 'a': {NOWHERE}",
        ),
        (
            "dhcpv4: {cidr: 10.0.0.0/24, bootfile_name_by_arch: {bios: a}}",
            f"bootfile_name_by_arch: 'a': {NOWHERE}",
        ),
        (
            "dhcpv4: {cidr: 10.0.0.0/24, option_67: '0xff'}",
            f"bootfile_name: '\N{REPLACEMENT CHARACTER}': {NOWHERE}",
        ),
        ("dhcpv4: {cidr: 10.0.0.0/24, bootfile_name: 'http://b/a'}", ""),
        ("dhcpv4: {cidr: 10.0.0.0/24, bootfile_name: a, next_server: 10.0.0.9}", ""),
        ("dhcpv4: {cidr: 10.0.0.0/24, bootfile_name: a, tftp_server: boot}", ""),
        ("dhcpv4: {cidr: 10.0.0.0/24, bootfile_name: a, tftp_server_address: 10.0.0.9}", ""),
        (
            "dhcpv6: {cidr: 'fd00::/64', server_id: '02:00:00:00:00:09', bootfile_name: a}",
            f"bootfile_name: 'a': {NO_URL}",
        ),
        (
            "dhcpv6: {cidr: 'fd00::/64', server_id: '02:00:00:00:00:09', "
            "bootfile_name: 'tftp://[fd00::1]/a'}",
            "",
        ),
    ],
)
def test_a_boot_file_that_nobody_finds_is_a_warning(
    tmp_path: Path, settings: str, warning: str
) -> None:
    found = load(tmp_path, f"networks:\n  red:\n    {settings}\n    ports: {{}}\n")
    lines = [line.rpartition("/c.yaml:")[2] for line in found.warnings]
    assert lines == ([f"3: warning: red: {warning}"] if warning else [])


def test_a_ports_own_router_outside_the_subnet_is_a_warning(tmp_path: Path) -> None:
    port = '{addresses: "02:00:00:00:00:01 10.0.0.5", options: {router: 10.0.1.1}}'
    (line,) = load(tmp_path, POOL % f"10.0.0.9\n    ports: {{vm1: {port}}}").warnings
    assert "c.yaml:6: warning: vm1: router: 10.0.1.1 is not in cidr" in line
