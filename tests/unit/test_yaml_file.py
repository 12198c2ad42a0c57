# SPDX-License-Identifier: Apache-2.0
"""The configuration file: what is read, and how each mistake is reported."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import Path

import pytest

from controller.sources import yaml_file
from flows.bindings import Configuration, Dhcpv4, Network, Place, Port

EXAMPLE = Path(__file__).parents[1] / "examples" / "finance-network1.yaml"

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
        "br-int",
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
    assert configuration == Configuration("br-int", (Network("red", dhcpv4, (), False, place),))


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
        "vm1: option: unknown, expected addresses or options (did you mean options?)",
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
    ("networks:\n red: {ports: {}}", ["c.yaml:2: red: dhcpv4: is missing"]),
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
        "networks:\n red:\n  dhcpv4: {cidr: 10.0.0.0/8}\n  ports: {}\n  dhcpv6: {}\n  ra: {}",
        [
            "c.yaml:5: red: dhcpv6: is not supported yet, expected dhcpv4 only",
            "c.yaml:6: red: ra: is not supported yet, expected dhcpv4 only",
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
        "c.yaml:11: red: color: unknown, expected dhcpv4 or arp_responder or ports",
        "c.yaml:12: bridge: is at c.yaml:1 too, expected it once",
    ]


@pytest.mark.parametrize(
    ("name", "reason"), [("no", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(yaml_file.ConfigError) as caught:
        yaml_file.load(tmp_path / name)
    assert caught.value.errors == [f"{tmp_path / name}: cannot be read: {reason}"]


def test_userdata_that_fits_no_flow_is_refused_at_its_port(tmp_path: Path) -> None:
    option = "0x" + "00" * 40_000
    text = PORT % f"{ADDRESSES}\n        options: {{option_200: {option}, option_201: {option}}}"
    assert errors(tmp_path, text) == [
        "c.yaml:6: vm1: the options take 80672 bytes, at most 65000 fit"
    ]
