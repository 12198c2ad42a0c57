# SPDX-License-Identifier: Apache-2.0
"""Values as YAML gives them, and bytes that fit no type; the golden vectors have OVN's text."""

from __future__ import annotations

from typing import Any

import pytest
from ovs_dhcpd.flows.options.table import (
    DHCPV4,
    DHCPV4_EXTENSION,
    DHCPV6,
    ROUTER_ADVERTISEMENT,
    OptionError,
    OptionTable,
)
from ovs_dhcpd.flows.options.values import encode_value, format_option, format_value

V6, RA, V4_EXTENSION = DHCPV6, ROUTER_ADVERTISEMENT, DHCPV4_EXTENSION
ROUTES = "20a9fea9fec0a80102 00c0a80101"


@pytest.mark.parametrize(
    ("name", "value", "expected", "text"),
    [
        ("mtu", 1442, "05a2", "1442"),
        ("mtu", "1442", "05a2", "1442"),
        ("mtu", "0x5a2", "05a2", "1442"),
        ("default_ttl", 255, "ff", "255"),
        ("default_ttl", 1, "01", "1"),
        ("mtu", 68, "0044", "68"),
        ("netbios_node_type", 8, "08", "8"),
        ("lease_time", 0xFFFFFFFF, "ffffffff", "4294967295"),
        ("ip_forward_enable", True, "01", "1"),
        ("ip_forward_enable", "false", "00", "0"),
        ("ip_forward_enable", 0, "00", "0"),
        ("router", "10.0.0.1", "0a000001", "10.0.0.1"),
        ("dns_server", ["10.0.0.1", "10.0.0.2"], "0a0000010a000002", "{10.0.0.1, 10.0.0.2}"),
        ("dns_server", ["10.0.0.1"], "0a000001", "10.0.0.1"),
        ("dns_server", "{10.0.0.1}", "0a000001", "10.0.0.1"),
        ("dns_server", "10.0.0.1, 10.0.0.2", "0a0000010a000002", "{10.0.0.1, 10.0.0.2}"),
        ("hostname", "vm1", "766d31", '"vm1"'),
        ("hostname", '"vm1"', "766d31", '"vm1"'),
        ("hostname", 'a "b"', "6120226222", r'"a \"b\""'),
        ("hostname", "10.0.0.1", "31302e302e302e31", '"10.0.0.1"'),
        ("hostname", "é\n", "c3a90a", r'"é\n"'),
        ("tftp_server", "10.0.0.1", "0a000001", "10.0.0.1"),
        ("tftp_server", '"10.0.0.1"', "31302e302e302e31", '"10.0.0.1"'),
        ("tftp_server", "tftp.example", "746674702e6578616d706c65", '"tftp.example"'),
        (
            "classless_static_route",
            ["169.254.169.254/32,192.168.1.2", "0.0.0.0/0,192.168.1.1"],
            ROUTES,
            "{169.254.169.254/32, 192.168.1.2, 0.0.0.0/0, 192.168.1.1}",
        ),
        (
            "classless_static_route",
            "{169.254.169.254,192.168.1.2, 0.0.0.0/0,192.168.1.1}",
            ROUTES,
            "{169.254.169.254/32, 192.168.1.2, 0.0.0.0/0, 192.168.1.1}",
        ),
        (
            "classless_static_route",
            "10.229.0.129/25, 0.0.0.0",  # /25 keeps four octets; no host bit on the wire
            "190ae5008000000000",
            "{10.229.0.128/25, 0.0.0.0}",
        ),
        ("domain_search_list", "ovn.org", "036f766e036f726700", '"ovn.org"'),
        ("domain_search_list", ["ovn.org"], "036f766e036f726700", '"ovn.org"'),
        (
            "domain_search_list",
            ["corp.us", "corp.uk", " corp.us."],
            "04636f727002757300 04636f727002756b00 c000",
            '"corp.us,corp.uk,corp.us"',
        ),
        (
            "domain_search_list",
            ["a.org", "b.a.org", "c.b.a.org", "d"],  # a pointer leads to a name with a pointer
            "0161036f726700 0162c000 0163c007 016400",
            '"a.org,b.a.org,c.b.a.org,d"',
        ),
        ("option_43", "0x0104", "0104", "0x0104"),
        ("option_43", "text", "74657874", "0x74657874"),
        ("option_43", "1500", "31353030", "0x31353030"),
        ("option_43", ["10.0.0.1", "10.0.0.2"], "0a0000010a000002", "0x0a0000010a000002"),
        ("option_43", '"10.0.0.1"', "31302e302e302e31", "0x31302e302e302e31"),
        ("option_43", "", "", '""'),
    ],
)
def test_value_to_bytes_to_text(name: str, value: Any, expected: str, text: str) -> None:
    option = DHCPV4.lookup(name)
    encoded = encode_value(option, value)
    assert encoded == bytes.fromhex(expected)
    assert format_value(option, encoded) == text
    assert encode_value(option, text) == encoded


@pytest.mark.parametrize(
    ("table", "name", "value", "expected", "text"),
    [
        (V6, "server_id", "FA:16:3e:00:00:01", "fa163e000001", "fa:16:3e:00:00:01"),
        (V6, "dns_server", ["fd00::1"], "fd00" + "00" * 13 + "01", "fd00::1"),
        (V6, "dns_server", "fd00::1", "fd00" + "00" * 13 + "01", "fd00::1"),
        (V6, "domain_search", "a.org, b", "612e6f72672c2062", '"a.org, b"'),
        (V6, "domain_search", ["a.org", "b"], "612e6f72672c62", '"a.org,b"'),
        (V6, "fqdn", "vm1.a.", "03766d31 0161 00", '"vm1.a"'),
        (V6, "ntp_server", "ntp.a", "00030007 036e7470 0161 00", '"ntp.a"'),
        (V6, "ntp_server", "ff05::1", "00020010 ff05" + "00" * 13 + "01", "ff05::1"),
        (V6, "option_31", ["fd00::1"], "fd00" + "00" * 13 + "01", "0xfd00" + "00" * 13 + "01"),
        (RA, "prefix", "fd00::1/64", "40 fd00" + "00" * 14, "fd00::/64"),
        (RA, "addr_mode", "dhcpv6_stateful", "80", '"dhcpv6_stateful"'),
        (RA, "router_preference", "LOW", "18", '"LOW"'),
        (RA, "dnssl", ["a.org", "b"], "0161 036f7267 00 0162 00", '"a.org,b"'),
        (
            RA,
            "route_info",
            ["HIGH-fd00::/16", "LOW-::/0"],
            "08 10 fd00" + "00" * 14 + "18 00" + "00" * 16,
            '"HIGH-fd00::/16,LOW-::/0"',
        ),
        (RA, "pref64", "64:ff9b::/96", "60 0064ff9b" + "00" * 12, "64:ff9b::/96"),
        (V4_EXTENSION, "boot_file", [7, 9, '"b"'], "02 0007 0009 62", '{7, 9, "b"}'),
    ],
)
def test_value_of_the_other_tables(
    table: OptionTable, name: str, value: Any, expected: str, text: str
) -> None:
    option = table.lookup(name)
    encoded = encode_value(option, value)
    assert encoded == bytes.fromhex(expected)
    assert format_value(option, encoded) == text
    assert encode_value(option, text) == encoded


@pytest.mark.parametrize(
    ("table", "name", "value"),
    [
        (V6, "server_id", "0a00000000"),
        (V6, "dns_server", ""),
        (V6, "dns_server", "00" * 15),
        (V6, "domain_search", ""),
        (V6, "domain_search", "61c3a9"),  # no ASCII
        (V6, "domain_search", "612e2e62"),  # an empty label
        (V6, "fqdn", "0161 00 0162 00"),  # two names
        (V6, "fqdn", "0161"),
        (V6, "ntp_server", ""),
        (V6, "ntp_server", "00"),
        (V6, "ntp_server", "00010020" + "00" * 32),  # two addresses in one suboption
        (V6, "ntp_server", "00040000"),
        (RA, "prefix", "81" + "00" * 16),
        (RA, "prefix", "40" + "00" * 15 + "01"),  # a host bit
        (RA, "prefix", "40"),
        (RA, "addr_mode", "c0"),
        (RA, "route_info", "10 00" + "00" * 16),
        (RA, "route_info", "00"),
        (RA, "dnssl", "0161 00 0162 c000"),  # compressed
        (RA, "pref64", "40" + "00" * 16 + "40" + "00" * 16),
        (RA, "pref64", "41" + "00" * 16),
        (V4_EXTENSION, "boot_file", ""),
        (V4_EXTENSION, "boot_file", "00 61"),
        (V4_EXTENSION, "boot_file", "01 0000"),
        (V4_EXTENSION, "boot_file", "02 0000 61"),
    ],
)
def test_bytes_that_fit_no_value_of_the_other_tables(
    table: OptionTable, name: str, value: str
) -> None:
    with pytest.raises(OptionError, match=f"^{name}: .*expected "):
        format_value(table.lookup(name), bytes.fromhex(value))


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("mtu", 99999, "mtu: 99999 does not fit, expected 68 to 65535 (RFC 2132 §5.1)"),
        ("mtu", -1, "mtu: -1 does not fit, expected 68 to 65535 (RFC 2132 §5.1)"),
        ("mtu", True, "mtu: True is not a number, expected 68 to 65535 (RFC 2132 §5.1)"),
        ("mtu", 1.5, "mtu: 1.5 cannot be a value, expected 68 to 65535 (RFC 2132 §5.1)"),
        ("mtu", None, "mtu: None cannot be a value, expected 68 to 65535 (RFC 2132 §5.1)"),
        ("mtu", [], "mtu: 0 values, expected 68 to 65535 (RFC 2132 §5.1)"),
        (
            "mtu",
            "big",
            "mtu: 'big': column 1: `big', expected a constant (text goes in double quotes); "
            "expected 68 to 65535 (RFC 2132 §5.1)",
        ),
        ("default_ttl", 0, "default_ttl: 0 is forbidden, expected 1 to 255 (RFC 2132 §4.5)"),
        ("tcp_ttl", "0", "tcp_ttl: 0 is forbidden, expected 1 to 255 (RFC 2132 §7.1)"),
        ("tcp_ttl", 256, "tcp_ttl: 256 does not fit, expected 1 to 255 (RFC 2132 §7.1)"),
        ("mtu", "0x43", "mtu: 67 is forbidden, expected 68 to 65535 (RFC 2132 §5.1)"),
        *(
            (
                "netbios_node_type",
                number,
                f"netbios_node_type: {number} is forbidden, expected 1 or 2 or 4 or 8 "
                "(RFC 2132 §8.7)",
            )
            for number in (0, 3, 9)
        ),
        ("dns_server", [], "dns_server: no address, expected IPv4 addresses"),
        ("server_id", ["10.0.0.1"] * 2, "server_id: 2 values, expected one IPv4 address"),
        ("policy_filter", [], "policy_filter: no address, expected pairs of address and mask"),
        (
            "policy_filter",
            ["10.0.0.1"] * 3,
            "policy_filter: 3 addresses, expected pairs of address and mask",
        ),
        (
            "hostname",
            42,
            "hostname: 42 is not text (it may want double quotes), "
            "expected text, not empty and without NUL",
        ),
        ("hostname", "", "hostname: it is empty, expected text, not empty and without NUL"),
        ("hostname", ["a", "b"], "hostname: 2 values, expected text, not empty and without NUL"),
        (
            "classless_static_route",
            ["10.0.0.0/8,10.0.0.1", "10.0.0.0/8"],
            "classless_static_route: 3 values, expected pairs of destination/length and router",
        ),
        (
            "classless_static_route",
            [],
            "classless_static_route: 0 values, expected pairs of destination/length and router",
        ),
        (
            "domain_search_list",
            [],
            "domain_search_list: no name, expected domain names: "
            "labels of 1 to 63 letters, digits, - and _, up to 255 bytes in all",
        ),
        (
            "option_43",
            0x104,
            "option_43: 260 is none of them (in YAML, put 0x… in quotes), "
            "expected 0x and an even number of hex digits, text, or IP addresses",
        ),
    ],
)
def test_value_that_is_refused(name: str, value: Any, error: str) -> None:
    with pytest.raises(OptionError) as raised:
        encode_value(DHCPV4.lookup(name), value)
    assert str(raised.value) == error


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mtu", "05"),
        ("mtu", "0005a2"),
        ("ip_forward_enable", "02"),
        ("netmask", "0a0000010a000002"),
        ("router", ""),
        ("router", "0a0000"),
        ("policy_filter", "0a000001"),
        ("hostname", ""),
        ("hostname", "ff"),
        ("hostname", "6100"),
        ("classless_static_route", ""),
        ("classless_static_route", "180a0000"),  # no router
        ("classless_static_route", "210a00000000c0a80101"),  # /33
        ("classless_static_route", "080ac0a801"),  # half a router
        ("classless_static_route", "190ae50081c0a80101"),  # a host bit
        ("domain_search_list", ""),
        ("domain_search_list", "00"),
        ("domain_search_list", "0161"),  # no end
        ("domain_search_list", "0561"),  # half a label
        ("domain_search_list", "0161c0"),  # half a pointer
        ("domain_search_list", "c000"),  # pointer to itself
        ("domain_search_list", "0161c002"),  # pointer to itself
        ("domain_search_list", "0161c000"),  # a name without end
        ("domain_search_list", "0161c008016200"),  # pointer ahead
        ("domain_search_list", "012e00"),  # a dot in a label
        ("domain_search_list", "4161"),  # neither label nor pointer
        ("domain_search_list", ("3f" + "61" * 63) * 3 + "3e" + "61" * 62 + "00"),  # 256 bytes
    ],
)
def test_bytes_that_fit_no_value(name: str, value: str) -> None:
    option = DHCPV4.lookup(name)
    with pytest.raises(OptionError, match=f"^{name}: "):
        format_value(option, bytes.fromhex(value))
    shown = f"0x{value}" if value else '""'
    assert (
        format_option(DHCPV4, option.code, bytes.fromhex(value))
        == f"option_{option.code} = {shown}"
    )
