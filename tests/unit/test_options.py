# SPDX-License-Identifier: Apache-2.0
"""The option table."""

from __future__ import annotations

import pytest

from flows.options import DHCPV4, Option, OptionError
from flows.values import TYPES


def test_names_and_codes_are_those_of_ovn() -> None:
    ovn = """offerip 0, netmask 1, router 3, dns_server 6, log_server 7, lpr_server 9, hostname 12,
        domain_name 15, swap_server 16, ip_forward_enable 19, policy_filter 21, default_ttl 23,
        mtu 26, broadcast_address 28, router_discovery 31, router_solicitation 32,
        arp_cache_timeout 35, ethernet_encap 36, tcp_ttl 37, tcp_keepalive_interval 38,
        nis_server 41, ntp_server 42, netbios_name_server 44, netbios_node_type 46, lease_time 51,
        server_id 54, T1 58, T2 59, tftp_server 66, bootfile_name 67, domain_search_list 119,
        classless_static_route 121, tftp_server_address 150, path_prefix 210,
        ms_classless_static_route 249, wpad 252, next_server 253, bootfile_name_alt 254"""
    assert {name: option.code for name, option in DHCPV4.by_name.items()} == {
        name: int(code) for name, code in (each.split() for each in ovn.split(","))
    }


def test_each_code_has_one_row_of_a_known_type() -> None:
    assert len(DHCPV4.by_code) == len(DHCPV4.by_name)
    assert {option.type for option in DHCPV4.by_code.values()} == set(TYPES) - {"raw"}


def test_lookup_by_name_and_by_number() -> None:
    assert DHCPV4.lookup("mtu") == DHCPV4.by_code[26]
    assert DHCPV4.lookup("option_26") == Option("option_26", 26, "raw", "")
    assert DHCPV4.lookup("option_224").code == 224


@pytest.mark.parametrize("code", [0, 50, 51, 52, 53, 54, 55, 57, 61, 82, 253, 254, 255, 256, 9999])
def test_number_that_cannot_be_given(code: int) -> None:
    with pytest.raises(OptionError, match=rf"^option_{code}: .*\S$"):
        DHCPV4.lookup(f"option_{code}")


@pytest.mark.parametrize("name", ["", "MTU", "option_", "option_01", "option_-1", "option_1 "])
def test_unknown_name(name: str) -> None:
    with pytest.raises(OptionError, match=rf"^{name}: unknown option, expected the name of a DHCP"):
        DHCPV4.lookup(name)
