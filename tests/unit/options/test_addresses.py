# SPDX-License-Identifier: Apache-2.0
"""Lists of addresses, routes and prefixes: the constants that do not fit them.

What does fit, and the bytes that do not, are in test_values.py.
"""

from __future__ import annotations

import pytest
from ovs_dhcpd.flows.options.lexer import Constant, Hex, parse_constants
from ovs_dhcpd.flows.options.table import (
    DHCPV4,
    DHCPV6,
    ROUTER_ADVERTISEMENT,
    OptionError,
    OptionTable,
)
from ovs_dhcpd.flows.options.values import encode_constants

V4, V6, RA = DHCPV4, DHCPV6, ROUTER_ADVERTISEMENT


@pytest.mark.parametrize(
    ("table", "name", "constants", "reason"),
    [
        (V4, "router", [], "no address"),
        (V4, "router", [1], "1 is not an IPv4 address"),
        (V4, "policy_filter", parse_constants("10.0.0.1"), "1 addresses"),
        (V4, "classless_static_route", [], "0 values"),
        (V6, "dns_server", [], "no address"),
        (V6, "dns_server", parse_constants("10.0.0.1"), "10.0.0.1 is not an IPv6 address"),
        (V6, "server_id", [Hex("01")], "0x01 is not a MAC"),
        (RA, "prefix", [], "no prefix"),
        (RA, "prefix", parse_constants("fd00::1"), "fd00::1 is not an IPv6 prefix"),
        (RA, "route_info", [], "no route"),
        (RA, "route_info", [1], "1 is not text (it may want double quotes)"),
    ],
)
def test_constants_that_fit_no_such_list(
    table: OptionTable, name: str, constants: list[Constant], reason: str
) -> None:
    option = table.lookup(name)
    with pytest.raises(OptionError) as raised:
        encode_constants(option, constants)
    assert str(raised.value).startswith(f"{name}: {reason}"), raised.value
