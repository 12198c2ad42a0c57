# SPDX-License-Identifier: Apache-2.0
"""The options of a section: what each may be, and what is said of each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.configuration.file import NETWORK, NETWORK6, errors

IN_NETWORK = [
    ("mtu: 99999", "red: mtu: 99999 does not fit, expected 68 to 65535 (RFC 2132 §5.1)"),
    (
        'option_26: "0x0043"',
        "red: option_26: mtu: 67 is forbidden, expected 68 to 65535 (RFC 2132 §5.1)",
    ),
    ('option_26: "0x44"', "red: option_26: mtu: 1 bytes, expected 68 to 65535 (RFC 2132 §5.1)"),
    ("option_6: hello", "red: option_6: dns_server: 5 bytes, expected IPv4 addresses"),
    (
        'option_19: "0x02"',
        "red: option_19: ip_forward_enable: 0x02 is neither, expected true or false, 1 or 0",
    ),
    ("tcp_ttl: 0", "red: tcp_ttl: 0 is forbidden, expected 1 to 255 (RFC 2132 §7.1)"),
    (
        "dns-server: 1.1.1.1",
        "red: dns-server: unknown option, expected the name of a DHCPv4 option or option_NNN "
        "(did you mean dns_server?)",
    ),
    ("offerip: 10.0.0.9", "red: offerip: comes from the port's addresses, expected nothing here"),
    ("option_53: 0x01", "red: option_53: cannot be configured, the server sets it"),
    ("mtu: {a: 1}", "red: mtu: is nested, expected a value or a list of values"),
    ("router: [[1.1.1.1]]", "red: router: is nested, expected a value or a list of values"),
]


@pytest.mark.parametrize(("line", "error"), IN_NETWORK)
def test_mistakes_in_an_option_are_named_and_placed(tmp_path: Path, line: str, error: str) -> None:
    assert errors(tmp_path, NETWORK % line) == [f"c.yaml:6: {error}"]


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
        "dhcpv6: {cidr: 'fd00::/64', valid_lifetime: -1}",
        "valid_lifetime: -1 does not fit, expected a number from 0 to 4294967295",
    ),
    ("dhcpv6: {cidr: 'fd00::/64', t1: {}}", "t1: is nested, expected a value or a list of values"),
    (
        "ra: {prefix: 'fd00::/64', preffix: 'fd00::/64'}",
        "preffix: unknown option, expected the name of a router advertisement option "
        "(did you mean prefix?)",
    ),
    (
        "ra: {addr_mode: dhcp}",
        "addr_mode: 'dhcp' is none of them, expected slaac or dhcpv6_stateless or dhcpv6_stateful",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', sol_max_rt: 59}",
        "sol_max_rt: 59 is forbidden, expected 60 to 86400 (RFC 8415 §21.24)",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', option_83: '0x00015181'}",
        "option_83: inf_max_rt: 86401 is forbidden, expected 60 to 86400 (RFC 8415 §21.25)",
    ),
    (
        "dhcpv6: {cidr: 'fd00::/64', information_refresh_time: 599}",
        "information_refresh_time: 599 is forbidden, expected 600 to 4294967295 (RFC 8415 §21.23)",
    ),
    (
        "dhcpv4: {cidr: 10.0.0.0/24, option_80: ''}",
        "option_80: cannot be configured, rapid_commit allows it",
    ),
]


@pytest.mark.parametrize(("line", "error"), IN_NETWORK6)
def test_mistakes_in_an_option_of_the_other_sections_are_named_and_placed(
    tmp_path: Path, line: str, error: str
) -> None:
    assert errors(tmp_path, NETWORK6 % line) == [f"c.yaml:3: red: {error}"]
