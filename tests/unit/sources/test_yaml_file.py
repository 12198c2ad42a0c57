# SPDX-License-Identifier: Apache-2.0
"""The configuration file: how YAML is read, and how what is not YAML is reported."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import Path

import pytest
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.flows.bindings.network import Configuration, Dhcpv4, Network, Port
from ovs_dhcpd.flows.userdata.action_text import format_action

from tests.unit.configuration.file import NETWORK, errors, load

EXAMPLE = Path(__file__).parents[2] / "examples" / "finance-network1.yaml"


EXAMPLE6 = EXAMPLE.with_name("finance-network1-ipv6.yaml")


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
                    ),
                ),
                False,
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
    found = [
        (port.name, port.mac and port.mac.hex(), port.addresses, port.options)
        for port in network.ports
    ]
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


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(yaml_file.ConfigError) as caught:
        yaml_file.load(tmp_path / "no")
    assert caught.value.errors == [f"{tmp_path / 'no'}: cannot be read: No such file or directory"]


def special_files(path: Path) -> Iterator[tuple[Path, str]]:
    """What stands where a file is expected."""
    yield path, "a directory"
    os.mkfifo(path / "fifo")
    yield path / "fifo", "a FIFO"
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(path / "socket"))
    yield path / "socket", "a socket"
    yield Path("/dev/zero"), "a device"
    (path / "link").symlink_to("/dev/zero")
    yield path / "link", "a device"


def test_what_is_no_file_is_refused_and_never_opened(tmp_path: Path) -> None:
    for path, kind in special_files(tmp_path):
        with pytest.raises(yaml_file.ConfigError) as caught:
            yaml_file.load(path)
        assert caught.value.errors == [f"{path}: is {kind}, expected a file"]


def test_a_fifo_that_takes_the_files_place_at_the_last_moment_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.setattr(os, "stat", lambda path: os.lstat(__file__))
    with pytest.raises(yaml_file.ConfigError, match="is a FIFO, expected a file"):
        yaml_file.load(tmp_path / "fifo")


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(yaml_file.MAX_SIZE + 1)
    with pytest.raises(yaml_file.ConfigError) as caught:
        yaml_file.load(file)
    assert caught.value.errors == [f"{file}: is too large, expected 16 MB at most"]


def test_what_aliases_stand_for_has_a_limit(tmp_path: Path) -> None:
    """Without it a file of 79 kB takes 616 MB, and one of twice that size four times as much."""
    count = 1500
    names = "".join(f"  k{number}: 1\n" for number in range(count))
    merges = "".join(f"m{number}: {{<<: *a}}\n" for number in range(count))
    line = 1 + count + yaml_file.MAX_ALIASED // count + 1
    assert errors(tmp_path, f"a: &a\n{names}{merges}") == [
        f"c.yaml:{line}: *a: aliases stand for too much, expected 2000000 values at most"
    ]


def test_aliases_of_aliases_count_as_what_they_stand_for(tmp_path: Path) -> None:
    lists = "".join(f"x{n}: &x{n} [{', '.join(9 * [f'*x{n - 1}'])}]\n" for n in range(1, 12))
    (error,) = errors(tmp_path, f"x0: &x0 [1, 2]\n{lists}")
    assert error.startswith("c.yaml:8: *x6: aliases stand for too much")


def test_a_bridge_full_of_ports_may_be_written_with_aliases(tmp_path: Path) -> None:
    """Here 2,000 ports of 15 options each: a bridge can have 65,279 of them."""
    shared = ", ".join(f"option_{code}: '0x00'" for code in range(224, 239))
    ports = "".join(
        f"      p{number}: {{addresses: '02:00:00:00:{number >> 8:02x}:{number & 255:02x} "
        f"10.0.{4 + (number >> 8)}.{number & 255}', options: *o}}\n"
        for number in range(2000)
    )
    text = "networks:\n  x:\n    dhcpv4: {cidr: 10.0.0.0/16}\n    ports:\n      first: "
    text += f"{{addresses: '02:00:00:01:00:00 10.0.1.1', options: &o {{{shared}}}}}\n{ports}"
    (network,) = load(tmp_path, text).networks
    assert len(network.ports) == 2001
    assert yaml_file.MAX_ALIASED > 65_279 * 15 * 2


IN_NETWORK = [
    ("cidr: 10.0.1.0/24", "cidr: is at c.yaml:5 too, expected it once"),
    ("1.1.1.1: &a !!str x", "tag tag:yaml.org,2002:str is not supported, expected none"),
    ("mtu: *unknown", "*unknown is unknown, expected &unknown before"),
    ("? [a]\n      : b", "is no name, expected text before the colon"),
    ("mtu: " + 20 * "[", "is nested too deeply, expected 16 levels at most"),
    ("<<: 1", "<< is no mapping, expected *NAME of one"),
    ("mtu: [", "is not YAML: did not find expected ',' or ']'"),
    ("\t mtu: 1500", "is not YAML: a tab before the text, expected spaces"),
    ("mtu: \t- 1", "is not YAML: block sequence entries are not allowed in this context"),
]


@pytest.mark.parametrize(("line", "error"), IN_NETWORK)
def test_mistakes_in_yaml_are_named_and_placed(tmp_path: Path, line: str, error: str) -> None:
    (found,) = errors(tmp_path, NETWORK % line)
    place, text = found.split(" ", 1)
    assert text == error
    assert place == ("c.yaml:8:" if line == "mtu: [" else "c.yaml:6:")  # seen only at a later line


DOCUMENTS = [
    ("", ["c.yaml:1: is empty, expected bridge and networks"]),
    ("1", ["c.yaml:1: is no mapping, expected bridge and networks"]),
    ("a\n---\nb", ["c.yaml:1: has several documents, expected one"]),
    (b"networks:\n \xff", ["c.yaml:2: is not UTF-8"]),
    ("\u2028{", ["c.yaml:3: is not YAML: did not find expected node content"]),  # a line's end, too
    (b"networks:\n a: \x01", ["c.yaml:2: is not YAML: control characters are not allowed"]),
]


@pytest.mark.parametrize(("text", "expected"), DOCUMENTS)
def test_what_is_no_document_is_named_and_placed(
    tmp_path: Path, text: str | bytes, expected: list[str]
) -> None:
    assert errors(tmp_path, text) == expected


INDENTATION = [
    (
        "    dhcpv4: {cidr: 10.0.0.0/24}\n   pool: 10.0.0.9",
        "did not find expected key, expected one that is indented as a line above",
    ),
    (
        "    bridge: br0\n     pool: 10.0.0.9",
        "mapping values are not allowed in this context, expected to be indented no more than the "
        "line above",
    ),
]


@pytest.mark.parametrize(("lines", "error"), INDENTATION)
def test_indentation_that_fits_nothing_is_said_to_be_that(
    tmp_path: Path, lines: str, error: str
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"networks:\n  red:\n{lines}\n")
    with pytest.raises(yaml_file.ConfigError) as caught:
        yaml_file.load(path)
    assert caught.value.errors == [f"{path}:4: is not YAML: {error}"]
